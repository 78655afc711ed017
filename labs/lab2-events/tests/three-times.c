// SPDX-License-Identifier: MIT
/*
 * Reads the clocks again and again, while another domain does the same and the two take turns; and looks whether a reading
 * that a turn came into can be told from a good one.
 */
#include "hypercall.h"
#include "lib/string.h"
#include "mini.h"
#include "time.h"

#define READINGS	50000
#define A_TURN		100	/* readings between two yields */
#define A_NOTE		2500	/* between two notes */
#define LONG		8000000	/* cycles without a turn: what is wrong with the scale has time to show */
#define LONGS		3

static struct shared_time snapshot(void)
{
	return *(const struct shared_time *)&shared_info.time;
}

static void note(uint32_t key, struct time t, uint64_t tsc)
{
	observe("note real high tsc tschigh wall wallhigh virtual virtualhigh", key, (uint32_t)t.real, (uint32_t)(t.real >> 32),
		(uint32_t)tsc, (uint32_t)(tsc >> 32), (uint32_t)t.wall, (uint32_t)(t.wall >> 32),
		(uint32_t)t.virtual, (uint32_t)(t.virtual >> 32));
}

static void read_often(void)
{
	struct time last = time_read();
	uint32_t back = 0, changes = 0;
	uint32_t version = shared_info.time.version;

	for (uint32_t i = 0; i < READINGS; i++) {
		struct time t = time_read();
		uint64_t tsc = read_tsc();

		back += t.real < last.real || t.virtual < last.virtual || t.wall < last.wall;
		last = t;
		if (i % A_NOTE == 0)
			note(i / A_NOTE, t, tsc);
		if (i % A_TURN == 0) {
			hypercall_yield();
			changes += shared_info.time.version != version;
			version = shared_info.time.version;
		}
	}
	observe("read readings back changes", 0, READINGS, back, changes);
}

/* A reader that is stopped in the middle, by a turn: it must find another version afterwards, if anything is another. */
static void read_torn(uint32_t rounds)
{
	uint32_t changed = 0, believed = 0, odd = 0;

	for (uint32_t i = 0; i < rounds; i++) {
		struct shared_time before = snapshot(), after;

		hypercall_yield();
		after = snapshot();
		odd += before.version % 2 + after.version % 2;
		if (before.tsc_stamp != after.tsc_stamp) {
			changed++;
			believed += before.version == after.version;
		}
	}
	observe("torn rounds changed believed odd", 0, rounds, changed, believed, odd);
}

static void read_late(uint32_t key)
{
	uint64_t start, tsc;
	struct time t;

	hypercall_yield();	/* as long as it can be until the clock is published again */
	start = read_tsc();
	while (read_tsc() - start < LONG)
		;
	t = time_read();
	tsc = read_tsc();
	note(key, t, tsc);
}

int test_main(const struct start_info *start)
{
	read_often();
	for (uint32_t i = 0; i < LONGS; i++)
		read_late(READINGS / A_NOTE + i);
	read_torn(200);
	for (uint32_t i = 0; start->domid == 0 && i < 500; i++)
		hypercall_yield();
	return 0;
}
