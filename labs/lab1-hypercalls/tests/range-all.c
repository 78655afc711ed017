// SPDX-License-Identifier: MIT
/* host test */
/* Asks for ranges and arrays that begin and end at and around each border. */
#include "ranges.h"
