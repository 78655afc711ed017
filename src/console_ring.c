// SPDX-License-Identifier: MIT
#include "console_ring.h"
#include "console.h"
#include "domain.h"
#include "guest_copy.h"
#include "lib/string.h"

static struct ring *ring_of(struct domain *d)
{
	return ring_find(d, RING_CONSOLE, 0);
}

/* Domain 0 has the machine's own. */
static bool present(const struct domain *d, uint32_t device)
{
	return !d->privileged && device == 0;
}

static void answer(struct ring *r, const struct console_slot *response)
{
	ring_respond(r, response, 1);
}

/* ---- out ---- */

static bool room(const struct console_ring *c)
{
	return c->written - c->drained < CONSOLE_SLOTS;
}

static void tell_domain_0(void)
{
	struct domain *d = domain_find(NULL, 0);

	if (d)
		event_raise_virq(d, VIRQ_CONSOLE);
}

static void queue(struct console_ring *c, const struct console_slot *request, bool owed)
{
	uint32_t place = c->written++ % CONSOLE_SLOTS;

	c->output[place] = *request;
	c->owed = (c->owed & ~(1u << place)) | (uint32_t)owed << place;
	if (c->written - c->drained == 1)
		tell_domain_0();
}

/* The oldest output will not be looked at again by its writer: it may have the slot back. */
static void accept(struct ring *r, struct console_ring *c)
{
	uint32_t place = c->accepted++ % CONSOLE_SLOTS;
	const struct console_slot *s = &c->output[place];

	if (c->owed & 1u << place)
		answer(r, &(struct console_slot){ .id = s->id, .count = s->count });
}

/* What was printed by console_write, all of it; without room it is only in the log. */
static bool console_ring_write(struct domain *d, const char *bytes, size_t n)
{
	struct console_ring *c = &d->console;
	struct console_slot s = { .id = 0 };

	if (!c->watched)
		return false;
	if (n > (CONSOLE_SLOTS - (c->written - c->drained)) * sizeof(s.data)) {
		console_note(d, bytes, n);
		return true;
	}
	for (; n > 0; n -= s.count, bytes += s.count) {
		s.count = MIN(n, sizeof(s.data));
		memcpy(s.data, bytes, s.count);
		queue(c, &s, false);
	}
	return true;
}

/* ---- in ---- */

/* Fills the oldest requests for input with what there is. */
static void serve(struct ring *r, struct console_ring *c)
{
	while (c->asked != c->served && c->typed != c->read) {
		struct console_slot s = { .id = c->readers[c->served++ % CONSOLE_SLOTS] };

		while (s.count < sizeof(s.data) && c->typed != c->read)
			s.data[s.count++] = c->input[c->read++ % CONSOLE_INPUT];
		answer(r, &s);
	}
}

/* ---- the ring's side ---- */

static void do_request(struct ring *r, struct console_ring *c, const struct console_slot *request)
{
	if (request->count == 0)
		c->readers[c->asked++ % CONSOLE_SLOTS] = request->id;
	else if (request->count <= sizeof(request->data))
		queue(c, request, true);
	else
		answer(r, &(struct console_slot){ .id = request->id });
}

/* With no room left it rests without a threshold: console_ring_drain() looks again. */
static void console_ring_kick(struct ring *r)
{
	struct console_ring *c = &r->domain->console;
	struct console_slot request;

	do {
		while (room(c) && ring_take(r, &request) > 0)
			do_request(r, c, &request);
	} while (room(c) && ring_more(r));
	serve(r, c);
}

/* What is queued stays for domain 0, but nobody waits for it any more. */
static void console_ring_stopped(struct ring *r)
{
	struct console_ring *c = &r->domain->console;

	while (c->accepted != c->written)
		accept(r, c);
	while (c->asked != c->served)
		answer(r, &(struct console_slot){ .id = c->readers[c->served++ % CONSOLE_SLOTS] });
}

/* ---- domain 0's side ---- */

/* Copies from the oldest output on, and says in @c how far it came. */
static int take_output(struct console_ring *c, guest_addr_t buffer, uint32_t size)
{
	uint32_t done = 0;

	while (done < size && c->drained != c->written) {
		const struct console_slot *s = &c->output[c->drained % CONSOLE_SLOTS];
		uint32_t n = MIN(s->count - c->skip, size - done);

		if (copy_to_guest(guest_add(buffer, done), s->data + c->skip, n))
			return done ? (int)done : -EFAULT;
		done += n;
		c->skip += n;
		if (c->skip == s->count) {
			c->skip = 0;
			c->drained++;
		}
	}
	return done;
}

int console_ring_drain(struct domain *d, guest_addr_t buffer, uint32_t size)
{
	struct console_ring *c = &d->console;
	struct ring *r = ring_of(d);
	int done = take_output(c, buffer, size);

	c->watched = true;
	while ((int32_t)(c->drained - c->accepted) > 0)
		accept(r, c);
	if (r && !r->stopped)
		console_ring_kick(r);
	return done;
}

bool console_ring_unread(const struct domain *d)
{
	return d->console.drained != d->console.written;
}

int console_ring_input(struct domain *d, guest_addr_t bytes, uint32_t count)
{
	struct console_ring *c = &d->console;
	uint32_t n = MIN(count, CONSOLE_INPUT - (c->typed - c->read));
	uint8_t typed[CONSOLE_INPUT];
	struct ring *r = ring_of(d);

	if (copy_from_guest(typed, bytes, n))
		return -EFAULT;
	for (uint32_t i = 0; i < n; i++)
		c->input[c->typed++ % CONSOLE_INPUT] = typed[i];
	if (r)
		serve(r, c);
	return n;
}

void console_ring_init(void)
{
	static const struct ring_class class = {
		.slots = CONSOLE_SLOTS,
		.request = sizeof(struct console_slot),
		.response = sizeof(struct console_slot),
		.present = present,
		.kick = console_ring_kick,
		.stopped = console_ring_stopped,
	};

	ring_register_class(RING_CONSOLE, &class);
	console_set_reader(console_ring_write);
}
