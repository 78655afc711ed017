// SPDX-License-Identifier: MIT
#include "control.h"
#include <string.h>
#include "frame_pool.h"
#include "host/audit.h"
#include "host/domains.h"
#include "unit/test.h"

#define FRAMES	900u

static struct guest zero, one, two;
static struct control_op answer;

static void start(void)
{
	host_start(FRAMES);
	zero = host_domain(6);
	one = host_domain(6);
	two = host_domain(6);
	host_enter(&zero);
	sched_unpause(one.d);
}

static int ask(struct guest *who, struct control_op op)
{
	uint32_t at;
	int err;

	op.interface = ATELIER_INTERFACE;
	at = ARG(op);
	err = CALL(who, control_op, at);
	memcpy(&answer, host_arg_bytes(at), sizeof(answer));
	return err;
}

static int on(uint32_t op, uint32_t domain)
{
	return ask(&zero, (struct control_op){ .op = op, .domain = domain });
}

TEST(only_domain_0_may_ask)
{
	start();
	for (uint32_t op = 0; op < 40; op++)
		EXPECT_EQ(ask(&one, (struct control_op){ .op = op, .domain = 2 }), -EPERM, "operation %u", op);
}

TEST(what_makes_no_sense_is_refused)
{
	struct control_op old = { .interface = ATELIER_INTERFACE + 1, .op = CONTROL_info };

	start();
	EXPECT_EQ(CALL(&zero, control_op, ARG(old)), -EINVAL);
	EXPECT_EQ(CALL(&zero, control_op, ATELIER_LINE - 8), -EFAULT);
	EXPECT_EQ(on(0, 1), -EINVAL);
	EXPECT_EQ(on(CONTROL_vbd_info + 1, 1), -EINVAL);
	EXPECT_EQ(on(UINT32_MAX, 1), -EINVAL);
	EXPECT_EQ(on(CONTROL_pause, 3), -ESRCH);
	EXPECT_EQ(on(CONTROL_pause, UINT32_MAX), -ESRCH);
	EXPECT_EQ(on(CONTROL_destroy, 3), -ESRCH);
	EXPECT_EQ(on(CONTROL_pause, 0), -EINVAL);
	EXPECT_EQ(on(CONTROL_destroy, 0), -EINVAL);
	audit_all();
}

TEST(info_goes_from_domain_to_domain)
{
	static const uint32_t states[] = { DOMAIN_RUNNABLE, DOMAIN_RUNNABLE, DOMAIN_BUILDING };

	start();
	for (uint32_t i = 0; i < 3; i++) {
		EXPECT_EQ(on(CONTROL_info, i), 0);
		EXPECT_EQ(answer.domain, i);
		EXPECT_EQ(answer.u.info.state, states[i], "domain %u", i);
		EXPECT_EQ(answer.u.info.frames, 6);
		EXPECT_EQ(strcmp(answer.u.info.name, "guest"), 0);
	}
	EXPECT_EQ(on(CONTROL_info, 3), -ESRCH);
	domain_kill(one.d, SHUTDOWN_crash, 0);
	EXPECT_EQ(on(CONTROL_info, 1), 0);
	EXPECT_EQ(answer.u.info.state, DOMAIN_DYING);
	EXPECT_EQ(answer.u.info.reason, SHUTDOWN_crash);
	EXPECT_EQ(on(CONTROL_pause, 1), -ESRCH);
}

TEST(the_machine_says_what_it_has)
{
	start();
	EXPECT_EQ(on(CONTROL_machine, 0), 0);
	EXPECT_EQ(answer.u.machine.total_kib, FRAMES * 4);
	EXPECT_EQ(answer.u.machine.free_kib, frame_pool_free_count() * 4);
	EXPECT_EQ(answer.u.machine.domains, 3);
	EXPECT(answer.u.machine.build[0]);
}

TEST(a_pause_is_one_pause_and_its_end_is_no_start)
{
	start();
	EXPECT_EQ(on(CONTROL_pause, 1), 0);
	EXPECT_EQ(on(CONTROL_pause, 1), 0);
	on(CONTROL_info, 1);
	EXPECT_EQ(answer.u.info.state, DOMAIN_PAUSED);
	EXPECT_EQ(on(CONTROL_unpause, 1), 0);
	on(CONTROL_info, 1);
	EXPECT_EQ(answer.u.info.state, DOMAIN_RUNNABLE);
	EXPECT_EQ(on(CONTROL_unpause, 2), 0);
	EXPECT_EQ(on(CONTROL_unpause, 2), 0);
	on(CONTROL_info, 2);
	EXPECT_EQ(answer.u.info.state, DOMAIN_BUILDING, "it is still being built");
	EXPECT_EQ(on(CONTROL_pause, 2), 0);
	EXPECT_EQ(on(CONTROL_unpause, 2), 0);
	on(CONTROL_info, 2);
	EXPECT_EQ(answer.u.info.state, DOMAIN_BUILDING);
}

TEST(destroy_gives_everything_back_in_pieces_if_it_must)
{
	static uint32_t mfns[800];
	uint32_t before, calls = 1;

	start();
	before = frame_pool_free_count();
	EXPECT_EQ(on(CONTROL_destroy, 2), 0);
	EXPECT_EQ(frame_pool_free_count(), before + 6 + 1);
	EXPECT_EQ(on(CONTROL_destroy, 2), -ESRCH);
	one.d->memory.limit = 6 + 800;
	EXPECT_EQ(frame_pool_take(one.d, mfns, 800), 800);
	host.interrupt = true;
	while (on(CONTROL_destroy, 1) == -EAGAIN && calls++ < 100)
		audit_all();
	EXPECT(calls > 2);
	EXPECT_EQ(frame_pool_free_count(), before + 2 * (6 + 1));
	EXPECT_EQ(on(CONTROL_info, 1), -ESRCH);
	audit_all();
}

TEST(shares_and_limits_are_set_and_read)
{
	struct control_op op = { .op = CONTROL_sched, .domain = 1, .u.sched = { .weight = 7, .allowance = 1000000 } };

	start();
	EXPECT_EQ(ask(&zero, op), 0);
	op.u.sched = (struct control_sched){ .flags = SCHED_GET };
	EXPECT_EQ(ask(&zero, op), 0);
	EXPECT_EQ(answer.u.sched.weight, 7);
	EXPECT_EQ(answer.u.sched.allowance, 1000000);
	op.u.sched = (struct control_sched){ .weight = 0 };
	EXPECT_EQ(ask(&zero, op), -EINVAL);
	op.u.sched = (struct control_sched){ .flags = SCHED_GET + 1, .weight = 9 };
	EXPECT_EQ(ask(&zero, op), -EINVAL);
	on(CONTROL_info, 1);
	EXPECT_EQ(answer.u.info.weight, 7);
	op = (struct control_op){ .op = CONTROL_limit, .domain = 1, .u.limit = { 2 } };
	EXPECT_EQ(ask(&zero, op), 0);
	EXPECT_EQ(frame_pool_alloc(one.d).n, MFN_NONE.n);
	op.u.limit.frames = 7;
	EXPECT_EQ(ask(&zero, op), 0);
	EXPECT(frame_pool_alloc(one.d).n != MFN_NONE.n);
	EXPECT_EQ(frame_pool_alloc(one.d).n, MFN_NONE.n);
}
