// SPDX-License-Identifier: MIT
#include "guest_copy.h"

/*
 * Exercise 1.2. Whether all @n bytes from @addr on lie below ATELIER_LINE. Both numbers are a guest's and may be any. No
 * bytes at all are fine wherever a byte would be, and at the line itself, but not above it. There is no way to wrap
 * around.
 *
 * Invariant (S6): no access of the hypervisor goes to an address derived from a guest's word unless this function
 * said yes to all of its bytes. Ring 0 is not bound by the guest's segment limits: nothing else stands in between.
 * Handout: "Ranges".
 */
bool guest_range_ok(guest_addr_t addr, uint32_t n)
{
	exercise_missing("1.2");
	return false;
}

/*
 * Exercise 1.2. The same for @count objects of @size bytes each, from @addr on; @count is a guest's. What the two
 * come to may be more than 32 bits hold. Handout: "Ranges".
 */
bool guest_array_ok(guest_addr_t addr, uint32_t count, uint32_t size)
{
	exercise_missing("1.2");
	return false;
}

/*
 * Exercise 1.3. Copies @n bytes from the guest's @src to our @dst and returns how many were NOT copied: 0 is success; @n
 * if the range is not all the guest's, and then no byte of it was touched. A page that is absent ends the copy
 * there.
 *
 * Whatever was not copied is zero in @dst: it would otherwise be what our stack held before, and callers
 * hand structures on. machine_copy_in() does the work, and believes the range. Handout: "Copies that may fault".
 */
size_t copy_from_guest(void *dst, guest_addr_t src, size_t n)
{
	exercise_missing("1.3");
	return n;
}

/*
 * Exercise 1.3. The other direction: @n bytes from our @src to the guest's @dst. Returns how many were NOT copied; it
 * stops at the first byte that cannot be written, be its page absent or read-only. machine_copy_out() does the work.
 * Handout: "Copies that may fault".
 */
size_t copy_to_guest(guest_addr_t dst, const void *src, size_t n)
{
	exercise_missing("1.3");
	return n;
}

/*
 * Exercise 1.3. A fault in the hypervisor itself, at the instruction @eip: where to go on, if that is one of those in
 * copy.S that may fault (machine_fixups() lists all of them, each with its place to resume), or 0: it is our own
 * bug, and the machine stops. Handout: "Copies that may fault".
 */
uint32_t guest_fixup(uint32_t eip)
{
	exercise_missing("1.3");
	return 0;
}
