// SPDX-License-Identifier: MIT
/*
 * What came in through the IDT (entry.S), and who is to hear of it.
 *
 * From a guest: its exceptions go back to it, INT n by its own trap table, interrupts to their
 * handlers. From the hypervisor itself only four things are no bug: an interrupt while it idles, a
 * fault in a copy, a fault on the last steps to a guest, and a watchpoint (entry.S drops that one).
 */
#include "console.h"
#include "crash.h"
#include "domain.h"
#include "guest_copy.h"
#include "hypercall.h"
#include "lib/string.h"
#include "pc/io.h"
#include "pc/pc.h"
#include "sched.h"
#include "trace.h"
#include "upcall.h"

_Static_assert(offsetof(struct regs, eip) == REGS_EIP, "entry.S");
_Static_assert(offsetof(struct regs, cs) == REGS_CS, "entry.S");
_Static_assert(sizeof(struct regs) == REGS_SIZE, "entry.S");
_Static_assert(MACHINE_RING0_CODE == SELECTOR_CODE && MACHINE_RING0_DATA == SELECTOR_DATA, "entry.S");

/* Error code of a fault that names an entry of the IDT (SDM 3A, 6.13). */
#define ERROR_EXTERNAL	1u
#define ERROR_IDT	2u

/* Delivering may be the end of a domain. */
struct regs *trap_leave(void)
{
	struct domain *d;

	do {
		d = sched_return();
		upcall_deliver(d, &d->vcpu.regs);
	} while (d->life != LIFE_OPEN);
	return &d->vcpu.regs;
}

struct regs *serve_hypercall(struct regs *regs)
{
	struct domain *d = sched_current();

	trace_call(d->id, regs);
	hypercall_dispatch(d, regs);
	trace_answer(regs->eax);
	return trap_leave();
}

/* ---- from a guest ---- */

static void protection_fault(struct domain *d, struct regs *regs)
{
	bool served = false;

	if ((regs->error & (ERROR_IDT | ERROR_EXTERNAL)) == ERROR_IDT)
		served = upcall_int_n(d, regs, regs->error >> 3 & 0xff);
	served = served || negative_offset(d, regs);	/* lab 4 */
	if (served)
		trace_mended();
	else
		upcall_exception(d, regs, VECTOR_PROTECTION, regs->error, 0);
}

static void exception(struct domain *d, struct regs *regs)
{
	uint32_t address = regs->vector == VECTOR_PAGE_FAULT ? read_cr2() : 0;

	trace_exception(d->id, false, regs, address);
	switch (regs->vector) {
	case VECTOR_PAGE_FAULT:
		upcall_exception(d, regs, VECTOR_PAGE_FAULT, regs->error, address);
		return;
	case VECTOR_PROTECTION:
		protection_fault(d, regs);
		return;
	case VECTOR_NO_FPU:
		if (vcpu_fpu_fault(d)) {
			trace_mended();
			return;
		}
		break;
	case VECTOR_DEBUG:
		d->vcpu.dr[6] = machine_debug_status();
		break;
	}
	upcall_exception(d, regs, regs->vector, regs->error, 0);
}

struct regs *serve_trap(struct regs *regs)
{
	if (regs->vector >= IRQ_VECTOR)
		pic_handle(regs->vector - IRQ_VECTOR);
	else
		exception(sched_current(), regs);
	return trap_leave();
}

/* ---- from the hypervisor ---- */

/*
 * IRET refused what the guest is to be loaded with, and EIP to SS are still in its struct regs. Its
 * other registers had been loaded, and are in @frame, which lies over the lower part of that
 * structure. Vector and error say what the matter is.
 */
static void recover_regs(struct regs *regs, const struct regs *frame)
{
	memmove(regs, frame, offsetof(struct regs, eip));
}

static struct regs *exit_failed(const struct regs *frame)
{
	struct domain *d = sched_current();

	if (frame->eip == (uint32_t)exit_iret)
		recover_regs(&d->vcpu.regs, frame);
	upcall_failsafe(d, &d->vcpu.regs);
	return trap_leave();
}

static bool on_the_way_out(uint32_t eip)
{
	return (eip >= (uint32_t)exit_segments && eip < (uint32_t)exit_segments_end) ||
	       eip == (uint32_t)exit_iret;
}

NORETURN static void own_fault(const struct regs *frame)
{
	struct regs regs = *frame;

	/* No change of rings, no ESP and SS in the frame: it was pushed where ESP was. */
	regs.esp = (uint32_t)&frame->esp;
	regs.ss = MACHINE_RING0_DATA;
	if (regs.vector == VECTOR_PAGE_FAULT)
		crash_machine(&regs, "page fault in the hypervisor at address %08x, error %x",
			      read_cr2(), regs.error);
	crash_machine(&regs, "exception %u in the hypervisor, error %x", regs.vector, regs.error);
}

/* The domain that the hypervisor works for. */
static uint32_t on_behalf(void)
{
	const struct domain *d = sched_current();

	return d ? d->id : TRACE_NO_DOMAIN;
}

struct regs *serve_own_trap(struct regs *frame)
{
	uint32_t resume;

	if (frame->vector >= IRQ_VECTOR) {
		pic_handle(frame->vector - IRQ_VECTOR);
		return NULL;
	}
	trace_exception(on_behalf(), true, frame, read_cr2());
	if (on_the_way_out(frame->eip))
		return exit_failed(frame);
	resume = guest_fixup(frame->eip);
	if (!resume)
		own_fault(frame);
	trace_mended();
	frame->eip = resume;
	return NULL;
}

NORETURN void serve_double_fault(void)
{
	struct regs regs;
	uint32_t address = read_cr2();

	cpu_double_fault_regs(&regs);
	trace_exception(on_behalf(), true, &regs, address);
	if (address - (uint32_t)stack_guard < PAGE_SIZE)
		crash_machine(&regs, "the hypervisor's stack overflowed");
	crash_machine(&regs, "double fault, last page fault at address %08x", address);
}
