// SPDX-License-Identifier: MIT
#include "host/state.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "domain.h"
#include "frame.h"
#include "host/host.h"
#include "paging.h"

#define AD	(PTE_A | PTE_D)

struct state {
	size_t frame_words;
	uint32_t frames;
	struct frame *table;
	uint32_t *memory;
	struct domain domains[MAX_DOMAINS];
};

struct state *state_new(size_t frame_bytes)
{
	struct state *s = calloc(1, sizeof(*s));

	s->frame_words = frame_bytes / sizeof(uint32_t);
	s->frames = host.frames;
	s->table = calloc(s->frames, sizeof(*s->table));
	s->memory = calloc(s->frames, frame_bytes);
	return s;
}

void state_free(struct state *s)
{
	free(s->table);
	free(s->memory);
	free(s);
}

static void take_frame(struct state *s, uint32_t mfn)
{
	const uint32_t *words = host_frame(mfn);
	uint32_t *copy = s->memory + mfn * s->frame_words;
	struct frame *f = &s->table[mfn];
	uint32_t dont_care;

	*f = *frame_record(MFN(mfn));
	dont_care = f->valid && (f->type == FRAME_TABLE || f->type == FRAME_DIRECTORY) ? AD : 0;
	for (size_t i = 0; i < s->frame_words; i++)
		copy[i] = words[i] & ~dont_care;
	if (f->uses == 0)
		f->type = FRAME_NONE;
}

static void take_domain(struct state *s, const struct domain *from)
{
	struct domain *d = &s->domains[from->id];

	*d = *from;
	memset(&d->vcpu.regs, 0, sizeof(d->vcpu.regs));
	memset(&d->calls, 0, sizeof(d->calls));
	d->memory.owned.first = 0;
}

void state_take(struct state *s)
{
	memset(s->domains, 0, sizeof(s->domains));
	for (uint32_t mfn = 0; mfn < s->frames; mfn++)
		take_frame(s, mfn);
	for (struct domain *d = domain_next(0); d; d = domain_next(d->id + 1u))
		take_domain(s, d);
}

static bool same_frame(const struct frame *a, const struct frame *b)
{
	return a->refs == b->refs && a->uses == b->uses && a->owner == b->owner && a->type == b->type &&
	       a->valid == b->valid && a->busy == b->busy && a->pinned == b->pinned &&
	       a->reserved == b->reserved && a->linear == b->linear;
}

const char *state_differs(const struct state *a, const struct state *b)
{
	static char text[120];

	for (uint32_t i = 0; i < a->frames; i++)
		if (!same_frame(&a->table[i], &b->table[i])) {
			snprintf(text, sizeof(text), "the record of frame 0x%x", i);
			return text;
		}
	for (size_t i = 0; i < a->frames * a->frame_words; i++)
		if (a->memory[i] != b->memory[i]) {
			snprintf(text, sizeof(text), "word %zu of frame 0x%zx: 0x%x, then 0x%x", i % a->frame_words,
				 i / a->frame_words, a->memory[i], b->memory[i]);
			return text;
		}
	for (unsigned int i = 0; i < MAX_DOMAINS; i++)
		if (memcmp(&a->domains[i], &b->domains[i], sizeof(a->domains[i])) != 0) {
			size_t at = 0;

			while (((char *)&a->domains[i])[at] == ((char *)&b->domains[i])[at])
				at++;
			snprintf(text, sizeof(text), "domain %u, byte %zu of its record", i, at);
			return text;
		}
	return NULL;
}
