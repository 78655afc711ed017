// SPDX-License-Identifier: MIT
#include "frame_pool.h"
#include "console.h"
#include "crash.h"
#include "domain.h"
#include "frame.h"
#include "lib/string.h"
#include "machine.h"
#include "tlb.h"		/* lab 3 */

static struct {
	struct frame_list clean;	/* free frames full of zeros */
	struct frame_list dirty;	/* free frames that hold what their last owner left */
	uint32_t total;
	bool scrub, ahead;
} pool;

/* A frame that is on a list exists. */
static struct frame *record(uint32_t n)
{
	return &frame_table.records[n];
}

/* The free lists are taken from at their heads alone, so they have no way back (@prev). */
static void push_dirty(struct machine_range frames)
{
	uint32_t next = pool.dirty.first;
	struct frame *f = record(frames.first);

	for (uint32_t n = frames.first; n < frames.end; n++, f++) {
		f->next = next;
		next = n;
	}
	pool.dirty.first = next;
	pool.dirty.count += frames.end - frames.first;
}

/* Off the head of a free list, which is not empty. */
static uint32_t pop(struct frame_list *free)
{
	uint32_t n = free->first;

	free->first = record(n)->next;
	free->count--;
	return n;
}

static void unlink(struct frame_list *l, uint32_t n)
{
	struct frame *f = record(n);

	if (f->next != UINT32_MAX)
		record(f->next)->prev = f->prev;
	if (f->prev != UINT32_MAX)
		record(f->prev)->next = f->next;
	else
		l->first = f->next;
	l->count--;
}

void frame_pool_init(void)
{
	pool.clean = pool.dirty = (struct frame_list){ UINT32_MAX, 0 };
	pool.scrub = pool.ahead = false;
	for (struct machine_range r = machine_usable(0); r.first < r.end; r = machine_usable(r.end))
		push_dirty(r);
	pool.total = pool.dirty.count;
}

void frame_pool_scrub(bool ahead)
{
	pool.scrub = true;
	pool.ahead = ahead;
}

static void put_back(mfn_t mfn)
{
	machine_m2p_set(mfn, ATELIER_NO_PFN);
	push_dirty((struct machine_range){ mfn.n, mfn.n + 1 });
}

void frame_pool_add(mfn_t mfn)
{
	put_back(mfn);
	pool.total++;
}

void frame_pool_open(struct reservation *r, uint32_t limit)
{
	r->owned = (struct frame_list){ UINT32_MAX, 0 };
	r->limit = limit;
	r->promised = 0;
}

static void scrub(uint32_t n)
{
	machine_clear(machine_map_frame(MFN(n), WINDOW_DATA), PAGE_SIZE);
}

static uint32_t may_take(const struct reservation *r, uint32_t wanted)
{
	uint32_t room = r->limit > r->owned.count ? r->limit - r->owned.count : 0;

	return MIN(wanted, MIN(room, frame_pool_free_count()));
}

/* From the head of a free list to the head of the owner's, so that the run is turned round. */
static void take_run(struct frame_list *free, struct domain *d, uint32_t *mfns, uint32_t count)
{
	struct frame_list *owned = &d->memory.owned;
	uint32_t n = free->first, head = owned->first;

	if (count == 0)
		return;
	for (uint32_t i = 0; i < count; i++) {
		struct frame *f = record(n);

		mfns[i] = n;
		f->prev = f->next;
		f->next = head;
		head = n;
		n = f->prev;
		f->owner = d->id;
		f->refs = 1;
		f->reserved = true;
	}
	record(head)->prev = UINT32_MAX;
	if (owned->first != UINT32_MAX)
		record(owned->first)->prev = mfns[0];
	free->first = n;
	free->count -= count;
	owned->first = head;
	owned->count += count;
}

uint32_t frame_pool_take(struct domain *d, uint32_t *mfns, uint32_t count)
{
	uint32_t n = may_take(&d->memory, count), clean = MIN(n, pool.clean.count);

	take_run(&pool.clean, d, mfns, clean);
	take_run(&pool.dirty, d, mfns + clean, n - clean);
	for (uint32_t i = clean; i < n && pool.scrub; i++)
		scrub(mfns[i]);
	return n;
}

mfn_t frame_pool_alloc(struct domain *d)
{
	bool clean = pool.clean.count > 0;
	struct frame *f;
	uint32_t n;

	if (d)
		return frame_pool_take(d, &n, 1) ? MFN(n) : MFN_NONE;
	if (frame_pool_free_count() == 0)
		return MFN_NONE;
	n = pop(clean ? &pool.clean : &pool.dirty);
	f = record(n);
	f->owner = OWNER_MACHINE;
	f->refs = 1;
	if (!clean)
		scrub(n);
	return MFN(n);
}

bool frame_pool_scrub_one(void)
{
	uint32_t n;

	if (!pool.ahead || pool.dirty.count == 0)
		return false;
	n = pop(&pool.dirty);
	scrub(n);
	record(n)->next = pool.clean.first;
	pool.clean.first = n;
	pool.clean.count++;
	return true;
}

/* The list that a frame with an owner is on: none for the hypervisor's own. */
static struct frame_list *owner_list(domid_t owner)
{
	struct domain *d = domain_next(owner);

	ASSERT(d && d->id == owner);
	return &d->memory.owned;
}

static void (*owner_empty)(void);

void frame_pool_set_empty(void (*empty)(void))
{
	owner_empty = empty;
}

static void disown(domid_t owner, mfn_t mfn)
{
	struct frame_list *l = owner_list(owner);

	unlink(l, mfn.n);
	if (l->count == 0)
		owner_empty();
}

/*
 * Even a readable translation that the processor remembers would show the next owner's contents: what is
 * owed is settled first.
 */
void frame_pool_free(mfn_t mfn)
{
	struct frame *f = frame_record(mfn);

	ASSERT(f->uses == 0 && !f->reserved && f->owner != OWNER_NONE);
	tlb_settle(mfn);	/* lab 3 */
	if (f->owner != OWNER_MACHINE)
		disown(f->owner, mfn);
	f->owner = OWNER_NONE;
	f->refs = 0;
	f->type = FRAME_NONE;
	f->packet_end = 0;
	put_back(mfn);
}

void frame_pool_give_up(mfn_t mfn)
{
	struct frame *f = frame_record(mfn);

	ASSERT(f->reserved);
	f->reserved = false;
	frame_put(mfn);
}

/* @by takes @n's place on the list. */
static void replace(struct frame_list *l, uint32_t n, uint32_t by)
{
	struct frame *f = record(n), *g = record(by);

	g->next = f->next;
	g->prev = f->prev;
	if (f->next != UINT32_MAX)
		record(f->next)->prev = by;
	if (f->prev != UINT32_MAX)
		record(f->prev)->next = by;
	else
		l->first = by;
}

void frame_pool_swap(mfn_t leaves, mfn_t enters)
{
	struct frame *out = frame_record(leaves), *in = frame_record(enters);

	ASSERT(out->reserved && out->refs == 1 && in->owner == OWNER_MACHINE && in->refs == 1);
	tlb_settle(leaves);	/* lab 3 */
	replace(owner_list(out->owner), leaves.n, enters.n);
	in->owner = out->owner;
	in->reserved = true;
	in->type = FRAME_NONE;
	out->owner = OWNER_MACHINE;
	out->reserved = false;
	if (out->type != FRAME_NONE)
		out->packet_end = 0;
	out->type = FRAME_NONE;
	machine_m2p_set(enters, machine_m2p_get(leaves));
	machine_m2p_set(leaves, ATELIER_NO_PFN);
}

uint32_t frame_pool_total(void)
{
	return pool.total;
}

uint32_t frame_pool_free_count(void)
{
	return pool.clean.count + pool.dirty.count;
}

/* ---- promises ---- */

void frame_pool_promise(struct domain *d, uint32_t frames)
{
	d->memory.promised = frames;
}

uint32_t frame_pool_outstanding(const struct domain *d)
{
	uint32_t promised = MIN(d->memory.promised, d->memory.limit);

	if (d->life != LIFE_OPEN || promised <= d->memory.owned.count)
		return 0;
	return promised - d->memory.owned.count;
}

uint32_t frame_pool_unpromised(const struct domain *d)
{
	uint32_t left = frame_pool_free_count();

	for (const struct domain *e = domain_next(0); e; e = domain_next(e->id + 1u))
		if (e != d)
			left -= MIN(left, frame_pool_outstanding(e));
	return left;
}

/* ---- auditing ---- */

static bool list_ok(const struct frame_list *l, domid_t owner)
{
	uint32_t n = 0, before = UINT32_MAX;

	for (uint32_t i = l->first; i != UINT32_MAX; i = frame_record(MFN(i))->next) {
		const struct frame *f = frame_record(MFN(i));
		bool linked = owner == OWNER_NONE || (f && f->prev == before);

		if (!f || f->owner != owner || !linked || n++ > l->count)
			return false;
		before = i;
	}
	return n == l->count;
}

bool frame_pool_check(void)
{
	bool ok = list_ok(&pool.clean, OWNER_NONE) && list_ok(&pool.dirty, OWNER_NONE);

	for (struct domain *d = domain_next(0); d; d = domain_next(d->id + 1u))
		ok = ok && list_ok(&d->memory.owned, d->id);
	if (!ok)
		console_printf("frame_pool_check: a list and its frames disagree\n");
	return ok;
}
