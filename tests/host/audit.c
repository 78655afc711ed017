// SPDX-License-Identifier: MIT
#include "host/audit.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "domain.h"
#include "frame.h"
#include "host/disk.h"		/* lab 9 */
#include "host/host.h"
#include "host/tlb_model.h"
#include "host/wire.h"		/* lab 8 */
#include "paging.h"
#include "segment.h"		/* lab 4 */

/* The bits of a present entry, from the manual and the interface, not from src/paging.h. */
#define P		0x001u
#define RW		0x002u
#define ALLOWED		0xe67u		/* P RW US A D, and the three that the processor ignores */
/* How many descriptors of a frame are looked at: the explorer's machines have nothing behind the first few. */
#ifndef AUDIT_DESCRIPTORS
#define AUDIT_DESCRIPTORS	GDT_ENTRIES_A_FRAME
#endif
#define TABLES(type)	((type) == FRAME_TABLE || (type) == FRAME_DIRECTORY)

static struct {
	char text[160];
	bool failed;
	uint32_t refs[HOST_FRAMES], uses[HOST_FRAMES];	/* as found */
} state;

static void wrong(const char *format, ...) PRINTF_LIKE(1, 2);
static void wrong(const char *format, ...)
{
	va_list args;

	if (state.failed)
		return;
	state.failed = true;
	va_start(args, format);
	vsnprintf(state.text, sizeof(state.text), format, args);
	va_end(args);
}

static const struct frame *record(uint32_t mfn)
{
	return frame_record(MFN(mfn));
}

/* A reference, and a use as @type if that is not FRAME_NONE. */
static void found(uint32_t mfn, enum frame_type type, const char *who)
{
	if (mfn >= host.frames) {
		wrong("M2: %s names frame 0x%x, which does not exist", who, mfn);
		return;
	}
	state.refs[mfn]++;
	if (type == FRAME_NONE)
		return;
	state.uses[mfn]++;
	if (record(mfn)->type != type)
		wrong("M4: %s uses frame 0x%x as type %d, and it is of type %d", who, mfn, type, record(mfn)->type);
}

/* ---- page tables ---- */

static bool is_table(uint32_t mfn)
{
	const struct frame *f = record(mfn);

	return f->uses > 0 && TABLES(f->type);
}

/* Whether a table of @owner may name @mfn. Domain 0 may map whatever has a domain for its owner. */
static bool may_name(domid_t owner, uint32_t mfn)
{
	domid_t of;

	if (mfn >= host.frames)
		return false;
	of = record(mfn)->owner;
	return of == owner || (owner == 0 && of < MAX_DOMAINS);
}

static void check_entry(uint32_t table, uint32_t i, uint32_t e)
{
	if (e & 0xfff & ~ALLOWED)
		wrong("M5: entry %u of frame 0x%x has forbidden bits: 0x%x", i, table, e);
	if (!may_name(record(table)->owner, e >> 12))
		wrong("M5: entry %u of frame 0x%x maps a frame that is not the domain's: 0x%x", i, table, e);
}

static void count_table(uint32_t mfn)
{
	const uint32_t *entries = host_frame(mfn);

	for (uint32_t i = 0; i < TABLE_ENTRIES; i++) {
		if (!(entries[i] & P))
			continue;
		check_entry(mfn, i, entries[i]);
		found(entries[i] >> 12, entries[i] & RW ? FRAME_WRITABLE : FRAME_NONE, "a page table");
	}
}

/* @from maps the directory @to, another one. */
static void count_linear(uint32_t from, uint32_t to)
{
	const uint32_t *entries = host_frame(to);

	for (uint32_t i = 0; i < GUEST_SLOTS; i++)
		if ((entries[i] & P) && entries[i] >> 12 != to && entries[i] >> 12 < host.frames &&
		    record(entries[i] >> 12)->type == FRAME_DIRECTORY)
			wrong("M11: directory 0x%x maps 0x%x, which maps a third", from, to);
	found(to, FRAME_DIRECTORY, "a linear entry");
}

static void count_directory_entry(uint32_t mfn, uint32_t e)
{
	uint32_t to = e >> 12;

	if (to >= host.frames)
		return;
	if (record(to)->type != FRAME_DIRECTORY) {
		found(to, FRAME_TABLE, "a page directory");
		return;
	}
	if (e & RW)
		wrong("M4: directory 0x%x maps directory 0x%x writable", mfn, to);
	if (to == mfn)
		found(to, FRAME_NONE, "a self-map");
	else
		count_linear(mfn, to);
}

static void count_directory(uint32_t mfn)
{
	const uint32_t *entries = host_frame(mfn);

	for (uint32_t i = 0; i < GUEST_SLOTS; i++) {
		if (!(entries[i] & P))
			continue;
		check_entry(mfn, i, entries[i]);
		count_directory_entry(mfn, entries[i]);
	}
	if (!machine_directory_ok(entries, record(mfn)->owner))
		wrong("M5: directory 0x%x: a slot of the hypervisor's is not its own", mfn);
}

static void count_tables(void)
{
	for (uint32_t mfn = 0; mfn < host.frames; mfn++) {
		const struct frame *f = record(mfn);

		if (f->reserved)
			found(mfn, FRAME_NONE, "a reservation");
		if (f->pinned)
			found(mfn, TABLES(f->type) ? f->type : FRAME_TABLE, "a pin");
		if (!is_table(mfn))
			continue;
		if (f->type == FRAME_TABLE)
			count_table(mfn);
		else
			count_directory(mfn);
	}
}

/* ---- domains ---- */

static void count_segments(const struct domain *d)
{
	const struct host_slot *s = &host.slots[d->id];

	for (unsigned int i = 0; i < GDT_FRAMES; i++) {
		if (!mfn_equal(s->gdt[i], d->segments.gdt[i]) || !mfn_equal(s->ldt[i], d->segments.ldt[i]))
			wrong("S2: domain %u: the processor has another descriptor table at %u", d->id, i);
		if (s->gdt[i].n != MFN_NONE.n)
			found(s->gdt[i].n, FRAME_GDT, "a GDT");
		if (s->ldt[i].n != MFN_NONE.n)
			found(s->ldt[i].n, FRAME_LDT, "an LDT");
	}
}

static void count_rings(const struct domain *d)
{
	for (unsigned int class = 0; class < RING_CLASSES; class ++)
		for (uint32_t i = 0; i < RING_DEVICES; i++)
			if (d->rings.rings[class][i].class)
				found(d->rings.rings[class][i].frame.n, FRAME_WRITABLE, "a ring");
}

/* Frames of packets that wait, and frames to receive into. */
static void count_vif(const struct vif *v)
{
	for (uint32_t i = v->take; i != v->post; i++) {
		const struct vif_rx_request *q = &v->posted[i % VIF_RX_SLOTS];

		if (!(q->flags & VIF_RX_COPY))
			found(q->frame, FRAME_NONE, "a VIF to receive into");
	}
	for (unsigned int i = 0; v->loaded && i < v->packet.pieces; i++)
		found(v->packet.rest[i].frame.n, FRAME_NONE, "a packet");
}

/* What a device may read at any moment belongs to whom it did, and what it may write is the hypervisor's. */
static void count_wire(void)
{
	for (unsigned int i = host_wire.done; i < host_wire.sent_count; i++)
		for (unsigned int j = 0; j < host_wire.sent[i].count; j++)
			found(host_wire.sent[i].pieces[j].frame.n, FRAME_NONE, "the wire");
	for (unsigned int i = 0; i < host_wire.buffer_count; i++)
		if (record(host_wire.buffers[i].n)->owner != OWNER_MACHINE)
			wrong("B2: the wire receives into frame 0x%x, which is domain %u's", host_wire.buffers[i].n,
			      record(host_wire.buffers[i].n)->owner);
}

static void count_vifs(const struct domain *d)
{
	for (uint32_t i = 0; i < RING_DEVICES; i++)
		if (d->vifs.vifs[i])
			count_vif(d->vifs.vifs[i]);
}

static void count_domain(const struct domain *d)
{
	if (d->paging.base.n != MFN_NONE.n)
		found(d->paging.base.n, FRAME_DIRECTORY, "a base");
	if (d->shared_frame.n != MFN_NONE.n)
		found(d->shared_frame.n, FRAME_WRITABLE, "a shared page");
	count_rings(d);		/* lab 6 */
	count_vifs(d);		/* lab 8 */
	count_segments(d);	/* lab 4 */
}

static void found_disk_hold(mfn_t mfn, enum frame_type type)
{
	found(mfn.n, type, "a request to a disk");
}

/* Memory that a device is at work on belongs to somebody, and is of no other use if the device writes it. */
static void check_transfer(const struct machine_transfer *t)
{
	for (unsigned int i = 0; i < t->pieces; i++) {
		uint32_t mfn = t->piece[i].start >> PAGE_SHIFT;
		const struct frame *f = record(mfn);

		if (mfn >= host.frames || f->refs == 0 || f->owner >= MAX_DOMAINS)
			wrong("D2: a disk is at work on frame 0x%x, which is nobody's", mfn);
		else if (t->kind == TRANSFER_READ && (f->type != FRAME_WRITABLE || f->uses == 0))
			wrong("D2: a disk writes into frame 0x%x, which is of type %d with %u uses", mfn, f->type, f->uses);
	}
}

static void count_disks(void)
{
	vbd_each_hold(found_disk_hold);
	for (unsigned int i = 0; i < host_disk_under_way(); i++)
		check_transfer(&host_disk_transfer(i)->t);
}

static void check_ports(const struct domain *d)
{
	for (uint32_t i = 0; i < EVENT_PORTS; i++) {
		const struct event_port *p = &d->events.ports[i], *peer;
		const struct domain *remote;

		if (p->state == EVENT_VIRQ && d->events.virq_port[p->virq] != i)
			wrong("E1: domain %u port %u: its VIRQ is bound elsewhere", d->id, i);
		if (p->state != EVENT_INTERDOMAIN)
			continue;
		remote = domain_next(p->remote);
		if (!remote || remote->id != p->remote || remote->life != LIFE_OPEN) {
			wrong("E1: domain %u port %u: its peer is gone", d->id, i);
			continue;
		}
		peer = &remote->events.ports[p->remote_port % EVENT_PORTS];
		if (peer->state != EVENT_INTERDOMAIN || peer->remote != d->id || peer->remote_port != i)
			wrong("E1: domain %u port %u: the other end does not name it", d->id, i);
	}
}

/* ---- the counts ---- */

static void check_frame(uint32_t mfn)
{
	const struct frame *f = record(mfn);
	bool table = f->type > FRAME_WRITABLE;

	if (f->owner == OWNER_MACHINE)
		return;
	if (f->refs != state.refs[mfn])
		wrong("M2: frame 0x%x has %u references, counted %u", mfn, state.refs[mfn], f->refs);
	if (f->uses != state.uses[mfn])
		wrong("M3: frame 0x%x has %u uses, counted %u", mfn, state.uses[mfn], f->uses);
	if (f->valid != (table && f->uses > 0))
		wrong("M6: frame 0x%x: valid is %d with %u uses as type %d", mfn, f->valid, f->uses, f->type);
	if (f->pinned && !TABLES(f->type))
		wrong("M10: frame 0x%x is pinned as type %d", mfn, f->type);
	if (f->owner == OWNER_NONE && f->refs > 0)
		wrong("M1: free frame 0x%x has references", mfn);
}

static uint32_t owned_by(domid_t owner)
{
	uint32_t n = 0;

	for (uint32_t mfn = 0; mfn < host.frames; mfn++)
		n += host.usable[mfn] && record(mfn)->owner == owner;
	return n;
}

static void check_owners(void)
{
	if (owned_by(OWNER_NONE) != frame_pool_free_count())
		wrong("M1: %u frames are free, the pool says %u", owned_by(OWNER_NONE), frame_pool_free_count());
	for (struct domain *d = domain_next(0); d; d = domain_next(d->id + 1u))
		if (owned_by(d->id) != d->memory.owned.count)
			wrong("M1: domain %u owns %u frames, its list has %u", d->id, owned_by(d->id),
			      d->memory.owned.count);
}

/* ---- the processor ---- */

static void check_base(void)
{
	const struct frame *f;

	if (host.base.n == MFN_NONE.n)
		return;
	f = record(host.base.n);
	if (f->owner == OWNER_NONE || f->uses == 0 || f->type != FRAME_DIRECTORY)
		wrong("M8: the loaded base, frame 0x%x, is no page directory", host.base.n);
}

static void check_translation(domid_t owner, struct tlb_translation t)
{
	const struct frame *f;

	if (t.large) {
		wrong("M7: a 4 MiB page is mapped at page 0x%x", t.page);
		return;
	}
	if (host_is_hypervisor_frame(t.mfn) && !t.writable)
		return;
	if (!may_name(owner, t.mfn)) {
		wrong("M7: page 0x%x may still reach frame 0x%x, which is not domain %u's", t.page, t.mfn, owner);
		return;
	}
	f = record(t.mfn);
	if (t.writable && f->uses > 0 && f->type > FRAME_WRITABLE)
		wrong("M7: page 0x%x may still be stored to, and frame 0x%x is of type %d", t.page, t.mfn, f->type);
}

/* A remembered directory entry is as good as a page table; what may be written must not be one. */
static void check_walk(domid_t owner, struct tlb_walk w)
{
	const struct frame *f;

	if (!may_name(owner, w.mfn)) {
		wrong("M7: slot %u may still be walked to frame 0x%x, which is not domain %u's", w.slot, w.mfn, owner);
		return;
	}
	f = record(w.mfn);
	if (f->uses > 0 && f->type == FRAME_WRITABLE)
		wrong("M7: slot %u may still be walked to frame 0x%x, which is writable", w.slot, w.mfn);
}

static void check_tlb(void)
{
	domid_t owner;

	if (host.base.n == MFN_NONE.n)
		return;
	owner = record(host.base.n)->owner;
	for (unsigned int i = 0; i < tlb_model_walks(); i++)
		check_walk(owner, tlb_model_walk(i));
	for (unsigned int i = 0; i < tlb_model_count(); i++)
		check_translation(owner, tlb_model_get(i));
}

/* ---- descriptors ---- */

unsigned int audit_reach(uint32_t low, uint32_t high, struct audit_run runs[2])
{
	uint64_t base = (high & 0xff000000u) | (high & 0xff) << 16 | low >> 16;
	uint64_t limit = (high & 0xf0000) | (low & 0xffff), first = 0, last;
	bool down = !(high & 0x800) && (high & 0x400);

	if (high & 0x800000)
		limit = limit * 4096 + 4095;
	last = limit;
	if (down) {
		first = limit + 1;
		last = high & 0x400000 ? 0xffffffffu : 0xffffu;
		if (first > last)
			return 0;
	}
	first += base;
	last += base;
	/* Linear addresses are 32 bits wide: what lies beyond comes out at the bottom. */
	if (last <= 0xffffffffu || first > 0xffffffffu) {
		runs[0] = (struct audit_run){ first, last };
		return 1;
	}
	runs[0] = (struct audit_run){ first, 0xffffffffu };
	runs[1] = (struct audit_run){ 0, last };
	return 2;
}

bool audit_descriptor_ok(uint32_t low, uint32_t high)
{
	struct audit_run runs[2];
	unsigned int n;

	if (!(high & 0x8000))
		return true;
	if (!(high & 0x1000) || !(high & 0x6000))
		return false;
	n = audit_reach(low, high, runs);
	for (unsigned int i = 0; i < n; i++)
		if (runs[i].last >= ATELIER_FENCE)
			return false;
	return true;
}

static void check_descriptors(mfn_t mfn, bool reserved, const uint64_t *template)
{
	const uint32_t *words = host_frame(mfn.n);

	for (unsigned int i = 0; i < AUDIT_DESCRIPTORS; i++) {
		uint32_t low = words[2 * i], high = words[2 * i + 1];

		if (reserved && i < GDT_RESERVED_SLOTS) {
			if (low != (uint32_t) template[i] || high != template[i] >> 32)
				wrong("S2: reserved slot %u of frame 0x%x is not the hypervisor's", i, mfn.n);
		} else if ((high & 0x8000) && !audit_descriptor_ok(low, high)) {
			wrong("S1: descriptor %u of frame 0x%x: 0x%08x%08x", i, mfn.n, high, low);
		}
	}
}

static void check_segments(unsigned int slot)
{
	const struct host_slot *s = &host.slots[slot];

	for (unsigned int i = 0; i < GDT_FRAMES; i++) {
		bool reserved = i >= GDT_RESERVED_FRAME;

		if (s->gdt[i].n != MFN_NONE.n)
			check_descriptors(s->gdt[i], reserved, reserved ? machine_gdt_template(i) : NULL);
		if (s->ldt[i].n != MFN_NONE.n)
			check_descriptors(s->ldt[i], false, NULL);
	}
}

static const char *verdict(void)
{
	return state.failed ? state.text : NULL;
}

const char *audit_tlb(void)
{
	state.failed = false;
	tlb_model_fill();
	check_tlb();
	return verdict();
}

const char *audit_memory(void)
{
	memset(state.refs, 0, host.frames * sizeof(state.refs[0]));
	memset(state.uses, 0, host.frames * sizeof(state.uses[0]));
	state.failed = false;
	count_tables();
	count_wire();		/* lab 8 */
	for (struct domain *d = domain_next(0); d; d = domain_next(d->id + 1u)) {
		count_domain(d);
		check_segments(d->id);	/* lab 4 */
	}
	count_disks();		/* lab 9 */
	for (uint32_t mfn = 0; mfn < host.frames; mfn++)
		check_frame(mfn);
	check_owners();
	check_base();
	tlb_model_fill();
	check_tlb();
	return verdict();
}

const char *audit(void)
{
	audit_memory();
	for (struct domain *d = domain_next(0); d; d = domain_next(d->id + 1u))
		if (d->life == LIFE_OPEN)
			check_ports(d);
	return verdict();
}

void audit_all(void)
{
	const char *what = audit();

	if (what)
		host_panic("audit: %s", what);
	if (!domain_check())
		host_panic("audit: domain_check() objects");
}
