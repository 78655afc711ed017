// SPDX-License-Identifier: MIT
/* host test */
/* A domain that always has a full ring, and others with little, at every moment of a full queue. */
#include "disk_steps.h"
