// SPDX-License-Identifier: MIT
/*
 * Ties the models to the code: a model's simulation, as it printed its steps, done again on the hypervisor's own files. What a guest or
 * a device does is done to the pretend machine, what the hypervisor does is the call itself, and after each step both must be in the
 * same state.
 *
 *   barriers   disk_queue.c: each job has a disk to itself, so that a job is given out if and only if it may go
 *   events     event.c and upcall.c: raise, block, and the way back to a guest
 *   rings      ring.c: each access of one kick, with the front end's stores between those where the model has them
 *
 * usage: replay MODEL < TRACES; says where they part, and 1, if they do.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "disk_queue.h"
#include "host/domains.h"
#include "host/watch.h"
#include "vcpu.h"

#define LINES	1024u
#define NUMBERS	9u

struct line {
	char what[16];
	int n[NUMBERS];
};

static struct {
	struct line lines[LINES];
	unsigned int count, at, seed;
} trace;

static const struct line *line(void)
{
	return trace.at < trace.count ? &trace.lines[trace.at] : NULL;
}

static bool is(const char *what)
{
	return line() && strcmp(line()->what, what) == 0;
}

static NORETURN void part(const char *format, ...) PRINTF_LIKE(1, 2);
static void part(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("seed %u, ", trace.seed);
	if (line())
		printf("step %u (%s %d): ", trace.at, line()->what, line()->n[0]);
	else
		printf("at the end: ");
	vprintf(format, args);
	printf("\n");
	exit(1);
}

/* A step is a word and numbers; spin's own words are none, and may come in the middle of the last step. */
static bool read_step(const char *text, struct line *l)
{
	int *n = l->n;
	int parts;

	parts = sscanf(text, "%15[a-z01] %d %d %d %d %d %d %d %d %d", l->what, n, n + 1, n + 2, n + 3, n + 4, n + 5, n + 6, n + 7, n + 8);
	return parts > 1 || (parts == 1 && strcmp(text, "woken\n") == 0);
}

/* Reads the next trace: "trace SEED", its steps, and what spin says at the end. */
static bool read_trace(void)
{
	static char text[256];
	bool over = false;

	while (sscanf(text, "trace %u", &trace.seed) != 1)
		if (!fgets(text, sizeof(text), stdin))
			return false;
	trace.count = trace.at = 0;
	while (fgets(text, sizeof(text), stdin) && strncmp(text, "trace ", 6) != 0) {
		over = over || trace.count == LINES || !read_step(text, &trace.lines[trace.count]);
		trace.count += !over;
	}
	return true;
}

/* ---- barriers ---- */

#define JOBS	4u

static struct disk_job jobs[JOBS];
static struct disk_order order;

static void ask_for_all(unsigned int barriers)
{
	disk_queue_init();
	disk_order_open(&order);
	for (uint32_t i = 0; i < JOBS; i++) {
		struct list one = LIST_INIT(one);

		jobs[i] = (struct disk_job){ .kind = TRANSFER_WRITE, .run = { i, { i }, 1 } };
		list_insert(&jobs[i].waiting, &one);
		disk_queue_add(&order, &one, barriers >> i & 1);
	}
}

static void replay_barriers(void)
{
	if (!is("begin"))
		part("no beginning");
	ask_for_all(line()->n[0]);
	for (; line(); trace.at++) {
		uint32_t i = line()->n[0];

		if (is("issue") && disk_queue_next(i) != &jobs[i])
			part("it does not go");
		if (is("complete"))
			disk_queue_done(&jobs[i]);
		for (i = 0; i < JOBS; i++)
			if (!(line()->n[1] >> i & 1) && disk_queue_next(i))
				part("job %u goes", i);
		if (!disk_queue_check())
			part("disk_queue_check() objects");
	}
}

/* ---- events ---- */

#define CODE		0x1000u	/* where the guest is, */
#define RANGE		0x2000u	/* and while it is between unmasking and its return */
#define RESUME		0x3000u
#define HANDLER		0x4000u
#define PORT(p)		((p) + 1u)

enum { PENDING_0, PENDING_1, MASKED_0, MASKED_1, SELECTOR, UPCALL_PENDING, UPCALL_MASK, BLOCKED, DUE };
static const char *const names[NUMBERS] = {
	"pending 0", "pending 1", "masked 0", "masked 1", "the selector", "an upcall pending", "upcalls masked", "asleep", "in an upcall",
};

static struct guest zero, guest;
static bool due;

static uint32_t bit_of(uint32_t word, unsigned int bit)
{
	return word >> bit & 1;
}

static void state_of(int *n)
{
	const struct shared_info *s = guest.d->shared;
	const int now[NUMBERS] = {
		bit_of(s->pending[0], PORT(0)), bit_of(s->pending[0], PORT(1)), bit_of(s->mask[0], PORT(0)), bit_of(s->mask[0], PORT(1)),
		s->selector != 0, s->upcall_pending, s->upcall_mask, guest.d->sched.blocked, due,
	};

	memcpy(n, now, sizeof(now));
}

static void put_bit(uint32_t *word, unsigned int bit, int value)
{
	*word = (*word & ~(1u << bit)) | (uint32_t)value << bit;
}

/* The guest stores what the model's guest did. */
static void guest_stores(const int *n)
{
	struct shared_info *s = guest.d->shared;

	for (unsigned int p = 0; p < 2; p++) {
		put_bit(&s->pending[0], PORT(p), n[PENDING_0 + p]);
		put_bit(&s->mask[0], PORT(p), n[MASKED_0 + p]);
	}
	s->selector = n[SELECTOR];
	s->upcall_pending = n[UPCALL_PENDING];
	s->upcall_mask = n[UPCALL_MASK];
}

/* The way back to the guest, if it is awake. */
static void way_back(void)
{
	struct regs *r = &guest.d->vcpu.regs;
	uint32_t eip = r->eip, esp = r->esp;

	if (guest.d->sched.blocked)
		return;
	upcall_deliver(guest.d, r);
	if (r->eip == eip)
		return;
	if (due)
		part("an upcall comes in an upcall");
	if (eip == RANGE ? r->eip != RESUME || r->esp != esp : r->eip != HANDLER || r->esp == esp)
		part("it goes on at 0x%x with its stack at 0x%x", r->eip, r->esp);
	due = true;
}

static void guest_is_at(uint32_t eip)
{
	guest.d->vcpu.regs.eip = eip;
	guest.d->vcpu.regs.esp = host_va(PFN_DATA) + PAGE_SIZE;
}

static void start_guest(void)
{
	struct callbacks c = { .event_cs = ATELIER_RING1_CODE, .event_eip = HANDLER, .failsafe_cs = ATELIER_RING1_CODE, .range_count = 1 };

	host_start(64);
	zero = host_domain(4);
	guest = host_domain(6);
	c.ranges[0].start = RANGE;
	c.ranges[0].end = RANGE + 4;
	c.ranges[0].resume = RESUME;
	host_enter(&guest);
	if (CALL(&guest, set_callbacks, ARG(c)))
		part("callbacks are refused");
	guest.d->vcpu.regs.cs = ATELIER_RING1_CODE;
	guest_is_at(CODE);
}

static void event_step(const struct line *l)
{
	if (is("raise0") || is("raise1")) {
		event_raise(guest.d, PORT(is("raise1")));
		way_back();
	} else if (is("block")) {
		CALL(&guest, block);
		way_back();
	} else if (is("call")) {
		way_back();
	} else if (is("take")) {
		due = false;
		guest_is_at(CODE);
	} else {
		guest_stores(l->n);
		guest_is_at(is("open") ? RANGE : CODE);
	}
}

static void replay_events(void)
{
	start_guest();
	for (; line(); trace.at++) {
		int now[NUMBERS];

		event_step(line());
		state_of(now);
		for (unsigned int i = 0; i < NUMBERS; i++)
			if (now[i] != line()->n[i])
				part("%s is %d, in the model %d", names[i], now[i], line()->n[i]);
	}
}

/* ---- rings ---- */

#define SLOTS		2u
#define REQ_PROD	offsetof(struct ring_header, req_prod)
#define REQ_EVENT	offsetof(struct ring_header, req_event)
#define RSP_PROD	offsetof(struct ring_header, rsp_prod)
#define RSP_EVENT	offsetof(struct ring_header, rsp_event)

static unsigned int accesses;	/* of this kick */
static bool in_slot;		/* one request may be copied in several */

static struct ring_header *page(void)
{
	return host_frame(guest.mfn[PFN_DATA]);
}

static uint32_t *slot(uint32_t index)
{
	return (uint32_t *)(page() + 1) + index % SLOTS;
}

/* The model's indices are the last three bits of how many there were. */
static int short_index(uint32_t index)
{
	return (index - RING_START) & 7;
}

/* The front end's stores that arrive before the hypervisor's next access. */
static void front_stores(void)
{
	for (; is("front"); trace.at++) {
		uint32_t *made = &page()->req_prod;

		if (line()->n[0] == 0)
			*made += (line()->n[1] - short_index(*made)) & 7;
		else
			*slot(RING_START + line()->n[0] - 3) = line()->n[1];
	}
}

static void expect_line(const char *what, int value)
{
	if (!is(what) || line()->n[0] != value)
		part("the hypervisor does: %s %d", what, value);
	trace.at++;
}

static void on_access(void)
{
	struct watched w = host_watched(accesses++);
	bool body = w.offset >= sizeof(struct ring_header);

	/* Answers and their threshold are the same with the names changed, and not in this model. */
	if (!line() || (body && w.write) || (w.offset == RSP_EVENT && !w.write))
		return;
	if (body && in_slot)
		return;
	in_slot = body;
	if (body)
		expect_line("slot", *(uint32_t *)((uint8_t *)page() + w.offset));
	else if (w.offset == REQ_PROD && !w.write)
		expect_line("look", short_index(page()->req_prod));
	else if (w.offset == RSP_PROD && w.write)
		expect_line("answer", short_index(page()->rsp_prod));
	else if (w.offset == REQ_EVENT && w.write)
		expect_line("event", short_index(page()->req_event));
	else
		part("the hypervisor's access to word %u", w.offset / 4);
	front_stores();
}

static bool present(const struct domain *d, uint32_t device)
{
	return true;
}

static void kick(struct ring *r)
{
	uint32_t request;

	do {
		while (ring_take(r, &request) > 0)
			ring_respond(r, &request, 1);
	} while (ring_more(r));
}

static void stopped(struct ring *r)
{
}

static const struct ring_class class = {
	.slots = SLOTS, .request = 4, .response = 4, .present = present, .kick = kick, .stopped = stopped,
};

static void start_ring(void)
{
	struct event_channel_op port = { .op = EVENT_alloc_unbound };
	struct ring_op op = { .op = RING_register, .ring_class = RING_VBD };

	host_start(64);
	ring_register_class(RING_VBD, &class);
	zero = host_domain(4);
	guest = host_domain(6);
	host_enter(&guest);
	CALL(&guest, event_channel_op, ARG(port));
	op.frame = guest.mfn[PFN_DATA];
	op.port = 1;
	if (CALL(&guest, ring_op, ARG(op)))
		part("the ring is refused");
	page()->req_prod = RING_START;
	page()->rsp_event = RING_START - 1;
}

static void replay_rings(void)
{
	struct ring_op op = { .op = RING_kick, .ring_class = RING_VBD };

	start_ring();
	for (;;) {
		front_stores();
		if (!line())
			return;
		if (!is("woken"))
			part("the hypervisor rests");
		trace.at++;
		front_stores();
		accesses = 0;
		in_slot = false;
		host_watch(MFN(op.frame = guest.mfn[PFN_DATA]), on_access);
		CALL(&guest, ring_op, ARG(op));
		host_watch_end();
	}
}

static void replay_all(void (*replay)(void))
{
	unsigned int traces = 0, steps = 0;

	for (; read_trace(); traces++, steps += trace.count) {
		due = false;
		replay();
	}
	if (traces == 0 || steps < traces * 8) {
		printf("these are no traces: %u steps in %u\n", steps, traces);
		exit(1);
	}
	printf("%u steps, and the hypervisor does the same\n", steps);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*replay)(void);
	} models[] = { { "barriers", replay_barriers }, { "events", replay_events }, { "rings", replay_rings } };

	for (unsigned int i = 0; i < ARRAY_SIZE(models); i++)
		if (argc == 2 && strcmp(argv[1], models[i].name) == 0) {
			replay_all(models[i].replay);
			return 0;
		}
	fprintf(stderr, "usage: replay barriers|events|rings < TRACES\n");
	return 2;
}
