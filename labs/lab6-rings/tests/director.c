// SPDX-License-Identifier: MIT
/*
 * Domain 0 of lab 6's tests: the other end of everybody's console. It does what it is told, step by step; what a step's words mean
 * stands at its function. All that was heard of a domain is told at the end.
 */
#include "event.h"
#include "lib/string.h"
#include "mini.h"
#include "paging.h"
#include "sleep.h"

#define DOMAINS		5u
#define HEARD_PAGES	64u

enum { STEP_COLLECT, STEP_READ, STEP_TYPE, STEP_SLEEP, STEP_FREE, STEP_DESTROY, STEP_GONE };

static struct {
	uint8_t *heard;
	uint32_t count;
	const uint8_t *text;		/* to be typed */
	uint32_t length, typed;
} consoles[DOMAINS];

static volatile uint32_t news;

static void on_news(uint32_t port, void *arg)
{
	news++;
}

static int32_t control(uint32_t op, uint32_t domain, struct control_op *c)
{
	c->interface = ATELIER_INTERFACE;
	c->op = op;
	c->domain = domain;
	return hypercall_control_op(c);
}

/* Up to @most bytes of @domain's output; how many, or the error. */
static int32_t read_some(uint32_t domain, uint32_t most)
{
	uint32_t left = HEARD_PAGES * PAGE_SIZE - consoles[domain].count;
	struct control_op c = {
		.u.console = { .buffer = (uint32_t)consoles[domain].heard + consoles[domain].count, .size = MIN(most, left) },
	};
	int32_t err = control(CONTROL_console, domain, &c);

	if (err)
		return err;
	consoles[domain].count += MIN(c.u.console.count, left);
	return c.u.console.count;
}

/* Reads until @n bytes came in all, and sleeps when there are none. */
static void collect(uint32_t domain, uint32_t n)
{
	while (consoles[domain].count < n) {
		uint32_t before = news;
		int32_t did = read_some(domain, 1 + random_below(200));

		if (did < 0)
			return;
		if (did == 0)
			events_wait_until(news != before);
	}
}

/* The next @n bytes of its text, at most @n at once, until it has taken them. */
static void type(uint32_t domain, uint32_t n)
{
	uint32_t end = MIN(consoles[domain].typed + n, consoles[domain].length);

	while (consoles[domain].typed < end) {
		struct control_op c = {
			.u.console = {
				.buffer = (uint32_t)consoles[domain].text + consoles[domain].typed,
				.size = end - consoles[domain].typed, .flags = 1,
			},
		};

		if (control(CONTROL_console, domain, &c))
			return;
		consoles[domain].typed += c.u.console.count;
		if (consoles[domain].typed < end)
			sleep_for(500 * MICROSECOND);
	}
}

static void memory(uint32_t key)
{
	struct control_op c = { 0 };

	control(CONTROL_machine, 0, &c);
	observe("memory free_kib domains", key, c.u.machine.free_kib, c.u.machine.domains);
}

static void destroy(uint32_t key, uint32_t domain)
{
	struct control_op c = { 0 };
	int32_t err;

	do
		err = control(CONTROL_destroy, domain, &c);
	while (err == -EAGAIN);
	observe("destroy answer:int", key, err);
}

/* Waits until there is no such domain, up to a second. */
static void wait_until_gone(uint32_t key, uint32_t domain)
{
	uint64_t end = time_now() + SECOND;
	struct control_op c = { 0 };
	int32_t err;

	while ((err = control(CONTROL_info, domain, &c)) == 0 && c.domain == domain && time_now() < end)
		sleep_for(1000 * MICROSECOND);
	observe("gone yes", key, err || c.domain != domain);
}

static void do_step(uint32_t key)
{
	uint32_t step = input_word(), domain = input_word(), n = input_word();

	switch (step) {
	case STEP_COLLECT:
		collect(domain, n);
		return;
	case STEP_READ:
		observe("read answer:int", key, read_some(domain, n));
		return;
	case STEP_TYPE:
		type(domain, n);
		return;
	case STEP_SLEEP:
		sleep_for(n * MICROSECOND);
		return;
	case STEP_FREE:
		memory(key);
		return;
	case STEP_DESTROY:
		destroy(key, domain);
		return;
	case STEP_GONE:
		wait_until_gone(key, domain);
		return;
	}
}

int test_main(const struct start_info *start)
{
	uint32_t domains, count;

	event_init();
	sleep_open();
	event_bind_virq(VIRQ_CONSOLE, on_news, NULL);
	events_enable();
	domains = input_word();
	for (uint32_t d = 1; d <= domains; d++) {
		consoles[d].heard = page_alloc_run(HEARD_PAGES);
		consoles[d].text = input_bytes(&consoles[d].length);
	}
	count = input_word();
	for (uint32_t i = 0; i < count; i++)
		do_step(i);
	for (uint32_t d = 1; d <= domains; d++)
		observe_bytes("heard text:bytes", d, consoles[d].heard, consoles[d].count);
	return 0;
}
