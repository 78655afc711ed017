// SPDX-License-Identifier: MIT
/* Sends what is not its own, what is no packet, and what it gives back meanwhile. */
#include "net_script.h"
