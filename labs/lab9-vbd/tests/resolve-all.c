// SPDX-License-Identifier: MIT
/* host test */
/* Requests of every size on tables of every kind. */
#include "extent_steps.h"
