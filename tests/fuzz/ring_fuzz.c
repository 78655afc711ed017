// SPDX-License-Identifier: MIT
/*
 * Rings, and a guest that changes its page after any access of the hypervisor's to it. Half of the inputs are for a device of the
 * fuzzer's own on ring.c: what may be taken, answered and announced is worked out here, from what the page held at each access and from
 * nothing that ring.c keeps; and whatever else of the page is touched is an error. The others are kicks of a disk's ring, whose consumer
 * must not do anything with a request that it has not judged: after each an audit.
 */
#include <string.h>
#include "frame.h"
#include "fuzz/reader.h"
#include "host/audit.h"
#include "host/disk.h"
#include "host/domains.h"
#include "host/watch.h"

#define STEPS		48u
#define SLOTS		8u
#define SLOT_BYTES	24u
#define FRAMES		8u	/* of a domain */

/* Words of a page. */
#define REQ_PROD	offsetof(struct ring_header, req_prod)
#define REQ_EVENT	offsetof(struct ring_header, req_event)
#define RSP_PROD	offsetof(struct ring_header, rsp_prod)
#define RSP_EVENT	offsetof(struct ring_header, rsp_event)
#define FLAGS		offsetof(struct ring_header, flags)
#define BODY		sizeof(struct ring_header)

/* A ring, and what must be true of it. */
struct side {
	struct guest *g;
	uint32_t device, pfn;
	bool live, stopped;
	uint32_t taken, answered;
	unsigned int stops;		/* how often its device was told */
};

static struct guest zero, guests[2];
static struct side sides[3];
static uint32_t ports[2];

/* One watch: whose turn the guest's is, and what the hypervisor saw. */
static struct {
	struct side *side;
	struct reader *r;
	unsigned int accesses;
	uint32_t index, threshold;	/* what was read of the two words */
	uint8_t seen[SLOT_BYTES][32];	/* bit v of row i: byte i of the next request was v at some time */
} turn;

static struct ring_header *page(const struct side *s)
{
	return host_frame(s->g->mfn[s->pfn]);
}

static uint8_t *slot(const struct side *s, uint32_t index)
{
	return (uint8_t *)page(s) + BODY + index % SLOTS * SLOT_BYTES;
}

/* ---- the guest's turn ---- */

static void note_request(void)
{
	const uint8_t *bytes = slot(turn.side, turn.side->taken);

	for (unsigned int i = 0; i < SLOT_BYTES; i++)
		turn.seen[i][bytes[i] / 8] |= 1u << bytes[i] % 8;
}

static void scribble(struct reader *r, struct side *s)
{
	uint8_t b = take8(r);

	switch (b % 8) {
	case 1 ... 2:
		page(s)->req_prod = s->taken + (b >> 3) % (SLOTS + 3) - 1;
		break;
	case 3:
		page(s)->rsp_event = s->answered + (b >> 3) % 8 - 2;
		break;
	case 4:
		memset(slot(s, s->taken + (b >> 3) % 3), take8(r), SLOT_BYTES);
		break;
	case 5:
		slot(s, s->taken)[(b >> 3) % SLOT_BYTES] ^= 1u << take_of(r, 8);
		break;
	case 6:
		((uint32_t *)page(s))[(b >> 3) % 16] = take32(r);
		break;
	case 7:
		page(s)->req_prod += 0x7fffffffu + (b >> 3) % 3;
		break;
	}
}

/* After an access. What it saw is what was there before the guest's turn. */
static void guests_turn(void)
{
	struct watched w = host_watched(turn.accesses++);

	if (!w.write && w.offset == REQ_PROD)
		turn.index = page(turn.side)->req_prod;
	if (!w.write && w.offset == RSP_EVENT)
		turn.threshold = page(turn.side)->rsp_event;
	scribble(turn.r, turn.side);
	note_request();
}

static void watch(struct reader *r, struct side *s)
{
	memset(&turn, 0, sizeof(turn));
	turn.side = s;
	turn.r = r;
	note_request();
	host_watch(MFN(s->g->mfn[s->pfn]), guests_turn);
}

/* The accesses of the last watch to [@from, @from + @bytes) that are of this kind. */
static unsigned int accesses(uint32_t from, uint32_t bytes, bool write)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < turn.accesses; i++)
		n += host_watched(i).offset - from < bytes && host_watched(i).write == write;
	return n;
}

static void expect_accesses(unsigned int allowed, const char *what)
{
	if (turn.accesses != allowed)
		host_panic("R4: %s: %u accesses to the page, %u of them what they should be", what, turn.accesses, allowed);
}

/* ---- the device ---- */

static struct side *side_of(const struct ring *r)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(sides); i++)
		if (sides[i].g->d == r->domain && sides[i].device == r->device)
			return &sides[i];
	host_panic("a ring that nobody has");
}

static bool present(const struct domain *d, uint32_t device)
{
	return device < 2;
}

static void kick(struct ring *r)
{
}

static void stopped(struct ring *r)
{
	side_of(r)->stops++;
}

static const struct ring_class class = {
	.slots = SLOTS,
	.request = SLOT_BYTES,
	.response = SLOT_BYTES - 8,
	.present = present,
	.kick = kick,
	.stopped = stopped,
};

static struct ring *ring_of(const struct side *s)
{
	struct ring *r = ring_find(s->g->d, RING_VBD, s->device);

	if (!r != !s->live)
		host_panic("a ring is%s there", r ? "" : " not");
	return r;
}

static uint32_t under_way(const struct side *s)
{
	return s->taken - s->answered;
}

/* Whether the domain got an event since the last time. */
static bool told(const struct side *s)
{
	uint32_t port = ports[s->g - guests], *word = &s->g->d->shared->pending[port / 32];
	bool yes = *word >> port % 32 & 1;

	*word &= ~(1u << port % 32);
	return yes;
}

static void expect_told(const struct side *s, bool want, const char *why)
{
	if (s->g->d->life == LIFE_OPEN && told(s) != want)
		host_panic("%s: %s event", why, want ? "no" : "an");
}

static void expect_untorn(const uint8_t *request)
{
	for (unsigned int i = 0; i < SLOT_BYTES; i++)
		if (!(turn.seen[i][request[i] / 8] >> request[i] % 8 & 1))
			host_panic("R3: byte %u of a request is %u, which the guest never wrote there", i, request[i]);
}

static void do_take(struct reader *r, struct side *s)
{
	struct ring *ring = ring_of(s);
	uint8_t request[SLOT_BYTES];
	unsigned int stops = s->stops, body;
	uint32_t waiting;
	int got, want;

	if (!ring)
		return;
	told(s);
	watch(r, s);
	got = ring_take(ring, request);
	host_watch_end();
	if (s->stopped) {
		expect_accesses(0, "a stopped ring");
		want = -EIO;
	} else {
		if (accesses(REQ_PROD, 4, false) != 1)
			host_panic("R1: the index is read %u times", accesses(REQ_PROD, 4, false));
		waiting = turn.index - s->taken;
		want = waiting > SLOTS - under_way(s) ? -EIO : waiting > 0;
	}
	if (got != want)
		host_panic("R1: taking gives %d, not %d: 0x%x made, 0x%x taken, 0x%x done", got, want, turn.index, s->taken, s->answered);
	if (want == 1) {
		body = accesses(BODY + s->taken % SLOTS * SLOT_BYTES, SLOT_BYTES, false);
		expect_accesses(1 + body, "a request");
		expect_untorn(request);
		s->taken++;
	} else if (want == 0) {
		expect_accesses(1, "no request");
	} else if (!s->stopped) {
		expect_accesses(2, "an impossible index");
		if (accesses(FLAGS, 4, true) != 1 || s->stops != stops + 1)
			host_panic("R1: the ring's end is not said");
		s->stopped = true;
		expect_told(s, true, "an impossible index");
		return;
	}
	expect_told(s, false, "taking");
}

static void do_respond(struct reader *r, struct side *s)
{
	uint8_t bodies[SLOTS * SLOT_BYTES];
	struct ring *ring = ring_of(s);
	unsigned int count, stores;

	if (!ring || under_way(s) == 0)
		return;
	count = 1 + take_of(r, under_way(s));
	memset(bodies, take8(r), sizeof(bodies));
	told(s);
	watch(r, s);
	ring_respond(ring, bodies, count);
	host_watch_end();
	if (s->stopped) {
		expect_accesses(0, "an answer on a stopped ring");
		expect_told(s, false, "an answer on a stopped ring");
	} else {
		stores = 0;
		for (unsigned int i = 0; i < count; i++)
			stores += accesses(BODY + (s->answered + i) % SLOTS * SLOT_BYTES, SLOT_BYTES - 8, true);
		if (accesses(RSP_PROD, 4, true) != 1 || accesses(RSP_EVENT, 4, false) != 1)
			host_panic("an answer: index and threshold are not touched once each");
		if (host_watch_when(RSP_PROD) != turn.accesses - 2 || host_watch_when(RSP_EVENT) != turn.accesses - 1)
			host_panic("an answer: not the body, the index, and then the threshold");
		expect_accesses(stores + 2, "an answer");
		expect_told(s, s->answered + count - turn.threshold < count, "an answer");
	}
	s->answered += count;
}

static void do_more(struct reader *r, struct side *s)
{
	struct ring *ring = ring_of(s);
	bool got, want;

	if (!ring)
		return;
	watch(r, s);
	got = ring_more(ring);
	host_watch_end();
	if (s->stopped) {
		expect_accesses(0, "a look at a stopped ring");
		want = false;
	} else {
		if (accesses(REQ_EVENT, 4, true) != 1 || accesses(REQ_PROD, 4, false) != 1 || host_watch_when(REQ_EVENT) != 0)
			host_panic("R7: the threshold is not set before the last look");
		expect_accesses(2, "the last look");
		want = turn.index != s->taken;
	}
	if (got != want)
		host_panic("R7: more is %d, with index 0x%x and 0x%x taken", got, turn.index, s->taken);
}

/* ---- calls ---- */

static int ring_call(const struct side *s, uint32_t op, uint32_t frame)
{
	struct ring_op o = { op, RING_VBD, s->device, frame, ports[s->g - guests], 0 };

	return CALL(s->g, ring_op, ARG(o));
}

static bool frame_taken(const struct guest *g, uint32_t pfn)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(sides); i++)
		if (sides[i].live && sides[i].g == g && sides[i].pfn == pfn)
			return true;
	return false;
}

static void do_register(struct reader *r, struct side *s)
{
	uint32_t pfn = take_of(r, FRAMES);
	int got = ring_call(s, RING_register, s->g->mfn[pfn]), want = 0;

	if (s->live)
		want = -EEXIST;
	else if (pfn < PFN_DATA || frame_taken(s->g, pfn))
		want = -EBUSY;
	if (got != want)
		host_panic("registering frame %u gives %d, not %d", pfn, got, want);
	if (!want)
		*s = (struct side){ s->g, s->device, pfn, true, false, RING_START, RING_START, 0 };
}

static void do_unregister(struct side *s)
{
	int got = ring_call(s, RING_unregister, 0), want = 0;

	if (!s->live)
		want = -ENODEV;
	else if (under_way(s) > 0)
		want = -EAGAIN;
	if (got != want)
		host_panic("releasing with %u under way gives %d, not %d", under_way(s), got, want);
	s->live = s->live && want;
}

/* A ring's frame cannot be given back, nor become a table. */
static void do_misuse(struct reader *r, struct side *s)
{
	uint32_t mfn = s->g->mfn[s->pfn];
	struct memory_op give = { MEMORY_decrease, ARG(mfn), 1, 0 };
	struct mmu_request pin = { mfn << PAGE_SHIFT | MMU_COMMAND, MMU_PIN_TABLE };

	if (!s->live)
		return;
	if (take_of(r, 2) ? CALL(s->g, memory_op, ARG(give)) >= 0 : CALL(s->g, mmu_update, ARG(pin), 1, 0, DOMID_SELF) >= 0)
		host_panic("R5: a ring's frame is let go");
}

static void do_kill(struct guest *g)
{
	if (g->d->life == LIFE_OPEN)
		domain_kill(g->d, SHUTDOWN_crash, 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(sides); i++)
		if (sides[i].g == g && sides[i].live) {
			sides[i].stopped = true;
			sides[i].live = under_way(&sides[i]) > 0;
		}
}

static void do_reap(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(sides); i++)
		if (sides[i].g->d->life != LIFE_OPEN)
			sides[i].live = sides[i].live && under_way(&sides[i]) > 0;
	while (domain_reap())
		;
}

static void do_step(struct reader *r)
{
	struct side *s = &sides[take_of(r, ARRAY_SIZE(sides))];
	unsigned int what = take_of(r, 16);
	bool lives = s->g->d->life == LIFE_OPEN;

	switch (what) {
	case 0 ... 2:
		if (s->live && lives)
			page(s)->req_prod++;
		break;
	case 3:
		if (s->live && lives)
			scribble(r, s);
		break;
	case 4 ... 7:
		do_take(r, s);
		break;
	case 8 ... 9:
		do_respond(r, s);
		break;
	case 10:
		do_more(r, s);
		break;
	case 15:
		if (take8(r) > 0xe0)
			do_kill(s->g);
		do_reap();
	}
	if (!lives)
		return;
	if (what == 11 || what == 12)
		do_register(r, s);
	else if (what == 13)
		do_unregister(s);
	else if (what == 14)
		do_misuse(r, s);
}

static uint32_t open_port(struct guest *g)
{
	struct event_channel_op op = { .op = EVENT_alloc_unbound };
	uint32_t at = ARG(op);

	CALL(g, event_channel_op, at);
	return ((struct event_channel_op *)host_arg_bytes(at))->port;
}

static void try_rings(struct reader *r)
{
	host_start(40);
	ring_register_class(RING_VBD, &class);
	zero = host_domain(4);
	for (unsigned int i = 0; i < 2; i++) {
		guests[i] = host_domain(FRAMES);
		ports[i] = open_port(&guests[i]);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(sides); i++) {
		sides[i] = (struct side){ &guests[i / 2], i % 2, PFN_DATA + i, true, false, RING_START, RING_START, 0 };
		if (ring_call(&sides[i], RING_register, sides[i].g->mfn[sides[i].pfn]))
			host_panic("a ring is refused");
		page(&sides[i])->req_prod = RING_START;
	}
	host_enter(&zero);
	for (unsigned int i = 0; i < STEPS && r->left > 0; i++) {
		do_step(r);
		check(audit_memory());
		if (!ring_check())
			host_panic("ring_check() objects");
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(sides); i++)
		while (sides[i].live && under_way(&sides[i]) > 0)
			do_respond(r, &sides[i]);
	do_kill(&guests[0]);
	do_kill(&guests[1]);
	do_reap();
	if (guests[0].d->life != LIFE_FREE || guests[1].d->life != LIFE_FREE)
		host_panic("a domain does not come to its end");
	audit_all();
}

/* ---- a disk ---- */

#define SECTORS		64u
#define MINE		8u	/* the first of the sectors that the domain has, and how many: of two disks */
#define HAS		16u

static struct vbd_request *request_at(uint32_t index)
{
	return (struct vbd_request *)(page(&sides[0]) + 1) + index % VBD_SLOTS;
}

static void put_request(struct reader *r, struct vbd_request *q)
{
	*q = (struct vbd_request){ .id = take8(r), .op = take_of(r, 5), .pieces = take_of(r, 4), .sector = take_of(r, HAS) };
	for (unsigned int i = 0; i < q->pieces; i++) {
		q->piece[i].frame = guests[0].mfn[take_of(r, FRAMES)];
		q->piece[i].first = take_of(r, 8);
		q->piece[i].count = 1 + take_of(r, 4);
	}
}

/* The requests are rewritten as they are read: other memory, more of it, other sectors, another operation. */
static void rewrite(void)
{
	struct vbd_request *q;
	uint8_t b;

	turn.accesses++;
	b = take8(turn.r);
	q = request_at(page(&sides[0])->req_prod - 1 - (b >> 6));
	switch (b % 8) {
	case 1:
		q->piece[0].frame = take_of(turn.r, host.frames);
		break;
	case 2:
		q->piece[0].count = take8(turn.r);
		break;
	case 3:
		q->sector = take_of(turn.r, 2 * SECTORS);
		break;
	case 4:
		q->pieces = take8(turn.r);
		break;
	case 5:
		q->op = take_of(turn.r, 6);
		break;
	case 6:
		page(&sides[0])->req_prod += take8(turn.r);
		break;
	case 7:
		q->piece[0].first = take8(turn.r);
		break;
	}
}

/* D4, D2: what a disk is at work on are the domain's sectors and the domain's memory. */
static void check_transfers(void)
{
	for (unsigned int i = 0; i < host_disk_under_way(); i++) {
		const struct machine_transfer *t = &host_disk_transfer(i)->t;

		if (t->kind != TRANSFER_FLUSH && (t->sector < MINE || t->sector + t->count > MINE + HAS))
			host_panic("D1: a disk is at work on %u sectors at %u", t->count, t->sector);
		for (unsigned int p = 0; p < t->pieces; p++)
			if (frame_record(MFN(t->piece[p].start >> PAGE_SHIFT))->owner != guests[0].d->id)
				host_panic("D2: a disk is at work on frame 0x%x, which is another's", t->piece[p].start >> PAGE_SHIFT);
	}
}

static void disk_step(struct reader *r)
{
	switch (take_of(r, 8)) {
	case 0 ... 3:
		put_request(r, request_at(page(&sides[0])->req_prod++));
		break;
	case 4 ... 5:
		memset(&turn, 0, sizeof(turn));
		turn.r = r;
		host_watch(MFN(guests[0].mfn[PFN_DATA]), rewrite);
		ring_call(&sides[0], RING_kick, 0);
		host_watch_end();
		break;
	case 6:
		if (host_disk_under_way() > 0)
			host_disk_end(take_of(r, host_disk_under_way()), 0);
		break;
	case 7:
		ring_call(&sides[0], RING_unregister, 0);
		ring_call(&sides[0], RING_register, guests[0].mfn[PFN_DATA]);
	}
}

static void start_disk(void)
{
	struct control_op create = { .interface = ATELIER_INTERFACE, .op = CONTROL_vbd_create, .domain = 1 }, add = create;

	host_start(40);
	host_disk_add(SECTORS, 4, false);
	zero = host_domain(4);
	guests[0] = host_domain(FRAMES);
	ports[0] = open_port(&guests[0]);
	sides[0] = (struct side){ .g = &guests[0], .pfn = PFN_DATA };
	host_enter(&zero);
	add.op = CONTROL_extent_add;
	add.u.extent = (struct control_extent){ .rights = EXTENT_READ | EXTENT_WRITE, .first = MINE, .count = HAS };
	if (CALL(&zero, control_op, ARG(create)) || CALL(&zero, control_op, ARG(add)) ||
	    ring_call(&sides[0], RING_register, guests[0].mfn[PFN_DATA]))
		host_panic("no disk");
	page(&sides[0])->req_prod = RING_START;
}

static void try_disk(struct reader *r)
{
	start_disk();
	for (unsigned int i = 0; i < STEPS && r->left > 0; i++) {
		disk_step(r);
		check_transfers();
		check(audit_memory());
	}
	host_disk_end_all();
	domain_kill(guests[0].d, SHUTDOWN_crash, 0);
	while (domain_reap())
		;
	if (guests[0].d->life != LIFE_FREE)
		host_panic("the domain does not come to its end");
	audit_all();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct reader r = { bytes, size };

	if (take8(&r) % 2)
		try_rings(&r);
	else
		try_disk(&r);
	return 0;
}
