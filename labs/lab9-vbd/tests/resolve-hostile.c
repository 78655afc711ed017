// SPDX-License-Identifier: MIT
/* host test */
/* Requests that end at the last number, reach over borders, or have no room for their runs. */
#include "extent_steps.h"
