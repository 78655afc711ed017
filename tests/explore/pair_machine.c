// SPDX-License-Identifier: MIT
#include "explore/pair.h"
#include <stdlib.h>
#include <string.h>
#include "explore/symbols.h"
#include "frame.h"
#include "host/audit.h"
#include "host/host.h"
#include "host/tlb_model.h"
#include "start.h"
#include "tlb.h"

#define REGIONS		(PAIR_FRAMES + 10u)

struct pair_machine pair;

/* All that a state is made of, and as it was at first. */
struct region {
	uint32_t *start, *first;
	unsigned int words;
	bool in_key;
};

static struct {
	struct region regions[REGIONS];
	unsigned int count;
	uint32_t m2p[PAIR_FRAMES];
} core;

/*
 * The hypervisor's variables that may change. Of these, @in_key are compared whole, but for what skipped() names; the others are the
 * order of queues, clocks, what is looked at in one call only, and what is printed.
 */
static const struct {
	const char *name;
	bool in_key;
} variables[] = {
	{ "domains", true }, { "pool", true }, { "tlb", false }, { "paging", false }, { "sched", false }, { "policy", false },
	{ "timer", false }, { "crash_context", false },
};

/* What neither belongs to a state nor is put back. */
static const char *const volatile_symbols[] = {
	"domains", "pool", "tlb", "paging", "sched", "policy", "timer", "crash_context", "frames", "console", NULL,
};

/* ---- the start ---- */

static void add_region(void *start, size_t size, bool in_key)
{
	struct region *r = &core.regions[core.count++];

	*r = (struct region){ start, malloc(size), size / sizeof(uint32_t), in_key };
	memcpy(r->first, start, size);
}

static uint32_t take_frame(struct domain *d)
{
	mfn_t mfn = frame_pool_alloc(d);

	if (mfn.n == MFN_NONE.n)
		host_panic("the machine for two is too small");
	memset(host_frame(mfn.n), 0, PAGE_SIZE);
	return mfn.n;
}

static void make_domain(unsigned int i)
{
	struct domain *d = pair.d[i] = domain_open("explored", PLAY + 2);

	pair.home[i] = take_frame(d);
	pair.shared[i] = take_frame(d);
	if (paging_set_base(d, MFN(pair.home[i])) || paging_pin(d, MFN(pair.home[i]), FRAME_DIRECTORY) ||
	    frame_get_type(d, MFN(pair.shared[i]), FRAME_WRITABLE))
		host_panic("a domain cannot be made");
	domain_set_shared(d, MFN(pair.shared[i]));
	sched_unpause(d);
}

static void remember(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(variables); i++) {
		struct symbols_part p = symbols_find(variables[i].name);

		add_region(p.start, p.size, variables[i].in_key);
	}
	add_region(frame_record(MFN(0)), PAIR_FRAMES * sizeof(struct frame), false);
	for (uint32_t mfn = 0; mfn < PAIR_FRAMES; mfn++) {
		bool shared = mfn == pair.shared[0] || mfn == pair.shared[1];

		add_region(host_frame(mfn), shared ? sizeof(struct shared_info) : TABLE_ENTRIES * sizeof(uint32_t), shared);
		core.m2p[mfn] = machine_m2p_get(MFN(mfn));
	}
	add_region(&host.base, sizeof(host.base), false);
	symbols_remember(volatile_symbols, NULL, 0);
}

void pair_start(void)
{
	static uint8_t arguments[256];

	host_setup(PAIR_FRAMES);
	host.direct = arguments;
	host.direct_va = PAIR_ARGS;
	host.direct_size = sizeof(arguments);
	start_subsystems();
	frame_pool_scrub(true);
	make_domain(0);
	make_domain(1);
	for (unsigned int i = 0; i < PLAY; i++)
		pair.play[i] = take_frame(pair.d[i == 0]);
	pair.running = 1;
	paging_switch_to(pair.d[1]);
	machine_flush_tlb();
	tlb_model_fill();
	remember();
}

/* ---- there and back ---- */

static uint64_t pack(uint32_t place, uint32_t value)
{
	return (uint64_t)place << 32 | value;
}

static unsigned int save_words(uint64_t *to)
{
	unsigned int n = 0, place = 0;

	for (const struct region *r = core.regions; r < core.regions + core.count; place += r++->words) {
		if (memcmp(r->start, r->first, r->words * sizeof(uint32_t)) == 0)
			continue;
		for (unsigned int i = 0; i < r->words; i++)
			if (r->start[i] != r->first[i])
				to[n++] = pack(place + i, r->start[i]);
	}
	for (uint32_t mfn = 0; mfn < PAIR_FRAMES; mfn++)
		if (machine_m2p_get(MFN(mfn)) != core.m2p[mfn])
			to[n++] = pack(place + mfn, machine_m2p_get(MFN(mfn)));
	return n;
}

void pair_save(struct pair_state *s)
{
	static uint64_t words[1u << 16];
	unsigned int n = save_words(words);

	s->count = n;
	s->pages = tlb_model_count();
	s->walks = tlb_model_walks();
	s->running = pair.running;
	for (unsigned int i = 0; i < s->pages; i++) {
		struct tlb_translation t = tlb_model_get(i);

		words[n++] = pack(t.page << 1 | t.writable, t.mfn);
	}
	for (unsigned int i = 0; i < s->walks; i++) {
		struct tlb_walk w = tlb_model_walk(i);

		words[n++] = pack(w.slot << 1 | w.writable, w.mfn);
	}
	s->words = malloc(n * sizeof(words[0]));
	if (!s->words)
		host_panic("no memory for so many states");
	memcpy(s->words, words, n * sizeof(words[0]));
}

static void put_word(uint32_t place, uint32_t value)
{
	for (const struct region *r = core.regions; r < core.regions + core.count; place -= r++->words)
		if (place < r->words) {
			r->start[place] = value;
			return;
		}
	machine_m2p_set(MFN(place), value);
}

void pair_restore(const struct pair_state *s)
{
	const uint64_t *w = s->words;

	for (const struct region *r = core.regions; r < core.regions + core.count; r++)
		memcpy(r->start, r->first, r->words * sizeof(uint32_t));
	for (uint32_t mfn = 0; mfn < PAIR_FRAMES; mfn++)
		if (machine_m2p_get(MFN(mfn)) != core.m2p[mfn])
			machine_m2p_set(MFN(mfn), core.m2p[mfn]);
	for (unsigned int i = 0; i < s->count; i++, w++)
		put_word(*w >> 32, *w);
	tlb_model_flush();
	for (unsigned int i = 0; i < s->pages; i++, w++)
		tlb_model_add((struct tlb_translation){ *w >> 33, *w, *w >> 32 & 1, false });
	for (unsigned int i = 0; i < s->walks; i++, w++)
		tlb_model_add_walk((struct tlb_walk){ *w >> 33, *w, *w >> 32 & 1 });
	pair.running = s->running;
}

/* ---- which states are one ---- */

static uint64_t mix(uint64_t h, uint32_t x)
{
	h = (h ^ x) * 0x9e3779b97f4a7c15ull;
	return h ^ h >> 29;
}

/* Parts of a domain's record that only order things, count them, or are looked at in no call of these. */
static bool skipped(uint32_t offset)
{
	static const struct { uint32_t from, size; } parts[] = {
#define PART(field) { offsetof(struct domain, field), sizeof(((struct domain *)NULL)->field) }
		PART(vcpu), PART(calls), PART(sched.queue), PART(timers), PART(vbds), PART(memory.owned.first),
#undef PART
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(parts); i++)
		if (offset - parts[i].from < parts[i].size)
			return true;
	return false;
}

static uint64_t key_of_variables(void)
{
	uint64_t h = 1;

	for (const struct region *r = core.regions; r < core.regions + core.count; r++) {
		bool domains = r == core.regions;

		if (!r->in_key || memcmp(r->start, r->first, r->words * sizeof(uint32_t)) == 0)
			continue;
		for (unsigned int i = 0; i < r->words; i++)
			if (r->start[i] != r->first[i] && !(domains && skipped(i * sizeof(uint32_t) % sizeof(struct domain))))
				h = mix(mix(h, (uint32_t)(r - core.regions) << 16 | i), r->start[i]);
	}
	return h;
}

/* Of a free frame what counts is its place; its contents are scrubbed before anybody sees them. */
static uint64_t key_of_frame(uint64_t h, uint32_t mfn)
{
	const struct frame *f = frame_record(MFN(mfn));
	const uint32_t *words = host_frame(mfn);

	h = mix(h, f->owner | f->valid << 16 | f->busy << 17 | f->pinned << 18 | f->reserved << 19);
	if (f->owner == OWNER_NONE)
		return mix(h, f->next);
	h = mix(h, f->refs << 16 | f->uses);
	h = mix(h, (uint32_t)f->linear << 16 | (f->uses > 0 ? f->type : 0));
	for (unsigned int i = 0; i < TABLE_ENTRIES; i++)
		h = mix(h, words[i]);
	return mix(h, machine_m2p_get(MFN(mfn)));
}

/* A flush is owed for a frame that was of a type, and is so no more: which type it was then counts. */
static uint64_t key_of_debts(uint64_t h, uint32_t mfn)
{
	const struct frame *f = frame_record(MFN(mfn));

	return mix(h, f->stamp == tlb.clock ? 1 + f->type : 0);
}

/* In whatever order. */
static uint64_t key_of_tlb(void)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < tlb_model_count(); i++) {
		struct tlb_translation t = tlb_model_get(i);

		sum += mix(mix(mix(5, t.page), t.mfn), t.writable);
	}
	for (unsigned int i = 0; i < tlb_model_walks(); i++) {
		struct tlb_walk w = tlb_model_walk(i);

		sum += mix(mix(mix(7, w.slot), w.mfn), w.writable);
	}
	return sum;
}

struct pair_key pair_key(void)
{
	uint64_t h = mix(key_of_variables(), pair.running), debts = 11, tlb = key_of_tlb();
	struct pair_key k;

	h = mix(h, host.base.n);
	for (uint32_t mfn = 0; mfn < PAIR_FRAMES; mfn++) {
		h = key_of_frame(h, mfn);
		debts = key_of_debts(debts, mfn);
	}
	k.observable = h;
	k.a = mix(mix(mix(mix(h, debts), debts >> 32), tlb), tlb >> 32);
	k.b = mix(mix(h ^ 0x5bd1e995, tlb * 3), debts * 5) ^ (h << 17 | h >> 47);
	return k;
}

/* ---- oracles ---- */

const char *pair_wrong(void)
{
	const char *what = audit();

	if (what)
		return what;
	if (!domain_check())
		return host_output(NULL);
	return symbols_changed();
}
