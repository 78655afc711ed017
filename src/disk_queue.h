/* SPDX-License-Identifier: MIT */
/*
 * In which order jobs go to the disks.
 *
 * Three wishes pull apart. A disk likes to sweep over its sectors in one direction. A domain that
 * asked for a barrier wants nothing of its own to pass it, on any disk, while other domains' jobs go
 * as they like. And nobody wants to wait for ever because others keep asking for sectors that lie
 * nearer.
 *
 * Each domain's jobs have an order: groups, one after another. Within a group all is free; a barrier
 * is a group of its own, and what comes after it is in the next one. A job may go when its group is
 * the oldest one of its domain of which something is left; and left is all of which the device has
 * not said that it is done, whatever was given to it. (Paper, section 3.3.6.)
 *
 * Invariant (D3): of two groups of a domain, all jobs of the first are done before one of the second
 * goes.
 */
#ifndef ATELIER_DISK_QUEUE_H
#define ATELIER_DISK_QUEUE_H

#include "extent.h"
#include "lib/list.h"
#include "lib/types.h"
#include "machine.h"

/* How many that came later may go before one that may go itself. */
#ifndef DISK_PATIENCE
#define DISK_PATIENCE	256u
#endif

/* A domain's share. */
struct disk_order {
	struct list jobs;	/* that are not done, by group */
	uint32_t group;		/* of the next one; only whether two are equal counts, so it may wrap */
};

struct disk_job {
	struct list ordered;	/* in its domain's order, until it is done */
	struct list waiting;	/* in its disk's queue, until it goes */
	struct disk_order *order;
	uint32_t group;
	uint32_t passed;	/* how many that came later have gone, while it could have */
	enum machine_transfer_kind kind;
	struct rrun run;	/* a flush's has no sectors, only a disk */
};

void disk_queue_init(void);
void disk_order_open(struct disk_order *o);

/*
 * Adds the jobs of one request of a domain: @jobs is a list of them by @waiting, with @kind and @run
 * filled in; afterwards it is empty. @barrier: all that was added before goes before them, and all
 * that is added later goes after them.
 */
void disk_queue_add(struct disk_order *o, struct list *jobs, bool barrier);

/*
 * The job that goes to @disk now; NULL: none may. The sweep goes up, from where the last one ended,
 * and begins again at the lowest sector. Who was passed by DISK_PATIENCE goes first.
 */
struct disk_job *disk_queue_next(uint32_t disk);

/* The device says that @j, which went, is done, well or not. */
void disk_queue_done(struct disk_job *j);

bool disk_queue_check(void);

#endif
