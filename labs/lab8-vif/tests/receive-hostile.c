// SPDX-License-Identifier: MIT
/* Posts frames that it should not. */
#include "net_script.h"
