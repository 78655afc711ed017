/* SPDX-License-Identifier: MIT */
/* Number to handler: the one place that knows every call. */
#ifndef ATELIER_HYPERCALL_TABLE_H
#define ATELIER_HYPERCALL_TABLE_H

#include "hypercall.h"

extern hypercall_fn *const hypercall_table[HYPERCALL_COUNT];

#endif
