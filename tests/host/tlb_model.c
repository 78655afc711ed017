// SPDX-License-Identifier: MIT
#include "host/tlb_model.h"
#include "host/host.h"
#include "paging.h"

#define MOST	8192u
#define BUCKETS	32768u

/*
 * A set that is emptied by setting its count to 0: a bucket holds an index into the dense array, and is believed only if
 * the entry there says that it lives in this bucket.
 */
struct set {
	unsigned int count;
	struct { uint32_t a, b, bucket; } entries[MOST];
	uint16_t buckets[BUCKETS];
};

static struct {
	bool on;
	struct set pages;	/* a: page, b: frame, flags */
	struct set walks;	/* a: slot, b: frame, flags */
} tlb_model;

#define WRITABLE	0x80000000u
#define LARGE		0x40000000u
#define FRAME		0x000fffffu

static void add(struct set *s, uint32_t a, uint32_t b)
{
	uint32_t h = a * 0x9e3779b1u ^ b * 0x85ebca77u, at = (h ^ h >> 15) % BUCKETS;

	for (;; at = (at + 1) % BUCKETS) {
		unsigned int i = s->buckets[at];

		if (i >= s->count || s->entries[i].bucket != at)
			break;
		if (s->entries[i].a == a && s->entries[i].b == b)
			return;
	}
	if (s->count == MOST)
		host_panic("the TLB model is full");
	s->buckets[at] = s->count;
	s->entries[s->count].a = a;
	s->entries[s->count].b = b;
	s->entries[s->count++].bucket = at;
}

void tlb_model_enable(bool on)
{
	tlb_model.on = on;
}

void tlb_model_flush(void)
{
	tlb_model.pages.count = 0;
	tlb_model.walks.count = 0;
}

void tlb_model_flush_page(uint32_t va)
{
	struct set *s = &tlb_model.pages;
	unsigned int n = s->count;

	/* INVLPG forgets directory entries too, all of them. */
	tlb_model.walks.count = 0;
	s->count = 0;
	for (unsigned int i = 0; i < n; i++)
		if (s->entries[i].a != va >> PAGE_SHIFT)
			add(s, s->entries[i].a, s->entries[i].b);
}

void tlb_model_add(struct tlb_translation t)
{
	add(&tlb_model.pages, t.page, t.mfn | (t.writable ? WRITABLE : 0) | (t.large ? LARGE : 0));
}

void tlb_model_add_walk(struct tlb_walk w)
{
	add(&tlb_model.walks, w.slot, w.mfn | (w.writable ? WRITABLE : 0));
}

unsigned int tlb_model_count(void)
{
	return tlb_model.pages.count;
}

struct tlb_translation tlb_model_get(unsigned int i)
{
	uint32_t b = tlb_model.pages.entries[i].b;

	return (struct tlb_translation){ tlb_model.pages.entries[i].a, b & FRAME, b & WRITABLE, b & LARGE };
}

unsigned int tlb_model_walks(void)
{
	return tlb_model.walks.count;
}

struct tlb_walk tlb_model_walk(unsigned int i)
{
	uint32_t b = tlb_model.walks.entries[i].b;

	return (struct tlb_walk){ tlb_model.walks.entries[i].a, b & FRAME, b & WRITABLE };
}

static void fill_walks(void)
{
	const uint32_t *directory = host_frame(host.base.n);

	for (uint32_t i = 0; i < GUEST_SLOTS; i++) {
		uint32_t e = directory[i];

		if (!(e & PTE_P))
			continue;
		if (e & PTE_PS)
			tlb_model_add((struct tlb_translation){ i << 10, e >> PAGE_SHIFT, e & PTE_RW, true });
		else
			tlb_model_add_walk((struct tlb_walk){ i, e >> PAGE_SHIFT, e & PTE_RW });
	}
}

/* The table is read as it is now, whatever it has become. */
static void fill_pages(struct tlb_walk w)
{
	const uint32_t *table;

	if (w.mfn >= host.frames)
		return;		/* no RAM: the audit objects to the walk itself */
	table = host_frame(w.mfn);
	for (uint32_t i = 0; i < TABLE_ENTRIES; i++)
		if (table[i] & PTE_P)
			tlb_model_add((struct tlb_translation){ w.slot << 10 | i, table[i] >> PAGE_SHIFT,
								w.writable && (table[i] & PTE_RW), false });
}

void tlb_model_fill(void)
{
	if (!tlb_model.on || host.base.n == MFN_NONE.n)
		return;
	fill_walks();
	for (unsigned int i = 0; i < tlb_model.walks.count; i++)
		fill_pages(tlb_model_walk(i));
}

bool tlb_model_store(uint32_t va, uint32_t value)
{
	bool stored = false;

	for (unsigned int i = 0; i < tlb_model.pages.count; i++) {
		struct tlb_translation t = tlb_model_get(i);

		if (t.page != va >> PAGE_SHIFT || !t.writable || t.mfn >= host.frames)
			continue;
		*(uint32_t *)((uint8_t *)host_frame(t.mfn) + va % PAGE_SIZE) = value;
		stored = true;
	}
	return stored;
}
