/* SPDX-License-Identifier: MIT */
/* Calls for tests of the hypervisor itself; a build without DEBUG refuses them. */
#ifndef ATELIER_DEBUG_H
#define ATELIER_DEBUG_H

#include "lib/types.h"

struct domain;

/* Handler of HYPERCALL_debug_op; contract in public/hypercall.h. */
int do_debug_op(struct domain *d, uint32_t op, guest_addr_t source, guest_addr_t destination, uint32_t count);

#endif
