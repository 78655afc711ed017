// SPDX-License-Identifier: MIT
#include "trap_table.h"

/*
 * Exercise 2.3. Whether a guest may name this code segment and this address for an entry into itself: the
 * address lies below ATELIER_LINE; the selector has 16 bits, and is ATELIER_RING1_CODE, or has RPL 1 and names none of the
 * reserved slots of the GDT (public/segment.h: the first GDT_RESERVED_SLOTS of the frames from GDT_RESERVED_FRAME on).
 * A selector with bit 2 set is of the LDT, where nothing is reserved.
 *
 * Invariant (S3): a gate ignores the RPL of its selector. What it names in the GDT is what counts: in the
 * reserved slots lies ring 0's code. Handout: "Upcall".
 */
bool trap_target_ok(uint32_t cs, uint32_t address)
{
	exercise_missing("2.3");
	return false;
}

/*
 * Exercise 2.4. set_trap_table(@list, @count): replaces @d's table (d->traps.handlers, by vector) as a whole: a
 * vector that is not named has no handler any more (address 0). In this order:
 *
 *   -E2BIG   more than 256 entries
 *   then entry by entry, and the first that is wrong ends it:
 *   -EFAULT  it cannot be read (or the list does not lie below the line)
 *   -EINVAL  flags but TRAP_DPL and TRAP_MASK_EVENTS; address 0; a vector that was named before
 *   -EPERM   trap_target_ok() does not like it
 *
 * The table is 2 KiB, too much for the hypervisor's stack.
 *
 * Invariant: a call that is refused has changed nothing. A fast handler (2.5) stays what it was when it was
 * installed. Handout: "Exceptions".
 */
int do_set_trap_table(struct domain *d, guest_addr_t list, uint32_t count)
{
	return exercise_missing("2.4");
}

/*
 * Exercise 2.5. At a switch: takes @prev's fast gate out of the IDT, and puts @next's in. Either may be NULL: nobody;
 * they may have none, or both the same vector.
 *
 * Invariant: no domain can use a gate of another's; nothing but vectors that a domain has made fast ever changes,
 * and what is taken out is an absent gate again (GATE_NONE). Handout: "Fast handlers".
 */
void fast_switch_to(struct domain *prev, struct domain *next)
{
	exercise_missing("2.5");
}

/*
 * Exercise 2.5. set_fast_trap(@vector), of the domain that runs: makes the vector a gate (GATE_TRAP) straight to its
 * handler as the trap table has it now, open to the ring of TRAP_DPL, at once and at each switch to @d.
 * The one that was there goes. FAST_TRAP_NONE: none. In this order:
 *
 *   -EINVAL  not FAST_TRAP_NONE, 0x80, or 0x20 to 0x2f
 *   -EPERM   there is no handler; or it masks events, which no gate can; or trap_target_ok() does not like it
 *
 * and then the old gate stands.
 *
 * Invariant (S3): what the processor enters by itself is never ring 0's code, and below the line. It will check
 * none of that. Handout: "Fast handlers".
 */
int do_set_fast_trap(struct domain *d, uint32_t vector)
{
	return exercise_missing("2.5");
}
