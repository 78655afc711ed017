// SPDX-License-Identifier: MIT
#include "hypercall.h"
#include "machine.h"

/*
 * Exercise 1.1. Takes the table of handlers, @rows of them, and opens the way to it: from now on `int 0x82`
 * (HYPERCALL_VECTOR) comes to the hypervisor's entry for that vector. Ring 1 may use it; for ring 3 it is a #GP of
 * its own, whatever ring 1 did before. Interrupts are off on entry.
 *
 * machine.h has what sets a gate and says where the entry is. Handout: "Dispatch".
 */
void hypercall_init(hypercall_fn *const *table, uint32_t rows)
{
	exercise_missing("1.1");
}

/*
 * Exercise 1.1. Serves the call that @d made with @regs: the number is all 32 bits of EAX, the arguments are EBX,
 * ECX, EDX, ESI and EDI, in this order, and the handler gets their values. Its answer goes into EAX. A number beyond
 * the table, or one whose row is NULL, is answered by -ENOSYS.
 *
 * For others: while a handler runs, crash_context.call is the number, and outside of calls UINT32_MAX (crash.h).
 * d->calls.count counts calls, known or not; each entry of a multicall (1.5) is one, too. An audit that was set
 * with hypercall_set_audit() runs after each call, and one that answers false stops the machine by crash_machine().
 *
 * Invariant: of the caller's registers only EAX changes. The number is hostile; so is every argument. What a C
 * function does with the place of its arguments is the compiler's affair. Handout: "Dispatch".
 */
void hypercall_dispatch(struct domain *d, struct regs *regs)
{
	regs->eax = exercise_missing("1.1");
}

/*
 * Exercise 1.4. Prints what the guest @d has at @bytes, by console_emit(): the longest readable prefix of the first
 * min(@count, CONSOLE_WRITE_MAX) bytes, of any value, 0 too. Returns its length, which is the number of bytes that were
 * printed; 0 if @count is 0, wherever @bytes points; -EFAULT if @count is not 0 and not even one byte can be read.
 *
 * The hypervisor's stack is small: no more than 128 of the bytes lie on it at a time. Handout: "console_write".
 */
int do_console_write(struct domain *d, guest_addr_t bytes, uint32_t count)
{
	return exercise_missing("1.4");
}

/*
 * Exercise 1.5. Executes the @count entries (struct multicall_entry) at @list in order, as if @d had made these calls one
 * after the other, and returns how many were executed. Each entry is read once; its result is written into its own
 * @result, and nothing else of it is written.
 *
 *   -EFAULT  the list does not lie below the line; or its first entry cannot be read
 *   fewer    a later entry cannot be read: the batch ends before it;
 *            a result cannot be written: its call was executed and counts, and the batch ends behind it;
 *            an interrupt is due (machine_interrupt_due()) after an entry; or @d has died of one
 *
 * An entry that asks for multicall, iret or block gets -EINVAL for its result, counts, and the batch goes on.
 *
 * Invariant: a multicall never runs inside another, and what is returned is true, however the list
 * changes while it is executed. Handout: "multicall".
 */
int do_multicall(struct domain *d, guest_addr_t list, uint32_t count)
{
	return exercise_missing("1.5");
}
