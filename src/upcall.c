// SPDX-License-Identifier: MIT
#include "upcall.h"
#include "crash.h"
#include "domain.h"
#include "guest_copy.h"

#define FRAME_WORDS	9	/* the longest: DS ES FS GS EIP CS EFLAGS ESP SS */
#define HAS_ERROR	((1u << 8) | (0x1fu << 10) | (1u << 17))

static unsigned int ring(const struct regs *regs)
{
	return regs->cs & 3;
}

static bool ranges_ok(const struct callbacks *c)
{
	if (c->range_count > CALLBACK_RANGES)
		return false;
	for (uint32_t i = 0; i < c->range_count; i++)
		if (c->ranges[i].end < c->ranges[i].start)
			return false;
	return true;
}

static bool targets_ok(const struct callbacks *c)
{
	for (uint32_t i = 0; i < c->range_count; i++)
		if (c->ranges[i].resume >= ATELIER_LINE)
			return false;
	return trap_target_ok(c->event_cs, c->event_eip) && trap_target_ok(c->failsafe_cs, c->failsafe_eip);
}

int do_set_callbacks(struct domain *d, guest_addr_t arg)
{
	struct callbacks c;

	if (copy_from_guest(&c, arg, sizeof(c)))
		return -EFAULT;
	if (!ranges_ok(&c))
		return -EINVAL;
	if (!targets_ok(&c))
		return -EPERM;
	d->upcalls.callbacks = c;
	return 0;
}

bool in_critical_range(const struct domain *d, uint32_t eip, uint32_t *resume)
{
	const struct callbacks *c = &d->upcalls.callbacks;

	for (uint32_t i = 0; i < c->range_count; i++)
		if (eip >= c->ranges[i].start && eip < c->ranges[i].end) {
			*resume = c->ranges[i].resume;
			return true;
		}
	return false;
}

/* EFLAGS as the guest sees them: IF is its own master mask. */
static uint32_t visible_eflags(const struct domain *d, const struct regs *regs)
{
	return (regs->eflags & ~EFLAGS_IF) | (d->shared->upcall_mask ? 0 : EFLAGS_IF);
}

/*
 * Stores a frame with @extra words below it on the right ring-1 stack and moves @regs' stack there;
 * false: it cannot be stored, and nothing but guest memory has changed. Every store goes through here: one
 * place where an address that a guest chose meets ring 0's right to write anywhere.
 */
static bool push_frame(struct domain *d, struct regs *regs, const uint32_t *extra, unsigned int n)
{
	bool inner = ring(regs) > 1;
	uint32_t sp = inner ? d->vcpu.kernel_esp : regs->esp;
	uint32_t frame[FRAME_WORDS];

	for (unsigned int i = 0; i < n; i++)
		frame[i] = extra[i];
	frame[n++] = regs->eip;
	frame[n++] = regs->cs & 0xffff;
	frame[n++] = visible_eflags(d, regs);
	if (inner) {
		frame[n++] = regs->esp;
		frame[n++] = regs->ss & 0xffff;
	}
	sp -= n * sizeof(frame[0]);
	if (copy_to_guest(GUEST_ADDR(sp), frame, n * sizeof(frame[0])))
		return false;
	regs->esp = sp;
	if (inner)
		regs->ss = d->vcpu.kernel_ss;
	return true;
}

static void enter(struct regs *regs, uint32_t cs, uint32_t eip)
{
	regs->cs = cs;
	regs->eip = eip;
	regs->eflags &= ~(EFLAGS_TF | EFLAGS_NT | EFLAGS_RF | EFLAGS_VM);
}

void upcall_deliver(struct domain *d, struct regs *regs)
{
	const struct callbacks *c = &d->upcalls.callbacks;
	uint32_t resume;

	if (!event_deliverable(d) || d->shared->upcall_mask || !c->event_eip)
		return;
	if (ring(regs) == 1 && in_critical_range(d, regs->eip, &resume)) {
		d->shared->upcall_mask = 1;
		regs->eip = resume;
		return;
	}
	if (!push_frame(d, regs, NULL, 0)) {
		crash_domain(d, "double fault: no room for an event's frame below 0x%x", regs->esp);
		return;
	}
	enter(regs, c->event_cs, c->event_eip);
	d->shared->upcall_mask = 1;
}

/* Enters @h with the frame and @n words below it. */
static void enter_handler(struct domain *d, struct regs *regs, const struct trap_handler *h,
			  unsigned int vector, const uint32_t *extra, unsigned int n)
{
	if (!push_frame(d, regs, extra, n)) {
		crash_domain(d, "double fault: no room for the frame of exception %u", vector);
		return;
	}
	enter(regs, h->cs, h->address);
	if (h->flags & TRAP_MASK_EVENTS)
		d->shared->upcall_mask = 1;
}

void upcall_exception(struct domain *d, struct regs *regs, unsigned int vector, uint32_t error, uint32_t fault)
{
	const struct trap_handler *h = trap_handler(d, vector);
	uint32_t extra[2] = { error, 0 };

	if (!h) {
		crash_domain(d, "exception %u (error 0x%x, address 0x%x) without a handler", vector, error, fault);
		return;
	}
	if (vector == 14) {
		/*
		 * The processor takes ring 1 for a supervisor and says so; rings 2 and 3 are told
		 * apart here.
		 */
		extra[0] = fault;
		extra[1] = (error & ~4u) | (ring(regs) == 3 ? 4 : 0);
		enter_handler(d, regs, h, vector, extra, 2);
		return;
	}
	enter_handler(d, regs, h, vector, extra, vector < 32 && (HAS_ERROR >> vector & 1));
}

bool upcall_int_n(struct domain *d, struct regs *regs, unsigned int vector)
{
	const struct trap_handler *h = trap_handler(d, vector);

	if (!h || (h->flags & TRAP_DPL) < ring(regs))
		return false;
	regs->eip += 2;
	enter_handler(d, regs, h, vector, NULL, 0);
	return true;
}

void upcall_failsafe(struct domain *d, struct regs *regs)
{
	const struct callbacks *c = &d->upcalls.callbacks;
	const uint32_t extra[4] = { regs->ds & 0xffff, regs->es & 0xffff, regs->fs & 0xffff, regs->gs & 0xffff };

	if (!c->failsafe_eip || (regs->eip == c->failsafe_eip && regs->cs == c->failsafe_cs)) {
		crash_domain(d, "the way back to it faulted%s", c->failsafe_eip ? " twice" : "");
		return;
	}
	if (!push_frame(d, regs, extra, 4)) {
		crash_domain(d, "double fault: no room for the failsafe frame");
		return;
	}
	enter(regs, c->failsafe_cs, c->failsafe_eip);
	regs->ds = regs->es = regs->fs = regs->gs = ATELIER_RING1_DATA;
	d->shared->upcall_mask = 1;
}
