// SPDX-License-Identifier: MIT
/*
 * Disks. Half of the inputs go through tables: what extent_add() and extent_resolve() say is held against a list of runs in 64 bits.
 * The others are a system of three domains that ask for anything, with domain 0 changing tables and the disks ending what they are at
 * work on in any order, well or not; after each step an audit.
 */
#include <string.h>
#include "extent.h"
#include "frame.h"
#include "fuzz/reader.h"
#include "host/disk.h"
#include "host/domains.h"

#define STEPS	200u

/* ---- tables ---- */

struct model_run {
	uint64_t first, count;		/* of the disk */
	uint32_t disk;
	unsigned int rights;
};

static struct {
	struct model_run runs[EXTENTS];
	unsigned int count;
} model;

/* A number that is small, or close to a border. */
static uint32_t take_number(struct reader *r)
{
	uint8_t b = take8(r);

	switch (b >> 6) {
	case 0:
		return UINT32_MAX - (b & 63);
	case 1:
		return 0x80000000u - 32 + (b & 63);
	}
	return b & 127;
}

static uint64_t model_end(void)
{
	uint64_t end = 0;

	for (unsigned int i = 0; i < model.count; i++)
		end += model.runs[i].count;
	return end;
}

static void do_add(struct reader *r, struct extent_table *t)
{
	struct model_run m = { take_number(r), take_number(r), take_of(r, 2), take_of(r, 16) };
	struct rrun real = { m.disk, { m.first }, m.count };
	int err = extent_add(t, real, m.rights), want = 0;

	if (m.count == 0 || m.first + m.count > UINT32_MAX || model_end() + m.count > UINT32_MAX ||
	    m.rights > 7 || (m.rights & 3) == 0)
		want = -EINVAL;
	else if (model.count == EXTENTS)
		want = -ENOSPC;
	if (err != want)
		host_panic("extent_add() of %llu at %llu, rights %u: %d, not %d", m.count, m.first, m.rights, err, want);
	if (!err)
		model.runs[model.count++] = m;
}

static void do_remove(struct extent_table *t)
{
	int err = extent_remove(t);

	if (err != (model.count ? 0 : -ENODEV))
		host_panic("extent_remove() of %u: %d", model.count, err);
	model.count -= model.count > 0;
}

/* What a request must come to: a negative error, or the runs. */
static int expected(uint64_t first, uint64_t count, unsigned int need, struct model_run *out, unsigned int max)
{
	unsigned int n = 0;
	uint64_t at = 0;

	if (count == 0 || first + count > UINT32_MAX)
		return -EINVAL;
	for (unsigned int i = 0; i < model.count && count > 0; at += model.runs[i++].count) {
		const struct model_run *m = &model.runs[i];
		uint64_t skip = first - at, take;

		if (first >= at + m->count)
			continue;
		if ((m->rights & need) != need)
			return -EACCES;
		if (n == max)
			return -E2BIG;
		take = MIN(m->count - skip, count);
		out[n++] = (struct model_run){ m->first + skip, take, m->disk, 0 };
		first += take;
		count -= take;
	}
	return count > 0 ? -ENXIO : (int)n;
}

static void do_resolve(struct reader *r, const struct extent_table *t)
{
	struct vrun want = { { take_number(r) }, take_number(r) };
	unsigned int need = 1 + take_of(r, 3), max = take_of(r, EXTENTS + 1);
	struct model_run must[EXTENTS];
	struct rrun out[EXTENTS];
	int n = extent_resolve(t, want, need, out, max);
	int wanted = expected(want.first.n, want.count, need, must, max);

	if (n != wanted)
		host_panic("extent_resolve() of %u at %u: %d, not %d", want.count, want.first.n, n, wanted);
	for (int i = 0; i < n; i++)
		if (out[i].disk != must[i].disk || out[i].first.n != must[i].first || out[i].count != must[i].count)
			host_panic("run %d of %u at %u: %u at %u", i, want.count, want.first.n, out[i].count, out[i].first.n);
}

/* By rule and by 64 bits. */
static void do_conflict(struct reader *r, const struct extent_table *t)
{
	struct rrun real = { take_of(r, 2), { take_number(r) }, take_number(r) };
	unsigned int rights = take_of(r, 8);
	bool want = false;

	if (real.count > UINT32_MAX - real.first.n)
		return;
	for (unsigned int i = 0; i < model.count; i++) {
		const struct model_run *m = &model.runs[i];
		uint64_t low = MAX(m->first, real.first.n), high = MIN(m->first + m->count, (uint64_t)real.first.n + real.count);

		if (m->disk != real.disk || low >= high)
			continue;
		want |= (m->rights & 2) && !(rights & 4);
		want |= (rights & 2) && !(m->rights & 4);
	}
	if (extent_conflict(t, real, rights) != want)
		host_panic("extent_conflict() of %u at %u: %d", real.count, real.first.n, !want);
}

static void try_tables(struct reader *r)
{
	struct extent_table t = { 0 };

	model.count = 0;
	while (r->left > 0) {
		switch (take_of(r, 8)) {
		case 0 ... 2:
			do_add(r, &t);
			break;
		case 3:
			do_remove(&t);
			break;
		case 4:
			do_conflict(r, &t);
			break;
		default:
			do_resolve(r, &t);
		}
		if (!extent_check(&t) || t.count != model.count || extent_end(&t) != model_end())
			host_panic("the table is out of order");
	}
}

/* ---- systems ---- */

#define FRAMES		8u
#define PFN_RING	PFN_DATA
#define SECTORS		64u

static struct guest guests[3];
static uint32_t port;

static void control(struct control_op op)
{
	op.interface = ATELIER_INTERFACE;
	CALL(&guests[0], control_op, ARG(op));
}

static void ring(struct guest *g, uint32_t op)
{
	struct ring_op o = { op, RING_VBD, 0, g->mfn[PFN_RING], port, 0 };

	if (g->d->life == LIFE_OPEN)
		CALL(g, ring_op, ARG(o));
}

static void open_ring(struct guest *g)
{
	struct event_channel_op op = { .op = EVENT_alloc_unbound };
	uint32_t at = ARG(op);

	CALL(g, event_channel_op, at);
	port = ((struct event_channel_op *)host_arg_bytes(at))->port;
	ring(g, RING_register);
}

static void start_system(void)
{
	host_start(48);
	host_disk_add(SECTORS, 1, true);
	host_disk_add(SECTORS, 3, false);
	for (unsigned int i = 0; i < 3; i++)
		guests[i] = host_domain(FRAMES);
	vbd_give_disks(guests[0].d);
	for (unsigned int i = 0; i < 3; i++)
		open_ring(&guests[i]);
	host_enter(&guests[0]);
}

static struct control_op table_op(struct reader *r, uint32_t op)
{
	struct control_op o = { .op = op, .domain = take_of(r, 3) };

	if (op == CONTROL_vbd_create || op == CONTROL_vbd_destroy || op == CONTROL_vbd_info) {
		o.u.vbd.number = take_of(r, 3);
		return o;
	}
	o.vbd_number = take_of(r, 3);
	o.u.extent = (struct control_extent){ take_of(r, 4), take_of(r, 3), take_of(r, 10), 0, take_of(r, SECTORS + 2), take_of(r, 20) };
	return o;
}

/* A word that the guest may have meant, or not. */
static void put_request(struct reader *r, struct guest *g)
{
	struct ring_header *h = host_frame(g->mfn[PFN_RING]);
	struct vbd_request *q = (struct vbd_request *)(h + 1) + h->req_prod % VBD_SLOTS;

	*q = (struct vbd_request){ .id = take8(r), .op = take_of(r, 9), .pieces = take_of(r, VBD_PIECES + 2) };
	q->device = take_of(r, 3);
	q->sector = take_of(r, SECTORS + 10);
	for (unsigned int i = 0; i < MIN(q->pieces, VBD_PIECES); i++) {
		q->piece[i].frame = guests[take_of(r, 16) < 15 ? g - guests : 1].mfn[take_of(r, FRAMES)];
		q->piece[i].first = take_of(r, 9);
		q->piece[i].count = take_of(r, 9);
	}
	h->req_prod++;
}

static void end_some(struct reader *r)
{
	unsigned int n = host_disk_under_way();

	if (n > 0)
		host_disk_end(take_of(r, n), take_of(r, 4) == 0 ? -EIO : 0);
}

static void step(struct reader *r)
{
	static const uint8_t table_ops[] = {
		CONTROL_vbd_create, CONTROL_vbd_destroy, CONTROL_extent_add, CONTROL_extent_add, CONTROL_extent_add,
		CONTROL_extent_remove, CONTROL_extent_info, CONTROL_vbd_info,
	};
	struct guest *g = &guests[take_of(r, 3)];

	switch (take_of(r, 16)) {
	case 0 ... 3:
		control(table_op(r, table_ops[take_of(r, ARRAY_SIZE(table_ops))]));
		break;
	case 4 ... 8:
		if (g->d->life == LIFE_OPEN)
			put_request(r, g);
		break;
	case 9 ... 10:
		ring(g, RING_kick);
		break;
	case 11 ... 13:
		end_some(r);
		break;
	case 14:
		ring(g, take_of(r, 2) ? RING_register : RING_unregister);
		break;
	case 15:
		if (g != &guests[0] && g->d->life == LIFE_OPEN && take_of(r, 8) == 0)
			domain_kill(g->d, SHUTDOWN_crash, 0);
		domain_reap();
	}
	check(audit_memory());
}

static void try_system(struct reader *r)
{
	start_system();
	for (unsigned int i = 0; i < STEPS && r->left > 0; i++)
		step(r);
	host_disk_end_all();
	while (domain_reap())
		;
	for (unsigned int i = 1; i < 3; i++)
		if (guests[i].d->life == LIFE_DYING)
			host_panic("domain %u does not come to its end", i);
	audit_all();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct reader r = { bytes, size };

	if (take8(&r) % 2)
		try_tables(&r);
	else
		try_system(&r);
	return 0;
}
