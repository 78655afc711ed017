// SPDX-License-Identifier: MIT
/* host test */
/* Takes references to frames of its own, of another domain, and of nobody, and gives them back. */
#include "refs.h"
