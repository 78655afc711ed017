/* SPDX-License-Identifier: MIT */
/*
 * Domains: each subsystem's share of one, together; and a domain's life.
 *
 * A domain is opened (a slot, no memory), gets frames and registers, runs, and dies once. Death is
 * in steps: the first makes it invisible to everybody; the others give back what it held, each
 * bounded, until the slot is free again.
 */
#ifndef ATELIER_DOMAIN_H
#define ATELIER_DOMAIN_H

#include "lib/types.h"
#include "public/atelier.h"
#include "public/control.h"
#include "balloon.h"		/* lab 7 */
#include "console_ring.h"	/* lab 6 */
#include "control.h"		/* lab 5 */
#include "event.h"		/* lab 2 */
#include "frame_pool.h"
#include "hypercall.h"
#include "paging.h"
#include "ring.h"		/* lab 6 */
#include "sched.h"
#include "sched_policy.h"
#include "segment.h"		/* lab 4 */
#include "timer.h"
#include "trap_table.h"		/* lab 2 */
#include "upcall.h"		/* lab 2 */
#include "vbd.h"		/* lab 9 */
#include "vcpu.h"
#include "vif.h"		/* lab 8 */
#include "vtime.h"

#ifndef MAX_DOMAINS
#define MAX_DOMAINS	160
#endif

enum domain_life {
	LIFE_FREE,		/* the slot is */
	LIFE_OPEN,
	LIFE_DYING,
};

struct domain {
	struct vcpu vcpu;
	domid_t id;			/* also its slot */
	enum domain_life life;
	uint32_t reason, status;	/* SHUTDOWN_...: dying, and after that until the slot is claimed again */
	uint64_t ended;			/* the same: when it began to die */
	bool privileged;
	char name[DOMAIN_NAME];
	struct shared_info *shared;
	mfn_t shared_frame;
	mfn_t slot_frame;		/* machine_slot_open() */
	struct reservation memory;
	struct hypercalls calls;
	struct events events;		/* lab 2 */
	struct upcalls upcalls;		/* lab 2 */
	struct trap_table traps;	/* lab 2 */
	struct timers timers;		/* lab 2 */
	struct paging paging;
	struct segments segments;	/* lab 4 */
	struct rings rings;		/* lab 6 */
	struct console_ring console;	/* lab 6 */
	struct vbds vbds;		/* lab 9 */
	struct vifs vifs;		/* lab 8 */
	struct sched_entity sched;
	struct policy_share policy;	/* lab 5 */
	struct vtime vtime;
	struct control_share control;	/* lab 5 */
};

/* ---- domain_table.c: the slots ---- */

void domain_table_init(void);

/* A free slot, all of it zero but its number; NULL: none. */
struct domain *domain_claim(void);

/* A living domain by number, DOMID_SELF being @self; NULL: none, or dying. */
struct domain *domain_find(struct domain *self, uint32_t id);

/* The first domain from @id on that is not free, dying ones too; NULL at the end. */
struct domain *domain_next(uint32_t id);

/* The first slot from @id on that had a domain, now dying or gone; NULL at the end. */
const struct domain *domain_next_ended(uint32_t id);

/* ---- domain.c: life ---- */

void domain_init(void);

/* A new domain with no memory, paused. NULL: no slot, or no frame for its windows. */
struct domain *domain_open(const char *name, uint32_t limit);

/* Makes a frame of @d's its shared page, for ever. The caller's use of it as FRAME_WRITABLE becomes ours. */
void domain_set_shared(struct domain *d, mfn_t mfn);

/* The first step of death. @d may be the current one. Domain 0's stops the machine. */
void domain_kill(struct domain *d, uint32_t reason, uint32_t status);

/*
 * The others: one bounded step for one dying domain; false: nothing can be done. A domain of which
 * domain 0 still maps frames waits until it lets go of the last one.
 */
bool domain_reap(void);

/* Runs every auditor. */
bool domain_check(void);

#endif
