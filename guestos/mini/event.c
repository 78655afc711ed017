// SPDX-License-Identifier: MIT
/*
 * How no event is lost. The hypervisor sets a port's bit in pending[], then its word's bit in
 * selector, then upcall_pending; we clear in the opposite order, each before we look at what it
 * stands for. So whatever comes in between is either seen by the look, or has set the three again:
 * then the way back (entry.S) finds upcall_pending and comes here once more.
 */
#include "event.h"
#include "hypercall.h"
#include "mini.h"

/* entry.S */
extern const char event_entry[], failsafe_entry[], critical_start[], critical_end[];

static struct {
	struct {
		event_handler *handler;
		void *arg;
	} ports[EVENT_PORTS];
} events;

/* ---- bits of the shared page: LOCKed, the other side may be changing the same word ---- */

static bool test_and_clear_bit(volatile uint32_t *words, uint32_t bit)
{
	bool was;

	asm volatile("lock btr %2, %1" : "=@ccc" (was), "+m" (words[bit / 32]) : "Ir" (bit % 32) : "memory");
	return was;
}

static void set_bit(volatile uint32_t *words, uint32_t bit)
{
	asm volatile("lock bts %1, %0" : "+m" (words[bit / 32]) : "Ir" (bit % 32) : "memory", "cc");
}

static uint32_t exchange(volatile uint32_t *word, uint32_t value)
{
	asm volatile("xchg %0, %1" : "+r" (value), "+m" (*word) : : "memory");
	return value;
}

/* ---- the master mask ---- */

bool events_disable(void)
{
	bool enabled = !shared_info.upcall_mask;

	shared_info.upcall_mask = 1;
	barrier();
	return enabled;
}

bool events_enable(void)
{
	bool enabled = !shared_info.upcall_mask;

	barrier();
	shared_info.upcall_mask = 0;
	barrier();
	/* Clearing the mask tells nobody. On the way out of any call the hypervisor looks. */
	if (shared_info.upcall_pending)
		hypercall_version();
	return enabled;
}

void events_restore(bool enabled)
{
	if (enabled)
		events_enable();
	else
		events_disable();
}

/* ---- the callback ---- */

int event_init(void)
{
	struct callbacks c = {
		.event_cs = ATELIER_RING1_CODE,
		.event_eip = (uint32_t)event_entry,
		.failsafe_cs = ATELIER_RING1_CODE,
		.failsafe_eip = (uint32_t)failsafe_entry,
		.range_count = 1,
		.ranges = {
			{ (uint32_t)critical_start, (uint32_t)critical_end, (uint32_t)event_entry },
		},
	};

	return hypercall_set_callbacks(&c);
}

static void handle_port(uint32_t port)
{
	if (events.ports[port].handler)
		events.ports[port].handler(port, events.ports[port].arg);
}

static void handle_word(uint32_t word)
{
	uint32_t news = shared_info.pending[word] & ~shared_info.mask[word];

	for (; news; news &= news - 1) {
		uint32_t port = word * 32 + __builtin_ctz(news);

		/* Before the handler: what it answers to may come again while it runs. */
		if (test_and_clear_bit(shared_info.pending, port))
			handle_port(port);
	}
}

void event_dispatch(void)
{
	uint32_t words;

	shared_info.upcall_pending = 0;
	words = exchange(&shared_info.selector, 0);
	for (; words; words &= words - 1)
		if (__builtin_ctz(words) < EVENT_WORDS)
			handle_word(__builtin_ctz(words));
}

/* ---- ports ---- */

/*
 * Asks for a port. Its handler is there before an event can be: events are off until it is. (What
 * comes in between stays pending.)
 */
static int open_port(struct event_channel_op *op, event_handler *handler, void *arg)
{
	bool enabled = events_disable();
	int err = hypercall_event_channel_op(op);

	if (!err) {
		events.ports[op->port].handler = handler;
		events.ports[op->port].arg = arg;
	}
	events_restore(enabled);
	return err ? err : (int)op->port;
}

int event_bind_virq(uint32_t virq, event_handler *handler, void *arg)
{
	struct event_channel_op op = { .op = EVENT_bind_virq, .virq = virq };

	return open_port(&op, handler, arg);
}

int event_alloc_unbound(uint32_t remote, event_handler *handler, void *arg)
{
	struct event_channel_op op = { .op = EVENT_alloc_unbound, .remote = remote };

	return open_port(&op, handler, arg);
}

int event_bind_interdomain(uint32_t remote, uint32_t remote_port, event_handler *handler, void *arg)
{
	struct event_channel_op op = {
		.op = EVENT_bind_interdomain, .remote = remote, .remote_port = remote_port,
	};

	return open_port(&op, handler, arg);
}

int event_send(uint32_t port)
{
	struct event_channel_op op = { .op = EVENT_send, .port = port };

	return hypercall_event_channel_op(&op);
}

int event_close(uint32_t port)
{
	struct event_channel_op op = { .op = EVENT_close, .port = port };
	int err = hypercall_event_channel_op(&op);

	if (!err)
		events.ports[port].handler = NULL;
	return err;
}

void event_mask(uint32_t port)
{
	set_bit(shared_info.mask, port);
}

void event_unmask(uint32_t port)
{
	test_and_clear_bit(shared_info.mask, port);
	/* Raised while masked, it set its bit and no more: the rest is ours to do. */
	if (shared_info.pending[port / 32] & 1u << port % 32) {
		set_bit(&shared_info.selector, port / 32);
		shared_info.upcall_pending = 1;
		if (!shared_info.upcall_mask)
			hypercall_version();
	}
}
