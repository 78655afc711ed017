// SPDX-License-Identifier: MIT
/* host test */
/* Many requests at once, and one that is far away from where all others are. */
#include "disk_steps.h"
