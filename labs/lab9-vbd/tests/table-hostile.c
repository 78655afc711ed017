// SPDX-License-Identifier: MIT
/* host test */
/* Domain 0 changes tables, in ways that make sense and in others, under load. */
#include "disk_steps.h"
