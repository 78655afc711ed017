// SPDX-License-Identifier: MIT
/* Sends packets in pieces of every kind. */
#include "net_script.h"
