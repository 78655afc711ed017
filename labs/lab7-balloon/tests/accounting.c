// SPDX-License-Identifier: MIT
/* host test */
/* Thousands of operations of every kind. */
#include "memory_steps.h"
