// SPDX-License-Identifier: MIT
/*
 * Visits every state that a tiny domain can bring the hypervisor into, by every call and every store, breadth first, and asks three
 * oracles:
 *
 *   the recount     the hypervisor's own auditors, and audit_memory(), which believes nothing
 *   the TLB         what a processor may still remember, kept by the pretend machine, must not allow what the tables no longer do
 *   M12             a refused call has changed nothing
 *
 * The first two judge states: each is audited when it is first seen. The third judges calls. And in each state the domain is killed once:
 * every frame must come home. States that differ in the frames' numbers alone are one. Nothing is approximated: states are kept
 * whole, and compared whole.
 *
 *	explore [MOST-STATES [MOST-STEPS]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "explore/actions.h"
#include "explore/symbols.h"
#include "explore/tiny.h"
#include "frame.h"
#include "host/audit.h"
#include "host/host.h"
#include "host/tlb_model.h"
#include "paging.h"

#define HIDDEN_EVERY	64	/* calls between two looks at the variables that are no part of a state */

struct visit {
	struct tiny state;
	uint32_t from;		/* number of the state before */
	uint16_t action;	/* that led here */
};

static struct {
	struct visit *visits;
	uint32_t count, most;
	uint32_t *buckets;	/* number + 1 */
	uint32_t mask;
	uint64_t calls, refused;
	uint32_t deaths;
	unsigned int depth;
} explorer;

static uint32_t hash(const struct tiny *t)
{
	const uint8_t *p = (const uint8_t *)t;
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < sizeof(*t); i++)
		h = (h ^ p[i]) * 16777619u;
	return h ^ h >> 15;
}

static void print_path(uint32_t number)
{
	if (number == 0)
		return;
	print_path(explorer.visits[number].from);
	printf("  %s\n", actions_name(explorer.visits[number].action));
}

static NORETURN void violation(uint32_t from, unsigned int action, const char *what)
{
	printf("VIOLATION: %s\nafter these steps (frames are renumbered between them):\n", what);
	print_path(from);
	if (action != UINT16_MAX)
		printf("  %s\n", actions_name(action));
	exit(1);
}

/* Nothing puts these variables back, so that a look now and then sees every change. */
static const char *hidden_change(void)
{
	return explorer.calls % HIDDEN_EVERY ? NULL : symbols_changed();
}

/* What is wrong in this state, or NULL. */
static const char *oracles(void)
{
	const char *what = audit_memory();

	if (what)
		return what;
	if (!frame_check() || !paging_check() || !frame_pool_check())
		return host_output(NULL);
	return hidden_change();
}

/* True: the state is a new one. */
static bool visit(const struct tiny *t, uint32_t from, unsigned int action)
{
	uint32_t at = hash(t) & explorer.mask;

	for (; explorer.buckets[at]; at = (at + 1) & explorer.mask)
		if (memcmp(&explorer.visits[explorer.buckets[at] - 1].state, t, sizeof(*t)) == 0)
			return false;
	if (explorer.count == explorer.most)
		return false;
	explorer.visits[explorer.count] = (struct visit){ *t, from, action };
	explorer.buckets[at] = ++explorer.count;
	return true;
}

/* What the call left, judged; true: the machine is in the state that it was in. */
static bool judge(uint32_t number, unsigned int action, int result)
{
	const struct tiny *before = &explorer.visits[number].state;
	struct tiny after;
	const char *what = tiny_extract(&after);

	if (what)
		violation(number, action, what);
	if (memcmp(before, &after, sizeof(after)) == 0)
		return true;
	if (result < 0 && tiny_changed(before, &after))
		violation(number, action, "M12: a refused call has changed something");
	tiny_canonical(&after);
	what = visit(&after, number, action) ? oracles() : hidden_change();
	if (what)
		violation(number, action, what);
	return false;
}

/* Every action in one state. */
static void expand(uint32_t number, unsigned int actions)
{
	bool there = false;
	int result;

	for (unsigned int a = 0; a < actions; a++) {
		if (!there)
			tiny_restore(&explorer.visits[number].state);
		there = true;
		if (!actions_do(a, &result))
			continue;
		explorer.calls++;
		explorer.refused += result < 0;
		tlb_model_fill();
		there = judge(number, a, result);
	}
}

/* The domain dies in this state. */
static void death(uint32_t number)
{
	const char *what = NULL;
	unsigned int steps = 0;

	tiny_restore(&explorer.visits[number].state);
	domain_kill(tiny.d, SHUTDOWN_crash, 0);
	do {
		what = audit_memory();
		if (!what && (!frame_check() || !frame_pool_check()))
			what = host_output(NULL);
	} while (!what && domain_reap() && steps++ < 1000);
	if (!what && (tiny.d->life != LIFE_FREE || frame_pool_free_count() != tiny.free_at_death))
		what = "M13: the domain died here and not every frame came home";
	if (what)
		violation(number, UINT16_MAX, what);
	explorer.deaths++;
	tiny_reset();
}

static void prepare(uint32_t most)
{
	uint32_t buckets = 1024;

	while (buckets < 2 * most)
		buckets *= 2;
	explorer.most = most;
	explorer.visits = malloc(most * sizeof(*explorer.visits));
	explorer.buckets = calloc(buckets, sizeof(*explorer.buckets));
	explorer.mask = buckets - 1;
	if (!explorer.visits || !explorer.buckets) {
		fprintf(stderr, "explore: no memory for %u states\n", most);
		exit(1);
	}
}

static void report(uint32_t expanded, double seconds)
{
	printf("%u x %u: %s, %u states, %llu calls (%llu refused), %u deaths, depth %u, %.1f s, %.0f calls/s\n",
	       OWN, SLOTS, expanded == explorer.count && explorer.count < explorer.most ? "complete" : "PARTIAL",
	       explorer.count, (unsigned long long)explorer.calls, (unsigned long long)explorer.refused,
	       explorer.deaths, explorer.depth, seconds, explorer.calls / (seconds + 1e-9));
}

int main(int argc, char **argv)
{
	uint32_t most = argc > 1 ? strtoul(argv[1], NULL, 0) : 2000000, level = 1, number;
	unsigned int steps = argc > 2 ? atoi(argv[2]) : 1000, actions;
	struct tiny first;
	clock_t start = clock();

	prepare(most);
	tiny_start(&first);
	actions = actions_build();
	tiny_canonical(&first);
	visit(&first, 0, 0);
	for (number = 0; number < explorer.count; number++) {
		if (number == level) {
			if (++explorer.depth == steps)
				break;
			level = explorer.count;
		}
		expand(number, actions);
		death(number);
		if (number % 0x40000 == 0x3ffff)
			fprintf(stderr, "  %u of %u states, depth %u\n", number + 1, explorer.count, explorer.depth);
	}
	report(number, (double)(clock() - start) / CLOCKS_PER_SEC);
	return explorer.count == explorer.most;
}
