// SPDX-License-Identifier: MIT
#include "vbd.h"
#include "console.h"
#include "crash.h"
#include "domain.h"
#include "lib/string.h"
#include "machine.h"
#include "ring.h"

#define SECTOR		512u
#define FRAME_SECTORS	(PAGE_SIZE / SECTOR)

/* A request's jobs: one for each run, and for a barrier flushes of all disks before and after them. */
#define JOBS_A_REQUEST	(EXTENTS + 2 * MACHINE_DISKS)
#define JOBS		(VBD_REQUESTS + 2 * JOBS_A_REQUEST)

struct vbd {
	struct domain *domain;		/* NULL: it is free */
	uint32_t number;
	struct extent_table table;
	uint32_t disks;			/* bit n: it has or had an extent on disk n */
	bool closing;			/* takes no more requests */
	unsigned int under_way;
	uint64_t reads, writes, errors;
};

/* A request that was taken up. */
struct vbd_io {
	struct list free;
	struct ring *ring;		/* NULL: none; not released while this is under way */
	struct vbd *vbd;
	struct vbd_request request;	/* the only copy that anybody looks at */
	unsigned int jobs_left;
	int status;
};

struct vbd_job {
	struct disk_job job;		/* free ones are linked by @waiting */
	struct vbd_io *io;
	uint32_t skip;			/* sectors of the request before this run */
};

static struct {
	struct vbd pool[VBD_POOL];
	struct vbd_io ios[VBD_REQUESTS];
	struct vbd_job jobs[JOBS];
	struct list free_ios, free_jobs;
	unsigned int free_io_count, free_job_count;
	struct list round;		/* domains that may have requests */
	unsigned int running[MACHINE_DISKS];	/* transfers that the disk is at work on */
} vbd;

#define for_each_vbd(v) \
	for (struct vbd *v = vbd.pool; v < vbd.pool + VBD_POOL; v++) \
		if (v->domain)

/* ---- VBDs ---- */

static struct vbd *find_vbd(const struct domain *d, uint32_t number)
{
	return number < VBD_DEVICES ? d->vbds.devices[number] : NULL;
}

int vbd_create(struct domain *d, uint32_t number)
{
	if (number >= VBD_DEVICES)
		return -EINVAL;
	if (d->vbds.devices[number])
		return -EEXIST;
	for (struct vbd *v = vbd.pool; v < vbd.pool + VBD_POOL; v++)
		if (!v->domain) {
			*v = (struct vbd){ .domain = d, .number = number };
			d->vbds.devices[number] = v;
			return 0;
		}
	return -ENOSPC;
}

int vbd_destroy(struct domain *d, uint32_t number)
{
	struct vbd *v = find_vbd(d, number);

	if (!v)
		return -ENODEV;
	v->closing = true;
	if (v->under_way > 0)
		return -EAGAIN;
	d->vbds.devices[number] = NULL;
	v->domain = NULL;
	return 0;
}

void vbds_open(struct domain *d)
{
	list_init(&d->vbds.round);
	disk_order_open(&d->vbds.order);
}

void vbds_destroy(struct domain *d)
{
	for (uint32_t i = 0; i < VBD_DEVICES; i++) {
		int err = vbd_destroy(d, i);

		ASSERT(err != -EAGAIN);
	}
}

unsigned int vbd_count(const struct domain *d)
{
	unsigned int n = 0;

	for (uint32_t i = 0; i < VBD_DEVICES; i++)
		n += d->vbds.devices[i] != NULL;
	return n;
}

int vbd_get_info(struct domain *d, struct control_vbd *info)
{
	const struct vbd *v = NULL;

	for (uint32_t i = info->number; i < VBD_DEVICES && !v; i++)
		v = d->vbds.devices[i];
	if (!v)
		return -ENODEV;
	*info = (struct control_vbd){ v->number, v->table.count, extent_end(&v->table), v->reads, v->writes, v->errors };
	return 0;
}

/* ---- extents ---- */

/* Whether another domain is in the way of extent @real. Domain 0's raw access is in nobody's. */
static bool conflicts(const struct domain *d, struct rrun real, unsigned int rights)
{
	if (d->privileged)
		return false;
	for_each_vbd(v)
		if (v->domain != d && !v->domain->privileged && extent_conflict(&v->table, real, rights))
			return true;
	return false;
}

/* Whether sectors @first and @count more lie on a disk. */
static bool on_disk(uint32_t disk, uint64_t first, uint64_t count)
{
	uint32_t sectors = machine_disk(disk).sectors;

	return first <= sectors && count <= sectors - first;
}

int vbd_add_extent(struct domain *d, uint32_t number, const struct control_extent *e)
{
	struct rrun real = { e->disk, { e->first }, e->count };
	struct vbd *v = find_vbd(d, number);
	int err;

	if (!v || v->closing || e->disk >= machine_disk_count())
		return -ENODEV;
	if (e->reserved || !on_disk(e->disk, e->first, e->count))
		return -EINVAL;
	err = extent_add(&v->table, real, e->rights);
	if (err)
		return err;
	if (conflicts(d, real, e->rights)) {
		extent_remove(&v->table);
		return -EEXIST;
	}
	v->disks |= 1u << e->disk;
	return 0;
}

int vbd_remove_extent(struct domain *d, uint32_t number)
{
	struct vbd *v = find_vbd(d, number);

	return v ? extent_remove(&v->table) : -ENODEV;
}

int vbd_get_extent(struct domain *d, uint32_t number, struct control_extent *info)
{
	const struct vbd *v = find_vbd(d, number);
	const struct extent *e;

	if (!v || info->index >= v->table.count)
		return -ENODEV;
	e = &v->table.extents[info->index];
	*info = (struct control_extent){ info->index, e->real.disk, e->rights, 0, e->real.first.n, e->real.count };
	return 0;
}

void vbd_give_disks(struct domain *d)
{
	for (uint32_t i = 0; i < machine_disk_count(); i++) {
		struct control_extent all = { 0, i, DISK_READ | DISK_WRITE | DISK_SHARED, 0, 0, machine_disk(i).sectors };
		int err = vbd_create(d, i);

		if (!err)
			err = vbd_add_extent(d, i, &all);
		if (err)
			console_printf("disk %u is not domain 0's: error %d\n", i, err);
	}
}

/* ---- the round ---- */

/* For @requests of them, and the last one may be the largest that there is. */
static bool room_for(unsigned int requests)
{
	return vbd.free_io_count >= requests && vbd.free_job_count >= JOBS_A_REQUEST;
}

void vbd_wake(struct domain *d)
{
	if (list_empty(&d->vbds.round))
		list_insert(&d->vbds.round, &vbd.round);
}

/* One turn; whether there may be requests left. */
static bool turn(struct ring *r)
{
	struct vbd_request request;

	for (unsigned int i = 0; i < VBD_BATCH && room_for(1); i++) {
		if (ring_take(r, &request) <= 0)
			return ring_more(r);
		vbd_request(r, &request);
	}
	return true;
}

void vbd_poll(void)
{
	while (!list_empty(&vbd.round) && room_for(MIN(VBD_BATCH, VBD_REQUESTS))) {
		struct domain *d = list_entry(vbd.round.next, struct domain, vbds.round);
		struct ring *r = ring_find(d, RING_VBD, 0);

		list_remove(&d->vbds.round);
		if (turn(r))
			vbd_wake(d);
	}
}

/* ---- a request's memory ---- */

static bool device_writes(const struct vbd_request *q)
{
	return q->op == VBD_READ || q->op == VBD_INFO;
}

static void drop(const struct vbd_request *q, unsigned int pieces)
{
	while (pieces-- > 0) {
		if (device_writes(q))
			frame_put_type(MFN(q->piece[pieces].frame));
		else
			frame_put(MFN(q->piece[pieces].frame));
	}
}

/* All pieces' frames, or none. Of what nobody writes the type does not matter. */
static int hold(struct domain *d, const struct vbd_request *q)
{
	for (unsigned int i = 0; i < q->pieces; i++) {
		mfn_t mfn = MFN(q->piece[i].frame);
		int err = device_writes(q) ? frame_get_type(d, mfn, FRAME_WRITABLE) : frame_get(d, mfn);

		if (err) {
			drop(q, i);
			return -EINVAL;
		}
	}
	return 0;
}

/* ---- judging a request ---- */

/* The sectors of all pieces together, 0 if one of them is no run of sectors in a frame. */
static uint32_t count_sectors(const struct vbd_request *q)
{
	uint32_t count = 0;

	for (unsigned int i = 0; i < q->pieces; i++) {
		if (q->piece[i].reserved || q->piece[i].count == 0 ||
		    q->piece[i].first + q->piece[i].count > FRAME_SECTORS)
			return 0;
		count += q->piece[i].count;
	}
	return count;
}

/* The runs of a read or write request to @runs, their number; or why it is refused. */
static int translate(const struct vbd *v, const struct vbd_request *q, struct rrun *runs)
{
	struct vrun want = { { q->sector }, 0 };

	if (q->pieces > VBD_PIECES)
		return -EINVAL;
	want.count = count_sectors(q);
	if (want.count == 0)
		return -EINVAL;
	if (q->sector > UINT32_MAX - want.count)
		return -ENXIO;
	return extent_resolve(&v->table, want, device_writes(q) ? DISK_READ : DISK_WRITE, runs, EXTENTS);
}

/* ---- jobs ---- */

static void make_job(struct vbd_io *io, enum machine_transfer_kind kind, struct rrun run, uint32_t skip, struct list *jobs)
{
	struct vbd_job *j = list_entry(vbd.free_jobs.next, struct vbd_job, job.waiting);

	list_remove(&j->job.waiting);
	vbd.free_job_count--;
	j->job.kind = kind;
	j->job.run = run;
	j->io = io;
	j->skip = skip;
	io->jobs_left++;
	list_insert(&j->job.waiting, jobs);
}

static void make_runs(struct vbd_io *io, const struct rrun *runs, unsigned int count, struct list *jobs)
{
	enum machine_transfer_kind kind = device_writes(&io->request) ? TRANSFER_READ : TRANSFER_WRITE;
	uint32_t skip = 0;

	for (unsigned int i = 0; i < count; i++) {
		make_job(io, kind, runs[i], skip, jobs);
		skip += runs[i].count;
	}
}

/* Those of some disks that must be flushed to be sure. */
static uint32_t caching(uint32_t disks)
{
	for (uint32_t i = 0; i < machine_disk_count(); i++)
		if (!machine_disk(i).caches)
			disks &= ~(1u << i);
	return disks;
}

static void make_flushes(struct vbd_io *io, uint32_t disks, struct list *jobs)
{
	for (uint32_t i = 0; i < MACHINE_DISKS; i++)
		if (disks >> i & 1)
			make_job(io, TRANSFER_FLUSH, (struct rrun){ .disk = i }, 0, jobs);
}

static uint32_t disks_of(const struct domain *d)
{
	uint32_t disks = 0;

	for (uint32_t i = 0; i < VBD_DEVICES; i++)
		if (d->vbds.devices[i])
			disks |= d->vbds.devices[i]->disks;
	return disks;
}

/* ---- a request's life ---- */

static void answer(struct ring *r, const struct vbd_request *q, int status)
{
	ring_respond(r, &(struct vbd_response){ .id = q->id, .status = status }, 1);
}

static struct vbd_io *open_io(struct ring *r, struct vbd *v, const struct vbd_request *q)
{
	struct vbd_io *io = list_entry(vbd.free_ios.next, struct vbd_io, free);

	list_remove(&io->free);
	vbd.free_io_count--;
	io->ring = r;
	io->vbd = v;
	io->jobs_left = 0;
	io->status = 0;
	memcpy(&io->request, q, sizeof(*q));
	v->under_way++;
	return io;
}

/* All jobs are done: nobody touches the memory any more. */
static void close_io(struct vbd_io *io)
{
	drop(&io->request, io->request.pieces);
	io->vbd->under_way--;
	if (io->status)
		io->vbd->errors++;
	answer(io->ring, &io->request, io->status);
	io->ring = NULL;
	list_insert(&io->free, &vbd.free_ios);
	vbd.free_io_count++;
}

/* The following: 0 or an error to be answered at once, or UNDER_WAY. */
#define UNDER_WAY	1

static int do_info(struct domain *d, const struct vbd *v, const struct vbd_request *q)
{
	struct vbd_info info = { extent_end(&v->table), v->table.count > 0 ? DISK_READ | DISK_WRITE : 0, 0 };
	uint8_t *at;

	if (q->pieces != 1 || q->sector || count_sectors(q) != 1 || hold(d, q))
		return -EINVAL;
	for (unsigned int i = 0; i < v->table.count; i++)
		info.rights &= v->table.extents[i].rights;
	at = (uint8_t *)machine_map_frame(MFN(q->piece[0].frame), WINDOW_COPY) + q->piece[0].first * SECTOR;
	memset(at, 0, SECTOR);
	memcpy(at, &info, sizeof(info));
	drop(q, 1);
	return 0;
}

static int do_flush(struct ring *r, struct vbd *v, const struct vbd_request *q)
{
	struct list jobs = LIST_INIT(jobs);
	uint32_t disks = caching(v->disks);

	if (q->pieces || q->sector)
		return -EINVAL;
	if (!disks)
		return 0;
	make_flushes(open_io(r, v, q), disks, &jobs);
	disk_queue_add(&r->domain->vbds.order, &jobs, false);
	return UNDER_WAY;
}

/*
 * What a barrier keeps apart must be apart when the power fails as well: what a disk only remembers is
 * flushed before and after it.
 */
static void add_barrier(struct vbd_io *io, struct list *runs)
{
	struct domain *d = io->ring->domain;
	uint32_t disks = caching(disks_of(d));
	struct list before = LIST_INIT(before), after = LIST_INIT(after);

	if (disks) {
		make_flushes(io, disks, &before);
		disk_queue_add(&d->vbds.order, &before, true);
	}
	disk_queue_add(&d->vbds.order, runs, true);
	if (disks) {
		make_flushes(io, disks, &after);
		disk_queue_add(&d->vbds.order, &after, true);
	}
}

static int do_transfer(struct ring *r, struct vbd *v, const struct vbd_request *q)
{
	struct list jobs = LIST_INIT(jobs);
	struct rrun runs[EXTENTS];
	int count = translate(v, q, runs);
	struct vbd_io *io;

	if (count < 0)
		return count;
	if (hold(r->domain, q))
		return -EINVAL;
	io = open_io(r, v, q);
	make_runs(io, runs, count, &jobs);
	if (q->op & VBD_BARRIER)
		add_barrier(io, &jobs);
	else
		disk_queue_add(&r->domain->vbds.order, &jobs, false);
	*(device_writes(q) ? &v->reads : &v->writes) += 1;
	return UNDER_WAY;
}

static int take_up(struct ring *r, const struct vbd_request *q)
{
	struct vbd *v = find_vbd(r->domain, q->device);

	if (!v || v->closing)
		return -ENODEV;
	switch (q->op) {
	case VBD_READ:
	case VBD_WRITE:
	case VBD_WRITE | VBD_BARRIER:
		return do_transfer(r, v, q);
	case VBD_FLUSH:
		return do_flush(r, v, q);
	case VBD_INFO:
		return do_info(r->domain, v, q);
	}
	return -EINVAL;
}

void vbd_request(struct ring *r, const struct vbd_request *request)
{
	int status = take_up(r, request);

	if (status != UNDER_WAY)
		answer(r, request, status);
}

void vbd_done(struct disk_job *job, int error)
{
	struct vbd_job *j = container_of(job, struct vbd_job, job);
	struct vbd_io *io = j->io;

	if (error && !io->status)
		io->status = error;
	list_insert(&job->waiting, &vbd.free_jobs);
	vbd.free_job_count++;
	if (--io->jobs_left == 0)
		close_io(io);
}

/* ---- the devices ---- */

/* The memory of a job's run: sectors @skip to @skip + @count of what its request's pieces are together. */
static void fill_pieces(struct machine_transfer *t, const struct vbd_request *q, uint32_t skip, uint32_t count)
{
	t->pieces = 0;
	for (unsigned int i = 0; count > 0; i++) {
		uint32_t take = q->piece[i].count;

		if (skip >= take) {
			skip -= take;
			continue;
		}
		take = MIN(take - skip, count);
		t->piece[t->pieces].start = q->piece[i].frame * PAGE_SIZE + (q->piece[i].first + skip) * SECTOR;
		t->piece[t->pieces++].sectors = take;
		count -= take;
		skip = 0;
	}
}

static void start_job(struct disk_job *job)
{
	const struct vbd_job *j = container_of(job, struct vbd_job, job);
	struct machine_transfer t;

	t.kind = job->kind;
	t.sector = job->run.first.n;
	t.count = job->run.count;
	fill_pieces(&t, &j->io->request, j->skip, job->run.count);
	vbd.running[job->run.disk]++;
	machine_disk_start(job->run.disk, &t, job);
	sched_bill(j->io->ring->domain);
}

static void start_jobs(void)
{
	struct disk_job *job;

	for (uint32_t i = 0; i < machine_disk_count(); i++)
		while (vbd.running[i] < machine_disk(i).depth && (job = disk_queue_next(i)))
			start_job(job);
}

void disk_done(void *tag, int error)
{
	struct disk_job *job = tag;

	/* All that the interrupt was for until here, and the answer. */
	struct domain *d = container_of(job, struct vbd_job, job)->io->ring->domain;

	vbd.running[job->run.disk]--;
	disk_queue_done(job);
	vbd_done(job, error);
	sched_bill(d);
	if (room_for(VBD_REQUESTS / 2))
		vbd_poll();
	start_jobs();
}

/* ---- the ring's side ---- */

/* Every domain may have one: its devices may come later. */
static bool present(const struct domain *d, uint32_t device)
{
	return device == 0;
}

static void kick(struct ring *r)
{
	vbd_wake(r->domain);
	vbd_poll();
	start_jobs();
}

/* What was taken up goes on to its end, and is answered then. */
static void stopped(struct ring *r)
{
	list_remove(&r->domain->vbds.round);
}

static const struct ring_class class = {
	.slots = VBD_SLOTS,
	.request = sizeof(struct vbd_request),
	.response = sizeof(struct vbd_response),
	.present = present,
	.kick = kick,
	.stopped = stopped,
};

void vbd_init(void)
{
	memset(&vbd, 0, sizeof(vbd));
	list_init(&vbd.free_ios);
	list_init(&vbd.free_jobs);
	list_init(&vbd.round);
	for (unsigned int i = 0; i < VBD_REQUESTS; i++)
		list_insert(&vbd.ios[i].free, &vbd.free_ios);
	for (unsigned int i = 0; i < JOBS; i++)
		list_insert(&vbd.jobs[i].job.waiting, &vbd.free_jobs);
	vbd.free_io_count = VBD_REQUESTS;
	vbd.free_job_count = JOBS;
	disk_queue_init();
	ring_register_class(RING_VBD, &class);
	frame_register_holder(vbd_each_hold);
}

/* ---- auditors ---- */

void vbd_each_hold(frame_see_fn *see)
{
	for (const struct vbd_io *io = vbd.ios; io < vbd.ios + VBD_REQUESTS; io++)
		for (unsigned int i = 0; io->ring && i < io->request.pieces; i++)
			see(MFN(io->request.piece[i].frame), device_writes(&io->request) ? FRAME_WRITABLE : FRAME_NONE);
}

static unsigned int under_way(const struct vbd *v, const struct ring *r)
{
	unsigned int n = 0;

	for (const struct vbd_io *io = vbd.ios; io < vbd.ios + VBD_REQUESTS; io++)
		n += io->ring && (io->vbd == v || io->ring == r);
	return n;
}

static bool all_apart(const struct vbd *v)
{
	for (const struct extent *e = v->table.extents; e < v->table.extents + v->table.count; e++)
		if (conflicts(v->domain, e->real, e->rights))
			return false;
	return true;
}

/* NULL, or what is wrong with it. */
static const char *fault_of(const struct vbd *v)
{
	if (v->domain->life == LIFE_FREE || v->domain->vbds.devices[v->number] != v)
		return "its domain does not know it";
	if (!extent_check(&v->table))
		return "its extents are out of order";
	if (!all_apart(v))
		return "another domain has the same sectors";
	if (v->under_way != under_way(v, NULL))
		return "more or less is under way than was counted";
	return NULL;
}

bool vbd_check(void)
{
	for_each_vbd(v) {
		const char *fault = fault_of(v);

		if (!fault)
			continue;
		console_printf("vbd_check: domain %u, VBD %u: %s\n", v->domain->id, v->number, fault);
		return false;
	}
	for (struct domain *d = domain_next(0); d; d = domain_next(d->id + 1u)) {
		struct ring *r = ring_find(d, RING_VBD, 0);

		if (r && r->class == &class && r->taken - r->answered != under_way(NULL, r)) {
			console_printf("vbd_check: domain %u: its ring has another count\n", d->id);
			return false;
		}
	}
	return disk_queue_check();
}
