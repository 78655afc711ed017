// SPDX-License-Identifier: MIT
/* host test */
/* Three domains with barriers on two disks that end what they do in any order. */
#include "disk_steps.h"
