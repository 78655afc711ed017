// SPDX-License-Identifier: MIT
#include "domain.h"
#include "console.h"
#include "crash.h"
#include "frame.h"
#include "lib/string.h"
#include "machine.h"

#define FRAMES_A_STEP	256	/* that one step of death gives back */

/* ---- birth ---- */

struct domain *domain_open(const char *name, uint32_t limit)
{
	struct domain *d = domain_claim();

	if (!d)
		return NULL;
	d->slot_frame = frame_pool_alloc(NULL);
	if (d->slot_frame.n == MFN_NONE.n) {
		d->life = LIFE_FREE;
		return NULL;
	}
	machine_slot_open(d->id, d->slot_frame);
	d->privileged = d->id == 0;
	string_copy(d->name, name, sizeof(d->name));
	d->shared_frame = MFN_NONE;
	d->paging.base = MFN_NONE;
	d->paging.looked = MFN_NONE;
	frame_pool_open(&d->memory, limit);
	sched_open(d);
	events_open(d);				/* lab 2 */
	trap_table_open(d);			/* lab 2 */
	timers_open(d);				/* lab 2 */
	segment_open(d);			/* lab 4 */
	vbds_open(d);				/* lab 9 */
	return d;
}

void domain_set_shared(struct domain *d, mfn_t mfn)
{
	d->shared_frame = mfn;
	d->shared = machine_map_shared(d->id, mfn);
	memset(d->shared, 0, PAGE_SIZE);
	d->shared->upcall_mask = 1;
}

/* ---- death ---- */

static void stop_machine(uint32_t reason, uint32_t status)
{
	switch (reason) {
	case SHUTDOWN_poweroff:
		machine_stop(END_POWEROFF, status);
	case SHUTDOWN_reboot:
		machine_stop(END_REBOOT, 0);
	default:
		console_printf("domain 0 is gone: the machine stops\n");
		machine_stop(END_CRASH, 0);
	}
}

void domain_kill(struct domain *d, uint32_t reason, uint32_t status)
{
	struct domain *privileged;

	if (d->privileged)
		stop_machine(reason, status);
	d->life = LIFE_DYING;
	d->reason = reason;
	d->status = status;
	d->ended = machine_now();
	sched_leave(d);
	ring_destroy(d);			/* lab 6 */
	vifs_destroy(d);			/* lab 8 */
	events_destroy(d);			/* lab 2 */
	timers_destroy(d);			/* lab 2 */
	privileged = domain_find(NULL, 0);
	if (privileged)
		event_raise_virq(privileged, VIRQ_DOMAIN);	/* lab 2 */
	sched_want_chore();
}

static void put_shared(struct domain *d)
{
	d->shared = NULL;
	frame_put_type(d->shared_frame);
	d->shared_frame = MFN_NONE;
}

enum progress {
	STEP_DONE,		/* the domain is gone */
	STEP_MORE,		/* and there is more to do */
	STEP_STUCK,		/* all that is left is what domain 0 still maps, or what a device is at work on */
};

/*
 * Gives some frames of the reservation up; those that somebody else still holds stay on the list.
 * False: some are left.
 */
static bool give_up_frames(struct domain *d)
{
	unsigned int n = FRAMES_A_STEP;
	uint32_t next;

	for (uint32_t i = d->memory.owned.first; i != UINT32_MAX; i = next) {
		next = frame_record(MFN(i))->next;
		if (!frame_record(MFN(i))->reserved)
			continue;
		if (n-- == 0)
			return false;
		frame_pool_give_up(MFN(i));
	}
	return true;
}

static enum progress reap_step(struct domain *d)
{
	if (!ring_destroy(d))			/* lab 6 */
		return STEP_STUCK;		/* lab 6 */
	vbds_destroy(d);			/* lab 9 */
	segment_destroy(d);			/* lab 4 */
	if (!paging_destroy(d))
		return STEP_MORE;
	if (d->shared)
		put_shared(d);
	if (!give_up_frames(d))
		return STEP_MORE;
	if (d->memory.owned.count > 0)
		return STEP_STUCK;
	frame_put(d->slot_frame);
	d->life = LIFE_FREE;
	return STEP_DONE;
}

bool domain_reap(void)
{
	for (struct domain *d = domain_next(0); d; d = domain_next(d->id + 1u))
		if (d->life == LIFE_DYING && reap_step(d) != STEP_STUCK)
			return true;
	return false;
}

/* ---- auditing ---- */

static void each_hold(frame_see_fn *see)
{
	for (struct domain *d = domain_next(0); d; d = domain_next(d->id + 1u))
		if (d->shared_frame.n != MFN_NONE.n)
			see(d->shared_frame, FRAME_WRITABLE);
}

bool domain_check(void)
{
	return frame_pool_check() &&
	       frame_check() &&			/* lab 3 */
	       event_check() &&			/* lab 2 */
	       paging_check() &&		/* lab 3 */
	       segment_check() &&		/* lab 4 */
	       ring_check() &&			/* lab 6 */
	       balloon_check() &&		/* lab 7 */
	       vbd_check() &&			/* lab 9 */
	       vif_check() &&			/* lab 8 */
	       vfr_check() &&			/* lab 8 */
	       true;
}

void domain_init(void)
{
	domain_table_init();
	frame_register_holder(each_hold);
	crash_set_kill(domain_kill);
	sched_set_chore(domain_reap);
	frame_pool_set_empty(sched_want_chore);		/* a dying one's, whose last frame domain 0 had mapped */
}
