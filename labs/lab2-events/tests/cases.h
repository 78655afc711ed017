/* SPDX-License-Identifier: MIT */
/*
 * A guest that does what its judge says: registers tables and callbacks, and runs pieces of code with all registers as told. The
 * code is bytes from the judge, so the judge knows what each of them must lead to.
 */
#ifndef LAB2_CASES_H
#define LAB2_CASES_H

#include "event.h"
#include "raw.h"
#include "time.h"

MINI_BASE(0xfbc00000);

enum { CASE_END, CASE_TABLE, CASE_CALLBACKS, CASE_RUN, CASE_FAST };

#define STUB_ADDRESS	0xffffffff	/* in a table: that of the vector's stub */

/* In the writable window: what a piece of code may need. */
struct tools {
	struct event_channel_op send;	/* raises our own port */
	uint32_t done;			/* where to jump at the end */
};

static int port, port_timer, other_end;

static struct tools *tools(void)
{
	return window_page(WINDOW_WRITABLE, 1);
}

static void put_tools(void)
{
	*tools() = (struct tools){ .send = { .op = EVENT_send, .port = other_end }, .done = raw_stub(RAW_DONE) };
}

static void do_table(uint32_t key)
{
	static struct trap_entry table[260];
	uint32_t count = input_word();

	for (uint32_t i = 0; i < count; i++) {
		uint32_t vector = input_word(), flags = input_word(), cs = input_word(), address = input_word();

		table[i] = (struct trap_entry){
			vector, flags, cs, address == STUB_ADDRESS ? raw_stub(vector) : address,
		};
	}
	count += input_word();		/* entries that are asked for and are not there */
	observe("table answer:int", key, hypercall_set_trap_table(table, count));
}

static void do_callbacks(uint32_t key)
{
	struct callbacks c = {
		ATELIER_RING1_CODE, raw_stub(RAW_EVENT), ATELIER_RING1_CODE, raw_stub(RAW_FAILSAFE), input_word(), { },
	};

	for (uint32_t i = 0; i < c.range_count && i < CALLBACK_RANGES; i++)
		c.ranges[i] = (struct code_range){ input_word(), input_word(), raw_stub(RAW_RESUME + i) };
	observe("callbacks answer:int", key, hypercall_set_callbacks(&c));
}

/* No news: what an earlier case left is forgotten. */
static void forget_events(void)
{
	for (uint32_t i = 0; i < EVENT_WORDS; i++)
		shared_info.pending[i] = 0;
	shared_info.selector = 0;
	shared_info.upcall_pending = 0;
}

static void do_run(uint32_t key)
{
	uint32_t kernel_esp, mask, raise, delay, fpu, size, words[RAW_WORDS];
	struct raw_start start;
	const uint8_t *bytes;

	for (uint32_t i = 0; i < sizeof(start) / 4; i++)
		((uint32_t *)&start)[i] = input_word();
	kernel_esp = input_word();
	mask = input_word();
	raise = input_word();
	delay = input_word();
	fpu = input_word();
	bytes = input_bytes(&size);
	memcpy((void *)start.eip, bytes, size);
	bytes = input_bytes(&size);
	memcpy((void *)start.esp, bytes, size);

	forget_events();
	put_tools();
	if (raise)
		event_send(other_end);
	if (fpu)
		hypercall_fpu_taskswitch(1);
	if (delay)
		time_alarm(time_now() + delay);
	raw_run(&start, kernel_esp, mask, words);
	time_alarm(TIMER_OFF);
	if (fpu)
		hypercall_fpu_taskswitch(0);
	observe_words("run stub eax ebx ecx edx esi edi ebp esp ss cs ds es fs gs eflags mask", key,
		      (const uint32_t *)&raw_found, sizeof(raw_found) / 4);
	observe_words("stack a b c d e f g h i j k l", key, words, RAW_WORDS);
}

static void do_cases(void)
{
	uint32_t what;

	port = event_alloc_unbound(DOMID_SELF, NULL, NULL);
	other_end = event_bind_interdomain(DOMID_SELF, port, NULL, NULL);
	port_timer = event_bind_virq(VIRQ_TIMER, NULL, NULL);
	observe("ports own other timer", 0, port, other_end, port_timer);
	for (uint32_t key = 0; (what = input_word()) != CASE_END; key++) {
		if (what == CASE_TABLE)
			do_table(key);
		else if (what == CASE_CALLBACKS)
			do_callbacks(key);
		else if (what == CASE_RUN)
			do_run(key);
		else
			observe("fast answer:int", key, hypercall_set_fast_trap(input_word()));
	}
}

#endif
