// SPDX-License-Identifier: MIT
/* host test */
/*
 * Asks about a million descriptors, corners of every field and seeded ones between, which the judge
 * makes in the same way. What was changed is told in full.
 */
#include "fits.h"

#define COUNT		1000000u
#define CORNERS		64u
#define MOST_CHANGED	80000u	/* there are about 45,000 to be cut */

static uint32_t state;

static uint32_t next_random(void)
{
	/* Marsaglia, Xorshift RNGs (2003). */
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

static struct {
	uint32_t bases[CORNERS], limits[CORNERS];
	uint32_t base_count, limit_count;
} corners;

static uint32_t read_list(uint32_t *list)
{
	uint32_t count = input_word();

	for (uint32_t i = 0; i < count; i++) {
		uint32_t value = input_word();

		if (i < CORNERS)
			list[i] = value;
	}
	return count < CORNERS ? count : CORNERS;
}

/* Three numbers are drawn for each, whatever becomes of them. */
static struct descriptor next_descriptor(void)
{
	uint32_t a = next_random(), b = next_random(), c = next_random();
	uint32_t base = c & 0x10000 ? corners.bases[a % corners.base_count] : a;
	uint32_t limit = c & 0x60000 ? corners.limits[b % corners.limit_count] : b & 0xfffff;

	return (struct descriptor){
		base << 16 | (limit & 0xffff),
		(base & 0xff000000u) | (limit & 0xf0000) | (c & 0xf0ff) << 8 | (base >> 16 & 0xff),
	};
}

static struct {
	uint8_t answers[COUNT / 4];		/* two bits each */
	struct descriptor changed[MOST_CHANGED];
	uint32_t changes;
} told;

static void ask(uint32_t i)
{
	struct descriptor d = next_descriptor();
	uint32_t answer = fit(&d);

	told.answers[i / 4] |= answer << i % 4 * 2;
	if (answer == FIT_CHANGED && told.changes++ < MOST_CHANGED)
		told.changed[told.changes - 1] = d;
}

static void run(void)
{
	state = input_word();
	corners.base_count = read_list(corners.bases);
	corners.limit_count = read_list(corners.limits);
	for (uint32_t i = 0; i < COUNT; i++)
		ask(i);
	observe_bytes("answers bits:bytes", 0, told.answers, sizeof(told.answers));
	observe("changes count", 0, told.changes);
	observe_bytes("changed words:bytes", 0, told.changed,
		      (told.changes < MOST_CHANGED ? told.changes : MOST_CHANGED) * sizeof(struct descriptor));
}
