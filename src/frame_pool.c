// SPDX-License-Identifier: MIT
#include "frame_pool.h"
#include "console.h"
#include "crash.h"
#include "domain.h"
#include "frame.h"
#include "lib/string.h"
#include "machine.h"
#include "tlb.h"

static struct {
	struct frame_list free;
	bool scrub;
} pool;

static void push(struct frame_list *l, uint32_t n)
{
	struct frame *f = frame_record(MFN(n));

	f->next = l->first;
	f->prev = UINT32_MAX;
	if (l->first != UINT32_MAX)
		frame_record(MFN(l->first))->prev = n;
	l->first = n;
	l->count++;
}

static void unlink(struct frame_list *l, uint32_t n)
{
	struct frame *f = frame_record(MFN(n));

	if (f->next != UINT32_MAX)
		frame_record(MFN(f->next))->prev = f->prev;
	if (f->prev != UINT32_MAX)
		frame_record(MFN(f->prev))->next = f->next;
	else
		l->first = f->next;
	l->count--;
}

void frame_pool_init(void)
{
	pool.free = (struct frame_list){ UINT32_MAX, 0 };
	pool.scrub = false;
	for (uint32_t i = 0; i < machine_frame_count(); i++)
		if (machine_frame_usable(MFN(i)))
			frame_pool_add(MFN(i));
}

void frame_pool_scrub(void)
{
	pool.scrub = true;
}

void frame_pool_add(mfn_t mfn)
{
	machine_m2p_set(mfn, ATELIER_NO_PFN);
	push(&pool.free, mfn.n);
}

void frame_pool_open(struct reservation *r, uint32_t limit)
{
	r->owned = (struct frame_list){ UINT32_MAX, 0 };
	r->limit = limit;
}

mfn_t frame_pool_alloc(struct domain *d)
{
	mfn_t mfn = MFN(pool.free.first);
	struct frame *f;

	if (pool.free.count == 0 || (d && d->memory.owned.count >= d->memory.limit))
		return MFN_NONE;
	f = frame_record(mfn);
	unlink(&pool.free, mfn.n);
	f->owner = d ? d->id : OWNER_MACHINE;
	f->type = FRAME_NONE;
	f->refs = 1;
	if (d) {
		f->reserved = true;
		push(&d->memory.owned, mfn.n);
	}
	if (pool.scrub || !d)
		memset(machine_map_frame(mfn, WINDOW_DATA), 0, PAGE_SIZE);
	return mfn;
}

/* The list that a frame with an owner is on: none for the hypervisor's own. */
static struct frame_list *owner_list(domid_t owner)
{
	struct domain *d = domain_next(owner);

	ASSERT(d && d->id == owner);
	return &d->memory.owned;
}

void frame_pool_free(mfn_t mfn)
{
	struct frame *f = frame_record(mfn);

	ASSERT(f->uses == 0 && !f->reserved && f->owner != OWNER_NONE);
	/*
	 * Even a readable translation that the processor remembers would show the next owner's
	 * contents.
	 */
	tlb_settle(mfn);
	if (f->owner != OWNER_MACHINE)
		unlink(owner_list(f->owner), mfn.n);
	f->owner = OWNER_NONE;
	f->refs = 0;
	f->type = FRAME_NONE;
	frame_pool_add(mfn);
}

void frame_pool_give_up(mfn_t mfn)
{
	struct frame *f = frame_record(mfn);

	ASSERT(f->reserved);
	f->reserved = false;
	frame_put(mfn);
}

uint32_t frame_pool_free_count(void)
{
	return pool.free.count;
}

static bool list_ok(const struct frame_list *l, domid_t owner)
{
	uint32_t n = 0, before = UINT32_MAX;

	for (uint32_t i = l->first; i != UINT32_MAX; i = frame_record(MFN(i))->next) {
		const struct frame *f = frame_record(MFN(i));

		if (!f || f->owner != owner || f->prev != before || n++ > l->count)
			return false;
		before = i;
	}
	return n == l->count;
}

bool frame_pool_check(void)
{
	bool ok = list_ok(&pool.free, OWNER_NONE);

	for (struct domain *d = domain_next(0); d; d = domain_next(d->id + 1u))
		ok = ok && list_ok(&d->memory.owned, d->id);
	if (!ok)
		console_printf("frame_pool_check: a list and its frames disagree\n");
	return ok;
}
