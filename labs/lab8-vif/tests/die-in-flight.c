// SPDX-License-Identifier: MIT
/* A domain is killed with packets at every stage of their way. */
#include "net_script.h"
