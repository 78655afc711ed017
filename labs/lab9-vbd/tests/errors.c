// SPDX-License-Identifier: MIT
/* host test */
/* Requests of many pieces on small extents, while sectors fail and pieces are not to be had. */
#include "disk_steps.h"
