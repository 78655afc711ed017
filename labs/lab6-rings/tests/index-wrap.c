// SPDX-License-Identifier: MIT
/* host test */
/* HOST_DEFINES: -DRING_START=0xfffffffbu */
/* Requests and answers on rings whose indices begin close to their end. */
#include "steps.h"
