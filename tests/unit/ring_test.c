// SPDX-License-Identifier: MIT
#include "ring.h"
#include <string.h>
#include "frame.h"
#include "host/audit.h"
#include "host/domains.h"
#include "host/watch.h"
#include "unit/test.h"

/* A device of the test's own, with eight slots of 24 bytes: it does nothing until it is told to. */
#define SLOTS		8u
#define SLOT_BYTES	24u

struct request {
	uint32_t id, word[5];
};
struct response {
	uint32_t id, word[2];
};

static struct {
	struct request taken[SLOTS * 2];
	unsigned int kicks, stops, count;
	bool greedy;		/* takes all that there is at a kick */
} device;

static bool present(const struct domain *d, uint32_t number)
{
	return number < 2;
}

static void kick(struct ring *r)
{
	device.kicks++;
	while (device.greedy && ring_take(r, &device.taken[device.count]) > 0)
		device.count++;
}

static void stopped(struct ring *r)
{
	device.stops++;
}

static const struct ring_class class = {
	.slots = SLOTS,
	.request = sizeof(struct request),
	.response = sizeof(struct response),
	.present = present,
	.kick = kick,
	.stopped = stopped,
};

#define PFN_RING	PFN_DATA
#define PFN_RING_2	(PFN_DATA + 1)

static struct guest zero, one, two;
static uint32_t port;

static uint32_t open_port(struct guest *g)
{
	struct event_channel_op op = { .op = EVENT_alloc_unbound, .remote = 0 };
	uint32_t at = ARG(op);

	EXPECT_EQ(CALL(g, event_channel_op, at), 0);
	return ((struct event_channel_op *)host_arg_bytes(at))->port;
}

static int ask(struct guest *g, struct ring_op op)
{
	int err = CALL(g, ring_op, ARG(op));

	audit_all();
	return err;
}

static struct ring_op registration(uint32_t number, uint32_t frame)
{
	return (struct ring_op){ RING_register, RING_VBD, number, frame, port, 0 };
}

static int on(struct guest *g, uint32_t op, uint32_t number)
{
	return ask(g, (struct ring_op){ op, RING_VBD, number, 0, 0, 0 });
}

static struct ring_header *header(struct guest *g)
{
	return host_frame(g->mfn[PFN_RING]);
}

static uint8_t *slot(struct guest *g, uint32_t index)
{
	return (uint8_t *)(header(g) + 1) + index % SLOTS * SLOT_BYTES;
}

static void start(void)
{
	host_start(128);
	ring_register_class(RING_VBD, &class);
	memset(&device, 0, sizeof(device));
	zero = host_domain(6);
	one = host_domain(8);
	two = host_domain(8);
	host_enter(&one);
	port = open_port(&one);
	EXPECT_EQ(open_port(&two), port);
}

/* Domain 1 (and 2, if it is asked to) with a ring whose guest wakes at the first answer. */
static struct ring *start_ring(struct guest *g)
{
	EXPECT_EQ(ask(g, registration(0, g->mfn[PFN_RING])), 0);
	header(g)->req_prod = RING_START;
	header(g)->rsp_event = RING_START + 1;
	return ring_find(g->d, RING_VBD, 0);
}

static struct ring *start_one(void)
{
	start();
	return start_ring(&one);
}

/* The guest writes a request with this id, and counts it. */
static void produce(struct guest *g, uint32_t id)
{
	struct request q = { id, { id, id, id, id, id } };

	memcpy(slot(g, header(g)->req_prod), &q, sizeof(q));
	header(g)->req_prod++;
}

static void respond(struct ring *r, uint32_t id)
{
	ring_respond(r, &(struct response){ id, { ~id, ~id } }, 1);
}

/* Events since the last look. */
static bool told(struct guest *g)
{
	bool yes = g->d->shared->pending[port / 32] >> port % 32 & 1;

	g->d->shared->pending[port / 32] &= ~(1u << port % 32);
	return yes;
}

/* ---- registration ---- */

TEST(what_is_no_ring_is_refused_and_nothing_is_held)
{
	start();
	const struct {
		struct ring_op op;
		int error;
		const char *why;
	} bad[] = {
		{ { RING_kick + 1, RING_VBD, 0, one.mfn[PFN_RING], port, 0 }, -EINVAL, "no such operation" },
		{ { UINT32_MAX, RING_VBD, 0, one.mfn[PFN_RING], port, 0 }, -EINVAL, "no such operation" },
		{ { RING_register, RING_VBD, 0, one.mfn[PFN_RING], port, 1 }, -EINVAL, "reserved" },
		{ { RING_register, RING_VIF_TX, 0, one.mfn[PFN_RING], port, 0 }, -ENODEV, "a class that nobody serves" },
		{ { RING_register, RING_CLASSES, 0, one.mfn[PFN_RING], port, 0 }, -ENODEV, "no class" },
		{ { RING_register, UINT32_MAX, 0, one.mfn[PFN_RING], port, 0 }, -ENODEV, "no class" },
		{ { RING_register, RING_VBD, 2, one.mfn[PFN_RING], port, 0 }, -ENODEV, "a device that is not there" },
		{ { RING_register, RING_VBD, RING_DEVICES, one.mfn[PFN_RING], port, 0 }, -ENODEV, "beyond the table" },
		{ { RING_register, RING_VBD, UINT32_MAX, one.mfn[PFN_RING], port, 0 }, -ENODEV, "beyond the table" },
		{ { RING_register, RING_VBD, 0, one.mfn[PFN_RING], 0, 0 }, -EINVAL, "port 0" },
		{ { RING_register, RING_VBD, 0, one.mfn[PFN_RING], port + 1, 0 }, -EINVAL, "a closed port" },
		{ { RING_register, RING_VBD, 0, one.mfn[PFN_RING], EVENT_PORTS, 0 }, -EINVAL, "no port" },
		{ { RING_register, RING_VBD, 0, one.mfn[PFN_RING], UINT32_MAX, 0 }, -EINVAL, "no port" },
		{ { RING_register, RING_VBD, 0, UINT32_MAX, port, 0 }, -EINVAL, "no frame" },
		{ { RING_register, RING_VBD, 0, two.mfn[PFN_RING], port, 0 }, -EPERM, "another's frame" },
		{ { RING_register, RING_VBD, 0, one.mfn[PFN_TABLE], port, 0 }, -EBUSY, "a page table" },
		{ { RING_register, RING_VBD, 0, one.mfn[PFN_DIRECTORY], port, 0 }, -EBUSY, "a page directory" },
		{ { RING_register, RING_VBD, 0, one.mfn[PFN_SHARED], port, 0 }, -EBUSY, "the shared page" },
		{ { RING_unregister, RING_VBD, 0, 0, 0, 0 }, -ENODEV, "not registered" },
		{ { RING_kick, RING_VBD, 0, 0, 0, 0 }, -ENODEV, "not registered" },
		{ { RING_kick, RING_CLASSES, 0, 0, 0, 0 }, -ENODEV, "no class" },
		{ { RING_kick, RING_VBD, RING_DEVICES, 0, 0, 0 }, -ENODEV, "beyond the table" },
	};
	uint32_t refs = frame_record(MFN(one.mfn[PFN_RING]))->refs;

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(ask(&one, bad[i].op), bad[i].error, "row %u: %s", i, bad[i].why);
		EXPECT_EQ(frame_record(MFN(one.mfn[PFN_RING]))->refs, refs, "row %u: %s", i, bad[i].why);
		EXPECT(!ring_find(one.d, RING_VBD, 0), "row %u: %s", i, bad[i].why);
	}
	EXPECT_EQ(CALL(&one, ring_op, ATELIER_LINE - 8), -EFAULT);
}

TEST(a_device_has_one_ring_and_a_frame_is_one_ring)
{
	start_one();
	EXPECT_EQ(ask(&one, registration(0, one.mfn[PFN_RING_2])), -EEXIST);
	EXPECT_EQ(ask(&one, registration(1, one.mfn[PFN_RING])), -EBUSY);
	EXPECT_EQ(ask(&one, registration(1, one.mfn[PFN_RING_2])), 0);
	EXPECT_EQ(on(&one, RING_unregister, 0), 0);
	EXPECT_EQ(ask(&one, registration(0, one.mfn[PFN_RING_2])), -EBUSY);
	EXPECT_EQ(ask(&one, registration(0, one.mfn[PFN_RING])), 0);
}

TEST(a_new_ring_says_where_it_begins_whatever_the_page_said)
{
	start();
	memset(header(&one), 0xff, PAGE_SIZE);
	EXPECT_EQ(ask(&one, registration(0, one.mfn[PFN_RING])), 0);
	EXPECT_EQ(header(&one)->req_event, RING_START + 1);
	EXPECT_EQ(header(&one)->rsp_prod, RING_START);
	EXPECT_EQ(header(&one)->flags, 0);
	EXPECT_EQ(header(&one)->req_prod, 0xffffffff);
	EXPECT_EQ(header(&one)->rsp_event, 0xffffffff);
}

/* Nothing maps it, its owner has given it up: it stays what it was as long as the ring lives. */
TEST(the_frame_is_held_as_writable_until_the_end)
{
	struct ring *r = start_one();
	uint32_t mfn = one.mfn[PFN_RING], free;
	struct request q;

	EXPECT_EQ(CALL(&one, update_va_mapping, host_va(PFN_RING), 0, 0, DOMID_SELF), 0);
	EXPECT_EQ(frame_get_type(one.d, MFN(mfn), FRAME_TABLE), -EBUSY);
	free = frame_pool_free_count();
	frame_pool_give_up(MFN(mfn));
	EXPECT_EQ(frame_pool_free_count(), free);
	EXPECT_EQ(frame_get_type(one.d, MFN(mfn), FRAME_DIRECTORY), -EBUSY);
	produce(&one, 5);
	EXPECT_EQ(ring_take(r, &q), 1);
	respond(r, 5);
	audit_all();
	EXPECT_EQ(on(&one, RING_unregister, 0), 0);
	EXPECT_EQ(frame_pool_free_count(), free + 1);
}

TEST(a_ring_with_requests_under_way_is_not_released_and_goes_on)
{
	struct ring *r = start_one();
	struct request q;

	produce(&one, 1);
	produce(&one, 2);
	EXPECT_EQ(ring_take(r, &q), 1);
	EXPECT_EQ(on(&one, RING_unregister, 0), -EAGAIN);
	EXPECT_EQ(device.stops, 1);
	EXPECT_EQ(ring_take(r, &q), 1);
	EXPECT_EQ(q.id, 2);
	respond(r, 1);
	EXPECT_EQ(header(&one)->rsp_prod, RING_START + 1);
	EXPECT_EQ(on(&one, RING_unregister, 0), -EAGAIN);
	respond(r, 2);
	EXPECT_EQ(on(&one, RING_unregister, 0), 0);
	EXPECT_EQ(on(&one, RING_unregister, 0), -ENODEV);
}

/* ---- taking ---- */

TEST(each_request_is_taken_once_in_order_round_and_round)
{
	struct ring *r = start_one();
	struct request q;
	uint32_t made = 0, taken = 0;

	for (unsigned int i = 0; i < 10000; i++) {
		for (unsigned int n = i % SLOTS + 1; n > 0; n--)
			produce(&one, ++made);
		while (ring_take(r, &q) > 0) {
			EXPECT_EQ(q.id, ++taken);
			EXPECT_EQ(q.word[4], taken);
			respond(r, q.id);
		}
		EXPECT_EQ(taken, made);
	}
	EXPECT(!r->stopped);
}

/* Three requests are under way, and five could follow. */
TEST(an_index_that_cannot_be_stops_the_ring_with_one_event_and_the_neighbours_go_on)
{
	static const struct {
		uint32_t ahead;		/* of what is answered */
		bool possible;
	} rows[] = {
		{ 3, true }, { 4, true }, { SLOTS, true }, { SLOTS + 1, false }, { 2, false }, { 0, false },
		{ 3 + SLOTS, false }, { 2 * SLOTS, false }, { 0x80000000, false }, { UINT32_MAX, false },
		{ 0x7fffffff, false }, { 0x10003, false },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ring *r = start_one(), *other = start_ring(&two);
		struct request q;

		for (uint32_t n = 0; n < 3; n++) {
			produce(&one, n);
			EXPECT_EQ(ring_take(r, &q), 1);
		}
		header(&one)->req_prod = RING_START + rows[i].ahead;
		EXPECT_EQ(ring_take(r, &q), rows[i].possible ? rows[i].ahead > 3 : -EIO, "row %u", i);
		EXPECT_EQ(r->stopped, !rows[i].possible, "row %u", i);
		EXPECT_EQ(told(&one), !rows[i].possible, "row %u", i);
		EXPECT_EQ(header(&one)->flags, rows[i].possible ? 0 : RING_STOPPED, "row %u", i);
		EXPECT_EQ(device.stops, !rows[i].possible, "row %u", i);
		if (rows[i].possible)
			continue;
		header(&one)->req_prod = RING_START + 4;
		device.greedy = true;
		EXPECT_EQ(ring_take(r, &q), -EIO, "row %u: it stays so", i);
		EXPECT(!ring_more(r), "row %u", i);
		EXPECT_EQ(on(&one, RING_kick, 0), 0);
		EXPECT_EQ(device.kicks, 0, "row %u", i);
		EXPECT(!told(&one), "row %u: one event", i);
		produce(&two, 7);
		EXPECT_EQ(on(&two, RING_kick, 0), 0);
		EXPECT_EQ(device.taken[0].id, 7, "row %u", i);
		EXPECT(!other->stopped);
		audit_all();
	}
}

/* ---- answering ---- */

TEST(answers_lie_in_their_own_order_and_no_request_is_overwritten)
{
	struct ring *r = start_one();
	struct request q;

	for (uint32_t id = 0; id < SLOTS; id++)
		produce(&one, id);
	for (uint32_t id = 0; id < 3; id++)
		EXPECT_EQ(ring_take(r, &q), 1);
	respond(r, 2);
	respond(r, 0);
	EXPECT_EQ(header(&one)->rsp_prod, RING_START + 2);
	EXPECT_EQ(((struct response *)slot(&one, RING_START))->id, 2);
	EXPECT_EQ(((struct response *)slot(&one, RING_START + 1))->id, 0);
	for (uint32_t id = 3; id < SLOTS; id++) {
		EXPECT_EQ(ring_take(r, &q), 1);
		EXPECT_EQ(q.id, id);
	}
}

TEST(what_the_guest_writes_over_our_indices_does_not_matter)
{
	struct ring *r = start_one();
	struct request q;

	produce(&one, 1);
	header(&one)->rsp_prod = 0x1234;
	header(&one)->req_event = 0x5678;
	header(&one)->flags = RING_STOPPED;
	EXPECT_EQ(ring_take(r, &q), 1);
	header(&one)->rsp_prod = 0x9999;
	respond(r, 1);
	EXPECT_EQ(header(&one)->rsp_prod, RING_START + 1);
	EXPECT_EQ(((struct response *)slot(&one, RING_START))->id, 1);
}

TEST(an_event_is_raised_if_the_threshold_lies_among_what_was_published)
{
	static const struct {
		uint32_t threshold;	/* after the start */
		unsigned int count;
		bool event;
	} rows[] = {
		{ 3, 1, true }, { 3, 4, true }, { 4, 4, true }, { 6, 4, true }, { 7, 4, false }, { 2, 4, false },
		{ 4, 1, false }, { 0x80000000, 4, false }, { UINT32_MAX, 4, false },
	};
	struct response answers[4] = { 0 };

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ring *r = start_one();
		struct request q;

		for (uint32_t n = 0; n < 6; n++) {
			produce(&one, n);
			ring_take(r, &q);
		}
		ring_respond(r, answers, 2);
		told(&one);
		header(&one)->rsp_event = RING_START + rows[i].threshold;
		ring_respond(r, answers, rows[i].count);
		EXPECT_EQ(told(&one), rows[i].event, "row %u", i);
	}
}

TEST(before_it_rests_it_says_at_what_to_be_woken)
{
	struct ring *r = start_one();
	struct request q;

	EXPECT(!ring_more(r));
	EXPECT_EQ(header(&one)->req_event, RING_START + 1);
	produce(&one, 1);
	EXPECT(ring_more(r));
	EXPECT_EQ(ring_take(r, &q), 1);
	EXPECT(!ring_more(r));
	EXPECT_EQ(header(&one)->req_event, RING_START + 2);
}

/* ---- every access to the frame, one by one ---- */

static void watch_on(void (*after)(void))
{
	host_watch(MFN(one.mfn[PFN_RING]), after);
}

#define REQ_PROD	offsetof(struct ring_header, req_prod)
#define REQ_EVENT	offsetof(struct ring_header, req_event)
#define RSP_PROD	offsetof(struct ring_header, rsp_prod)
#define RSP_EVENT	offsetof(struct ring_header, rsp_event)

TEST(taking_reads_the_index_once_and_one_request_and_writes_nothing)
{
	struct ring *r = start_one();
	uint32_t at = (uint32_t)(slot(&one, RING_START) - (uint8_t *)header(&one));
	struct request q;
	unsigned int count;

	produce(&one, 9);
	watch_on(NULL);
	EXPECT_EQ(ring_take(r, &q), 1);
	count = host_watch_end();
	EXPECT_EQ(q.word[4], 9);
	EXPECT_EQ(host_watch_reads(REQ_PROD, 4), 1);
	EXPECT(host_watch_accesses(at, sizeof(q)) > 0);
	EXPECT_EQ(host_watch_accesses(at, sizeof(q)) + 1, count);
	for (unsigned int i = 0; i < count; i++)
		EXPECT(!host_watched(i).write);
}

static void lie(void)
{
	header(&one)->req_prod = 0xdeadbeef;
	memset(slot(&one, RING_START), 0xee, SLOT_BYTES);
}

TEST(a_page_that_changes_while_it_is_read_is_read_as_it_was)
{
	struct ring *r = start_one();
	struct request q;

	produce(&one, 9);
	watch_on(lie);
	EXPECT_EQ(ring_take(r, &q), 1);
	host_watch_end();
	EXPECT_EQ(r->taken, RING_START + 1);
	EXPECT(!r->stopped);
	lie();
	EXPECT_EQ(ring_take(r, &q), -EIO);
}

TEST(answers_are_out_before_their_index_and_the_threshold_is_read_after_both)
{
	struct ring *r = start_one();
	uint32_t at = (uint32_t)(slot(&one, RING_START) - (uint8_t *)header(&one));
	struct request q;
	unsigned int count;

	produce(&one, 1);
	ring_take(r, &q);
	watch_on(NULL);
	respond(r, 1);
	count = host_watch_end();
	EXPECT(host_watch_accesses(at, sizeof(struct response)) > 0);
	EXPECT_EQ(host_watch_accesses(at, sizeof(struct response)) + 2, count);
	EXPECT_EQ(host_watch_when(RSP_PROD), count - 2);
	EXPECT_EQ(host_watch_when(RSP_EVENT), count - 1);
	EXPECT_EQ(host_watch_reads(RSP_PROD, 4), 0);
	EXPECT_EQ(host_watch_reads(RSP_EVENT, 4), 1);
}

static void produce_late(void)
{
	header(&one)->req_prod = RING_START + 1;
}

TEST(the_threshold_is_set_before_the_last_look)
{
	struct ring *r = start_one();
	unsigned int count;

	watch_on(produce_late);
	EXPECT(ring_more(r));
	count = host_watch_end();
	EXPECT_EQ(count, 2);
	EXPECT_EQ(host_watch_when(REQ_EVENT), 0);
	EXPECT_EQ(host_watch_when(REQ_PROD), 1);
}

TEST(a_stopped_ring_leaves_the_guests_memory_alone)
{
	struct ring *r = start_one();
	struct request q;
	unsigned int count;

	produce(&one, 1);
	produce(&one, 2);
	ring_take(r, &q);
	ring_take(r, &q);
	header(&one)->req_prod += 100;
	EXPECT_EQ(ring_take(r, &q), -EIO);
	told(&one);
	watch_on(NULL);
	respond(r, 1);
	EXPECT_EQ(ring_take(r, &q), -EIO);
	EXPECT(!ring_more(r));
	count = host_watch_end();
	EXPECT_EQ(count, 0);
	EXPECT(!told(&one));
	EXPECT_EQ(on(&one, RING_unregister, 0), -EAGAIN);
	respond(r, 2);
	EXPECT_EQ(on(&one, RING_unregister, 0), 0);
	EXPECT_EQ(ask(&one, registration(0, one.mfn[PFN_RING])), 0);
	EXPECT_EQ(header(&one)->flags, 0);
}

/* ---- death ---- */

/* @made requests, @taken of them taken, @answered of those answered; then perhaps a lie, then death. */
static void die(uint32_t made, uint32_t taken, uint32_t answered, bool lies)
{
	struct ring *r = start_one();
	uint32_t before = frame_pool_free_count(), under_way = taken - answered;
	struct request q;

	for (uint32_t i = 0; i < made; i++)
		produce(&one, i);
	for (uint32_t i = 0; i < taken; i++)
		EXPECT_EQ(ring_take(r, &q), 1);
	for (uint32_t i = 0; i < answered; i++)
		respond(r, i);
	if (lies) {
		header(&one)->req_prod = RING_START + 99;
		ring_take(r, &q);
	}
	domain_kill(one.d, SHUTDOWN_crash, 0);
	EXPECT_EQ(device.stops, 1);
	audit_memory();
	while (domain_reap())
		;
	for (; under_way > 0; under_way--) {
		EXPECT_EQ(one.d->life, LIFE_DYING);
		EXPECT(frame_record(MFN(one.mfn[PFN_RING]))->refs > 0);
		memset(header(&one), 0xcc, PAGE_SIZE);
		respond(r, 0);
		EXPECT_EQ(header(&one)->rsp_prod, 0xcccccccc);
		EXPECT(domain_check());
		/* As on the next way back to a guest. */
		host_enter(&two);
	}
	while (domain_reap())
		;
	EXPECT_EQ(one.d->life, LIFE_FREE, "%u made, %u taken, %u answered", made, taken, answered);
	EXPECT_EQ(frame_pool_free_count(), before + one.frames + 1);
	audit_all();
}

TEST(a_domain_dies_with_requests_in_every_state_and_all_frames_come_back)
{
	static const uint32_t counts[] = { 0, 1, 3, SLOTS };

	for (unsigned int m = 0; m < ARRAY_SIZE(counts); m++)
		for (unsigned int t = 0; t <= m; t++)
			for (unsigned int a = 0; a <= t; a++) {
				die(counts[m], counts[t], counts[a], false);
				die(counts[m], counts[t], counts[a], true);
			}
}

TEST(the_last_answer_wakes_the_work_on_the_dead)
{
	struct ring *r = start_one();
	struct request q;

	produce(&one, 1);
	ring_take(r, &q);
	domain_kill(one.d, SHUTDOWN_crash, 0);
	host_enter(&two);
	EXPECT_EQ(one.d->life, LIFE_DYING);
	respond(r, 1);
	for (unsigned int i = 0; i < 4; i++)
		sched_return();
	EXPECT_EQ(one.d->life, LIFE_FREE);
}

/* ---- the auditor ---- */

TEST(the_auditor_sees_what_is_out_of_step)
{
	struct ring *r = start_one();
	mfn_t frame = r->frame;

	EXPECT(ring_check() && frame_check());
	r->taken += SLOTS + 1;
	EXPECT(!ring_check());
	r->taken -= SLOTS + 1;
	r->frame = MFN(one.mfn[PFN_RING_2]);
	EXPECT(!frame_check());
	r->frame = MFN(two.mfn[PFN_RING]);
	EXPECT(!ring_check());
	r->frame = frame;
	one.d->rings.rings[RING_VBD][1] = *r;
	EXPECT(!ring_check());
	one.d->rings.rings[RING_VBD][1] = (struct ring){ .class = NULL };
	one.d->life = LIFE_DYING;
	EXPECT(!ring_check());
	one.d->life = LIFE_OPEN;
	EXPECT(ring_check() && frame_check());
}
