// SPDX-License-Identifier: MIT
/* host test */
/* Gives back frames that somebody holds, and then lets go of them. */
#include "memory_steps.h"
