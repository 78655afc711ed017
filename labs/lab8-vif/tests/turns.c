// SPDX-License-Identifier: MIT
/* Five VIFs of two domains with more to send than the wire takes at a time. */
#include "net_script.h"
