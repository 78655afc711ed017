// SPDX-License-Identifier: MIT
/* host test */
/* Offers what can be no ring, and dies with requests in every state. */
#include "steps.h"
