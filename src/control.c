// SPDX-License-Identifier: MIT
#include "control.h"
#include "console.h"
#include "domain.h"
#include "frame.h"
#include "guest_copy.h"
#include "lib/string.h"
#include "machine.h"

#define FRAMES_A_LOOK	16u	/* that are handed out or filled before an interrupt is looked for: each is 1,024 stores */

/* ---- birth ---- */

/* To be printed as it is, and found by a person: visible characters, and an end. */
static bool name_ok(const char *name)
{
	uint32_t i;

	for (i = 0; i < DOMAIN_NAME && name[i]; i++)
		if (name[i] <= ' ' || name[i] > '~')
			return false;
	return i > 0 && i < DOMAIN_NAME;
}

/* The frames are promised here and handed out by frame_list(): a call's work is bounded. */
static int create(struct domain *none, struct control_op *op)
{
	const struct control_create *c = &op->u.create;
	struct domain *d;

	if (!name_ok(c->name) || c->frames == 0 || c->limit < c->frames)
		return -EINVAL;
	if (c->frames >= frame_pool_unpromised(NULL))		/* one more is for its windows */
		return -ENOMEM;
	d = domain_open(c->name, c->limit);
	if (!d)
		return -ENOSPC;
	frame_pool_promise(d, c->frames);
	op->domain = d->id;
	return 0;
}

static bool started(const struct domain *d)
{
	return d->shared != NULL;
}

/* The next @n of @d's frames at most, with their places in it: how many the builder could be told of. */
static uint32_t hand_out(struct domain *d, guest_addr_t list, uint32_t n)
{
	uint32_t mfns[FRAMES_A_LOOK], pfn = d->memory.owned.count, missed;

	n = frame_pool_take(d, mfns, MIN(n, FRAMES_A_LOOK));
	machine_m2p_fill(mfns, n, pfn);
	missed = copy_to_guest(list, mfns, n * sizeof(*mfns));
	for (; missed > 0; missed -= MIN(missed, sizeof(*mfns)))
		frame_pool_give_up(MFN(mfns[--n]));
	return n;
}

static int frame_list(struct domain *d, struct control_op *op)
{
	struct control_frames *f = &op->u.frames;
	uint32_t got, wanted = MIN(f->count, MIN(frame_pool_outstanding(d), frame_pool_unpromised(d)));
	bool list_ok = guest_array_ok(GUEST_ADDR(f->list), f->count, sizeof(uint32_t));

	if (started(d))
		return -EEXIST;
	if (f->first != d->memory.owned.count || f->list % sizeof(uint32_t))
		return -EINVAL;
	if (!list_ok)
		return -EFAULT;
	f->count = 0;
	do {
		got = hand_out(d, GUEST_ADDR(f->list + f->count * sizeof(uint32_t)), wanted - f->count);
		f->count += got;
	} while (got == FRAMES_A_LOOK && f->count < wanted && !machine_interrupt_due());
	return wanted > 0 && f->count == 0 ? -EFAULT : 0;
}

/* The frames of a list that @n bytes from byte @at of theirs on reach into. */
static int read_frames(uint32_t *frames, uint32_t list, uint32_t at, uint32_t n)
{
	uint32_t first = at / PAGE_SIZE, count = DIV_ROUND_UP(at % PAGE_SIZE + n, PAGE_SIZE);

	return copy_from_guest(frames, GUEST_ADDR(list + first * sizeof(*frames)), count * sizeof(*frames)) ? -EFAULT : 0;
}

/* The builder may read what is its own, and write where it could map a frame of @d's for writing: which is then in use so. */
static int get_both(const struct domain *builder, mfn_t from, struct domain *d, mfn_t to)
{
	const struct frame *f = frame_record(from);

	if (!f)
		return -EINVAL;
	return f->owner == builder->id ? frame_get_type(d, to, FRAME_WRITABLE) : -EPERM;
}

/* As much as lies in FRAMES_A_LOOK frames, at most. */
static int fill_some(struct domain *d, struct control_fill *f)
{
	uint32_t n = MIN(f->size - f->done, FRAMES_A_LOOK * PAGE_SIZE), step;
	uint32_t from = (f->from + f->done) % PAGE_SIZE, to = (f->to + f->done) % PAGE_SIZE, end = from + n;
	uint32_t sources[FRAMES_A_LOOK + 1], targets[FRAMES_A_LOOK + 1];
	const struct domain *builder = sched_current();
	int err = read_frames(sources, f->from_list, f->from + f->done, n);

	if (!err)
		err = read_frames(targets, f->to_list, f->to + f->done, n);
	for (; from < end && !err; from += step, to += step) {
		mfn_t source = MFN(sources[from / PAGE_SIZE]), target = MFN(targets[to / PAGE_SIZE]);

		step = MIN(end - from, PAGE_SIZE - MAX(from % PAGE_SIZE, to % PAGE_SIZE));
		err = get_both(builder, source, d, target);
		if (err)
			break;
		memcpy((char *)machine_map_frame(target, WINDOW_DATA) + to % PAGE_SIZE,
		       (char *)machine_map_frame(source, WINDOW_COPY) + from % PAGE_SIZE, step);
		frame_put_type(target);
		f->done += step;
	}
	return err;
}

static bool list_ok(uint32_t list, uint32_t end)
{
	return guest_array_ok(GUEST_ADDR(list), end / PAGE_SIZE + (end % PAGE_SIZE > 0), sizeof(uint32_t));
}

static int fill(struct domain *d, struct control_op *op)
{
	struct control_fill *f = &op->u.fill;
	int err = 0;

	if (started(d))
		return -EEXIST;
	if (f->size > UINT32_MAX - f->from || f->size > UINT32_MAX - f->to)
		return -EINVAL;
	if (!list_ok(f->from_list, f->from + f->size) || !list_ok(f->to_list, f->to + f->size))
		return -EFAULT;
	f->done = 0;
	while (f->done < f->size && !err) {
		err = fill_some(d, f);
		if (machine_interrupt_due())
			break;
	}
	return f->done > 0 ? 0 : err;
}

static int start(struct domain *d, struct control_op *op)
{
	const struct control_start *s = &op->u.start;
	int err;

	if (started(d))
		return -EEXIST;
	/* First, because whatever becomes a directory has been written to, even if it is let go again. */
	err = frame_get_type(d, MFN(s->shared), FRAME_WRITABLE);
	if (err)
		return err;
	err = paging_set_base(d, MFN(s->directory));
	if (err) {
		frame_put_type(MFN(s->shared));
		return err;
	}
	domain_set_shared(d, MFN(s->shared));
	vcpu_open(d, s->eip, s->esi);
	sched_unpause(d);
	return 0;
}

/* ---- life ---- */

/* As many steps as fit before an interrupt. The dying are not to be found, so this looks by number. */
static int destroy(struct domain *d, struct control_op *op)
{
	if (d->life == LIFE_OPEN)
		domain_kill(d, SHUTDOWN_destroyed, 0);
	while (d->life == LIFE_DYING && domain_reap())
		if (machine_interrupt_due())
			break;
	return d->life == LIFE_FREE ? 0 : -EAGAIN;
}

static int pause(struct domain *d, struct control_op *op)
{
	if (!d->control.paused)
		sched_pause(d);
	d->control.paused = true;
	return 0;
}

static int unpause(struct domain *d, struct control_op *op)
{
	if (d->control.paused)
		sched_unpause(d);
	d->control.paused = false;
	return 0;
}

static int shutdown(struct domain *d, struct control_op *op)
{
	event_raise_virq(d, VIRQ_SHUTDOWN);
	return 0;
}

/* ---- what there is ---- */

static uint32_t state_of(const struct domain *d)
{
	if (d->life == LIFE_DYING)
		return DOMAIN_DYING;
	if (d->control.paused)
		return DOMAIN_PAUSED;
	if (d->sched.paused)
		return DOMAIN_BUILDING;
	return d->sched.blocked ? DOMAIN_BLOCKED : DOMAIN_RUNNABLE;
}

static void describe(const struct domain *d, struct control_op *op)
{
	struct control_info *i = &op->u.info;

	op->domain = d->id;
	*i = (struct control_info){
		.state = state_of(d),
		.reason = d->reason,
		.frames = d->memory.owned.count,
		.limit = d->memory.limit,
		.run_time = d->vtime.used,
		.weight = d->policy.weight,
		.warp = d->policy.warp,
		.vbds = vbd_count(d),		/* lab 9 */
		.vifs = vif_count(d),		/* lab 8 */
	};
	string_copy(i->name, d->name, sizeof(i->name));
}

static int info(struct domain *any, struct control_op *op)
{
	const struct domain *d = domain_next(op->domain);

	if (!d)
		return -ESRCH;
	describe(d, op);
	return 0;
}

static int find(struct domain *any, struct control_op *op)
{
	if (!name_ok(op->u.info.name))
		return -EINVAL;
	for (const struct domain *d = domain_next(0); d; d = domain_next(d->id + 1u))
		if (d->life == LIFE_OPEN && strcmp(d->name, op->u.info.name) == 0) {
			describe(d, op);
			return 0;
		}
	return -ESRCH;
}

static int ended(struct domain *any, struct control_op *op)
{
	const struct domain *d = domain_next_ended(op->domain);

	if (!d)
		return -ESRCH;
	op->domain = d->id;
	op->u.ended = (struct control_ended){ .reason = d->reason, .status = d->status, .at = d->ended };
	string_copy(op->u.ended.name, d->name, sizeof(op->u.ended.name));
	return 0;
}

static uint32_t domain_count(void)
{
	uint32_t n = 0;

	for (const struct domain *d = domain_next(0); d; d = domain_next(d->id + 1u))
		n++;
	return n;
}

static int machine(struct domain *any, struct control_op *op)
{
	op->u.machine = (struct control_machine){
		.interface = ATELIER_INTERFACE,
		.total_kib = frame_pool_total() * (PAGE_SIZE / 1024),
		.free_kib = frame_pool_free_count() * (PAGE_SIZE / 1024),
		.tsc_khz = machine_clock_read().khz,
		.domains = domain_count(),
		.up_time = machine_now(),
	};
	string_copy(op->u.machine.build, "gcc " __VERSION__, sizeof(op->u.machine.build));
	return 0;
}

/* ---- shares, limits, the console ---- */

static int share(struct domain *d, struct control_op *op)
{
	if (op->u.sched.flags & ~SCHED_GET)
		return -EINVAL;
	if (op->u.sched.flags & SCHED_GET) {
		policy_get(d, &op->u.sched);
		return 0;
	}
	sched_reconsider();	/* first: the time until now was had with the old share */
	return policy_set(d, &op->u.sched);
}

static int set_limit(struct domain *d, struct control_op *op)
{
	balloon_set_limit(d, op->u.limit.frames);
	event_raise_virq(d, VIRQ_LIMIT);
	return 0;
}

static int console_bytes(struct domain *d, struct control_op *op)
{
	struct control_bytes *c = &op->u.console;
	int n;

	if (c->flags > 1)
		return -EINVAL;
	n = c->flags ? console_ring_input(d, GUEST_ADDR(c->buffer), c->size)
		     : console_ring_drain(d, GUEST_ADDR(c->buffer), c->size);
	c->count = MAX(n, 0);
	return MIN(n, 0);
}

static int unread(struct domain *any, struct control_op *op)
{
	for (const struct domain *d = domain_next(op->domain); d; d = domain_next(d->id + 1u))
		if (d->life == LIFE_OPEN && console_ring_unread(d)) {
			op->domain = d->id;
			return 0;
		}
	return -ESRCH;
}

/* Whether @d looks at its devices anew is its own affair. */
static int changed(struct domain *d, int err)
{
	if (!err)
		event_raise_virq(d, VIRQ_DEVICES);
	return err;
}

/* ---- network ---- */

static int create_vif(struct domain *d, struct control_op *op)
{
	return changed(d, vif_create(d, &op->u.vif));
}

static int destroy_vif(struct domain *d, struct control_op *op)
{
	struct vif *v = vif_find(d, op->u.vif.number);

	if (!v)
		return -ENODEV;
	vif_destroy(v);
	return changed(d, 0);
}

static int info_vif(struct domain *d, struct control_op *op)
{
	const struct vif *v = vif_find(d, op->u.vif.number);

	if (!v)
		return -ENODEV;
	vif_info(v, &op->u.vif);
	return 0;
}

static int add_rule(struct domain *nobody, struct control_op *op)
{
	return vfr_add(&op->u.rule);
}

static int remove_rule(struct domain *nobody, struct control_op *op)
{
	return vfr_remove(&op->u.rule);
}

static int info_rule(struct domain *nobody, struct control_op *op)
{
	return vfr_info(&op->u.rule);
}

/* ---- channels, the log ---- */

static int event_bind(struct domain *d, struct control_op *op)
{
	struct domain *peer = domain_find(NULL, op->u.event.peer);

	return peer ? event_bind_pair(d, peer, &op->u.event.port, &op->u.event.peer_port) : -ESRCH;
}

static int log_read(struct domain *none, struct control_op *op)
{
	struct control_bytes *l = &op->u.log;
	int n;

	if (l->flags)
		return -EINVAL;
	n = console_log(GUEST_ADDR(l->buffer), l->size);
	l->count = MAX(n, 0);
	return MIN(n, 0);
}

/* ---- disks ---- */

static int create_vbd(struct domain *d, struct control_op *op)
{
	return vbd_create(d, op->u.vbd.number);
}

static int destroy_vbd(struct domain *d, struct control_op *op)
{
	return changed(d, vbd_destroy(d, op->u.vbd.number));
}

static int vbd_info(struct domain *d, struct control_op *op)
{
	return vbd_get_info(d, &op->u.vbd);
}

static int add_extent(struct domain *d, struct control_op *op)
{
	return changed(d, vbd_add_extent(d, op->vbd_number, &op->u.extent));
}

static int remove_extent(struct domain *d, struct control_op *op)
{
	return changed(d, vbd_remove_extent(d, op->vbd_number));
}

static int extent_info(struct domain *d, struct control_op *op)
{
	return vbd_get_extent(d, op->vbd_number, &op->u.extent);
}

/* ---- the call ---- */

enum subject {
	NOBODY,			/* the machine, or a number to look from */
	LIVING,			/* a domain that is not dying */
	ANOTHER,		/* the same, but domain 0 */
	DYING_TOO,		/* another one, dying or not */
};

static const struct operation {
	int (*execute)(struct domain *subject, struct control_op *op);
	enum subject subject;
} operations[] = {
	[CONTROL_create] = { create, NOBODY },
	[CONTROL_frame_list] = { frame_list, ANOTHER },
	[CONTROL_fill] = { fill, ANOTHER },
	[CONTROL_start] = { start, ANOTHER },
	[CONTROL_destroy] = { destroy, DYING_TOO },
	[CONTROL_pause] = { pause, ANOTHER },
	[CONTROL_unpause] = { unpause, ANOTHER },
	[CONTROL_info] = { info, NOBODY },
	[CONTROL_ended] = { ended, NOBODY },
	[CONTROL_find] = { find, NOBODY },
	[CONTROL_unread] = { unread, NOBODY },	/* lab 6 */
	[CONTROL_machine] = { machine, NOBODY },
	[CONTROL_sched] = { share, LIVING },
	[CONTROL_limit] = { set_limit, LIVING },	/* lab 7 */
	[CONTROL_log] = { log_read, NOBODY },
	[CONTROL_console] = { console_bytes, ANOTHER },	/* lab 6 */
	[CONTROL_vif_create] = { create_vif, LIVING },	/* lab 8 */
	[CONTROL_vif_destroy] = { destroy_vif, LIVING },	/* lab 8 */
	[CONTROL_vif_info] = { info_vif, LIVING },	/* lab 8 */
	[CONTROL_rule_add] = { add_rule, NOBODY },	/* lab 8 */
	[CONTROL_rule_remove] = { remove_rule, NOBODY },	/* lab 8 */
	[CONTROL_rule_info] = { info_rule, NOBODY },	/* lab 8 */
	[CONTROL_event_bind] = { event_bind, LIVING },
	[CONTROL_shutdown] = { shutdown, ANOTHER },
	[CONTROL_vbd_create] = { create_vbd, LIVING },	/* lab 9 */
	[CONTROL_vbd_destroy] = { destroy_vbd, LIVING },	/* lab 9 */
	[CONTROL_vbd_info] = { vbd_info, LIVING },	/* lab 9 */
	[CONTROL_extent_add] = { add_extent, LIVING },	/* lab 9 */
	[CONTROL_extent_remove] = { remove_extent, LIVING },	/* lab 9 */
	[CONTROL_extent_info] = { extent_info, LIVING },	/* lab 9 */
};

static int find_subject(const struct operation *o, uint32_t id, struct domain **subject)
{
	struct domain *d;

	*subject = NULL;
	if (o->subject == NOBODY)
		return 0;
	if (o->subject != LIVING && id == 0)
		return -EINVAL;
	d = domain_next(id);
	if (!d || d->id != id || (d->life == LIFE_DYING && o->subject != DYING_TOO))
		return -ESRCH;
	*subject = d;
	return 0;
}

int do_control_op(struct domain *d, guest_addr_t at)
{
	struct domain *subject;
	struct control_op op;
	int err;

	if (!d->privileged)
		return -EPERM;
	/* Written back at once: nothing is to be done whose answer could not be told. */
	if (copy_from_guest(&op, at, sizeof(op)) || copy_to_guest(at, &op, sizeof(op)))
		return -EFAULT;
	if (op.interface != ATELIER_INTERFACE || op.op == 0 || op.op > CONTROL_fill)
		return -EINVAL;
	if (op.op >= ARRAY_SIZE(operations) || !operations[op.op].execute)
		return -ENOSYS;
	err = find_subject(&operations[op.op], op.domain, &subject);
	if (!err)
		err = operations[op.op].execute(subject, &op);
	if (!err && copy_to_guest(at, &op, sizeof(op)))
		return -EFAULT;
	return err;
}
