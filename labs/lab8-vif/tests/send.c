// SPDX-License-Identifier: MIT
/* Sends packets of all lengths to the wire. */
#include "net_script.h"
