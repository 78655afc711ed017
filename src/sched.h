/* SPDX-License-Identifier: MIT */
/*
 * The scheduler's mechanism: who can run, who runs, and the switch. Who of them is next is
 * sched_policy.h's to say.
 *
 * A switch happens only on the way back to a guest, when nothing is on the hypervisor's stack: it
 * changes which registers are loaded, and that is all there is to it.
 */
#ifndef ATELIER_SCHED_H
#define ATELIER_SCHED_H

#include "lib/types.h"
#include "lib/list.h"

struct domain;

/* A domain's share. */
struct sched_entity {
	struct list queue;	/* the policy's, while it can run */
	bool blocked;
	uint32_t paused;	/* who stopped it: itself being built, domain 0 */
};

void sched_init(void);
void sched_open(struct domain *d);	/* paused until sched_unpause() */

struct domain *sched_current(void);

void sched_sleep(struct domain *d);
void sched_wake(struct domain *d);
void sched_pause(struct domain *d);
void sched_unpause(struct domain *d);

/* A dying domain: never runs again. */
void sched_leave(struct domain *d);

/*
 * Who pays for what the hypervisor does while somebody else runs. A door for pc/: sched_meter() begins to
 * measure, with each interrupt; sched_bill() says for whom that was, up to now, and measures on. That
 * time counts as if @d had had the processor, and not the one that has it. What nobody is
 * billed for is paid by the one that runs. Measuring ends with sched_return(); without it nothing is billed.
 */
void sched_meter(void);
void sched_bill(struct domain *d);

/*
 * Work between guests: @chore is called once on each way back after sched_want_chore(), and answers
 * whether there is more.
 */
void sched_set_chore(bool (*chore)(void));
void sched_want_chore(void);

/*
 * The slice is over, or something changes that it depends on: the one that runs is charged up to now, by its share as it is, and the
 * policy is asked again before a guest runs.
 */
void sched_reconsider(void);

/*
 * A door for pc/, on each way back: the domain to return to, with its registers and tables loaded.
 * Idles while there is none.
 */
struct domain *sched_return(void);

int do_yield(struct domain *d);

#endif
