// SPDX-License-Identifier: MIT
/* Receives what comes by wire. */
#include "net_script.h"
