// SPDX-License-Identifier: MIT
#include "vtime.h"
#include "host/audit.h"
#include "host/domains.h"
#include "unit/test.h"

#define MS	1000000ull

static struct guest guests[3];
static uint32_t ports[3];

/* Three domains that can run, with the virtual timer's interrupt bound. */
static void start(void)
{
	host_start(64);
	for (unsigned int i = 0; i < 3; i++) {
		struct event_channel_op o = { .op = EVENT_bind_virq, .virq = VIRQ_VTIMER };
		uint32_t at = ARG(o);

		guests[i] = host_domain(6);
		EXPECT_EQ(CALL(&guests[i], event_channel_op, at), 0);
		ports[i] = ((struct event_channel_op *)host_arg_bytes(at))->port;
		sched_unpause(guests[i].d);
	}
}

static uint64_t used(unsigned int who)
{
	return guests[who].d->vtime.used;
}

static int set(unsigned int who, uint64_t deadline)
{
	struct set_timer op = { .deadline = deadline, .flags = TIMER_VIRTUAL };

	return CALL(&guests[who], set_timer, ARG(op));
}

/* Whether the event came since the last look. */
static bool came(unsigned int who)
{
	uint32_t *pending = &guests[who].d->shared->pending[ports[who] / 32], bit = 1u << ports[who] % 32;
	bool was = *pending & bit;

	*pending &= ~bit;
	return was;
}

/* Lets the one whose turn it is run until the machine's timer; which. */
static unsigned int go_on(void)
{
	struct domain *d = sched_return();
	unsigned int who = 0;

	while (guests[who].d != d)
		who++;
	EXPECT(host.deadline != UINT64_MAX);
	host.now = MAX(host.now, host.deadline);
	host.deadline = UINT64_MAX;
	timer_tick();
	return who;
}

/* The same until @who has run. */
static void run_once(unsigned int who)
{
	while (go_on() != who)
		;
}

TEST(virtual_time_passes_for_the_one_that_runs_and_all_have_what_the_machine_had)
{
	uint64_t begin, sum = 0;

	start();
	begin = host.now;
	for (unsigned int k = 0; k < 200; k++) {
		uint64_t before[3] = { used(0), used(1), used(2) };
		unsigned int who = go_on();

		sched_return();		/* charges it */
		for (unsigned int i = 0; i < 3; i++)
			EXPECT(i == who || used(i) == before[i], "%u ran, and %u was charged", who, i);
	}
	for (unsigned int i = 0; i < 3; i++)
		sum += used(i);
	EXPECT_EQ(sum, host.now - begin);
}

TEST(the_shared_page_says_how_far_it_is)
{
	start();
	for (unsigned int k = 0; k < 20; k++) {
		struct domain *d = sched_return();

		EXPECT_EQ(d->shared->time.virtual_time + (host.now - d->shared->time.system_time),
			  d->vtime.used + (host.now - d->vtime.since));
		go_on();
	}
}

TEST(an_alarm_comes_at_its_virtual_time_though_others_run_meanwhile)
{
	start();
	for (unsigned int k = 0; k < 10; k++) {
		uint64_t deadline;

		run_once(1);
		sched_return();
		deadline = used(1) + 3 * MS + k * MS / 3;
		EXPECT_EQ(set(1, deadline), 0);
		while (!came(1)) {
			EXPECT(used(1) < deadline, "it is late");
			go_on();
			sched_return();
		}
		EXPECT_EQ(used(1), deadline);
		for (unsigned int n = 0; n < 20; n++)
			go_on();
		EXPECT(!came(1), "once");
	}
}

TEST(an_alarm_in_the_past_comes_at_once_and_one_that_is_off_never)
{
	start();
	run_once(0);
	run_once(0);
	sched_return();
	EXPECT(used(0) > 1 * MS);
	host_enter(&guests[0]);
	EXPECT_EQ(set(0, 1), 0);
	run_once(0);
	sched_return();
	EXPECT(came(0));
	EXPECT_EQ(set(0, used(0) + 100 * MS), 0);
	EXPECT_EQ(set(0, TIMER_OFF), 0);
	for (unsigned int k = 0; k < 100; k++)
		go_on();
	EXPECT(!came(0));
	EXPECT_EQ(set(0, UINT64_MAX), 0);
	for (unsigned int k = 0; k < 100; k++)
		go_on();
	EXPECT(!came(0));
}

TEST(the_last_alarm_counts)
{
	uint64_t deadline;

	start();
	run_once(2);
	sched_return();
	deadline = used(2) + 50 * MS;
	EXPECT_EQ(set(2, used(2) + 10 * MS), 0);
	EXPECT_EQ(set(2, deadline), 0);
	while (!came(2)) {
		go_on();
		sched_return();
	}
	EXPECT_EQ(used(2), deadline);
}

TEST(the_alarms_of_the_dead_are_gone)
{
	start();
	run_once(1);
	sched_return();
	EXPECT_EQ(set(1, used(1) + 5 * MS), 0);
	domain_kill(guests[1].d, SHUTDOWN_crash, 0);
	for (unsigned int k = 0; k < 50; k++) {
		struct domain *d = sched_return();

		EXPECT(d != guests[1].d);
		host.now = MAX(host.now, host.deadline);
		host.deadline = UINT64_MAX;
		timer_tick();
		audit_all();
	}
}
