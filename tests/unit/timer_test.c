// SPDX-License-Identifier: MIT
#include "timer.h"
#include <string.h>
#include "host/domains.h"
#include "unit/test.h"

#define MS	1000000ull

static struct guest guests[3];
static uint32_t ports[3];

/* Three domains with the timer's virtual interrupt bound. */
static void start(void)
{
	host_start(64);
	for (unsigned int i = 0; i < 3; i++) {
		struct event_channel_op o = { .op = EVENT_bind_virq, .virq = VIRQ_TIMER };
		uint32_t at = ARG(o);

		guests[i] = host_domain(6);
		EXPECT_EQ(CALL(&guests[i], event_channel_op, at), 0);
		ports[i] = ((struct event_channel_op *)host_arg_bytes(at))->port;
	}
	host_enter(&guests[0]);
}

static int set(unsigned int who, uint64_t deadline)
{
	struct set_timer op = { .deadline = deadline };

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

/* Time goes on to @when, as a machine whose timer fires would have it. */
static void go_to(uint64_t when)
{
	while (host.deadline <= when) {
		host.now = MAX(host.now, host.deadline);
		host.deadline = UINT64_MAX;
		timer_tick();
	}
	host.now = when;
}

TEST(a_deadline_fires_once_and_never_early)
{
	uint64_t t0;

	start();
	t0 = host.now;
	EXPECT_EQ(set(0, t0 + 5 * MS), 0);
	go_to(t0 + 5 * MS - 1);
	EXPECT(!came(0));
	go_to(t0 + 5 * MS);
	EXPECT(came(0));
	go_to(t0 + 50 * MS);
	EXPECT(!came(0));
}

TEST(a_tick_that_comes_too_early_fires_nothing_and_asks_again)
{
	uint64_t t0;

	start();
	t0 = host.now;
	set(0, t0 + 5 * MS);
	host.deadline = UINT64_MAX;
	host.now = t0 + 4 * MS;
	timer_tick();
	EXPECT(!came(0));
	EXPECT_EQ(host.deadline, t0 + 5 * MS);
}

TEST(the_past_fires_at_once)
{
	static const uint64_t past[] = { 1, 500000, 1000000 /* now */ };

	for (unsigned int i = 0; i < ARRAY_SIZE(past); i++) {
		start();
		EXPECT_EQ(host.now, 1000000);
		EXPECT_EQ(set(0, past[i]), 0);
		EXPECT(came(0), "row %u", i);
		go_to(host.now + 100 * MS);
		EXPECT(!came(0), "row %u: twice", i);
	}
}

TEST(the_far_future_never_comes_and_disturbs_nobody)
{
	static const uint64_t far[] = { INT64_MAX, (1ull << 63), UINT64_MAX - 1, UINT64_MAX };

	for (unsigned int i = 0; i < ARRAY_SIZE(far); i++) {
		uint64_t t0;

		start();
		t0 = host.now;
		EXPECT_EQ(set(1, far[i]), 0);
		EXPECT_EQ(set(0, t0 + MS), 0);
		go_to(t0 + 1000 * MS);
		EXPECT(came(0), "row %u", i);
		EXPECT(!came(1), "row %u", i);
	}
}

TEST(arming_again_replaces_and_0_disarms)
{
	uint64_t t0;

	start();
	t0 = host.now;
	set(0, t0 + 5 * MS);
	set(0, t0 + 9 * MS);
	go_to(t0 + 8 * MS);
	EXPECT(!came(0));
	go_to(t0 + 9 * MS);
	EXPECT(came(0));
	set(0, t0 + 12 * MS);
	set(0, TIMER_OFF);
	go_to(t0 + 100 * MS);
	EXPECT(!came(0));
}

TEST(an_earlier_deadline_of_another_domain_is_not_missed)
{
	uint64_t t0;

	start();
	t0 = host.now;
	set(0, t0 + 50 * MS);
	set(1, t0 + 20 * MS);
	set(2, t0 + 30 * MS);
	go_to(t0 + 20 * MS);
	EXPECT(came(1));
	EXPECT(!came(2));
	go_to(t0 + 30 * MS);
	EXPECT(came(2));
	go_to(t0 + 50 * MS);
	EXPECT(came(0));
}

TEST(deadlines_at_the_same_moment_all_fire)
{
	uint64_t t0;

	start();
	t0 = host.now;
	for (unsigned int i = 0; i < 3; i++)
		set(i, t0 + 7 * MS);
	go_to(t0 + 7 * MS);
	for (unsigned int i = 0; i < 3; i++)
		EXPECT(came(i), "domain %u", i);
}

TEST(the_dead_have_no_alarms)
{
	uint64_t t0;

	start();
	t0 = host.now;
	set(1, t0 + 5 * MS);
	set(2, t0 + 6 * MS);
	domain_kill(guests[1].d, SHUTDOWN_crash, 0);
	while (domain_reap())
		;
	for (unsigned int i = 3; i <= MAX_DOMAINS; i++)		/* until somebody else lives in the dead one's slot */
		host_domain(4);
	go_to(t0 + 10 * MS);
	EXPECT(came(2));
}

TEST(what_is_no_timer_is_refused_and_the_old_one_stands)
{
	struct set_timer bad[] = { { 1, 2, 0 }, { 1, 0x80000000, 0 }, { 1, 0, 1 } };
	uint64_t t0;

	start();
	t0 = host.now;
	set(0, t0 + MS);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_EQ(CALL(&guests[0], set_timer, ARG(bad[i])), -EINVAL, "row %u", i);
	EXPECT_EQ(CALL(&guests[0], set_timer, 0x1000), -EFAULT);
	EXPECT_EQ(CALL(&guests[0], set_timer, 0xfbfffff8), -EFAULT);
	go_to(t0 + MS);
	EXPECT(came(0));
}

/* ---- the published clock ---- */

static uint64_t scaled(const struct shared_time *t, uint64_t tsc)
{
	uint64_t delta = tsc - t->tsc_stamp;

	delta = t->tsc_shift < 0 ? delta >> -t->tsc_shift : delta << t->tsc_shift;
	return (delta * t->tsc_mul) >> 32;
}

TEST(the_clock_in_the_shared_page_can_be_scaled_to_now)
{
	const struct shared_time *t;

	start();
	host.wall = 1700000000ull * 1000000000;
	host.now = 123456789;
	time_publish(guests[0].d);
	t = &guests[0].d->shared->time;
	EXPECT_EQ(t->version % 2, 0);
	EXPECT_EQ(t->system_time, 123456789);
	EXPECT_EQ(t->wall_offset, host.wall);
	EXPECT_EQ(t->system_time + scaled(t, machine_clock_read().tsc + 2000), 123456789 + 1000);
	EXPECT_EQ(t->tsc_khz, 2000000);
}

TEST(each_publishing_changes_the_version_whatever_the_guest_wrote_there)
{
	static const uint32_t written[] = { 0, 1, 2, 0x7fffffff, UINT32_MAX, UINT32_MAX - 1 };

	start();
	for (unsigned int i = 0; i < ARRAY_SIZE(written); i++) {
		struct shared_time *t = &guests[0].d->shared->time;

		t->version = written[i];
		time_publish(guests[0].d);
		EXPECT_EQ(t->version % 2, 0, "row %u", i);
		EXPECT(t->version != written[i], "row %u", i);
	}
}
