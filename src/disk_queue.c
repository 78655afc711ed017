// SPDX-License-Identifier: MIT
#include "disk_queue.h"

static struct {
	struct queue {
		struct list waiting;	/* oldest first */
		uint32_t head;		/* the sector behind the last job that went */
	} queues[MACHINE_DISKS];
} disks;

void disk_queue_init(void)
{
	for (unsigned int i = 0; i < MACHINE_DISKS; i++) {
		list_init(&disks.queues[i].waiting);
		disks.queues[i].head = 0;
	}
}

void disk_order_open(struct disk_order *o)
{
	list_init(&o->jobs);
	o->group = 0;
}

static struct disk_job *waiting_job(struct list *l)
{
	return list_entry(l, struct disk_job, waiting);
}

void disk_queue_add(struct disk_order *o, struct list *jobs, bool barrier)
{
	if (barrier)
		o->group++;
	while (!list_empty(jobs)) {
		struct disk_job *j = waiting_job(jobs->next);

		list_remove(&j->waiting);
		j->order = o;
		j->group = o->group;
		j->passed = 0;
		list_insert(&j->ordered, &o->jobs);
		list_insert(&j->waiting, &disks.queues[j->run.disk].waiting);
	}
	if (barrier)
		o->group++;
}

/* Whether nothing is left of the groups before its own. */
static bool may_go(const struct disk_job *j)
{
	return list_entry(j->order->jobs.next, struct disk_job, ordered)->group == j->group;
}

/* How far the head goes up to a job; past the end it comes in again at the bottom. */
static uint32_t way_to(const struct queue *q, const struct disk_job *j)
{
	return j->run.first.n - q->head;
}

/* The nearest one on the way, but first whoever has lost patience. */
static struct disk_job *choose(const struct queue *q)
{
	struct disk_job *best = NULL;

	list_for_each(l, &q->waiting) {
		struct disk_job *j = waiting_job(l);

		if (!may_go(j))
			continue;
		if (j->passed >= DISK_PATIENCE)
			return j;
		if (!best || way_to(q, j) < way_to(q, best))
			best = j;
	}
	return best;
}

/* Older ones that could have gone as well have been passed. */
static void count_passed(const struct queue *q, const struct disk_job *chosen)
{
	for (struct list *l = chosen->waiting.prev; l != &q->waiting; l = l->prev)
		if (may_go(waiting_job(l)))
			waiting_job(l)->passed++;
}

struct disk_job *disk_queue_next(uint32_t disk)
{
	struct queue *q = &disks.queues[disk];
	struct disk_job *j = choose(q);

	if (!j)
		return NULL;
	count_passed(q, j);
	list_remove(&j->waiting);
	if (j->kind != TRANSFER_FLUSH)
		q->head = j->run.first.n + j->run.count;
	return j;
}

void disk_queue_done(struct disk_job *j)
{
	list_remove(&j->ordered);
}

/* ---- the auditor ---- */

bool disk_queue_check(void)
{
	for (uint32_t i = 0; i < MACHINE_DISKS; i++)
		list_for_each(l, &disks.queues[i].waiting)
			if (waiting_job(l)->run.disk != i || list_empty(&waiting_job(l)->ordered))
				return false;
	return true;
}
