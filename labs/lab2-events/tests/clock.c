// SPDX-License-Identifier: MIT
/*
 * Domain 0 of the hostile tests of lab 2: a clock. It sets alarms and waits for them, sends itself events, and looks at the
 * time, while another domain misbehaves. "rounds=" of "tick=" microseconds are enough for the others to come to their end, "others=" is
 * how many there are: at the end it says which of them live.
 */
#include "event.h"
#include "mini.h"
#include "time.h"

static volatile uint32_t ticks, echoes;

static void on_alarm(uint32_t port, void *arg)
{
	ticks++;
}

static void on_echo(uint32_t port, void *arg)
{
	echoes++;
}

/* Only a domain that is there can be named. */
static bool lives(uint32_t domain)
{
	int port = event_alloc_unbound(domain, NULL, NULL);

	if (port < 0)
		return false;
	event_close(port);
	return true;
}

int test_main(const struct start_info *start)
{
	uint32_t rounds = argument_number("rounds", 100), early = 0, sent = 0;
	uint64_t tick = argument_number("tick", 200) * MICROSECOND, worst = 0, last = 0;
	uint32_t back = 0;
	int own, other;

	event_init();
	event_bind_virq(VIRQ_TIMER, on_alarm, NULL);
	own = event_alloc_unbound(DOMID_SELF, on_echo, NULL);
	other = event_bind_interdomain(DOMID_SELF, own, NULL, NULL);
	for (uint32_t i = 0; i < rounds; i++) {
		uint64_t deadline = time_now() + tick, now;

		time_alarm(deadline);
		events_wait_until(ticks > i);
		now = time_now();
		early += now < deadline;
		back += now < last;
		worst = now > deadline ? MAX(worst, now - deadline) : worst;
		last = now;
		sent += event_send(other) == 0;
	}
	observe("clock rounds ticks echoes sent early back worst", 0, rounds, ticks, echoes, sent, early, back,
		(uint32_t)MIN(worst, (uint64_t)UINT32_MAX));
	for (uint32_t i = 1; i <= argument_number("others", 0); i++)
		observe("lives yes", i, lives(i));
	return 0;
}
