// SPDX-License-Identifier: MIT
/* host test */
/* Domains with full rings, while there is room for some of what they ask. */
#include "disk_steps.h"
