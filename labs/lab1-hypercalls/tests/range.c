// SPDX-License-Identifier: MIT
/* host test */
/* Asks for ranges and arrays as they come. */
#include "ranges.h"
