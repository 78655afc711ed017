// SPDX-License-Identifier: MIT
#include "balloon.h"

/*
 * Exercise 7.1. Takes up to @count frames of zeros for @d, which may be any number: their numbers to @mfns,
 * which has room for @count. Returns how many: as many as there are, as @d's limit still allows, and as
 * nobody else was promised (frame_pool_unpromised()); none, if @d is dying. A limit may lie below what is
 * owned, and sums of numbers that a guest or domain 0 chose wrap: no result is larger than it should be
 * because one did. Keeps M1, M14. Handout, part 7.1.
 */
uint32_t balloon_take(struct domain *d, uint32_t *mfns, uint32_t count)
{
	exercise_missing("7.1");
	return 0;
}

/*
 * Exercise 7.2. Gives one of @d's frames back, so that whoever gets it next can see nothing of it, and @d no
 * longer touches it, not even by what the processor remembers:
 *   -EINVAL  no such frame, or not @d's
 *   -EBUSY   somebody holds it besides the reservation, be it only to read: a mapping, a pin, a use as a
 *            table, a descriptor table, the shared page, a ring, a device; or it is in no reservation
 * Think of the order: unmap, flush, clear the entry of the machine-to-physical table, free; and find out
 * which of these frame_pool_give_up() does. Keeps B1, M14. Handout, part 7.2.
 */
int balloon_give_back(struct domain *d, mfn_t mfn)
{
	return exercise_missing("7.2");
}

/*
 * Exercise 7.3. The first half of an exchange: a frame of zeros for @d in the place of @old, number to @new,
 * with @old's machine-to-physical entry. Both are @d's until the caller, who must in the same call, gives one
 * up with frame_pool_give_up(): @old when the guest has been told, else the newcomer, and then nothing has
 * happened. The limit does not count: one comes, one goes. No page table is touched: the guest has unmapped
 * before, and maps after. Errors as balloon_give_back(), in its order, and then, with nothing changed:
 *   -ESRCH   @d is dying
 *   -ENOMEM  no frame is free
 * Keeps B2, M1. Handout, part 7.3.
 */
int balloon_exchange(struct domain *d, mfn_t old, mfn_t *new)
{
	return exercise_missing("7.3");
}

/*
 * Exercise 7.4. Handler of HYPERCALL_memory_op; public/memory.h says what each operation does. The structure
 * at @at is copied once, and refused in this order: -EFAULT, it cannot be read; -EINVAL, no such operation,
 * @reserved; and but for MEMORY_query, whose answer goes back to @at (-EFAULT): -EINVAL, the list is not
 * aligned to its entries, so that one could lie half in a page that cannot be written; -EFAULT, it is not
 * below the line, all of it.
 * Entries are done in the order of the list, some at a time, and after CHUNK of them at most is looked whether
 * an interrupt is due. The answer is how many were done, and the first error only if there was none: a
 * guest that gets an error instead would forget frames that it has or has lost. What the guest cannot be
 * told, because its list turns out not to be writable, has not happened: no frame is @d's that it never
 * learns of, and none is exchanged. Keeps M12, M13. Handout, part 7.4.
 */
int do_memory_op(struct domain *d, guest_addr_t at)
{
	return exercise_missing("7.4");
}
