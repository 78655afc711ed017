// SPDX-License-Identifier: MIT
/* host test */
/* Exchanges frames while the allocation of the k-th fails. */
#include "memory_steps.h"
