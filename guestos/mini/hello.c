// SPDX-License-Identifier: MIT
/*
 * The guest of `make run GUEST=mini`: says what it was given, ticks once a second, and answers each
 * key. `q` ends it.
 */
#include "console.h"
#include "event.h"
#include "mini.h"
#include "time.h"
#include "trap.h"

static struct {
	uint64_t next_tick;
	bool over;
} hello;

static void say_start_info(const struct start_info *s)
{
	printf("Hello from domain %u in ring %u.\n", s->domid, ATELIER_RING1_CODE & 3);
	printf("  %u frames, %u of them mapped from 0x%x on; free from number %u\n", s->frames, s->mapped_frames,
	       s->virt_base, s->first_free);
	printf("  shared page at 0x%x, P2M at 0x%x, directory at 0x%x (%u tables), windows at 0x%x\n", s->shared, s->p2m,
	       s->directory, s->tables, s->windows);
	printf("  command line: \"%s\"\n", s->cmdline);
}

static void tick(uint32_t port, void *arg)
{
	struct time now = time_read();
	uint32_t seconds = now.wall / SECOND % 86400;

	printf("\r%02u:%02u:%02u UTC, up %u s, ran %u ms \n", seconds / 3600, seconds / 60 % 60, seconds % 60,
	       (uint32_t)(now.real / SECOND), (uint32_t)(now.virtual / MILLISECOND));
	/* From the last deadline, not from now: so it does not drift. */
	hello.next_tick += SECOND;
	time_alarm(hello.next_tick);
}

static void key(uint32_t port, void *arg)
{
	int c;

	while ((c = console_get()) >= 0) {
		if (c == 'q')
			hello.over = true;
		else if (c >= ' ' && c < 0x7f)
			printf("you typed %c\n", c);
		else
			printf("you typed 0x%02x\n", c);
	}
}

int test_main(const struct start_info *start)
{
	say_start_info(start);
	if (trap_init() || event_init() || event_bind_virq(VIRQ_TIMER, tick, NULL) < 0)
		panic("hello: this hypervisor has no events yet");
	if (start->flags & START_PRIVILEGED)
		event_bind_virq(VIRQ_CONSOLE, key, NULL);
	printf("A clock, and an echo; q is the end.\n");
	key(0, NULL);			/* what was typed before anybody listened */

	hello.next_tick = time_now() + SECOND;
	time_alarm(hello.next_tick);
	events_wait_until(hello.over);
	printf("Goodbye.\n");
	return 0;
}
