// SPDX-License-Identifier: MIT
#include "explore/reduce.h"
#include <string.h>
#include "frame.h"
#include "host/host.h"

#define MOST	16u

static struct {
	uint8_t codes[WORDS][MOST];	/* that the guest may leave in a word */
	unsigned int counts[WORDS];
} reduce;

/*
 * mmu_update of a frame that is no valid table takes a use as writable and gives it back. That is refused while it has uses of another
 * type or a count is full; and it flushes if what was a table may still be walked.
 */
static bool can_open(const struct tiny_frame *f, uint8_t tlb)
{
	return !(f->flags & (FLAG_FREE | FLAG_VALID)) && f->type <= FRAME_WRITABLE && f->refs < FRAME_COUNT_MAX &&
	       !(tlb & (TLB_WALK | TLB_WALK_WRITE));
}

unsigned int reduce_open(const struct tiny *t)
{
	unsigned int open = 0;

	for (unsigned int i = 0; i < OWN; i++)
		if (t->f[i].flags & FLAG_OPEN)
			open |= 1u << i;
	return open;
}

bool reduce_covers(const struct tiny *a, const struct tiny *b)
{
	for (unsigned int i = 0; i < OWN; i++)
		if (b->tlb[i] & ~a->tlb[i])
			return false;
	return true;
}

/* Contents that no guest can put there would be lost. */
static void open_frame(struct tiny_frame *f)
{
	for (unsigned int w = 0; w < tiny.used_words; w++)
		if (!memchr(reduce.codes[w], f->words[w], reduce.counts[w]))
			host_panic("an open frame has 0x%x as word %u, which no guest puts there", tiny_word(f->words[w]), w);
	for (unsigned int w = tiny.used_words; w < WORDS; w++)
		if (tiny_word(f->words[w]))
			host_panic("an open frame has 0x%x as word %u, which the guest does not use", tiny_word(f->words[w]), w);
	memset(f->words, tiny_code(0), sizeof(f->words));
	f->flags |= FLAG_OPEN;
}

void reduce_canonical(struct tiny *t)
{
	for (unsigned int i = 0; i < OWN; i++) {
		if (can_open(&t->f[i], t->tlb[i]))
			open_frame(&t->f[i]);
		if (t->f[i].uses == 0 && t->f[i].type == FRAME_WRITABLE)
			t->f[i].type = FRAME_NONE;
	}
	tiny_canonical(t);
}

void reduce_choice(unsigned int word, uint32_t value)
{
	if (reduce.counts[word] == MOST)
		host_panic("more values than there is room for");
	reduce.codes[word][reduce.counts[word]++] = tiny_code(value);
}

bool reduce_fill(struct tiny *t, unsigned int i, unsigned int n)
{
	for (unsigned int w = 0; w < tiny.used_words; w++) {
		t->f[i].words[w] = reduce.codes[w][n % reduce.counts[w]];
		n /= reduce.counts[w];
	}
	return n == 0;
}

void reduce_look_away(void)
{
	host.mapped = 0;
}

unsigned int reduce_looked_into(void)
{
	unsigned int into = 0;

	for (unsigned int i = 0; i < OWN; i++)
		into |= (host.mapped >> tiny.own[i] & 1) << i;
	return into;
}
