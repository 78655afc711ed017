// SPDX-License-Identifier: MIT
/* host test */
/* Extents that come and go in four tables, and what is in the way of what. */
#include "extent_steps.h"
