// SPDX-License-Identifier: MIT
/*
 * Raises ports of its own, in ways that its judge says: many while events are off, one by one while they are on, masked and
 * not; and reports what the shared page says and which handlers run when.
 */
#include "event.h"
#include "lib/string.h"
#include "mini.h"
#include "time.h"

#define PORTS	40

enum { ROUND_END, ROUND_TOGETHER, ROUND_ONE_BY_ONE };

static struct {
	int own[PORTS], other[PORTS];
	uint8_t calls[PORTS];		/* of the handlers, since the last look */
} ports;

static void on_event(uint32_t port, void *arg)
{
	ports.calls[(uint32_t)arg]++;
}

static void observe_calls(const char *when, uint32_t key)
{
	observe_bytes(when, key, ports.calls, PORTS);
	memset(ports.calls, 0, PORTS);
}

/* A byte for each port: bit 0: pending, bit 1: its word is selected. */
static void observe_bits(uint32_t key)
{
	uint8_t bits[PORTS];

	for (uint32_t i = 0; i < PORTS; i++) {
		uint32_t word = ports.own[i] / 32, bit = ports.own[i] % 32;

		bits[i] = (shared_info.pending[word] >> bit & 1) | (shared_info.selector >> word & 1) << 1;
	}
	observe_bytes("bits ports:bytes", key, bits, PORTS);
	observe("upcall pending", key, shared_info.upcall_pending);
}

static void together(uint32_t key, const uint8_t *list, uint32_t n, bool block)
{
	events_disable();
	for (uint32_t i = 0; i < n; i++)
		event_send(ports.other[list[i]]);
	hypercall_yield();
	observe_calls("early calls:bytes", key);
	observe_bits(key);
	if (block)
		hypercall_block();
	else
		events_enable();
	observe("on mask", key, shared_info.upcall_mask);
}

static void one_by_one(uint32_t key, const uint8_t *list, uint32_t n)
{
	uint8_t before[PORTS];
	uint32_t late = 0;

	events_enable();
	for (uint32_t i = 0; i < n; i++) {
		bool masked = shared_info.mask[ports.own[list[i]] / 32] >> ports.own[list[i]] % 32 & 1;

		memcpy(before, ports.calls, PORTS);
		event_send(ports.other[list[i]]);
		before[list[i]] += !masked;
		late += memcmp(before, ports.calls, PORTS) != 0;
	}
	observe("sent late", key, late);
}

static void do_round(uint32_t key, uint32_t what)
{
	uint32_t block = input_word(), n, masked;
	const uint8_t *mask = input_bytes(&masked), *list = input_bytes(&n);

	memset(ports.calls, 0, PORTS);
	for (uint32_t i = 0; i < masked; i++)
		event_mask(ports.own[mask[i]]);
	if (what == ROUND_TOGETHER)
		together(key, list, n, block);
	else
		one_by_one(key, list, n);
	events_enable();
	observe_calls("handled calls:bytes", key);
	for (uint32_t i = 0; i < masked; i++)
		event_unmask(ports.own[mask[i]]);
	observe_calls("unmasked calls:bytes", key);
}

static void on_alarm(uint32_t port, void *arg)
{
	*(volatile bool *)arg = true;
}

/* block() with nothing to deliver: a masked port and the master mask do not end it, an alarm does. */
static void sleep_once(uint32_t key, uint32_t delay)
{
	volatile bool fired = false;
	int timer = event_bind_virq(VIRQ_TIMER, on_alarm, (void *)&fired);
	uint64_t before = time_now(), deadline = before + delay;

	event_mask(ports.own[0]);
	event_send(ports.other[0]);
	events_disable();
	time_alarm(deadline);
	hypercall_block();
	observe("slept fired late", key, fired, (uint32_t)(time_now() - deadline));
	event_close(timer);
	event_unmask(ports.own[0]);
}

int test_main(const struct start_info *start)
{
	uint32_t what, naps;

	event_init();
	for (uint32_t i = 0; i < PORTS; i++) {
		ports.own[i] = event_alloc_unbound(DOMID_SELF, on_event, (void *)i);
		ports.other[i] = event_bind_interdomain(DOMID_SELF, ports.own[i], NULL, NULL);
	}
	for (uint32_t key = 0; (what = input_word()) != ROUND_END; key++)
		do_round(key, what);
	naps = input_word();
	for (uint32_t i = 0; i < naps; i++)
		sleep_once(i, input_word());
	return 0;
}
