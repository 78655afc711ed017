// SPDX-License-Identifier: MIT
/* host test */
/* Claims requests that cannot be, and changes the page while it is read. */
#include "steps.h"
