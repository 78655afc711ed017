// SPDX-License-Identifier: MIT
#include "sched.h"
#include "host/audit.h"
#include "host/domains.h"
#include "sched_policy.h"
#include "unit/test.h"

static struct guest guests[4];

/* Four domains that can run; nobody does yet. */
static void start(void)
{
	host_start(64);
	for (unsigned int i = 0; i < 4; i++) {
		guests[i] = host_domain(4);
		sched_unpause(guests[i].d);
	}
}

static int running(void)
{
	struct domain *d = sched_return();

	EXPECT(d && mfn_equal(host.base, d->paging.base));
	EXPECT(d && host.regs == &d->vcpu.regs);
	return d ? d->id : -1;
}

static void slice_over(void)
{
	host.now = MAX(host.now, host.deadline);
	host.deadline = UINT64_MAX;
	timer_tick();
}

TEST(all_that_can_run_get_the_processor_and_nobody_waits_for_ever)
{
	unsigned int turns[4] = { 0 };

	start();
	for (unsigned int i = 0; i < 40; i++) {
		turns[running()]++;
		slice_over();
	}
	for (unsigned int i = 0; i < 4; i++)
		EXPECT(turns[i] >= 5, "domain %u ran %u times", i, turns[i]);
}

TEST(who_sleeps_does_not_run_until_it_is_woken)
{
	start();
	sched_sleep(guests[2].d);
	for (unsigned int i = 0; i < 20; i++) {
		EXPECT(running() != 2);
		slice_over();
	}
	sched_wake(guests[2].d);
	for (unsigned int i = 0; running() != 2; i++) {
		if (i > 20) {
			EXPECT(!"it never runs");
			break;
		}
		slice_over();
	}
}

TEST(waking_twice_is_waking_once)
{
	start();
	sched_sleep(guests[1].d);
	sched_wake(guests[1].d);
	sched_wake(guests[1].d);
	sched_sleep(guests[1].d);
	for (unsigned int i = 0; i < 20; i++) {
		EXPECT(running() != 1);
		slice_over();
	}
}

TEST(pauses_add_up_and_a_wake_does_not_end_them)
{
	start();
	sched_pause(guests[3].d);
	sched_pause(guests[3].d);
	sched_unpause(guests[3].d);
	sched_wake(guests[3].d);
	for (unsigned int i = 0; i < 20; i++) {
		EXPECT(running() != 3);
		slice_over();
	}
	sched_sleep(guests[3].d);
	sched_unpause(guests[3].d);
	for (unsigned int i = 0; i < 20; i++) {
		EXPECT(running() != 3, "asleep");
		slice_over();
	}
	sched_wake(guests[3].d);
	while (running() != 3)
		slice_over();
}

TEST(the_one_that_runs_goes_on_until_something_happens)
{
	int first;

	start();
	first = running();
	for (unsigned int i = 0; i < 5; i++)
		EXPECT_EQ(running(), first);
}

TEST(yield_lets_another_one_run)
{
	int first;

	start();
	first = running();
	EXPECT_EQ(CALL(&guests[first], yield), 0);
	EXPECT(running() != first);
}

TEST(yield_of_the_only_one_goes_on)
{
	start();
	for (unsigned int i = 1; i < 4; i++)
		sched_sleep(guests[i].d);
	EXPECT_EQ(running(), 0);
	EXPECT_EQ(CALL(&guests[0], yield), 0);
	EXPECT_EQ(running(), 0);
}

TEST(yield_brings_nobody_back_who_cannot_run)
{
	int first;

	start();
	first = running();
	sched_pause(guests[first].d);
	EXPECT_EQ(CALL(&guests[first], yield), 0);
	for (unsigned int i = 0; i < 10; i++) {
		EXPECT(running() != first);
		slice_over();
	}
}

static struct domain *waker;

static void wake_one(void)
{
	sched_wake(waker);
}

TEST(with_nobody_to_run_the_machine_idles_until_somebody_can)
{
	start();
	running();
	for (unsigned int i = 0; i < 4; i++)
		sched_sleep(guests[i].d);
	waker = guests[2].d;
	host.idle = wake_one;
	EXPECT_EQ(running(), 2);
}

static uint32_t left_dirty;

static void look(void)
{
	left_dirty = frame_pool_scrub_one();
	sched_wake(waker);
}

TEST(an_idle_machine_scrubs_free_frames_until_an_interrupt_waits)
{
	start();
	frame_pool_scrub(true);
	running();
	for (unsigned int i = 0; i < 4; i++)
		sched_sleep(guests[i].d);
	waker = guests[2].d;
	host.idle = look;
	host.interrupt_after = 3;
	EXPECT_EQ(running(), 2);
	EXPECT(left_dirty);
	host.interrupt = false;
	sched_sleep(guests[2].d);
	EXPECT_EQ(running(), 2);
	EXPECT(!left_dirty);
}

static unsigned int chores_done;

static bool one_of_ten(void)
{
	return ++chores_done < 10;
}

TEST(an_idle_machine_does_its_chores_until_an_interrupt_waits)
{
	start();
	running();
	sched_set_chore(one_of_ten);
	chores_done = 0;
	for (unsigned int i = 0; i < 4; i++)
		sched_sleep(guests[i].d);
	waker = guests[2].d;
	host.idle = wake_one;
	host.interrupt_after = 3;
	sched_want_chore();
	EXPECT_EQ(running(), 2);
	EXPECT(chores_done > 1 && chores_done < 10, "%u chores", chores_done);
}

TEST(run_time_counts_what_a_domain_used_and_no_more)
{
	uint64_t total = 0, t0, before;

	start();
	running();
	t0 = host.now;
	before = 0;
	for (unsigned int i = 0; i < 4; i++)
		before += guests[i].d->vtime.used;
	for (unsigned int i = 0; i < 12; i++) {
		slice_over();
		running();
	}
	for (unsigned int i = 0; i < 4; i++)
		total += guests[i].d->vtime.used;
	EXPECT_EQ(total - before, host.now - t0);
}

static struct domain *runs, *other;

/* Somebody runs, and somebody else had something done meanwhile. */
static void start_metered(void)
{
	start();
	runs = guests[running()].d;
	other = guests[(runs->id + 1) % 4].d;
	host.now += 1000;
	sched_meter();
	host.now += 300;
}

TEST(who_is_billed_pays_and_not_the_one_that_runs)
{
	uint64_t avt, others_avt, used;

	start_metered();
	avt = runs->policy.avt;
	others_avt = other->policy.avt;
	used = runs->vtime.used;
	sched_bill(other);
	host.now += 500;		/* for nobody in particular */
	EXPECT_EQ(running(), runs->id);
	EXPECT_EQ(other->vtime.used, 300);
	EXPECT_EQ(other->policy.avt - others_avt, 300ull * other->policy.advance);
	EXPECT_EQ(runs->vtime.used - used, 1500);
	EXPECT_EQ(runs->policy.avt - avt, 1500ull * runs->policy.advance);
	EXPECT_EQ(runs->shared->time.virtual_time, runs->vtime.used, "it is told");
}

TEST(one_that_is_billed_for_its_own_pays_as_it_would)
{
	start_metered();
	sched_bill(runs);
	host.now += 500;
	sched_bill(other);
	sched_reconsider();
	running();
	EXPECT_EQ(runs->vtime.used, 1300);
	EXPECT_EQ(other->vtime.used, 500);
}

TEST(what_was_charged_already_is_not_billed)
{
	start_metered();
	sched_sleep(guests[3].d);
	sched_wake(guests[3].d);	/* charges the one that runs, to compare it */
	host.now += 100;
	sched_bill(other);
	running();
	EXPECT_EQ(runs->vtime.used, 1300);
	EXPECT_EQ(other->vtime.used, 100);
}

TEST(the_time_of_guests_and_of_the_dead_is_not_billed)
{
	start_metered();
	running();
	host.now += 1000;
	sched_bill(other);
	EXPECT_EQ(other->vtime.used, 0, "nothing was measured");
	sched_meter();
	host.now += 1000;
	domain_kill(other, SHUTDOWN_crash, 0);
	sched_bill(other);
	EXPECT_EQ(other->vtime.used, 0);
}

TEST(work_for_a_sleeper_in_an_idle_machine_is_billed_to_it)
{
	start();
	sched_meter();
	host.now += 200;
	sched_bill(guests[1].d);
	EXPECT_EQ(guests[1].d->vtime.used, 200);
}

TEST(the_dead_never_run)
{
	start();
	running();
	domain_kill(guests[1].d, SHUTDOWN_crash, 0);
	sched_wake(guests[1].d);
	for (unsigned int i = 0; i < 20; i++) {
		EXPECT(running() != 1);
		slice_over();
		audit_all();
	}
	EXPECT_EQ(guests[1].d->life, LIFE_FREE);
}

TEST(the_one_that_dies_while_it_runs_leaves_nothing_loaded)
{
	int dead;

	start();
	while ((dead = running()) == 0)
		slice_over();
	CALL(&guests[dead], shutdown, SHUTDOWN_crash, 0);
	EXPECT(running() != dead);
	for (unsigned int i = 0; i < 10; i++) {
		slice_over();
		running();
		audit_all();
	}
	EXPECT_EQ(guests[dead].d->life, LIFE_FREE);
	EXPECT_EQ(host.slots[dead].gdt[0].n, MFN_NONE.n);
}

/* Two domains alone; the first one computes for so long, without a call, then sleeps. */
static void compute_and_sleep(unsigned int who, uint64_t time)
{
	host_enter(&guests[who]);
	EXPECT_EQ(running(), who);
	host.now += time;
	sched_sleep(guests[who].d);
}

TEST(what_the_last_one_used_counts_for_who_wakes_after_it_slept)
{
	uint64_t begin;

	start();
	compute_and_sleep(0, 900000000);
	sched_unpause(guests[1].d);
	sched_sleep(guests[1].d);
	sched_wake(guests[1].d);
	EXPECT_EQ(running(), 1);
	sched_wake(guests[0].d);
	for (begin = host.now; running() != 0 && host.now - begin < 1000000000;)
		slice_over();
	EXPECT(host.now - begin <= 2 * POLICY_ALLOWANCE, "%llu ns", host.now - begin);
}

TEST(a_new_share_does_not_count_for_time_that_was_had_with_the_old_one)
{
	struct control_op op = { .interface = ATELIER_INTERFACE, .op = CONTROL_sched, .u.sched = { .weight = 1 } };
	uint64_t before;

	start();
	EXPECT_EQ(running(), 0);
	before = guests[0].d->policy.avt;
	host.now += 1000000;
	EXPECT_EQ(CALL(&guests[0], control_op, ARG(op)), 0);
	running();
	EXPECT_EQ(guests[0].d->policy.avt - before, 1000000ull * POLICY_UNIT);
}
