// SPDX-License-Identifier: MIT
/* atl top: who uses the processor. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "atl.h"
#include "hypervisor.h"

#define DOMAINS	512	/* numbers that are looked at */

/* What every domain had used at one moment. */
struct sample {
	uint64_t at;			/* nanoseconds of the machine */
	uint64_t used[DOMAINS];
	struct control_info info[DOMAINS];
	bool there[DOMAINS];
};

static void take(struct sample *s)
{
	struct control_op op;

	memset(s, 0, sizeof(*s));
	if (hv_ask(&op, CONTROL_machine, 0))
		fail("the hypervisor does not say what time it is");
	s->at = op.u.machine.up_time;
	for (uint32_t id = 0; hv_next(&op, id) && op.domain < DOMAINS; id = op.domain + 1) {
		s->there[op.domain] = true;
		s->used[op.domain] = op.u.info.run_time;
		s->info[op.domain] = op.u.info;
	}
}

static void print(const struct sample *before, const struct sample *now)
{
	uint64_t elapsed = now->at - before->at, busy = 0;

	if (isatty(1))
		printf("\033[H\033[2J");
	printf(" ID  NAME                  CPU %%      MEM KiB  WEIGHT\n");
	for (uint32_t id = 0; id < DOMAINS; id++) {
		uint64_t used = now->used[id] - before->used[id];

		if (!now->there[id] || now->used[id] < before->used[id])	/* a new one of the same number */
			continue;
		busy += used;
		printf("%3u  %-20s %6.1f  %11u  %6u\n", id, now->info[id].name, elapsed ? 100.0 * used / elapsed : 0.0,
		       now->info[id].frames * (PAGE_SIZE / 1024), now->info[id].weight);
	}
	printf("idle %.1f %%\n", elapsed > busy ? 100.0 * (elapsed - busy) / elapsed : 0.0);
	fflush(stdout);
}

int run_top(int argc, char **argv)
{
	static struct sample samples[2];
	uint64_t seconds = 2, times = UINT32_MAX;
	int c;

	while ((c = getopt(argc, argv, "d:n:")) >= 0)
		if (c == '?' || !parse_number(optarg, 3600, c == 'd' ? &seconds : &times) || seconds == 0)
			return complain("atl top [-d SECONDS] [-n TIMES], both up to 3600"), USAGE;
	take(&samples[0]);
	for (uint64_t i = 0; i < times; i++) {
		sleep(seconds);
		take(&samples[(i + 1) % 2]);
		print(&samples[i % 2], &samples[(i + 1) % 2]);
	}
	return 0;
}
