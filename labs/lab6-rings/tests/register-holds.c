// SPDX-License-Identifier: MIT
/* host test */
/* Tries to take a ring's page away, to use it as something else, and to make another ring of it. */
#include "steps.h"
