// SPDX-License-Identifier: MIT
/*
 * Goes to sleep again and again, with the event that is to end it coming at another instruction each time: an alarm, or another
 * domain's answer. A lost one leaves the machine asleep for ever.
 *
 * Both domains run this file. "peer=1" answers what it is sent; the other one opens the channel at a port that the peer finds by
 * trying, as a judge may not know how ports are numbered.
 */
#include "event.h"
#include "mini.h"
#include "time.h"

static struct {
	volatile uint32_t alarms, answers;
	uint32_t blocks;
} woken;

static void count(uint32_t port, void *counter)
{
	(*(volatile uint32_t *)counter)++;
}

/* Like events_wait_until(), from the state in which events are off; counts how often it had to block. */
static void sleep_until(const volatile uint32_t *counter, uint32_t value)
{
	while (*counter < value) {
		woken.blocks++;
		hypercall_block();
		events_disable();
	}
}

static void answer_all(uint32_t rounds)
{
	int port = -1;

	while (port < 0) {
		for (uint32_t i = 1; i < EVENT_PORTS && port < 0; i++)
			port = event_bind_interdomain(0, i, count, (void *)&woken.answers);
		if (port < 0)
			hypercall_yield();
	}
	event_send(port);
	for (uint32_t i = 0; i < rounds; i++) {
		uint32_t pause = random_below(80);

		events_disable();
		time_spin(pause);
		sleep_until(&woken.answers, i + 1);
		events_enable();
		time_spin(pause);
		event_send(port);
	}
}

/* An alarm comes up to 2 us late, as the machine's timer counts in steps: it goes to sleep a little before, meanwhile, or after that. */
static void by_alarm(uint32_t rounds)
{
	for (uint32_t i = 0; i < rounds; i++) {
		uint32_t delay = 1000 + random_below(3000);

		events_disable();
		time_alarm(time_now() + delay);
		time_spin(delay - 700 + random_below(2000));
		sleep_until(&woken.alarms, i + 1);
		events_enable();
	}
}

static void by_peer(int port, uint32_t rounds)
{
	for (uint32_t i = 0; i < rounds; i++) {
		events_disable();
		event_send(port);
		if (i % 2)
			hypercall_yield();	/* it answers before we sleep, or after that */
		time_spin(random_below(80));
		sleep_until(&woken.answers, i + 2);
		events_enable();
	}
}

/* Long ones: whoever does not sleep at all comes back very often. */
static void take_naps(uint32_t naps, uint32_t alarms)
{
	woken.blocks = 0;
	for (uint32_t i = 0; i < naps; i++) {
		events_disable();
		time_alarm(time_now() + 3 * MILLISECOND);
		sleep_until(&woken.alarms, alarms + i + 1);
		events_enable();
	}
	observe("naps taken blocks", 0, naps, woken.blocks);
}

int test_main(const struct start_info *start)
{
	uint32_t alarms = input_word(), answers = input_word(), naps = input_word();
	int port;

	event_init();
	if (argument_number("peer", 0)) {
		answer_all(answers);
		observe("answered rounds", 0, woken.answers);
		hypercall_yield();
		return 0;
	}
	event_bind_virq(VIRQ_TIMER, count, (void *)&woken.alarms);
	port = event_alloc_unbound(1, count, (void *)&woken.answers);
	events_disable();
	sleep_until(&woken.answers, 1);		/* the peer is there */
	by_alarm(alarms);
	observe("alarms woken", 0, woken.alarms);
	by_peer(port, answers);
	observe("answers woken", 0, woken.answers);
	take_naps(naps, alarms);
	/* The peer goes first: it has one more thing to say. */
	for (uint32_t i = 0; i < 20; i++)
		hypercall_yield();
	return 0;
}
