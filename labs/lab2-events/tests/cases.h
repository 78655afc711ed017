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

#define STUB_ADDRESS	0xffffffff	/* in a table or range: that of the stub */

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

/* @absent more entries than there are: the list then ends at the end of the windows, where nothing follows. */
static int32_t ask_for_table(const struct trap_entry *table, uint32_t count, uint32_t absent)
{
	struct trap_entry *end = window_page(WINDOW_USER, 4);

	if (absent)
		table = memcpy(end - count, table, count * sizeof(*table));
	return hypercall_set_trap_table(table, count + absent);
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
	observe("table answer:int", key, ask_for_table(table, count, input_word()));
}

static uint32_t word_or(uint32_t otherwise)
{
	uint32_t word = input_word();

	return word == STUB_ADDRESS ? otherwise : word;
}

static void do_callbacks(uint32_t key)
{
	struct callbacks c;

	c.event_cs = input_word();
	c.event_eip = word_or(raw_stub(RAW_EVENT));
	c.failsafe_cs = input_word();
	c.failsafe_eip = word_or(raw_stub(RAW_FAILSAFE));
	c.range_count = input_word();
	for (uint32_t i = 0; i < c.range_count && i < CALLBACK_RANGES; i++) {
		struct code_range *r = &c.ranges[i];

		r->start = input_word();
		r->end = input_word();
		r->resume = word_or(raw_stub(RAW_RESUME + i));
	}
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

/* Each domain has a script of its own: a byte string; this one's is the next input. */
static inline void find_script(uint32_t number)
{
	const uint8_t *script;
	uint32_t size;

	for (uint32_t i = 0; i <= number; i++)
		script = input_bytes(&size);
	input_open(script, size);
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
