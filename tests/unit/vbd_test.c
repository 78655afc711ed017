// SPDX-License-Identifier: MIT
#include "vbd.h"
#include <string.h>
#include "frame.h"
#include "host/audit.h"
#include "host/disk.h"
#include "host/domains.h"
#include "unit/test.h"

#define PFN_RING	PFN_DATA
#define PFN_BUFFER	(PFN_DATA + 1)
#define FRAMES		16u
#define SECTORS		1000u
#define RW		(EXTENT_READ | EXTENT_WRITE)

static struct guest zero, one, two, three;
static uint32_t port;

/* ---- what domain 0 does ---- */

static struct control_op control_op;	/* as it came back */

static int control(struct guest *who, struct control_op op)
{
	uint32_t at;
	int err;

	op.interface = ATELIER_INTERFACE;
	at = ARG(op);
	err = CALL(who, control_op, at);
	control_op = *(struct control_op *)host_arg_bytes(at);
	audit_all();
	return err;
}

static int on_vbd(uint32_t op, struct guest *g, uint32_t number)
{
	return control(&zero, (struct control_op){ .op = op, .domain = g->d->id, .u.vbd.number = number });
}

static int on_extent(uint32_t op, struct guest *g, uint32_t number, struct control_extent e)
{
	return control(&zero, (struct control_op){ .op = op, .domain = g->d->id, .vbd_number = number, .u.extent = e });
}

static int add_extent(struct guest *g, uint32_t number, uint32_t disk, uint64_t first, uint64_t count, uint32_t rights)
{
	return on_extent(CONTROL_extent_add, g, number, (struct control_extent){ 0, disk, rights, 0, first, count });
}

static struct control_vbd counters(struct guest *g, uint32_t number)
{
	EXPECT_EQ(on_vbd(CONTROL_vbd_info, g, number), 0);
	return control_op.u.vbd;
}

/* ---- what a guest does ---- */

static int ring(struct guest *g, uint32_t op)
{
	struct ring_op o = { op, RING_VBD, 0, g->mfn[PFN_RING], port, 0 };
	int err = CALL(g, ring_op, ARG(o));

	audit_all();
	return err;
}

static struct ring_header *header(struct guest *g)
{
	return host_frame(g->mfn[PFN_RING]);
}

static void *slot(struct guest *g, uint32_t index)
{
	return (uint8_t *)(header(g) + 1) + index % VBD_SLOTS * sizeof(struct vbd_request);
}

static void post(struct guest *g, struct vbd_request request)
{
	memcpy(slot(g, header(g)->req_prod++), &request, sizeof(request));
}

static void ask(struct guest *g, struct vbd_request request)
{
	post(g, request);
	EXPECT_EQ(ring(g, RING_kick), 0);
}

/* A request of one piece: the first sectors of the domain's buffer number @buffer. */
static struct vbd_request request(struct guest *g, uint8_t op, uint64_t sector, uint8_t count, unsigned int buffer)
{
	static uint16_t id;
	struct vbd_request q = { .id = ++id, .op = op, .pieces = 1, .sector = sector };

	q.piece[0].frame = g->mfn[PFN_BUFFER + buffer];
	q.piece[0].count = count;
	return q;
}

static uint32_t answers(struct guest *g)
{
	return header(g)->rsp_prod - RING_START;
}

static struct vbd_response last_answer(struct guest *g)
{
	return *(struct vbd_response *)slot(g, header(g)->rsp_prod - 1);
}

/* Asks, lets the disks come to their end, and says the status. */
static int done(struct guest *g, struct vbd_request q)
{
	uint32_t before = answers(g);

	ask(g, q);
	host_disk_end_all();
	audit_all();
	EXPECT_EQ(answers(g) - before, 1);
	EXPECT_EQ(last_answer(g).id, q.id);
	return last_answer(g).status;
}

static uint8_t *buffer(struct guest *g, unsigned int n, unsigned int sector)
{
	return (uint8_t *)host_frame(g->mfn[PFN_BUFFER + n]) + sector * 512;
}

static void open_ring(struct guest *g)
{
	EXPECT_EQ(ring(g, RING_register), 0);
	header(g)->req_prod = RING_START;
	header(g)->rsp_event = RING_START + 1;
}

static void open_port(struct guest *g)
{
	struct event_channel_op op = { .op = EVENT_alloc_unbound };
	uint32_t at = ARG(op);

	EXPECT_EQ(CALL(g, event_channel_op, at), 0);
	port = ((struct event_channel_op *)host_arg_bytes(at))->port;
}

/* Two disks; domain 0 with both; domains 1 and 2 with 100 sectors each of disk 0 as VBD 0. */
static void start_with(unsigned int depth, bool caches)
{
	host_start(200);
	host_disk_add(SECTORS, depth, caches);
	host_disk_add(SECTORS, depth, caches);
	zero = host_domain(FRAMES);
	one = host_domain(FRAMES);
	two = host_domain(FRAMES);
	three = host_domain(FRAMES);
	vbd_give_disks(zero.d);
	EXPECT_EQ(on_vbd(CONTROL_vbd_create, &one, 0), 0);
	EXPECT_EQ(add_extent(&one, 0, 0, 100, 100, RW), 0);
	EXPECT_EQ(on_vbd(CONTROL_vbd_create, &two, 0), 0);
	EXPECT_EQ(add_extent(&two, 0, 0, 200, 100, RW), 0);
	open_port(&zero);
	open_port(&one);
	open_port(&two);
	open_port(&three);
	open_ring(&zero);
	open_ring(&one);
	open_ring(&two);
	host_enter(&zero);
}

static void start(void)
{
	start_with(4, false);
}

/* ---- reads and writes ---- */

TEST(a_write_comes_to_its_sectors_and_a_read_brings_them_back)
{
	start();
	memset(buffer(&one, 0, 0), 'a', 512);
	memset(buffer(&one, 0, 1), 'b', 512);
	EXPECT_EQ(done(&one, request(&one, VBD_WRITE, 7, 2, 0)), 0);
	EXPECT_EQ(*host_disk_bytes(0, 107), 'a');
	EXPECT_EQ(*host_disk_bytes(0, 108), 'b');
	EXPECT_EQ(*host_disk_bytes(0, 106), 0);
	EXPECT_EQ(*host_disk_bytes(0, 109), 0);
	EXPECT_EQ(done(&one, request(&one, VBD_READ, 8, 1, 1)), 0);
	EXPECT_EQ(*buffer(&one, 1, 0), 'b');
	EXPECT_EQ(*buffer(&one, 1, 1), 0);
	EXPECT_EQ(counters(&one, 0).reads, 1);
	EXPECT_EQ(counters(&one, 0).writes, 1);
}

TEST(pieces_are_the_sectors_in_their_order_and_runs_are_cut_out_of_them)
{
	struct vbd_request q = { .id = 9, .op = VBD_WRITE, .pieces = 3, .sector = 97 };

	start();
	EXPECT_EQ(add_extent(&one, 0, 1, 50, 10, RW), 0);
	for (unsigned int i = 0; i < 8; i++)
		memset(buffer(&one, 0, i), 'a' + i, 512);
	for (unsigned int i = 0; i < 8; i++)
		memset(buffer(&one, 1, i), 'A' + i, 512);
	/* h, AB, cde: three before the border at 100, three behind. */
	q.piece[0].frame = one.mfn[PFN_BUFFER];
	q.piece[0].first = 7;
	q.piece[0].count = 1;
	q.piece[1].frame = one.mfn[PFN_BUFFER + 1];
	q.piece[1].count = 2;
	q.piece[2].frame = one.mfn[PFN_BUFFER];
	q.piece[2].first = 2;
	q.piece[2].count = 3;
	EXPECT_EQ(done(&one, q), 0);
	for (unsigned int i = 0; i < 3; i++) {
		EXPECT_EQ(*host_disk_bytes(0, 197 + i), "hAB"[i]);
		EXPECT_EQ(*host_disk_bytes(1, 50 + i), "cde"[i]);
	}
	EXPECT_EQ(*host_disk_bytes(0, 200), 0);
	EXPECT_EQ(*host_disk_bytes(1, 53), 0);
}

TEST(what_makes_no_sense_is_answered_at_once_and_never_comes_to_a_disk)
{
	static const struct { uint32_t device; uint8_t op, pieces, first, count; uint16_t reserved; uint64_t sector; int error; } bad[] = {
		{ 1,           VBD_READ,  1, 0, 1,   0, 0,             -ENODEV },
		{ VBD_DEVICES, VBD_READ,  1, 0, 1,   0, 0,             -ENODEV },
		{ UINT32_MAX,  VBD_READ,  1, 0, 1,   0, 0,             -ENODEV },
		{ 0,           VBD_READ,  0, 0, 1,   0, 0,             -EINVAL },
		{ 0,           VBD_READ,  17, 0, 1,  0, 0,             -EINVAL },
		{ 0,           VBD_READ,  255, 0, 1, 0, 0,             -EINVAL },
		{ 0,           VBD_READ,  1, 0, 0,   0, 0,             -EINVAL },
		{ 0,           VBD_READ,  1, 0, 9,   0, 0,             -EINVAL },
		{ 0,           VBD_READ,  1, 7, 2,   0, 0,             -EINVAL },
		{ 0,           VBD_READ,  1, 15, 2,  0, 0,             -EINVAL },
		{ 0,           VBD_READ,  1, 0, 15,  0, 0,             -EINVAL },
		{ 0,           VBD_READ,  1, 0, 1,   1, 0,             -EINVAL },
		{ 0,           VBD_READ | VBD_BARRIER, 1, 0, 1, 0, 0,  -EINVAL },
		{ 0,           VBD_FLUSH, 1, 0, 1,   0, 0,             -EINVAL },
		{ 0,           VBD_FLUSH, 0, 0, 0,   0, 1,             -EINVAL },
		{ 0,           VBD_INFO,  0, 0, 1,   0, 0,             -EINVAL },
		{ 0,           VBD_INFO,  1, 0, 2,   0, 0,             -EINVAL },
		{ 0,           VBD_INFO,  1, 8, 1,   0, 0,             -EINVAL },
		{ 0,           VBD_INFO,  1, 0, 1,   0, 1,             -EINVAL },
		{ 0,           8,         1, 0, 1,   0, 0,             -EINVAL },
		{ 0,           255,       1, 0, 1,   0, 0,             -EINVAL },
		{ 0,           VBD_READ,  1, 0, 1,   0, 100,           -ENXIO },
		{ 0,           VBD_READ,  1, 0, 2,   0, 99,            -ENXIO },
		{ 0,           VBD_WRITE, 1, 0, 1,   0, UINT32_MAX,    -ENXIO },
		{ 0,           VBD_WRITE, 1, 0, 2,   0, UINT32_MAX,    -ENXIO },
		{ 0,           VBD_WRITE, 1, 0, 1,   0, 1ull << 32,    -ENXIO },
		{ 0,           VBD_WRITE, 1, 0, 8,   0, UINT64_MAX - 3, -ENXIO },
	};

	start();
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		struct vbd_request q = request(&one, bad[i].op, bad[i].sector, bad[i].count, 0);

		q.device = bad[i].device;
		q.pieces = bad[i].pieces;
		q.piece[0].first = bad[i].first;
		q.piece[0].reserved = bad[i].reserved;
		ask(&one, q);
		EXPECT_EQ(last_answer(&one).status, bad[i].error, "row %u", i);
		EXPECT_EQ(answers(&one), i + 1);
	}
	EXPECT_EQ(host_disk_started(), 0);
}

TEST(more_pieces_than_there_is_room_for_are_none)
{
	static const uint8_t claims[] = { 17, 18, 255 };
	struct vbd_request q;

	start();
	q = request(&one, VBD_READ, 0, 1, 0);
	for (unsigned int i = 0; i < VBD_PIECES; i++)
		q.piece[i] = q.piece[0];
	for (unsigned int i = 0; i < ARRAY_SIZE(claims); i++) {
		q.pieces = claims[i];
		EXPECT_EQ(done(&one, q), -EINVAL);
	}
	q.pieces = VBD_PIECES;
	EXPECT_EQ(done(&one, q), 0);
}

TEST(rights_are_those_of_the_extent)
{
	start();
	EXPECT_EQ(on_vbd(CONTROL_vbd_create, &one, 3), 0);
	EXPECT_EQ(add_extent(&one, 3, 1, 0, 10, EXTENT_READ), 0);
	EXPECT_EQ(add_extent(&one, 3, 1, 10, 10, RW), 0);
	for (unsigned int i = 0; i < 2; i++) {
		struct vbd_request q = request(&one, i ? VBD_WRITE : VBD_READ, 8, 4, 0);

		q.device = 3;
		EXPECT_EQ(done(&one, q), i ? -EACCES : 0);
	}
	EXPECT_EQ(host_disk_started(), 2);
}

TEST(a_domain_learns_how_large_a_device_is)
{
	struct vbd_request q;
	struct vbd_info info;

	start();
	q = request(&one, VBD_INFO, 0, 1, 0);
	q.piece[0].first = 7;
	memset(buffer(&one, 0, 0), 0xff, PAGE_SIZE);
	EXPECT_EQ(done(&one, q), 0);
	memcpy(&info, buffer(&one, 0, 7), sizeof(info));
	EXPECT_EQ(info.sectors, 100);
	EXPECT_EQ(info.rights, RW);
	EXPECT_EQ(*buffer(&one, 0, 6), 0xff);
	EXPECT_EQ(buffer(&one, 0, 7)[511], 0);
	EXPECT_EQ(add_extent(&one, 0, 1, 0, 7, EXTENT_READ), 0);
	EXPECT_EQ(done(&one, request(&one, VBD_INFO, 0, 1, 0)), 0);
	memcpy(&info, buffer(&one, 0, 0), sizeof(info));
	EXPECT_EQ(info.sectors, 107);
	EXPECT_EQ(info.rights, EXTENT_READ);
	EXPECT_EQ(host_disk_started(), 0);
}

/* ---- memory ---- */

TEST(memory_is_the_domains_own_and_what_the_disk_writes_is_nothing_else)
{
	static const struct { unsigned int pfn; uint8_t op; int status; } rows[] = {
		{ PFN_TABLE,     VBD_READ,  -EINVAL },
		{ PFN_DIRECTORY, VBD_READ,  -EINVAL },
		{ PFN_TABLE,     VBD_INFO,  -EINVAL },
		{ PFN_TABLE,     VBD_WRITE, 0 },	/* it may read what nobody writes */
		{ PFN_BUFFER,    VBD_READ,  0 },
	};
	struct vbd_request q;

	start();
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		q = request(&one, rows[i].op, 0, 1, 0);
		q.piece[0].frame = one.mfn[rows[i].pfn];
		EXPECT_EQ(done(&one, q), rows[i].status, "row %u", i);
	}
	for (unsigned int op = VBD_READ; op <= VBD_INFO; op++) {
		static const uint32_t none[] = { 0, 0xfffff };

		if (op == VBD_FLUSH)
			continue;
		for (unsigned int i = 0; i < ARRAY_SIZE(none); i++) {
			q = request(&one, op, 0, 1, 0);
			q.piece[0].frame = none[i];
			EXPECT_EQ(done(&one, q), -EINVAL);
		}
		q = request(&two, op, 0, 1, 0);		/* another's */
		EXPECT_EQ(done(&one, q), -EINVAL);
	}
	EXPECT_EQ(host_disk_started(), 2);
}

TEST(a_piece_that_is_refused_leaves_the_others_as_they_were)
{
	struct vbd_request q;

	start();
	for (unsigned int bad = 0; bad < VBD_PIECES; bad++)
		for (unsigned int op = VBD_READ; op <= VBD_WRITE; op++) {
			q = request(&one, op, 0, 1, 0);
			q.pieces = VBD_PIECES;
			for (unsigned int i = 0; i < VBD_PIECES; i++) {
				q.piece[i].frame = one.mfn[PFN_BUFFER + i % 4];
				q.piece[i].count = 1;
			}
			q.piece[bad].frame = two.mfn[PFN_BUFFER];
			EXPECT_EQ(done(&one, q), -EINVAL);
			for (unsigned int i = 0; i < VBD_PIECES; i++)
				EXPECT_EQ(frame_record(MFN(one.mfn[PFN_BUFFER + i % 4]))->refs, 2);
		}
}

TEST(memory_under_way_is_held_and_let_go_at_the_end)
{
	const struct frame *f;

	start();
	f = frame_record(MFN(one.mfn[PFN_BUFFER]));
	EXPECT_EQ(f->refs, 2);
	ask(&one, request(&one, VBD_READ, 0, 8, 0));
	EXPECT_EQ(f->refs, 3);
	EXPECT_EQ(f->uses, 2);
	EXPECT_EQ(balloon_give_back(one.d, MFN(one.mfn[PFN_BUFFER])), -EBUSY);
	host_disk_end(0, 0);
	EXPECT_EQ(f->refs, 2);
	EXPECT_EQ(f->uses, 1);
	ask(&one, request(&one, VBD_WRITE, 0, 8, 0));
	EXPECT_EQ(f->refs, 3);
	EXPECT_EQ(f->uses, 1);
	host_disk_end(0, -EIO);
	EXPECT_EQ(f->refs, 2);
	audit_all();
}

TEST(a_disks_work_is_its_owners_to_pay)
{
	start();
	ask(&one, request(&one, VBD_READ, 0, 8, 0));
	host.tick = 100;
	sched_meter();
	host_disk_end(0, 0);
	EXPECT(one.d->vtime.used > 0);
	EXPECT_EQ(two.d->vtime.used, 0);
	host.tick = 0;
}

/* ---- errors ---- */

TEST(one_answer_after_the_last_piece_with_the_error_of_any)
{
	for (unsigned int failing = 0; failing < 3; failing++)
		for (unsigned int first = 0; first < 3; first++) {
			unsigned int order[3] = { first, first == 0 ? 1 : 0, first == 2 ? 1 : 2 };
			struct vbd_request q;

			start();
			EXPECT_EQ(add_extent(&one, 0, 0, 50, 1, RW), 0);
			EXPECT_EQ(add_extent(&one, 0, 0, 60, 5, RW), 0);
			q = request(&one, VBD_WRITE, 99, 3, 0);
			ask(&one, q);
			EXPECT_EQ(host_disk_under_way(), 3);
			for (unsigned int i = 0; i < 3; i++) {
				uint32_t sector = (uint32_t[]){ 199, 50, 60 }[order[i]];
				unsigned int at = 0;

				EXPECT_EQ(answers(&one), 0);
				while (host_disk_transfer(at)->t.sector != sector)
					at++;
				host_disk_end(at, order[i] == failing ? -EIO : 0);
				audit_all();
			}
			EXPECT_EQ(answers(&one), 1);
			EXPECT_EQ(last_answer(&one).id, q.id);
			EXPECT_EQ(last_answer(&one).status, -EIO);
			EXPECT_EQ(counters(&one, 0).errors, 1);
		}
}

TEST(an_error_is_told_to_nobody_else)
{
	start();
	ask(&one, request(&one, VBD_WRITE, 0, 1, 0));
	ask(&two, request(&two, VBD_WRITE, 0, 1, 0));
	host_disk_end(0, -EIO);
	host_disk_end(0, 0);
	EXPECT_EQ(last_answer(&one).status, -EIO);
	EXPECT_EQ(last_answer(&two).status, 0);
	EXPECT_EQ(counters(&two, 0).errors, 0);
}

/* ---- order ---- */

TEST(a_barrier_is_kept_over_requests_and_disks)
{
	start();
	EXPECT_EQ(add_extent(&one, 0, 1, 0, 10, RW), 0);
	post(&one, request(&one, VBD_WRITE, 50, 1, 0));
	post(&one, request(&one, VBD_WRITE | VBD_BARRIER, 105, 1, 0));
	ask(&one, request(&one, VBD_WRITE, 20, 1, 0));
	ask(&two, request(&two, VBD_WRITE, 1, 1, 0));
	EXPECT_EQ(host_disk_under_way(), 2);
	EXPECT_EQ(host_disk_transfer(0)->t.sector, 150);
	EXPECT_EQ(host_disk_transfer(1)->t.sector, 201);
	host_disk_end(0, 0);
	EXPECT_EQ(host_disk_under_way(), 2);
	EXPECT_EQ(host_disk_transfer(1)->disk, 1);
	EXPECT_EQ(host_disk_transfer(1)->t.sector, 5);
	host_disk_end(1, -EIO);
	EXPECT_EQ(host_disk_transfer(1)->t.sector, 120);
}

TEST(a_disk_that_caches_is_flushed_before_and_after_a_barrier_and_when_asked)
{
	static const int kinds[] = { TRANSFER_FLUSH, TRANSFER_WRITE, TRANSFER_FLUSH, TRANSFER_WRITE };

	start_with(4, true);
	post(&one, request(&one, VBD_WRITE | VBD_BARRIER, 0, 1, 0));
	ask(&one, request(&one, VBD_WRITE, 1, 1, 0));
	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++) {
		EXPECT_EQ(host_disk_under_way(), 1);
		EXPECT_EQ(host_disk_transfer(0)->t.kind, kinds[i], "step %u", i);
		EXPECT_EQ(answers(&one), i > 2);
		host_disk_end(0, 0);
	}
	ask(&one, (struct vbd_request){ .id = 77, .op = VBD_FLUSH });
	EXPECT_EQ(host_disk_transfer(0)->t.kind, TRANSFER_FLUSH);
	EXPECT_EQ(host_disk_under_way(), 1);
	EXPECT_EQ(answers(&one), 2);
	host_disk_end(0, 0);
	EXPECT_EQ(last_answer(&one).id, 77);
}

TEST(a_flush_of_a_disk_that_forgets_nothing_is_answered_at_once)
{
	start();
	ask(&one, (struct vbd_request){ .id = 5, .op = VBD_FLUSH });
	EXPECT_EQ(last_answer(&one).id, 5);
	EXPECT_EQ(last_answer(&one).status, 0);
	EXPECT_EQ(host_disk_started(), 0);
}

/* ---- turns ---- */

static void post_many(struct guest *g)
{
	for (unsigned int i = 0; i < VBD_SLOTS; i++)
		post(g, request(g, VBD_WRITE, i, 1, 0));
	EXPECT_EQ(ring(g, RING_kick), 0);
}

/* How many of the transfers begun last, @count of them, are in the hundred sectors from @first on. */
static unsigned int begun_at(uint32_t first, unsigned int count)
{
	unsigned int n = 0;

	for (unsigned int i = host_disk_under_way() - count; i < host_disk_under_way(); i++)
		n += host_disk_transfer(i)->t.sector - first < 100;
	return n;
}

TEST(a_turn_has_at_most_a_batch_and_whoever_is_left_comes_again)
{
	start_with(VBD_REQUESTS, false);
	EXPECT_EQ(on_vbd(CONTROL_vbd_create, &three, 0), 0);
	EXPECT_EQ(add_extent(&three, 0, 0, 300, 100, RW), 0);
	open_ring(&three);
	post_many(&zero);
	post_many(&one);
	EXPECT_EQ(host_disk_under_way(), VBD_REQUESTS);
	post_many(&two);
	post_many(&three);
	for (unsigned int i = 0; i < 2; i++) {
		unsigned int before = host_disk_started();

		for (unsigned int k = 0; k < VBD_REQUESTS / 2; k++) {
			EXPECT_EQ(host_disk_started(), before);
			host_disk_end(0, 0);
		}
		EXPECT_EQ(host_disk_started() - before, 2 * VBD_BATCH, "round %u", i);
		EXPECT_EQ(begun_at(200, 2 * VBD_BATCH), VBD_BATCH, "round %u", i);
		EXPECT_EQ(begun_at(300, 2 * VBD_BATCH), VBD_BATCH, "round %u", i);
		audit_all();
	}
	host_disk_end_all();
	EXPECT_EQ(answers(&two), VBD_SLOTS);
	EXPECT_EQ(answers(&three), VBD_SLOTS);
}

/* There is no room when the second one kicks: it is answered all the same, without another kick. */
TEST(who_finds_no_room_is_looked_at_again_when_there_is_some)
{
	start_with(1, false);
	for (unsigned int i = 0; i < VBD_SLOTS; i++) {
		post(&zero, request(&zero, VBD_WRITE, i, 1, 0));
		post(&one, request(&one, VBD_WRITE, i, 1, 0));
	}
	ring(&zero, RING_kick);
	ring(&one, RING_kick);
	ask(&two, request(&two, VBD_WRITE, 0, 1, 0));
	host_disk_end_all();
	EXPECT_EQ(answers(&two), 1);
	EXPECT_EQ(answers(&one), VBD_SLOTS);
	EXPECT_EQ(answers(&zero), VBD_SLOTS);
	ask(&two, request(&two, VBD_WRITE, 0, 1, 0));
	EXPECT_EQ(answers(&two), 1);
	host_disk_end_all();
	EXPECT_EQ(answers(&two), 2);
	audit_all();
}

/* ---- domain 0's operations ---- */

TEST(domain_0_makes_vbds_and_takes_them_away)
{
	start();
	EXPECT_EQ(on_vbd(CONTROL_vbd_create, &one, 0), -EEXIST);
	EXPECT_EQ(on_vbd(CONTROL_vbd_create, &one, VBD_DEVICES), -EINVAL);
	EXPECT_EQ(on_vbd(CONTROL_vbd_create, &one, UINT32_MAX), -EINVAL);
	EXPECT_EQ(on_vbd(CONTROL_vbd_destroy, &one, 1), -ENODEV);
	EXPECT_EQ(on_vbd(CONTROL_vbd_destroy, &one, UINT32_MAX), -ENODEV);
	EXPECT_EQ(on_vbd(CONTROL_vbd_create, &one, 5), 0);
	EXPECT_EQ(counters(&one, 1).number, 5);
	EXPECT_EQ(vbd_count(one.d), 2);
	EXPECT_EQ(on_vbd(CONTROL_vbd_destroy, &one, 5), 0);
	EXPECT_EQ(on_vbd(CONTROL_vbd_info, &one, 1), -ENODEV);
	EXPECT_EQ(on_vbd(CONTROL_vbd_info, &one, UINT32_MAX), -ENODEV);
	EXPECT_EQ(control(&one, (struct control_op){ .op = CONTROL_vbd_create, .domain = 1, .u.vbd.number = 2 }), -EPERM);
}

TEST(the_pool_of_vbds_runs_out_with_an_answer)
{
	struct guest *guests[] = { &zero, &one, &two, &three };
	unsigned int all = 4;		/* start() makes as many */

	start();
	for (unsigned int i = 0; i < ARRAY_SIZE(guests) * VBD_DEVICES; i++)
		all += vbd_create(guests[i / VBD_DEVICES]->d, i % VBD_DEVICES) == 0;
	EXPECT_EQ(all, VBD_POOL);
	EXPECT_EQ(vbd_destroy(one.d, 2), 0);
	EXPECT_EQ(vbd_create(three.d, VBD_DEVICES - 1), 0);
	EXPECT_EQ(vbd_create(one.d, 2), -ENOSPC);
	EXPECT(vbd_check());
}

TEST(an_extent_lies_on_a_disk_and_in_nobodys_way)
{
	static const struct { uint32_t number, disk; uint64_t first, count; uint32_t rights; int error; } rows[] = {
		{ 1, 0, 0,          10,          RW,              -ENODEV },	/* no such VBD */
		{ 0, 2, 0,          10,          RW,              -ENODEV },	/* no such disk */
		{ 0, UINT32_MAX, 0, 10,          RW,              -ENODEV },
		{ 0, 1, 0,          0,           RW,              -EINVAL },
		{ 0, 1, 991,        10,          RW,              -EINVAL },	/* over the end */
		{ 0, 1, 1001,       1,           RW,              -EINVAL },
		{ 0, 1, 1ull << 32, 1,           RW,              -EINVAL },	/* 0, if it were cut to 32 bits */
		{ 0, 1, 0,          1ull << 32 | 1, RW,           -EINVAL },
		{ 0, 1, UINT64_MAX, 2,           RW,              -EINVAL },	/* wraps to 1 */
		{ 0, 1, 2,          UINT64_MAX,  RW,              -EINVAL },
		{ 0, 1, 0,          10,          0,               -EINVAL },
		{ 0, 1, 0,          10,          8 | RW,          -EINVAL },
		{ 0, 0, 299,        2,           EXTENT_READ,     -EEXIST },	/* domain 2 writes there */
		{ 0, 0, 299,        2,           RW | EXTENT_SHARED, -EEXIST },	/* and was not told to share */
		{ 0, 0, 299,        2,           EXTENT_READ | EXTENT_SHARED, 0 },
		{ 0, 1, 990,        10,          RW,              0 },
		{ 0, 0, 100,        10,          RW,              0 },	/* its own */
	};

	start();
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t extents = counters(&one, 0).extents;

		EXPECT_EQ(add_extent(&one, rows[i].number, rows[i].disk, rows[i].first, rows[i].count, rows[i].rights),
			  rows[i].error, "row %u", i);
		EXPECT_EQ(counters(&one, 0).extents, extents + !rows[i].error, "row %u", i);
	}
	EXPECT_EQ(on_extent(CONTROL_extent_info, &one, 0, (struct control_extent){ .index = 2 }), 0);
	EXPECT_EQ(control_op.u.extent.disk, 1);
	EXPECT_EQ(control_op.u.extent.first, 990);
	EXPECT_EQ(control_op.u.extent.count, 10);
	EXPECT_EQ(control_op.u.extent.rights, RW);
	EXPECT_EQ(on_extent(CONTROL_extent_info, &one, 0, (struct control_extent){ .index = 4 }), -ENODEV);
	for (unsigned int i = 0; i < 4; i++)
		EXPECT_EQ(on_extent(CONTROL_extent_remove, &one, 0, (struct control_extent){ 0 }), 0);
	EXPECT_EQ(on_extent(CONTROL_extent_remove, &one, 0, (struct control_extent){ 0 }), -ENODEV);
}

TEST(domain_0_has_all_of_each_disk_and_is_in_nobodys_way)
{
	start();
	EXPECT_EQ(vbd_count(zero.d), 2);
	EXPECT_EQ(counters(&zero, 1).sectors, SECTORS);
	memset(buffer(&zero, 0, 0), 'z', 512);
	EXPECT_EQ(done(&zero, request(&zero, VBD_WRITE, 105, 1, 0)), 0);
	EXPECT_EQ(*host_disk_bytes(0, 105), 'z');
	EXPECT_EQ(done(&one, request(&one, VBD_READ, 5, 1, 0)), 0);
	EXPECT_EQ(*buffer(&one, 0, 0), 'z');
	EXPECT_EQ(add_extent(&zero, 0, 0, 100, 10, RW), 0);
}

TEST(a_change_of_the_table_rules_new_requests_and_no_old_ones)
{
	start();
	ask(&one, request(&one, VBD_WRITE, 0, 1, 0));
	EXPECT_EQ(on_extent(CONTROL_extent_remove, &one, 0, (struct control_extent){ 0 }), 0);
	EXPECT_EQ(add_extent(&one, 0, 1, 300, 1, RW), 0);
	ask(&one, request(&one, VBD_WRITE, 1, 1, 0));
	EXPECT_EQ(last_answer(&one).status, -ENXIO);
	memset(buffer(&one, 0, 0), 'n', 512);
	ask(&one, request(&one, VBD_WRITE, 0, 1, 0));
	host_disk_end_all();
	EXPECT_EQ(*host_disk_bytes(0, 100), 'n');
	EXPECT_EQ(*host_disk_bytes(1, 300), 'n');
}

TEST(a_vbd_goes_when_its_last_request_is_done_and_takes_no_more)
{
	start();
	ask(&one, request(&one, VBD_WRITE, 0, 1, 0));
	EXPECT_EQ(on_vbd(CONTROL_vbd_destroy, &one, 0), -EAGAIN);
	EXPECT_EQ(add_extent(&one, 0, 1, 0, 1, RW), -ENODEV);
	ask(&one, request(&one, VBD_WRITE, 0, 1, 0));
	EXPECT_EQ(last_answer(&one).status, -ENODEV);
	EXPECT_EQ(on_vbd(CONTROL_vbd_destroy, &one, 0), -EAGAIN);
	host_disk_end(0, 0);
	EXPECT_EQ(on_vbd(CONTROL_vbd_destroy, &one, 0), 0);
	EXPECT_EQ(add_extent(&two, 0, 0, 100, 100, RW), 0);
}

/* ---- the end ---- */

TEST(a_ring_under_way_is_not_released)
{
	start();
	ask(&one, request(&one, VBD_READ, 0, 1, 0));
	EXPECT_EQ(ring(&one, RING_unregister), -EAGAIN);
	host_disk_end(0, 0);
	EXPECT_EQ(ring(&one, RING_unregister), 0);
	open_ring(&one);
	EXPECT_EQ(done(&one, request(&one, VBD_READ, 0, 1, 0)), 0);
}

/* It dies with @asked requests, of which @ended are done by then. */
static void die_with(unsigned int asked, unsigned int ended)
{
	static const uint8_t ops[] = { VBD_WRITE, VBD_READ, VBD_WRITE | VBD_BARRIER };
	uint32_t before;

	start_with(2, ended % 2);
	before = frame_pool_free_count();
	for (unsigned int i = 0; i < asked; i++)
		post(&one, request(&one, ops[i % 3], i, 2, i % 4));
	ring(&one, RING_kick);
	for (unsigned int i = 0; i < ended && host_disk_under_way() > 0; i++)
		host_disk_end(host_disk_under_way() - 1, 0);
	domain_kill(one.d, SHUTDOWN_crash, 0);
	for (;;) {
		while (domain_reap())
			audit_all();
		audit_all();
		if (host_disk_under_way() == 0)
			break;
		EXPECT_EQ(one.d->life, LIFE_DYING);
		EXPECT(frame_pool_free_count() <= before);
		host_disk_end(0, -EIO);
	}
	EXPECT_EQ(one.d->life, LIFE_FREE);
	EXPECT_EQ(frame_pool_free_count(), before + one.frames + 1);
	EXPECT_EQ(done(&two, request(&two, VBD_READ, 0, 1, 0)), 0);
	EXPECT_EQ(add_extent(&two, 0, 0, 100, 100, RW), 0);
}

TEST(a_domain_dies_with_requests_in_every_state_and_gives_all_back)
{
	for (unsigned int asked = 0; asked < 8; asked++)
		for (unsigned int ended = 0; ended < asked; ended++)
			die_with(asked, ended);
	die_with(VBD_SLOTS, 3);
}

TEST(a_stopped_ring_takes_no_more_and_what_is_under_way_ends)
{
	start();
	ask(&one, request(&one, VBD_WRITE, 3, 1, 0));
	header(&one)->req_prod += VBD_SLOTS + 1;
	ring(&one, RING_kick);
	EXPECT_EQ(header(&one)->flags, RING_STOPPED);
	host_disk_end(0, 0);
	EXPECT_EQ(answers(&one), 0);
	EXPECT_EQ(done(&two, request(&two, VBD_READ, 0, 1, 0)), 0);
	EXPECT_EQ(ring(&one, RING_unregister), 0);
}

TEST(there_is_one_ring_for_all_devices)
{
	struct ring_op o;

	start();
	o = (struct ring_op){ RING_register, RING_VBD, 1, three.mfn[PFN_RING], port, 0 };
	EXPECT_EQ(CALL(&three, ring_op, ARG(o)), -ENODEV);
	open_ring(&three);
	ask(&three, request(&three, VBD_INFO, 0, 1, 0));
	EXPECT_EQ(last_answer(&three).status, -ENODEV);
}
