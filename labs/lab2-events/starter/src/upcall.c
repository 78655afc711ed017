// SPDX-License-Identifier: MIT
#include "upcall.h"
#include "crash.h"

/*
 * Exercise 2.3. set_callbacks(@arg): registers where events and failures enter @d, and its critical ranges, as
 * public/trap.h has it. The struct callbacks is copied once. In this order:
 *
 *   -EFAULT  it cannot be read
 *   -EINVAL  more than CALLBACK_RANGES ranges; one that ends before it starts
 *   -EPERM   a range's place to resume is not below the line; trap_target_ok() does not like one of the callbacks
 *
 * and then the old ones stand. Handout: "Upcall".
 */
int do_set_callbacks(struct domain *d, guest_addr_t arg)
{
	return exercise_missing("2.3");
}

/*
 * Exercise 2.3. Whether @eip lies in one of @d's ranges, start <= @eip < end; then *@resume is where to go on. The first of
 * them counts. Handout: "Upcall".
 */
bool in_critical_range(const struct domain *d, uint32_t eip, uint32_t *resume)
{
	exercise_missing("2.3");
	return false;
}

/*
 * Exercise 2.3. On each way back to @d, which will go on with @regs. If an event is deliverable and not masked, and there is
 * an event callback (its address is not 0), the way back leads there:
 *
 *   - ring 1 was interrupted inside a critical range: the master mask is set, and it goes on at the range's
 *     place to resume; nothing is stored.
 *   - otherwise a frame is stored on the right ring-1 stack: below the interrupted ESP if that was ring 1's, else below
 *     the one of stack_switch (d->vcpu.kernel_ss, kernel_esp). From ESP upward EIP, CS, EFLAGS and, if ring 2 or 3 was
 *     interrupted, ESP, SS. Of EFLAGS, IF says whether events were unmasked; its other bits are as they were.
 *     Then the mask is set, and @regs are those of the callback on that stack, TF, NT, RF and VM being clear.
 *
 * A frame that cannot be stored, in part or at all, is a double fault: crash_domain() ends @d, and the hypervisor
 * goes on.
 *
 * Invariant (S4, S6): the stack is the guest's and may be anywhere, the store is ring 0's: each byte of it is
 * judged first, and may fault. Delivery only adds masking. Handout: "Upcall".
 */
void upcall_deliver(struct domain *d, struct regs *regs)
{
	exercise_missing("2.3");
}

/*
 * Exercise 2.4. An exception of @d's, with @regs as they were: enters its handler for @vector (trap_handler()), which
 * finds a frame as upcall_deliver() makes it and below that, for the vectors that have one (8, 10 to 14, 17),
 * the error code @error. For a page fault (14) the address @fault lies below the error code, and bit 2 (U) of the
 * error code says whether ring 3 did it: the processor takes ring 1 for a supervisor, and ring 2 too.
 *
 * If the handler has TRAP_MASK_EVENTS, the master mask is set; otherwise it stays as it is. Without a handler,
 * or if the frame cannot be stored, @d dies (crash_domain()), never the machine.
 *
 * Invariant (E2, S4, S6): as upcall_deliver(). Handout: "Exceptions".
 */
void upcall_exception(struct domain *d, struct regs *regs, unsigned int vector, uint32_t error, uint32_t fault)
{
	exercise_missing("2.4");
	crash_domain(d, "exception %u (error 0x%x, address 0x%x), and upcall_exception() is missing", vector, error, fault);
}

/*
 * Exercise 2.4. `INT n`, two bytes long, at @regs->eip, as the processor refused it: no gate is open. True: @d's own
 * table has a handler for @vector, and its TRAP_DPL allows it to the ring of @regs; then the handler is entered as for an
 * exception without an error code, whatever the vector, and returns behind the instruction. False: neither is
 * so, and nothing has changed; the caller makes it a #GP. Handout: "Exceptions".
 */
bool upcall_int_n(struct domain *d, struct regs *regs, unsigned int vector)
{
	exercise_missing("2.4");
	return false;
}

/*
 * Exercise 2.4. Loading @regs into the processor faulted: a selector is bad. The way back leads to the failsafe callback,
 * which finds a frame as upcall_deliver() makes it, and below that, from ESP upward, DS, ES, FS, GS as they were to be
 * loaded; these four are ATELIER_RING1_DATA now, and the master mask is set.
 *
 * @d dies if it has no failsafe callback (address 0), if the frame cannot be stored, or if it was the way to that very
 * callback that faulted.
 *
 * Invariant: a domain that cannot be returned to is not returned to for ever. Handout: "Exceptions".
 */
void upcall_failsafe(struct domain *d, struct regs *regs)
{
	exercise_missing("2.4");
	crash_domain(d, "the way back to it faulted, and upcall_failsafe() is missing");
}
