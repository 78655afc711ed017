// SPDX-License-Identifier: MIT
/* host test */
/* Answers on two rings, in batches, with thresholds of all kinds. */
#include "steps.h"
