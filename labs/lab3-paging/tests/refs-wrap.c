// SPDX-License-Identifier: MIT
/* host test */
/* HOST_DEFINES: -DFRAME_COUNT_MAX=7 */
/* Takes more references than a count can hold, which here is 7. */
#include "refs.h"
