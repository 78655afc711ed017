// SPDX-License-Identifier: MIT
/* host test */
/*
 * Operations on ports of three domains, in any order, while two of them die at any moment and come back with another number. What
 * came of each is one word; a send shows whose bit it set, which is read from the domains' pages.
 */
#include "host/domains.h"
#include "host/program.h"

#define DOMAINS		3u
#define GUEST_FRAMES	5u
#define RECENT		16u
#define NOT_THERE	0x7000u

enum { DO_ALLOC, DO_BIND, DO_VIRQ, DO_CLOSE, DO_SEND, DO_STATUS, DO_DIE, DO_RETURN };

#define NOBODY	63u	/* in a word: no domain */

static struct guest guests[DOMAINS];
static bool alive[DOMAINS];		/* not what the slot says: another guest may have it by now */
static uint32_t recent[DOMAINS][RECENT], recents[DOMAINS];	/* the last ports that each of them got */

static void come_back(uint32_t d)
{
	while (domain_reap())
		;
	guests[d] = host_domain(GUEST_FRAMES);
	alive[d] = true;
}

/* A living one's number; of a dead one nothing is left. */
static uint32_t number_of(uint32_t d)
{
	return d < DOMAINS && alive[d] ? guests[d].d->id : NOT_THERE;
}

static volatile uint32_t *pending(uint32_t d)
{
	return ((volatile struct shared_info *)host_frame(guests[d].mfn[PFN_SHARED]))->pending;
}

static void forget_pending(void)
{
	for (uint32_t d = 0; d < DOMAINS; d++)
		for (uint32_t w = 0; alive[d] && w < EVENT_WORDS; w++)
			pending(d)[w] = 0;
}

/* The bit that is set: domain << 9 | port; how many there are above that. */
static uint32_t find_pending(void)
{
	uint32_t found = 0, count = 0;

	for (uint32_t d = 0; d < DOMAINS; d++)
		for (uint32_t port = 0; alive[d] && port < EVENT_PORTS; port++)
			if (pending(d)[port / 32] >> port % 32 & 1) {
				found = d << 9 | port;
				count++;
			}
	return found | MIN(count, 15u) << 11;
}

/* One operation: the answer's negative in the low byte, its results above. */
static uint32_t operate(uint32_t d, struct event_channel_op op)
{
	uint32_t at, results = 0;
	int answer;

	host_args_clear();
	at = ARG(op);
	answer = CALL(&guests[d], event_channel_op, at);
	memcpy(&op, host_arg_bytes(at), sizeof(op));
	if (answer == 0 && op.op <= EVENT_bind_virq) {
		results = op.port;
		recent[d][recents[d]++ % RECENT] = op.port;
	} else if (answer == 0 && op.op == EVENT_status) {
		results = op.status | (op.remote & NOBODY) << 2 | op.remote_port << 8 | op.virq << 17;
	} else if (answer == 0 && op.op == EVENT_send) {
		results = find_pending();
	}
	return (-answer & 0xff) | results << 8;
}

/*
 * A word of the judge's: 3 bits what, 2 bits who, 2 bits whose (3: nobody), 9 bits a number, 1 bit: the number is a port, else
 * an index of those that the domain which is meant got lately.
 */
static uint32_t do_word(uint32_t word)
{
	uint32_t what = word & 7, d = word >> 3 & 3, whose = word >> 5 & 3, number = word >> 7 & 511;
	uint32_t owner = what == DO_BIND && whose < DOMAINS ? whose : d;
	uint32_t port = word >> 16 & 1 ? number : recent[owner][number % RECENT];

	if (what == DO_RETURN) {
		if (!alive[d])
			come_back(d);
		return guests[d].d->id;
	}
	if (!alive[d])
		return 0;
	if (what == DO_DIE) {
		CALL(&guests[d], shutdown, SHUTDOWN_crash, 0);
		alive[d] = false;
		return 0;
	}
	forget_pending();
	return operate(d, (struct event_channel_op){
		.op = what, .port = port, .remote = number_of(whose), .remote_port = port, .virq = number % 6,
	});
}

/* The state of every port of every domain. */
static void look_at_all(uint32_t key)
{
	static uint32_t words[DOMAINS][EVENT_PORTS];

	memset(words, 0, sizeof(words));
	for (uint32_t d = 0; d < DOMAINS; d++)
		for (uint32_t port = 1; alive[d] && port < EVENT_PORTS; port++)
			words[d][port] = operate(d, (struct event_channel_op){ .op = EVENT_status, .port = port });
	observe_bytes("all states:bytes", key, words, sizeof(words));
}

static void run(void)
{
	static uint32_t results[1024];
	uint32_t count = input_word(), every = input_word();

	host_start(64);
	for (uint32_t d = 0; d < DOMAINS; d++)
		come_back(d);
	host_enter(&guests[0]);
	for (uint32_t i = 0; i < count; i++) {
		results[i % 1024] = do_word(input_word());
		if (i % 1024 == 1023 || i == count - 1)
			observe_bytes("done results:bytes", i / 1024, results, (i % 1024 + 1) * 4);
		if (i % every == every - 1)
			look_at_all(i / every);
	}
	look_at_all(count / every);
}
