/* SPDX-License-Identifier: MIT */
/*
 * What the host tests of tables share: steps of its judge on a few of them, by the contract of src/extent.h alone. How a table is kept
 * is the student's own affair.
 */
#ifndef LAB9_EXTENT_STEPS_H
#define LAB9_EXTENT_STEPS_H

#include "extent.h"
#include "host/host.h"
#include "host/program.h"

#define TABLES	4u

enum { STEP_ADD, STEP_REMOVE, STEP_RESOLVE, STEP_CONFLICT };

static struct extent_table tables[TABLES];

static struct rrun input_real(void)
{
	struct rrun real = { .disk = input_word() };

	real.first.n = input_word();
	real.count = input_word();
	return real;
}

static int add(struct extent_table *t)
{
	struct rrun real = input_real();

	return extent_add(t, real, input_word());
}

static int conflict(const struct extent_table *t)
{
	struct rrun real = input_real();

	return extent_conflict(t, real, input_word());
}

/* What lies behind the room that was given must not be written. */
static int resolve(const struct extent_table *t, uint32_t key)
{
	struct rrun out[EXTENTS + 1];
	struct vrun want;
	uint32_t need, max;
	int n;

	want.first.n = input_word();
	want.count = input_word();
	need = input_word();
	max = input_word();
	memset(out, 0xee, sizeof(out));
	n = extent_resolve(t, want, need, out, max);
	for (int i = 0; i < n && i <= (int)EXTENTS; i++)
		observe("run disk first count", key << 8 | i, out[i].disk, out[i].first.n, out[i].count);
	observe("behind disk", key, max <= EXTENTS ? out[max].disk : 0);
	return n;
}

static int do_step(struct extent_table *t, uint32_t step, uint32_t key)
{
	switch (step) {
	case STEP_ADD:
		return add(t);
	case STEP_REMOVE:
		return extent_remove(t);
	case STEP_RESOLVE:
		return resolve(t, key);
	default:
		return conflict(t);
	}
}

static void run(void)
{
	uint32_t count = input_word();

	for (uint32_t i = 0; i < count; i++) {
		uint32_t step = input_word();
		struct extent_table *t = &tables[input_word() % TABLES];
		int answer = do_step(t, step, i);

		observe("step answer:int end", i, answer, extent_end(t));
	}
}

#endif
