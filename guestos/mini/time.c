// SPDX-License-Identifier: MIT
#include "time.h"
#include "hypercall.h"
#include "mini.h"

/* A reading that no update has torn: the version is even, and the same before and after. */
static struct shared_time snapshot(void)
{
	const volatile struct shared_time *from = &shared_info.time;
	struct shared_time t;

	do {
		t.version = from->version;
		t.tsc_mul = from->tsc_mul;
		t.tsc_shift = from->tsc_shift;
		t.tsc_stamp = from->tsc_stamp;
		t.system_time = from->system_time;
		t.virtual_time = from->virtual_time;
		t.wall_offset = from->wall_offset;
	} while (t.version % 2 || t.version != from->version);
	return t;
}

/* Cycles into nanoseconds, as public/atelier.h says. The product has 96 bits. */
static uint64_t scale(uint64_t cycles, uint32_t mul, int32_t shift)
{
	cycles = shift < 0 ? cycles >> -shift : cycles << shift;
	return (cycles >> 32) * mul + ((cycles & 0xffffffff) * mul >> 32);
}

struct time time_read(void)
{
	struct shared_time t;
	uint64_t since;

	/*
	 * The counter belongs to the snapshot: if there was an update in between, both are taken
	 * again.
	 */
	do {
		t = snapshot();
		since = scale(read_tsc() - t.tsc_stamp, t.tsc_mul, t.tsc_shift);
	} while (t.version != shared_info.time.version);

	return (struct time){
		.real = t.system_time + since,
		.virtual = t.virtual_time + since,
		.wall = t.system_time + since + t.wall_offset,
	};
}

int time_alarm(uint64_t deadline)
{
	struct set_timer timer = { .deadline = deadline };

	return hypercall_set_timer(&timer);
}
