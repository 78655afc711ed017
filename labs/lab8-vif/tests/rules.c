// SPDX-License-Identifier: MIT
/* Sends packets of all kinds between VIFs and to the wire, under rules that domain 0 makes up. */
#include "net_script.h"
