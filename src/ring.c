// SPDX-License-Identifier: MIT
#include "ring.h"
#include "console.h"
#include "crash.h"
#include "domain.h"
#include "frame.h"
#include "guest_copy.h"
#include "lib/string.h"
#include "machine.h"

static const struct ring_class *classes[RING_CLASSES];

void ring_register_class(unsigned int number, const struct ring_class *class)
{
	classes[number] = class;
}

static struct ring *next_ring(struct domain *d, struct ring *r)
{
	struct ring *first = &d->rings.rings[0][0], *end = first + RING_CLASSES * RING_DEVICES;

	for (r = r ? r + 1 : first; r < end; r++)
		if (r->class)
			return r;
	return NULL;
}

#define for_each_ring(r, d) \
	for (struct ring *r = next_ring(d, NULL); r; r = next_ring(d, r))

struct ring *ring_find(struct domain *d, unsigned int number, uint32_t device)
{
	struct ring *r;

	if (number >= RING_CLASSES || device >= RING_DEVICES)
		return NULL;
	r = &d->rings.rings[number][device];
	return r->class ? r : NULL;
}

/* ---- the frame ---- */

/* Mapped anew for each use: nothing below keeps the pointer. */
static struct ring_header *header_of(const struct ring *r)
{
	return machine_map_frame(r->frame, WINDOW_DATA);
}

static void *slot_of(struct ring_header *h, const struct ring *r, uint32_t index)
{
	uint32_t size = MAX(r->class->request, r->class->response);

	return (uint8_t *)(h + 1) + index % r->class->slots * size;
}

/* One load, whatever the compiler would like: the guest's word may be another one a moment later. */
static uint32_t read_once(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static void write_once(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static uint32_t under_way(const struct ring *r)
{
	return r->taken - r->answered;
}

/* ---- the end ---- */

/* From here on the guest's memory is left alone. */
static void stop(struct ring *r)
{
	r->stopped = true;
	r->class->stopped(r);
}

/* The guest's index is impossible. */
static void stop_and_say(struct ring *r)
{
	write_once(&header_of(r)->flags, RING_STOPPED);
	event_raise(r->domain, r->port);
	stop(r);
}

static void release(struct ring *r)
{
	frame_put_type(r->frame);
	*r = (struct ring){ .class = NULL };
}

bool ring_destroy(struct domain *d)
{
	bool gone = true;

	for_each_ring(r, d) {
		if (!r->stopped)
			stop(r);
		if (under_way(r) == 0)
			release(r);
		else
			gone = false;
	}
	return gone;
}

/* ---- requests and responses ---- */

int ring_take(struct ring *r, void *request)
{
	struct ring_header *h;
	uint32_t n;

	if (r->stopped)
		return -EIO;
	h = header_of(r);
	n = read_once(&h->req_prod) - r->taken;
	/* A slot is free for a request when the response that takes its last one's place is out. */
	if (n > r->class->slots - under_way(r)) {
		stop_and_say(r);
		return -EIO;
	}
	if (n == 0)
		return 0;
	memcpy(request, slot_of(h, r, r->taken), r->class->request);
	r->taken++;
	return 1;
}

/* The dead wait for this. */
static void count_off(struct ring *r, unsigned int count)
{
	r->answered += count;
	if (under_way(r) == 0 && r->domain->life == LIFE_DYING)
		sched_want_chore();
}

void ring_respond(struct ring *r, const void *responses, unsigned int count)
{
	uint32_t size = r->class->response, wanted;
	struct ring_header *h;

	ASSERT(count <= under_way(r));
	if (r->stopped) {
		count_off(r, count);
		return;
	}
	h = header_of(r);
	for (unsigned int i = 0; i < count; i++)
		memcpy(slot_of(h, r, r->answered + i), (const uint8_t *)responses + i * size, size);
	r->answered += count;
	write_once(&h->rsp_prod, r->answered);	/* a release: the bodies are out before it */

	/* Who sleeps writes its threshold and then looks; so this looks after it wrote. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	wanted = read_once(&h->rsp_event);
	if (r->answered - wanted < count)
		event_raise(r->domain, r->port);
}

bool ring_more(struct ring *r)
{
	struct ring_header *h;

	if (r->stopped)
		return false;
	h = header_of(r);
	write_once(&h->req_event, r->taken + 1);
	/* x86 lets a load pass an older store to another place: without this the look comes first. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return read_once(&h->req_prod) != r->taken;
}

/* ---- the call ---- */

static bool port_open(const struct domain *d, uint32_t port)
{
	return port != 0 && port < EVENT_PORTS && d->events.ports[port].state != EVENT_CLOSED;
}

/* Whether we write into that frame for another reason already. */
static bool frame_taken(struct domain *d, mfn_t mfn)
{
	for_each_ring(r, d)
		if (mfn_equal(r->frame, mfn))
			return true;
	return mfn_equal(d->shared_frame, mfn);
}

/* NULL: @d has no such device. */
static const struct ring_class *class_of(const struct domain *d, const struct ring_op *op)
{
	const struct ring_class *class = op->ring_class < RING_CLASSES ? classes[op->ring_class] : NULL;

	return class && op->device < RING_DEVICES && class->present(d, op->device) ? class : NULL;
}

static int register_ring(struct domain *d, const struct ring_op *op)
{
	const struct ring_class *class = class_of(d, op);
	struct ring_header *h;
	struct ring *r;
	int err;

	if (!class)
		return -ENODEV;
	if (ring_find(d, op->ring_class, op->device))
		return -EEXIST;
	if (!port_open(d, op->port))
		return -EINVAL;
	if (frame_taken(d, MFN(op->frame)))
		return -EBUSY;
	err = frame_get_type(d, MFN(op->frame), FRAME_WRITABLE);
	if (err)
		return err;

	r = &d->rings.rings[op->ring_class][op->device];
	*r = (struct ring){ .class = class, .domain = d, .device = op->device, .frame = MFN(op->frame),
			    .port = op->port, .taken = RING_START, .answered = RING_START };
	h = header_of(r);
	h->req_event = r->taken + 1;
	h->rsp_prod = r->answered;
	h->flags = 0;
	return 0;
}

static int unregister_ring(struct ring *r)
{
	r->class->stopped(r);
	if (under_way(r) > 0)
		return -EAGAIN;
	release(r);
	return 0;
}

static int kick(struct ring *r)
{
	if (!r->stopped)
		r->class->kick(r);
	return 0;
}

static int info(const struct domain *d, struct ring_op *op, guest_addr_t at)
{
	const struct ring_class *class = class_of(d, op);

	if (!class)
		return -ENODEV;
	if (!class->info)
		return -ENOSYS;
	class->info(d, op->device, op);
	return copy_to_guest(at, op, sizeof(*op)) ? -EFAULT : 0;
}

int do_ring_op(struct domain *d, guest_addr_t arg)
{
	struct ring_op op;
	struct ring *r;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	if (op.op > RING_info || op.reserved)
		return -EINVAL;
	if (op.op == RING_register)
		return register_ring(d, &op);
	if (op.op == RING_info)
		return info(d, &op, arg);
	r = ring_find(d, op.ring_class, op.device);
	if (!r)
		return -ENODEV;
	return op.op == RING_unregister ? unregister_ring(r) : kick(r);
}

/* ---- the auditor ---- */

static void each_hold(frame_see_fn *see)
{
	for (struct domain *d = domain_next(0); d; d = domain_next(d->id + 1u))
		for_each_ring(r, d)
			see(r->frame, FRAME_WRITABLE);
}

/* NULL, or what is wrong with it. */
static const char *fault_of(struct domain *d, struct ring *r)
{
	if (r->domain != d)
		return "it is another's";
	if (under_way(r) > r->class->slots)
		return "more is under way than it has slots";
	if (frame_record(r->frame)->owner != d->id)
		return "its frame is another's";
	if (d->life == LIFE_DYING && !r->stopped)
		return "its domain is dying, and it goes on";
	for_each_ring(other, d)
		if (other != r && mfn_equal(other->frame, r->frame))
			return "another one lives in its frame";
	return NULL;
}

bool ring_check(void)
{
	for (struct domain *d = domain_next(0); d; d = domain_next(d->id + 1u))
		for_each_ring(r, d) {
			const char *fault = fault_of(d, r);

			if (!fault)
				continue;
			console_printf("ring_check: domain %u, device %u: %s\n", d->id, r->device, fault);
			return false;
		}
	return true;
}

void ring_init(void)
{
	memset(classes, 0, sizeof(classes));
	frame_register_holder(each_hold);
}
