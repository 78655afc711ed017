// SPDX-License-Identifier: MIT
/* host test */
/* Takes frames under limits of every size. */
#include "memory_steps.h"
