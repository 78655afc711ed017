// SPDX-License-Identifier: MIT
/* Receives more than it has posted frames for. */
#include "net_script.h"
