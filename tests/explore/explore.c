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
 * whole, and compared whole. With -r, some states stand for others: reduce.h.
 *
 *	explore [-f] [-r | -b] [MOST-STATES [MOST-STEPS]]
 *
 *	-f	the guest uses the last entry of page tables too, which is the hypervisor's in a directory
 *	-r	reduced
 *	-b	both, first without -r: what that visits must be what the other stands for
 *
 * The status is 0 if all has been visited, and nothing was found.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "explore/actions.h"
#include "explore/reduce.h"
#include "explore/symbols.h"
#include "explore/tiny.h"
#include "frame.h"
#include "host/audit.h"
#include "host/host.h"
#include "host/tlb_model.h"
#include "paging.h"

#ifndef USED_WORDS
#define USED_WORDS	SLOTS	/* without -f */
#endif

#define NO_ACTION	UINT_MAX
#define HIDDEN_EVERY	64	/* calls between two looks at the variables that are no part of a state */

struct visit {
	struct tiny state;
	uint8_t held[OWN][WORDS];	/* contents of the frames in the state before */
	uint16_t action;		/* that led here */
	uint32_t from;			/* number of the state before */
};

static struct {
	struct visit *visits;
	uint32_t count, most;
	uint32_t *buckets;	/* number + 1 */
	uint32_t bucket_count;	/* a power of two */
	struct tiny *whole;	/* what an exploration visited that was not reduced, as reduce_canonical() has it */
	uint32_t whole_count;
	bool reduced;
	bool there;		/* the machine is in the state from which the next call goes */
	struct {
		uint64_t calls, refused;
		uint32_t deaths, classes;
		unsigned int depth;
	} sum;
} explorer;

static uint32_t hash(const struct tiny *t)
{
	const uint8_t *p = (const uint8_t *)t;
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < (explorer.reduced ? TINY_KEY : sizeof(*t)); i++)
		h = (h ^ p[i]) * 16777619u;
	return h ^ h >> 15;
}

/* What open frames must hold for this step. */
static void print_held(const struct tiny *before, uint8_t held[OWN][WORDS])
{
	for (unsigned int i = 0; i < OWN; i++)
		for (unsigned int w = 0; w < WORDS; w++)
			if (held[i][w] != before->f[i].words[w])
				printf("  [word %u of frame %u is %s]\n", w, i, actions_value_name(tiny_word(held[i][w])));
}

static void hold(uint8_t held[OWN][WORDS], const struct tiny *t)
{
	for (unsigned int i = 0; i < OWN; i++)
		memcpy(held[i], t->f[i].words, WORDS);
}

static void print_path(uint32_t number)
{
	struct visit *v = &explorer.visits[number];

	if (number == 0)
		return;
	print_path(v->from);
	print_held(&explorer.visits[v->from].state, v->held);
	printf("  %s\n", actions_name(v->action));
}

/* @before: the state, or one of those that it stands for; @action: what was done then, or NO_ACTION. */
static NORETURN void violation(uint32_t number, const struct tiny *before, unsigned int action, const char *what)
{
	uint8_t held[OWN][WORDS];

	printf("VIOLATION: %s\nafter these steps (frames are renumbered between them; [what the guest has put there before]):\n", what);
	print_path(number);
	hold(held, before);
	print_held(&explorer.visits[number].state, held);
	if (action != NO_ACTION)
		printf("  %s\n", actions_name(action));
	exit(1);
}

/* Nothing puts these variables back, so that a look now and then sees every change. */
static const char *hidden_change(void)
{
	return explorer.sum.calls % HIDDEN_EVERY ? NULL : symbols_changed();
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

static void canonical(struct tiny *t)
{
	if (explorer.reduced)
		reduce_canonical(t);
	else
		tiny_canonical(t);
}

static bool same(const struct tiny *a, const struct tiny *b)
{
	return memcmp(a, b, explorer.reduced ? TINY_KEY : sizeof(*a)) == 0;
}

/*
 * True: the state is a new one. In a reduced exploration, one that covers a state from which nobody went on yet takes its place.
 */
static bool visit(const struct tiny *t, uint32_t from, const struct tiny *before, unsigned int action)
{
	uint32_t at = hash(t) & (explorer.bucket_count - 1), number = explorer.count;
	bool class_known = false;

	for (; explorer.buckets[at]; at = (at + 1) & (explorer.bucket_count - 1)) {
		uint32_t other = explorer.buckets[at] - 1;

		if (!same(&explorer.visits[other].state, t))
			continue;
		if (reduce_covers(&explorer.visits[other].state, t))
			return false;
		class_known = true;
		if (other > from && reduce_covers(t, &explorer.visits[other].state)) {
			number = other;
			break;
		}
	}
	if (number == explorer.most)
		return false;
	explorer.visits[number].state = *t;
	explorer.visits[number].from = from;
	explorer.visits[number].action = action;
	hold(explorer.visits[number].held, before);
	if (number == explorer.count)
		explorer.buckets[at] = ++explorer.count;
	explorer.sum.classes += !class_known;
	return true;
}

/* What the call left, judged; true: the machine is in the state that it was in. */
static bool judge(uint32_t number, const struct tiny *before, unsigned int action, int result)
{
	struct tiny after;
	const char *what;

	if (tiny_untouched())
		return true;
	what = tiny_extract(&after);
	if (what)
		violation(number, before, action, what);
	if (result < 0 && tiny_changed(before, &after))
		violation(number, before, action, "M12: a refused call has changed something");
	canonical(&after);
	what = visit(&after, number, before, action) ? oracles() : hidden_change();
	if (what)
		violation(number, before, action, what);
	return false;
}

/*
 * One action in state @number, or in @t, one of those that it stands for: the contents of the frames in @settled are decided. If the
 * hypervisor looks into another open one, the action is done with each contents that this one can have.
 */
static void act(uint32_t number, const struct tiny *t, unsigned int action, unsigned int settled)
{
	struct tiny member = *t;
	unsigned int looked, frame;
	int result;

	if (!explorer.there)
		tiny_restore(t);
	explorer.there = true;
	reduce_look_away();
	if (!actions_do(action, &result))
		return;
	looked = reduce_looked_into() & reduce_open(t) & ~settled;
	if (looked == 0) {
		explorer.sum.calls++;
		explorer.sum.refused += result < 0;
		tlb_model_fill();
		explorer.there = judge(number, t, action, result);
		return;
	}
	frame = __builtin_ctz(looked);
	for (unsigned int n = 0; reduce_fill(&member, frame, n); n++) {
		explorer.there = false;
		act(number, &member, action, settled | 1u << frame);
	}
	explorer.there = false;
}

/* Every action in one state. */
static void expand(uint32_t number, unsigned int actions)
{
	struct tiny t = explorer.visits[number].state;

	explorer.there = false;
	for (unsigned int a = 0; a < actions; a++) {
		unsigned int to = actions_stores_to(a);

		act(number, &t, a, to == NOTHING ? 0 : 1u << to);
	}
}

/* The domain dies in this state. */
static void death(uint32_t number)
{
	const struct tiny *t = &explorer.visits[number].state;
	const char *what = NULL;
	unsigned int steps = 0;

	tiny_restore(t);
	reduce_look_away();
	domain_kill(tiny.d, SHUTDOWN_crash, 0);
	do {
		what = audit_memory();
		if (!what && (!frame_check() || !frame_pool_check()))
			what = host_output(NULL);
	} while (!what && domain_reap() && steps++ < 1000);
	if (!what && (tiny.d->life != LIFE_FREE || frame_pool_free_count() != tiny.free_at_death))
		what = "M13: the domain died here and not every frame came home";
	if (!what && (reduce_looked_into() & reduce_open(t)))
		what = "death depends on contents that reduce.h leaves out";
	if (what)
		violation(number, t, NO_ACTION, what);
	explorer.sum.deaths++;
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
	explorer.bucket_count = buckets;
	if (!explorer.visits || !explorer.buckets) {
		fprintf(stderr, "explore: no memory for %u states\n", most);
		exit(1);
	}
}

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, TINY_KEY);
}

/* After an exploration that was not reduced: which classes its states are of, and with which TLB. */
static uint32_t keep_classes(void)
{
	struct tiny *all = malloc(explorer.count * sizeof(*all));
	uint32_t classes = 0;

	if (!all)
		host_panic("no memory for the classes of %u states", explorer.count);
	for (uint32_t i = 0; i < explorer.count; i++) {
		all[i] = explorer.visits[i].state;
		reduce_canonical(&all[i]);
	}
	qsort(all, explorer.count, sizeof(*all), by_bytes);
	for (uint32_t i = 0; i < explorer.count; i++)
		classes += i == 0 || by_bytes(&all[i - 1], &all[i]) != 0;
	explorer.whole = all;
	explorer.whole_count = explorer.count;
	return classes;
}

/* Said here once more, as a check of reduce_covers(). */
static bool remembers_all(const struct tiny *a, const struct tiny *b)
{
	for (unsigned int i = 0; i < OWN; i++)
		if ((a->tlb[i] | b->tlb[i]) != a->tlb[i])
			return false;
	return true;
}

/* Whether a reduced exploration has visited a state that stands for @t. */
static bool covered(const struct tiny *t)
{
	uint32_t at = hash(t) & (explorer.bucket_count - 1);

	for (; explorer.buckets[at]; at = (at + 1) & (explorer.bucket_count - 1)) {
		const struct tiny *v = &explorer.visits[explorer.buckets[at] - 1].state;

		if (same(v, t) && remembers_all(v, t))
			return true;
	}
	return false;
}

/* Whether the reduced exploration stood for all that the other one, of @classes, has visited; and for no more. */
static bool agree(uint32_t classes)
{
	uint32_t missed = 0;

	for (uint32_t i = 0; i < explorer.whole_count; i++)
		missed += !covered(&explorer.whole[i]);
	if (missed == 0 && classes == explorer.sum.classes)
		return true;
	printf("reduce.h is wrong: %u of %u states are not covered, %u classes are %u\n", missed, explorer.whole_count,
	       classes, explorer.sum.classes);
	return false;
}

static void report(bool complete, double seconds)
{
	printf("%u x %u%s%s: %s, %u states of %u classes, %llu calls (%llu refused), %u deaths, depth %u, %.1f s, %.0f calls/s\n",
	       OWN, SLOTS, tiny.used_words == WORDS ? ", full tables" : "", explorer.reduced ? ", reduced" : "",
	       complete ? "complete" : "PARTIAL", explorer.count, explorer.sum.classes,
	       (unsigned long long)explorer.sum.calls, (unsigned long long)explorer.sum.refused, explorer.sum.deaths,
	       explorer.sum.depth, seconds, explorer.sum.calls / (seconds + 1e-9));
	fflush(stdout);
}

/* Everything that can be reached from @t in so many steps; true: there is no more. */
static bool explore(struct tiny t, unsigned int actions, unsigned int steps)
{
	uint32_t level = 1, number;
	clock_t start = clock();
	bool complete;

	memset(explorer.buckets, 0, explorer.bucket_count * sizeof(*explorer.buckets));
	memset(&explorer.sum, 0, sizeof(explorer.sum));
	explorer.count = 0;
	canonical(&t);
	visit(&t, 0, &t, 0);
	for (number = 0; number < explorer.count; number++) {
		if (number == level) {
			if (++explorer.sum.depth == steps)
				break;
			level = explorer.count;
		}
		expand(number, actions);
		death(number);
		if (number % 0x40000 == 0x3ffff)
			fprintf(stderr, "  %u of %u states, depth %u\n", number + 1, explorer.count, explorer.sum.depth);
	}
	complete = number == explorer.count && explorer.count < explorer.most;
	if (!explorer.reduced)
		explorer.sum.classes = keep_classes();
	report(complete, (double)(clock() - start) / CLOCKS_PER_SEC);
	return complete;
}

int main(int argc, char **argv)
{
	bool both = false;
	struct tiny first;
	unsigned int actions, steps;
	uint32_t classes;
	int option;

	tiny.used_words = USED_WORDS;
	while ((option = getopt(argc, argv, "frb")) != -1) {
		if (option == '?')
			return 2;
		tiny.used_words = option == 'f' ? WORDS : tiny.used_words;
		explorer.reduced |= option == 'r';
		both |= option == 'b';
	}
	prepare(optind < argc ? strtoul(argv[optind], NULL, 0) : 2000000);
	steps = optind + 1 < argc ? atoi(argv[optind + 1]) : 1000;
	tiny_start(&first);
	actions = actions_build();
	if (!explore(first, actions, steps))
		return 1;
	if (!both)
		return 0;
	classes = explorer.sum.classes;
	explorer.reduced = true;
	return !explore(first, actions, steps) || !agree(classes);
}
