// SPDX-License-Identifier: MIT
/* VIFs are created, used and taken away again. */
#include "net_script.h"
