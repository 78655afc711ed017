// SPDX-License-Identifier: MIT
/*
 * Domains that write to consoles at which nobody listens: one as much and as often as it can, one dies of it, one is their neighbour,
 * to whom domain 0 (director.c) listens.
 */
#include "talker.h"
#include "time.h"

#define FLOOD	5000u
#define LINES	20u
#define REST	(20 * MILLISECOND)	/* domain 0 has looked at the memory by then */

static struct ring ring;

static void write_one(uint32_t id)
{
	struct console_slot s = text_request(id, sizeof(s.data), 0, 0);

	ring_put(&ring, &s);
}

static void flood(void)
{
	struct console_slot s;
	uint32_t put = 0, answers = 0, refused = 0;

	for (uint32_t i = 0; i < FLOOD; i++) {
		if (ring_room(&ring))
			write_one(put++);
		ring_publish(&ring);
		refused += ring_kick(&ring) != 0;
		answers += ring_get(&ring, &s);
	}
	observe("flood put answers refused", 0, put, answers, refused);
	for (;;)
		hypercall_block();
}

static void die(void)
{
	uint64_t end = time_now() + REST;

	for (uint32_t i = 0; i < LINES; i++)
		write_one(i);
	ring_publish(&ring);
	while (time_now() < end)
		hypercall_yield();
	hypercall_shutdown(SHUTDOWN_crash, 0);
}

int test_main(const struct start_info *start)
{
	uint32_t act = argument_number("act", 0);

	if (act == 0) {
		talker_talk();
		return 0;
	}
	event_init();
	observe("open answer:int", 0, ring_open(&ring, RING_CONSOLE, 0, NULL, NULL));
	if (act == 1)
		flood();
	die();
	return 0;
}
