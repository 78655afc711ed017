// SPDX-License-Identifier: MIT
#include "segment.h"
#include "console.h"
#include "crash.h"
#include "domain.h"
#include "frame.h"
#include "guest_copy.h"
#include "machine.h"

#define ENTRIES	GDT_ENTRIES_A_FRAME

/* ---- one descriptor ---- */

static uint32_t base_of(const struct descriptor *d)
{
	return d->low >> 16 | (d->high & 0xff) << 16 | (d->high & 0xff000000u);
}

/*
 * The limit as an offset: the last one of an expand-up segment, the one before the first of an
 * expand-down one.
 */
static uint32_t limit_of(const struct descriptor *d)
{
	uint32_t limit = (d->low & 0xffff) | (d->high & 0xf0000);

	return d->high & DESC_G ? limit << 12 | 0xfff : limit;
}

static void set_limit_pages(struct descriptor *d, uint32_t pages)
{
	d->low = (d->low & 0xffff0000u) | (pages & 0xffff);
	d->high = (d->high & ~0xf0000u) | (pages & 0xf0000);
}

/* Offsets 0 to limit: ends below the fence, or is cut to, if whole pages can be cut. */
static bool fit_up(struct descriptor *d)
{
	uint32_t base = base_of(d);

	if (base >= ATELIER_FENCE)
		return false;
	if (limit_of(d) <= ATELIER_FENCE - 1 - base)
		return true;
	if (!(d->high & DESC_G) || ATELIER_FENCE - base < PAGE_SIZE)
		return false;
	set_limit_pages(d, (ATELIER_FENCE - base) / PAGE_SIZE - 1);
	return true;
}

/*
 * Offsets limit + 1 to the top (SDM 3A, 5.3), added to the base modulo 2^32. If the first lies
 * above the last, the segment runs over the hypervisor and through zero.
 */
static bool fit_down(const struct descriptor *d)
{
	uint32_t base = base_of(d), limit = limit_of(d), top = d->high & DESC_DB ? UINT32_MAX : 0xffff;
	uint32_t first = base + limit + 1, last = base + top;

	return limit >= top || (first <= last && last < ATELIER_FENCE);
}

bool segment_fit(struct descriptor *d)
{
	if (!(d->high & DESC_P))
		return true;
	if (!(d->high & DESC_S) || !(d->high & DESC_DPL))
		return false;
	if (!(d->high & DESC_CODE) && (d->high & DESC_EXPAND))
		return fit_down(d);
	return fit_up(d);
}

/* ---- frames of descriptors ---- */

static struct descriptor *descriptor(mfn_t mfn, uint32_t i)
{
	return (struct descriptor *)machine_map_frame(mfn, WINDOW_DATA) + i;
}

/* No writable mapping is left when this runs: what it reads stays as it is. */
static int segment_validate(struct domain *d, mfn_t mfn)
{
	const struct descriptor *desc = descriptor(mfn, 0);

	for (uint32_t i = 0; i < ENTRIES; i++) {
		struct descriptor fitted = desc[i];

		if (!segment_fit(&fitted))
			return -EACCES;
	}
	return 0;
}

/* Cuts what was judged, when all frames of a table are accepted: a refused call changes nothing. */
static void cut_descriptors(mfn_t mfn)
{
	struct descriptor *desc = descriptor(mfn, 0);

	for (uint32_t i = 0; i < ENTRIES; i++)
		segment_fit(&desc[i]);
}

static void segment_release(mfn_t mfn)
{
	/* Descriptors refer to no frame. */
}

void segment_open(struct domain *d)
{
	for (unsigned int i = 0; i < GDT_FRAMES; i++)
		d->segments.gdt[i] = d->segments.ldt[i] = MFN_NONE;
}

/* ---- the GDT ---- */

static bool reserved_index(unsigned int i)
{
	return i >= GDT_RESERVED_FRAME;
}

static void set_reserved(mfn_t mfn, const uint64_t *slots)
{
	uint64_t *frame = (uint64_t *)descriptor(mfn, 0);

	for (unsigned int i = 0; i < GDT_RESERVED_SLOTS; i++)
		frame[i] = slots ? slots[i] : 0;
}

static bool listed_twice(const uint32_t *list, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		for (unsigned int j = 0; j < i; j++)
			if (list[i] == list[j])
				return true;
	return false;
}

static void put_frames(const mfn_t *frames, unsigned int n)
{
	while (n-- > 0)
		frame_put_type(frames[n]);
}

static int get_frames(struct domain *d, const uint32_t *list, unsigned int n, mfn_t *frames, enum frame_type type)
{
	for (unsigned int i = 0; i < n; i++) {
		int err;

		frames[i] = MFN(list[i]);
		err = frame_get_type(d, frames[i], type);
		if (err) {
			put_frames(frames, i);
			return err;
		}
	}
	return 0;
}

static void load_gdt(struct domain *d, const mfn_t *frames, unsigned int n)
{
	struct segments *s = &d->segments;

	for (unsigned int i = 0; i < n; i++) {
		cut_descriptors(frames[i]);
		if (reserved_index(i))
			set_reserved(frames[i], machine_gdt_template(i));
	}
	for (unsigned int i = 0; i < GDT_FRAMES; i++) {
		s->gdt[i] = i < n ? frames[i] : MFN_NONE;
		machine_map_gdt(d->id, i, s->gdt[i]);
	}
	s->gdt_frames = n;
}

/* A frame that no longer lies at a reserved place must not keep the hypervisor's descriptors. */
static void clear_reserved(const struct segments *now, const mfn_t *before, unsigned int n)
{
	for (unsigned int i = GDT_RESERVED_FRAME; i < n; i++) {
		bool stays = false;

		for (unsigned int j = GDT_RESERVED_FRAME; j < now->gdt_frames; j++)
			stays |= mfn_equal(now->gdt[j], before[i]);
		if (!stays)
			set_reserved(before[i], NULL);
	}
}

int do_set_gdt(struct domain *d, guest_addr_t list_at, uint32_t entries)
{
	unsigned int n = DIV_ROUND_UP(entries, ENTRIES), old_n = d->segments.gdt_frames;
	mfn_t frames[GDT_FRAMES], old[GDT_FRAMES];
	uint32_t list[GDT_FRAMES];
	int err;

	if (entries == 0 || entries > GDT_FRAMES * ENTRIES)
		return -EINVAL;
	if (copy_from_guest(list, list_at, n * sizeof(list[0])))
		return -EFAULT;
	if (listed_twice(list, n))
		return -EINVAL;
	err = get_frames(d, list, n, frames, FRAME_GDT);
	if (err)
		return err;

	for (unsigned int i = 0; i < old_n; i++)
		old[i] = d->segments.gdt[i];
	load_gdt(d, frames, n);
	clear_reserved(&d->segments, old, old_n);
	put_frames(old, old_n);
	return 0;
}

/* ---- the LDT ---- */

static unsigned int ldt_frames(const struct segments *s)
{
	return DIV_ROUND_UP(s->ldt_entries, ENTRIES);
}

static void load_ldt(struct domain *d, const mfn_t *frames, uint32_t entries)
{
	struct segments *s = &d->segments;

	s->ldt_entries = entries;
	for (unsigned int i = 0; i < GDT_FRAMES; i++) {
		s->ldt[i] = i < ldt_frames(s) ? frames[i] : MFN_NONE;
		if (i < ldt_frames(s))
			cut_descriptors(frames[i]);
		machine_map_ldt(d->id, i, s->ldt[i]);
	}
	machine_load_ldt(entries);
}

int do_set_ldt(struct domain *d, guest_addr_t va, uint32_t entries)
{
	unsigned int n = DIV_ROUND_UP(entries, ENTRIES), old_n = ldt_frames(&d->segments);
	mfn_t frames[GDT_FRAMES], old[GDT_FRAMES];
	uint32_t list[GDT_FRAMES];
	int err;

	if (entries > LDT_ENTRIES || (va.n & ~PAGE_MASK))
		return -EINVAL;
	if (!guest_range_ok(va, n * PAGE_SIZE))
		return -EFAULT;
	for (unsigned int i = 0; i < n; i++) {
		list[i] = paging_lookup(d, va.n + i * PAGE_SIZE).n;
		if (list[i] == MFN_NONE.n)
			return -EFAULT;
	}
	err = get_frames(d, list, n, frames, FRAME_LDT);
	if (err)
		return err;

	for (unsigned int i = 0; i < old_n; i++)
		old[i] = d->segments.ldt[i];
	load_ldt(d, frames, entries);
	put_frames(old, old_n);
	return 0;
}

/* ---- one descriptor of a table in use ---- */

/* Whether slot @i of @mfn is one that the hypervisor fills, through whichever frame. */
static bool is_reserved(const struct domain *d, mfn_t mfn, uint32_t i)
{
	for (unsigned int f = GDT_RESERVED_FRAME; f < d->segments.gdt_frames; f++)
		if (mfn_equal(d->segments.gdt[f], mfn) && i < GDT_RESERVED_SLOTS)
			return true;
	return false;
}

/*
 * The processor may load it between two stores: absent first, the half with the present bit last.
 */
static void store(struct descriptor *at, struct descriptor desc)
{
	volatile struct descriptor *v = at;

	v->high = 0;
	v->low = desc.low;
	v->high = desc.high;
}

int do_update_descriptor(struct domain *d, uint32_t address, uint32_t low, uint32_t high)
{
	mfn_t mfn = MFN(address >> PAGE_SHIFT);
	uint32_t i = (address & ~PAGE_MASK) / sizeof(struct descriptor);
	struct descriptor desc = { low, high };
	const struct frame *f = frame_record(mfn);
	int err;

	if (address % sizeof(desc) || !f)
		return -EINVAL;
	if (f->owner != d->id || is_reserved(d, mfn, i))
		return -EPERM;
	if (!segment_fit(&desc))
		return -EACCES;
	if (frame_is(mfn, FRAME_GDT) || frame_is(mfn, FRAME_LDT)) {
		store(descriptor(mfn, i), desc);
		return 0;
	}
	err = frame_get_type(d, mfn, FRAME_WRITABLE);
	if (err)
		return err;
	store(descriptor(mfn, i), desc);
	frame_put_type(mfn);
	return 0;
}

struct descriptor *segment_find(struct domain *d, uint16_t selector)
{
	const struct segments *s = &d->segments;
	uint32_t index = selector >> 3, frame = index / ENTRIES, slot = index % ENTRIES;

	if (selector & 4)
		return index < s->ldt_entries ? descriptor(s->ldt[frame], slot) : NULL;
	if (index == 0 || frame >= s->gdt_frames || (reserved_index(frame) && slot < GDT_RESERVED_SLOTS))
		return NULL;
	return descriptor(s->gdt[frame], slot);
}

/* ---- switch and death ---- */

void segment_switch_to(struct domain *d)
{
	machine_load_ldt(d->segments.ldt_entries);
}

void segment_destroy(struct domain *d)
{
	struct segments *s = &d->segments;
	mfn_t frame;

	for (unsigned int i = 0; i < GDT_FRAMES; i++) {
		frame = s->gdt[i];
		machine_map_gdt(d->id, i, MFN_NONE);
		s->gdt[i] = MFN_NONE;
		if (frame.n != MFN_NONE.n)
			frame_put_type(frame);
		frame = s->ldt[i];
		machine_map_ldt(d->id, i, MFN_NONE);
		s->ldt[i] = MFN_NONE;
		if (frame.n != MFN_NONE.n)
			frame_put_type(frame);
	}
	s->gdt_frames = s->ldt_entries = 0;
}

/* ---- the auditor ---- */

static void each_hold(frame_see_fn *see)
{
	for (struct domain *d = domain_next(0); d; d = domain_next(d->id + 1u))
		for (unsigned int i = 0; i < GDT_FRAMES; i++) {
			if (d->segments.gdt[i].n != MFN_NONE.n)
				see(d->segments.gdt[i], FRAME_GDT);
			if (d->segments.ldt[i].n != MFN_NONE.n)
				see(d->segments.ldt[i], FRAME_LDT);
		}
}

/* @reserved: its first slots are the hypervisor's. */
static bool contents_ok(mfn_t mfn, bool reserved)
{
	for (uint32_t i = reserved ? GDT_RESERVED_SLOTS : 0; i < ENTRIES; i++) {
		struct descriptor here = *descriptor(mfn, i), fitted = here;

		if (!segment_fit(&fitted) || fitted.low != here.low || fitted.high != here.high)
			return false;
	}
	return true;
}

static bool domain_ok(const struct domain *d)
{
	const struct segments *s = &d->segments;

	for (unsigned int i = 0; i < s->gdt_frames; i++)
		if (!contents_ok(s->gdt[i], reserved_index(i)))
			return false;
	for (unsigned int i = 0; i < ldt_frames(s); i++)
		if (!contents_ok(s->ldt[i], false))
			return false;
	return true;
}

bool segment_check(void)
{
	for (struct domain *d = domain_next(0); d; d = domain_next(d->id + 1u))
		if (!domain_ok(d)) {
			console_printf("segment_check: domain %u: a descriptor that no guest may have\n", d->id);
			return false;
		}
	return true;
}

void segment_init(void)
{
	static const struct frame_class class = { segment_validate, segment_release };

	frame_register_class(FRAME_GDT, &class);
	frame_register_class(FRAME_LDT, &class);
	frame_register_holder(each_hold);
}
