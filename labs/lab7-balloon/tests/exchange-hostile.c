// SPDX-License-Identifier: MIT
/* host test */
/* Exchanges frames that are held, named twice, or another's. */
#include "memory_steps.h"
