/* SPDX-License-Identifier: MIT */
/*
 * Guest memory: the only way in and out.
 *
 * Ring 0 is not bound by the guest's segment limits, so the range check here is all that keeps an
 * address that a guest made up away from the hypervisor's own memory. Every address is checked as a
 * range, every structure is copied once and then judged.
 *
 * Invariant (S6): no access of the hypervisor goes to an address derived from a guest's word unless
 * guest_range_ok() said yes to all of its bytes.
 */
#ifndef ATELIER_GUEST_COPY_H
#define ATELIER_GUEST_COPY_H

#include "lib/types.h"

/*
 * Whether all @n bytes from @addr lie below ATELIER_LINE. No bytes at all are fine up to the line
 * itself.
 */
bool guest_range_ok(guest_addr_t addr, uint32_t n);

/* The same for @count objects of @size bytes; the product may be more than 32 bits. */
bool guest_array_ok(guest_addr_t addr, uint32_t count, uint32_t size);

/*
 * Copies @n bytes and returns how many were NOT copied: 0 is success, @n if the range is not the
 * guest's. What a short copy from the guest left open is zero. A copy to the guest stops at the
 * first byte that cannot be written.
 */
size_t copy_from_guest(void *dst, guest_addr_t src, size_t n);
size_t copy_to_guest(guest_addr_t dst, const void *src, size_t n);

/*
 * A door for pc/: where to go on after a fault of the hypervisor at @eip, or 0: it is our own bug.
 */
uint32_t guest_fixup(uint32_t eip);

static inline guest_addr_t guest_add(guest_addr_t addr, uint32_t bytes)
{
	return GUEST_ADDR(addr.n + bytes);
}

#endif
