// SPDX-License-Identifier: MIT
#include "explore/tiny.h"
#include <stdio.h>
#include <string.h>
#include "explore/symbols.h"
#include "frame.h"
#include "host/host.h"
#include "host/tlb_model.h"
#include "paging.h"
#include "start.h"
#include "tlb.h"

#define FRAMES		(OWN + 6u)	/* and a window frame for each of two domains */
#define KINDS		60u		/* of words; times four for the frame that they name */
/*
 * The type of a frame without uses says only whether a flush is owed when it changes. If none is, states that differ in it go on alike,
 * and are visited as one; with EXACT_TYPES they are not, to check just that.
 */
#ifndef EXACT_TYPES
#define EXACT_TYPES	0
#endif

#define SENTINEL	0xfffffu	/* the page of a translation whose page no longer matters */

struct tiny_machine tiny;

static struct {
	struct frame table[FRAMES];		/* as at the start */
	uint32_t clock;				/* of the flushes */
	uint32_t kinds[KINDS];			/* words, the frame number being 0 if it is of the OWN */
	unsigned int kind_count;
	unsigned int permutations;
	uint8_t permutation[24][OWN];
	uint8_t index[FRAMES];			/* of a frame among the OWN */
	struct { uint32_t word; uint8_t code; bool known; } recent[64];	/* codes, as tiny_code() found them */
} core;

/* The machine as tiny_restore() left it. */
static struct {
	struct frame table[FRAMES];
	uint32_t words[OWN][WORDS];
	struct segments segments;
	struct paging paging;
	unsigned int pages, walks, flushes, base_loads, page_flushes;	/* of the TLB's model */
} left;

/*
 * The hypervisor's variables that a call may change although no later call depends on them, or that a state says in another way:
 *   pool           which frames are free: FLAG_FREE, the order apart
 *   tlb            its clock, to which FLAG_STALE is relative
 *   paging         how many tables a call may still validate: set at each
 *   frames         what an auditor saw last; its table and classes never change after the start
 *   console        output
 *   crash_context  for reports
 */
static const char *const volatile_symbols[] = { "pool", "tlb", "paging", "frames", "console", "crash_context", NULL };

/* ---- words ---- */

static unsigned int own_index(uint32_t mfn)
{
	return mfn < FRAMES ? core.index[mfn] : NOTHING;
}

static unsigned int kind_of(uint32_t pattern)
{
	for (unsigned int i = 0; i < core.kind_count; i++)
		if (core.kinds[i] == pattern)
			return i;
	if (core.kind_count == KINDS)
		host_panic("more kinds of words than the explorer knows");
	core.kinds[core.kind_count] = pattern;
	return core.kind_count++;
}

/* Kinds of entries that name a frame of the OWN: the pattern has the frame number 0xffffe, which does not exist. */
#define OWN_PATTERN	0xffffe000u

static uint8_t find_code(uint32_t word)
{
	unsigned int own = own_index(word >> PAGE_SHIFT);

	if (!(word & PTE_P) || own == NOTHING)
		return kind_of(word) * 4;
	return kind_of(OWN_PATTERN | (word & ~PAGE_MASK)) * 4 + own;
}

uint8_t tiny_code(uint32_t word)
{
	unsigned int at = (word ^ word >> PAGE_SHIFT) % ARRAY_SIZE(core.recent);

	if (!core.recent[at].known || core.recent[at].word != word) {
		core.recent[at].code = find_code(word);
		core.recent[at].word = word;
		core.recent[at].known = true;
	}
	return core.recent[at].code;
}

uint32_t tiny_word(uint8_t code)
{
	uint32_t pattern = core.kinds[code / 4];

	if ((pattern & PAGE_MASK) == OWN_PATTERN)
		return tiny.own[code % 4] << PAGE_SHIFT | (pattern & ~PAGE_MASK);
	return pattern;
}

/* ---- the start ---- */

static uint32_t take_frame(struct domain *d)
{
	mfn_t mfn = frame_pool_alloc(d);

	if (mfn.n == MFN_NONE.n)
		host_panic("the tiny machine is too small");
	memset(host_frame(mfn.n), 0, PAGE_SIZE);
	return mfn.n;
}

static uint32_t clock_now(void)
{
	struct frame *f = frame_record(MFN(tiny.foreign));
	uint32_t before = f->stamp, now;

	tlb_note(MFN(tiny.foreign));
	now = f->stamp;
	f->stamp = before;
	return now;
}

static void permute(uint8_t *p, unsigned int fixed)
{
	if (fixed == OWN) {
		memcpy(core.permutation[core.permutations++], p, OWN);
		return;
	}
	for (unsigned int i = fixed; i < OWN; i++) {
		uint8_t swap = p[fixed];

		p[fixed] = p[i];
		p[i] = swap;
		permute(p, fixed + 1);
		p[i] = p[fixed];
		p[fixed] = swap;
	}
}

static void make_domain(void)
{
	struct domain *d = domain_open("explored", OWN + 3);

	tiny.d = d;
	tiny.home = take_frame(d);
	tiny.gdt = take_frame(d);
	tiny.shared = take_frame(d);
	for (unsigned int i = 0; i < OWN; i++)
		tiny.own[i] = take_frame(d);
	if (paging_set_base(d, MFN(tiny.home)) || paging_pin(d, MFN(tiny.home), FRAME_DIRECTORY) ||
	    frame_get_type(d, MFN(tiny.shared), FRAME_WRITABLE))
		host_panic("the tiny domain cannot be made");
	domain_set_shared(d, MFN(tiny.shared));
	paging_switch_to(d);
}

static void set_home_gdt(void)
{
	struct domain *d = tiny.d;
	const uint32_t list[1] = { tiny.gdt };

	memcpy(host.direct, list, sizeof(list));
	if (do_set_gdt(d, GUEST_ADDR(host.direct_va), 1))
		host_panic("the tiny domain has no GDT");
}

static void remember(void)
{
	struct domain *d = tiny.d;
	const struct symbols_part parts[] = {
		{ &d->paging, sizeof(d->paging) }, { &d->segments, sizeof(d->segments) },
		{ &d->memory, sizeof(d->memory) }, { &d->calls, sizeof(d->calls) },
		{ &d->vcpu.regs, sizeof(d->vcpu.regs) },
	};

	symbols_remember(volatile_symbols, parts, ARRAY_SIZE(parts));
}

void tiny_start(struct tiny *first)
{
	static uint8_t arguments[256];
	uint8_t identity[OWN];

	kind_of(0);	/* its code is 0 */
	for (unsigned int i = 0; i < OWN; i++)
		identity[i] = i;
	permute(identity, 0);
	host_setup(FRAMES);
	host.direct = arguments;
	host.direct_va = TINY_ARGS;
	host.direct_size = sizeof(arguments);
	start_subsystems();
	frame_pool_scrub();
	tiny.zero = domain_open("zero", 1);
	tiny.foreign = take_frame(tiny.zero);
	make_domain();
	set_home_gdt();
	memset(core.index, NOTHING, sizeof(core.index));
	for (unsigned int i = 0; i < OWN; i++)
		core.index[tiny.own[i]] = i;
	tiny.free_at_death = OWN + 4;
	machine_flush_tlb();
	remember();
	core.clock = clock_now();
	memcpy(core.table, frame_record(MFN(0)), sizeof(core.table));
	if (tiny_extract(first))
		host_panic("the first state is none");
}

/* ---- there and back ---- */

static void restore_frame(const struct tiny_frame *from, uint32_t mfn)
{
	struct frame *f = frame_record(MFN(mfn));
	uint32_t *words = host_frame(mfn);

	f->type = from->type;
	f->uses = from->uses;
	f->refs = from->refs;
	f->linear = from->linear;
	f->valid = from->flags & FLAG_VALID;
	f->pinned = from->flags & FLAG_PINNED;
	for (unsigned int i = 0; i < WORDS; i++)
		words[i] = tiny_word(from->words[i]);
}

/* Given back by the pool's own hands, which may move the clock. */
static void restore_free(const struct tiny *t)
{
	bool any = false;

	for (unsigned int i = 0; i < OWN; i++)
		if (t->f[i].flags & FLAG_FREE) {
			frame_record(MFN(tiny.own[i]))->refs = 1;
			frame_pool_give_up(MFN(tiny.own[i]));
			any = true;
		}
	if (any)
		symbols_restore_one("tlb");
}

static void restore_tlb(uint8_t tlb, uint32_t mfn)
{
	if (tlb & TLB_READ)
		tlb_model_add((struct tlb_translation){ SENTINEL, mfn, false, false });
	if (tlb & TLB_WRITE)
		tlb_model_add((struct tlb_translation){ SENTINEL, mfn, true, false });
	if (tlb & TLB_WALK)
		tlb_model_add_walk((struct tlb_walk){ 0, mfn, false });
	if (tlb & TLB_WALK_WRITE)
		tlb_model_add_walk((struct tlb_walk){ 0, mfn, true });
}

static void restore_segments(const struct tiny *t)
{
	struct segments *s = &tiny.d->segments;
	mfn_t ldt = t->ldt == NOTHING ? MFN_NONE : MFN(tiny.own[t->ldt]);
	bool two = t->gdt[1] != NOTHING;

	s->gdt[0] = MFN(t->gdt[0] == NOTHING ? tiny.gdt : tiny.own[t->gdt[0]]);
	s->gdt[1] = two ? MFN(tiny.own[t->gdt[1]]) : MFN_NONE;
	s->gdt_frames = two ? 2 : 1;
	s->ldt[0] = ldt;
	s->ldt_entries = ldt.n == MFN_NONE.n ? 0 : 1;
	memcpy(host.slots[tiny.d->id].gdt, s->gdt, sizeof(s->gdt));
	memcpy(host.slots[tiny.d->id].ldt, s->ldt, sizeof(s->ldt));
}

/* What base and GDT make of the record of a frame that carries the domain; @mfn is no other. */
static struct frame carrying(const struct tiny *t, uint32_t mfn)
{
	struct frame f = core.table[mfn];

	if (mfn == tiny.home)
		f.uses = t->base == NOTHING ? 2 : 1;	/* base and pin */
	else if (mfn == tiny.gdt)
		f.uses = f.valid = t->gdt[0] == NOTHING;
	f.refs = f.uses + 1;
	return f;
}

static void restore_carrying(const struct tiny *t)
{
	*frame_record(MFN(tiny.home)) = carrying(t, tiny.home);
	*frame_record(MFN(tiny.gdt)) = carrying(t, tiny.gdt);
	frame_record(MFN(tiny.home))->stamp = core.clock - 1;
	frame_record(MFN(tiny.gdt))->stamp = core.clock - 1;
}

static void remember_left(void)
{
	memcpy(left.table, frame_record(MFN(0)), sizeof(left.table));
	for (unsigned int i = 0; i < OWN; i++)
		memcpy(left.words[i], host_frame(tiny.own[i]), sizeof(left.words[i]));
	left.segments = tiny.d->segments;
	left.paging = tiny.d->paging;
	left.pages = tlb_model_count();
	left.walks = tlb_model_walks();
	left.flushes = host.flushes;
	left.base_loads = host.base_loads;
	left.page_flushes = host.page_flushes;
}

void tiny_restore(const struct tiny *t)
{
	symbols_restore();
	memcpy(frame_record(MFN(0)), core.table, sizeof(core.table));
	restore_free(t);
	for (unsigned int i = 0; i < OWN; i++)
		if (!(t->f[i].flags & FLAG_FREE))
			restore_frame(&t->f[i], tiny.own[i]);
	for (unsigned int i = 0; i < OWN; i++)
		frame_record(MFN(tiny.own[i]))->stamp = core.clock - !(t->f[i].flags & FLAG_STALE);
	restore_carrying(t);
	restore_segments(t);
	tiny.d->paging.base = MFN(t->base == NOTHING ? tiny.home : tiny.own[t->base]);
	host.base = tiny.d->paging.base;
	tlb_model_flush();
	for (unsigned int i = 0; i < OWN; i++)
		restore_tlb(t->tlb[i], tiny.own[i]);
	/* It remembers what can be reached, in every state. */
	tlb_model_fill();
	remember_left();
}

bool tiny_untouched(void)
{
	for (unsigned int i = 0; i < OWN; i++)
		if (memcmp(left.words[i], host_frame(tiny.own[i]), sizeof(left.words[i])) != 0)
			return false;
	/* A model that was never emptied, and has as many entries, has the same. */
	return left.pages == tlb_model_count() && left.walks == tlb_model_walks() && left.flushes == host.flushes &&
	       left.base_loads == host.base_loads && left.page_flushes == host.page_flushes &&
	       memcmp(left.table, frame_record(MFN(0)), sizeof(left.table)) == 0 &&
	       memcmp(&left.segments, &tiny.d->segments, sizeof(left.segments)) == 0 &&
	       memcmp(&left.paging, &tiny.d->paging, sizeof(left.paging)) == 0;
}

void tiny_reset(void)
{
	symbols_restore_all();
	host.slots[tiny.d->id].open = true;
}

static const char *extract_frame(struct tiny_frame *to, uint32_t mfn, uint32_t clock)
{
	const struct frame *f = frame_record(MFN(mfn));
	const uint32_t *words = host_frame(mfn);

	if (f->owner == OWNER_NONE) {
		to->flags = FLAG_FREE;
		return f->refs || f->uses || f->valid || f->pinned || f->reserved ? "a free frame has holders" : NULL;
	}
	to->type = f->type;
	to->uses = f->uses;
	to->refs = f->refs;
	to->linear = f->linear;
	to->flags = (f->valid ? FLAG_VALID : 0) | (f->pinned ? FLAG_PINNED : 0) | (f->stamp == clock ? FLAG_STALE : 0);
	for (unsigned int i = 0; i < WORDS; i++)
		to->words[i] = tiny_code(words[i]);
	if (!EXACT_TYPES && f->uses == 0 && !(to->flags & FLAG_STALE))
		to->type = FRAME_NONE;
	if (f->uses != to->uses || f->refs != to->refs || f->linear != to->linear)
		return "M15: a count is below zero";
	return f->owner != tiny.d->id || f->busy || !f->reserved ? "a frame is in transit after the call" : NULL;
}

/* The frames that are no part of a state must be as it implies. */
static const char *check_others(const struct tiny *t)
{
	for (uint32_t mfn = 0; mfn < FRAMES; mfn++) {
		const struct frame *f = frame_record(MFN(mfn));
		struct frame want;

		if (own_index(mfn) != NOTHING)
			continue;
		want = mfn == tiny.home || mfn == tiny.gdt ? carrying(t, mfn) : core.table[mfn];
		if (f->refs != want.refs || f->uses != want.uses || f->owner != want.owner || f->valid != want.valid ||
		    f->pinned != want.pinned || f->linear != want.linear || f->busy || f->type != want.type)
			return "M2: the record of a frame that the call had nothing to do with is another";
	}
	return NULL;
}

static void extract_tlb(struct tiny *t)
{
	for (unsigned int i = 0; i < tlb_model_count(); i++) {
		struct tlb_translation e = tlb_model_get(i);
		unsigned int own = own_index(e.mfn);

		/* What may be stored to may be read as well. */
		if (own != NOTHING)
			t->tlb[own] |= e.writable ? TLB_WRITE | TLB_READ : TLB_READ;
	}
	for (unsigned int i = 0; i < tlb_model_walks(); i++) {
		struct tlb_walk w = tlb_model_walk(i);
		unsigned int own = own_index(w.mfn);

		if (own != NOTHING)
			t->tlb[own] |= w.writable ? TLB_WALK_WRITE | TLB_WALK : TLB_WALK;
	}
}

const char *tiny_extract(struct tiny *t)
{
	uint32_t clock = clock_now();
	const char *what = NULL, *first = NULL;

	memset(t, 0, sizeof(*t));
	for (unsigned int i = 0; i < OWN; i++) {
		what = extract_frame(&t->f[i], tiny.own[i], clock);
		if (!first)
			first = what;
	}
	extract_tlb(t);
	t->base = own_index(tiny.d->paging.base.n);
	t->gdt[0] = own_index(tiny.d->segments.gdt[0].n);
	t->gdt[1] = own_index(tiny.d->segments.gdt[1].n);
	t->ldt = own_index(tiny.d->segments.ldt[0].n);
	return first ? first : check_others(t);
}

/* ---- comparing ---- */

static uint8_t renumber_code(uint8_t code, const uint8_t *p)
{
	return (core.kinds[code / 4] & PAGE_MASK) == OWN_PATTERN ? (code & ~3) | p[code % 4] : code;
}

static uint8_t renumber(uint8_t own, const uint8_t *p)
{
	return own == NOTHING ? NOTHING : p[own];
}

static void permuted(const struct tiny *t, const uint8_t *p, struct tiny *to)
{
	for (unsigned int i = 0; i < OWN; i++) {
		struct tiny_frame *f = &to->f[p[i]];

		*f = t->f[i];
		for (unsigned int w = 0; w < WORDS; w++)
			f->words[w] = renumber_code(f->words[w], p);
		to->tlb[p[i]] = t->tlb[i];
	}
	to->base = renumber(t->base, p);
	to->ldt = renumber(t->ldt, p);
	to->gdt[0] = renumber(t->gdt[0], p);
	to->gdt[1] = renumber(t->gdt[1], p);
}

void tiny_canonical(struct tiny *t)
{
	struct tiny least = *t, other;

	for (unsigned int i = 1; i < core.permutations; i++) {
		permuted(t, core.permutation[i], &other);
		if (memcmp(&other, &least, sizeof(other)) < 0)
			least = other;
	}
	*t = least;
}

static struct tiny observable(const struct tiny *t)
{
	struct tiny o = *t;

	for (unsigned int i = 0; i < OWN; i++) {
		o.f[i].flags &= ~(FLAG_STALE | FLAG_OPEN);
		o.tlb[i] = 0;
		if (o.f[i].uses == 0)
			o.f[i].type = 0;
	}
	return o;
}

bool tiny_changed(const struct tiny *before, const struct tiny *after)
{
	struct tiny a = observable(before), b = observable(after);

	return memcmp(&a, &b, sizeof(a)) != 0;
}
