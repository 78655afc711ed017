// SPDX-License-Identifier: MIT
/*
 * Opens, binds, closes and sends as its judge says, in turns with another domain that does the same, and reports every answer with
 * the moment at which it got it: the judge puts the two together.
 */
#include "event.h"
#include "mini.h"
#include "time.h"

enum { STEP_OP = 0, STEP_BIND_ANY, STEP_ALARM };

static uint32_t own[8], owns;		/* ports that we got, the last ones */

/* What a number in the script means: a port, or one that we got. */
static uint32_t port_of(uint32_t word)
{
	return word & 0x80000000 ? own[word & 7] : word;
}

static void got(uint32_t port)
{
	own[owns++ % ARRAY_SIZE(own)] = port;
}

/* The first of the other's ports that lets us. */
static int bind_any(struct event_channel_op *op)
{
	int err = -EINVAL;

	op->op = EVENT_bind_interdomain;
	for (op->remote_port = 1; op->remote_port < EVENT_PORTS; op->remote_port++) {
		err = hypercall_event_channel_op(op);
		if (err != -EINVAL && err != -EPERM)
			return err;
	}
	return err;
}

static void do_step(uint32_t key)
{
	uint32_t what = input_word();
	struct event_channel_op op = {
		.op = input_word(), .port = port_of(input_word()), .remote = input_word(), .remote_port = port_of(input_word()),
		.virq = input_word(),
	};
	uint64_t before = read_tsc();
	int32_t answer;

	observe("asked op port remote remote_port virq", key, op.op, op.port, op.remote, op.remote_port, op.virq);
	if (what == STEP_BIND_ANY)
		answer = bind_any(&op);
	else if (what == STEP_ALARM)
		answer = time_alarm(1);		/* long past: raised in the call */
	else
		answer = hypercall_event_channel_op(&op);
	if (answer == 0 && what != STEP_ALARM &&
	    (op.op == EVENT_alloc_unbound || op.op == EVENT_bind_interdomain || op.op == EVENT_bind_virq))
		got(op.port);
	observe("step low high answer:int port remote remote_port virq status", key, (uint32_t)before, (uint32_t)(before >> 32),
		answer, op.port, op.remote, op.remote_port, op.virq, op.status);
}

/* What has been raised since the last look. */
static void take_pending(uint32_t key)
{
	uint32_t news[EVENT_WORDS];

	for (uint32_t i = 0; i < EVENT_WORDS; i++) {
		news[i] = 0;
		asm volatile("xchg %0, %1" : "+r" (news[i]), "+m" (shared_info.pending[i]) : : "memory");
	}
	observe_bytes("news bits:bytes", key, news, sizeof(news));
}

int test_main(const struct start_info *start)
{
	uint32_t steps[2] = { input_word(), input_word() };

	/* Both find both scripts; the other's is skipped. */
	for (uint32_t i = 0; start->domid == 1 && i < steps[0] * 6; i++)
		input_word();
	for (uint32_t i = 0; i < steps[start->domid]; i++) {
		take_pending(i);
		do_step(i);
		hypercall_yield();
	}
	for (uint32_t i = 0; i < 4; i++)
		hypercall_yield();
	take_pending(steps[start->domid]);
	/* Domain 0's end is everybody's. */
	for (uint32_t i = 0; start->domid == 0 && i < 20; i++)
		hypercall_yield();
	return 0;
}
