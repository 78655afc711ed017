/* SPDX-License-Identifier: MIT */
/*
 * What the host tests with disks share: domains that ask what their judge says, domain 0's operations, and disks that end what they
 * are at work on when the judge says. All that comes to a disk is observed, sector by sector of disk and memory, and all answers;
 * lab9_disks.py follows the same steps by the rules of public/ring.h and public/control.h.
 *
 * As soon as a request was taken the guest fills its slot with ones: whoever looks at it again is misled.
 */
#ifndef LAB9_DISK_STEPS_H
#define LAB9_DISK_STEPS_H

#include "domain.h"
#include "frame.h"
#include "host/audit.h"
#include "host/disk.h"
#include "host/domains.h"
#include "host/program.h"

#define GUESTS		4u		/* domain 0 among them */
#define FRAMES		44u		/* of each */
#define PFN_RING	PFN_DATA
#define PFN_BUFFER	(PFN_DATA + 1)

/* How the judge names a frame: a buffer of the domain, a page of its with another use, another's, none. */
enum { NAME_BUFFER, NAME_PAGE, NAME_FOREIGN, NAME_RAW };
enum { STEP_CREATE, STEP_DESTROY, STEP_ADD, STEP_REMOVE, STEP_POST, STEP_KICK, STEP_END, STEP_FEED, STEP_KILL, STEP_CHECK };

static struct guest guests[GUESTS];
static uint32_t port;
static uint32_t heard[GUESTS];		/* answers that were observed */
static uint32_t trashed[GUESTS];	/* slots of requests that were taken, and filled with ones */
static unsigned int started;
static uint32_t events;

static struct ring_header *header(const struct guest *g)
{
	return host_frame(g->mfn[PFN_RING]);
}

static void *slot(const struct guest *g, uint32_t index)
{
	return (uint8_t *)(header(g) + 1) + index % VBD_SLOTS * sizeof(struct vbd_request);
}

/* ---- what is observed ---- */

/* What the judge calls a frame: domain and buffer; 0xffff: no buffer of anybody's. */
static uint32_t name_of(uint32_t mfn)
{
	for (uint32_t d = 0; d < GUESTS; d++)
		for (uint32_t i = 0; i + PFN_BUFFER < FRAMES; i++)
			if (guests[d].mfn[i + PFN_BUFFER] == mfn)
				return d << 8 | i;
	return 0xffff;
}

static void observe_transfer(const struct host_transfer *h)
{
	observe("begin disk kind first count pieces", events, h->disk, h->t.kind, h->t.sector, h->t.count, h->t.pieces);
	for (unsigned int i = 0; i < h->t.pieces; i++)
		observe("piece frame first count", events << 4 | i, name_of(h->t.piece[i].start >> PAGE_SHIFT),
			h->t.piece[i].start % PAGE_SIZE / 512, h->t.piece[i].sectors);
	events++;
}

static void observe_answers(uint32_t d)
{
	for (; heard[d] != header(&guests[d])->rsp_prod; heard[d]++) {
		struct vbd_response r;

		memcpy(&r, slot(&guests[d], heard[d]), sizeof(r));
		observe("answer who id status:int", events++, d, r.id, (uint32_t)r.status);
	}
}

/* What has happened since the last look, in the order answers, transfers begun. */
static void look(void)
{
	for (uint32_t d = 0; d < GUESTS; d++)
		if (guests[d].d->life == LIFE_OPEN && ring_find(guests[d].d, RING_VBD, 0))
			observe_answers(d);
	while (started < host_disk_started()) {
		unsigned int left = host_disk_started() - started++;

		observe_transfer(host_disk_transfer(host_disk_under_way() - left));
	}
}

static void check_state(uint32_t key)
{
	const char *wrong = domain_check() ? audit_memory() : "an auditor of the hypervisor objects";

	observe_bytes("audit text:bytes", key, wrong ? wrong : "", wrong ? strlen(wrong) : 0);
}

/* ---- the guest's other processor ---- */

static void trash_taken(const char *call)
{
	for (uint32_t d = 0; d < GUESTS; d++) {
		const struct ring *r = guests[d].d ? ring_find(guests[d].d, RING_VBD, 0) : NULL;

		/* An answer may lie there: it takes the slot of a request that was taken. */
		for (; r && trashed[d] != r->taken; trashed[d]++)
			if (trashed[d] - r->answered < VBD_SLOTS)
				memset(slot(&guests[d], trashed[d]), 0xff, sizeof(struct vbd_request));
	}
}

/* ---- steps ---- */

static uint64_t input_wide(void)
{
	uint64_t low = input_word();

	return low | (uint64_t)input_word() << 32;
}

static int control(struct control_op op)
{
	op.interface = ATELIER_INTERFACE;
	return CALL(&guests[0], control_op, ARG(op));
}

static int on_vbd(uint32_t op)
{
	struct control_op o = { .op = op, .domain = input_word() };

	o.u.vbd.number = input_word();
	return control(o);
}

static int on_extent(uint32_t op)
{
	struct control_op o = { .op = op, .domain = input_word() };

	o.vbd_number = input_word();
	if (op == CONTROL_extent_remove)
		return control(o);
	o.u.extent.disk = input_word();
	o.u.extent.first = input_wide();
	o.u.extent.count = input_wide();
	o.u.extent.rights = input_word();
	return control(o);
}

static uint32_t frame_of(const struct guest *g, uint32_t name)
{
	uint32_t n = name & 0xfffffff;

	switch (name >> 28) {
	case NAME_BUFFER:
		return g->mfn[PFN_BUFFER + n];
	case NAME_PAGE:
		return g->mfn[n];
	case NAME_FOREIGN:
		return guests[g == &guests[1] ? 2 : 1].mfn[n];
	}
	return n;
}

static void post(struct guest *g, const struct vbd_request *q)
{
	memcpy(slot(g, header(g)->req_prod++), q, sizeof(*q));
}

static int do_post(void)
{
	struct guest *g = &guests[input_word() % GUESTS];
	struct vbd_request q = { .id = input_word() };
	uint32_t count;

	q.op = input_word();
	q.pieces = input_word();
	q.device = input_word();
	q.sector = input_wide();
	count = input_word();
	for (uint32_t i = 0; i < count; i++) {
		q.piece[i].frame = frame_of(g, input_word());
		q.piece[i].first = input_word();
		q.piece[i].count = input_word();
		q.piece[i].reserved = input_word();
	}
	post(g, &q);
	return 0;
}

static int ring_op(struct guest *g, uint32_t op)
{
	struct ring_op o = { op, RING_VBD, 0, g->mfn[PFN_RING], port, 0 };

	return CALL(g, ring_op, ARG(o));
}

static int kick(struct guest *g)
{
	int answer;

	host.at_seam = trash_taken;
	answer = ring_op(g, RING_kick);
	host.at_seam = NULL;
	return answer;
}

/* Ends one transfer, with an error if it touches a bad sector or the judge says so. */
static int do_end(void)
{
	uint32_t which = input_word(), bad = input_word(), n = host_disk_under_way();
	const struct host_transfer *h;
	int error;

	if (n == 0)
		return 0;
	h = host_disk_transfer(which % n);
	error = bad >= h->t.sector && bad - h->t.sector < h->t.count ? -EIO : 0;
	observe("end disk frame first error:int", events++, h->disk, name_of(h->t.piece[0].start >> PAGE_SHIFT),
		h->t.piece[0].start % PAGE_SIZE / 512, (uint32_t)error);
	host.at_seam = trash_taken;
	host_disk_end(which % n, error);
	host.at_seam = NULL;
	return 1;
}

/*
 * A domain asks for one of five sectors side by side whenever a transfer is done, until sector @wanted of the disk has its turn. How
 * many others had theirs before it.
 */
static int do_feed(void)
{
	struct guest *g = &guests[input_word() % GUESTS];
	uint32_t base = input_word(), wanted = input_word(), most = input_word(), drawn = input_word(), n;

	for (n = 0; n < most && host_disk_under_way() > 0; n++) {
		struct vbd_request q = { .op = VBD_READ, .pieces = 1 };

		if (host_disk_transfer(0)->t.sector == wanted)
			break;
		drawn = drawn * 1103515245u + 12345u;
		q.sector = base + (drawn >> 16) % 5;
		q.piece[0].frame = g->mfn[PFN_BUFFER];
		q.piece[0].count = 1;
		post(g, &q);
		kick(g);
		host_disk_end(0, 0);
	}
	host_disk_end_all();
	started = host_disk_started();
	for (uint32_t d = 0; d < GUESTS; d++)
		heard[d] = header(&guests[d])->rsp_prod;
	return n;
}

static int do_kill(void)
{
	domain_kill(guests[input_word() % GUESTS].d, SHUTDOWN_crash, 0);
	return 0;
}

static int do_check(uint32_t key)
{
	while (domain_reap())
		;
	check_state(key);
	for (uint32_t d = 1; d < GUESTS; d++)
		observe("life state", key << 4 | d, guests[d].d->life);
	return frame_pool_free_count();
}

static int do_step(uint32_t key)
{
	switch (input_word()) {
	case STEP_CREATE:
		return on_vbd(CONTROL_vbd_create);
	case STEP_DESTROY:
		return on_vbd(CONTROL_vbd_destroy);
	case STEP_ADD:
		return on_extent(CONTROL_extent_add);
	case STEP_REMOVE:
		return on_extent(CONTROL_extent_remove);
	case STEP_POST:
		return do_post();
	case STEP_KICK:
		return kick(&guests[input_word() % GUESTS]);
	case STEP_END:
		return do_end();
	case STEP_FEED:
		return do_feed();
	case STEP_KILL:
		return do_kill();
	case STEP_CHECK:
		return do_check(key);
	}
	return 0;
}

static void open_ring(struct guest *g)
{
	struct event_channel_op op = { .op = EVENT_alloc_unbound };
	uint32_t at = ARG(op), d = g - guests;

	CALL(g, event_channel_op, at);
	port = ((struct event_channel_op *)host_arg_bytes(at))->port;
	ring_op(g, RING_register);
	heard[d] = trashed[d] = header(g)->req_prod = header(g)->rsp_prod;
}

static void run(void)
{
	uint32_t disks, count;

	host_start(256);
	disks = input_word();
	for (uint32_t i = 0; i < disks; i++) {
		uint32_t sectors = input_word();

		host_disk_add(sectors, input_word(), false);
	}
	for (uint32_t d = 0; d < GUESTS; d++)
		guests[d] = host_domain(FRAMES);
	for (uint32_t d = 0; d < GUESTS; d++)
		open_ring(&guests[d]);
	host_enter(&guests[0]);
	count = input_word();
	for (uint32_t i = 0; i < count; i++) {
		uint32_t before = events;
		int answer = do_step(i);

		look();
		observe("step answer:int from until", i, answer, before, events);
	}
}

#endif
