// SPDX-License-Identifier: MIT
#include "frame.h"
#include "console.h"
#include "crash.h"
#include "frame_pool.h"
#include "lib/string.h"
#include "machine.h"
#include "domain.h"
#include "tlb.h"

#define HOLDERS	8

struct frame_table frame_table;

static struct {
	const struct frame_class *classes[FRAME_TYPES];
	void (*holders[HOLDERS])(frame_see_fn *see);
	unsigned int holder_count;
	const char *wrong;		/* frame_check(): the first difference */
	uint32_t wrong_mfn;
} frames;

void frame_init(void)
{
	frame_table.count = machine_frame_count();
	frame_table.records = machine_frame_table(sizeof(struct frame));
	memset(frame_table.records, 0, frame_table.count * sizeof(struct frame));
	for (uint32_t i = 0; i < frame_table.count; i++)
		frame_table.records[i].owner = OWNER_NONE;
	frames.holder_count = 0;
}

void frame_register_class(enum frame_type type, const struct frame_class *class)
{
	frames.classes[type] = class;
}

void frame_register_holder(void (*each)(frame_see_fn *see))
{
	ASSERT(frames.holder_count < HOLDERS);
	frames.holders[frames.holder_count++] = each;
}

/* Inline: below they are part of the longest loops. */
inline int frame_get(struct domain *d, mfn_t mfn)
{
	struct frame *f = frame_record(mfn);

	if (!f)
		return -EINVAL;
	if (f->owner != d->id)
		return -EPERM;
	if (f->refs >= FRAME_COUNT_MAX)
		return -EBUSY;
	f->refs++;
	return 0;
}

inline void frame_put(mfn_t mfn)
{
	struct frame *f = frame_record(mfn);

	ASSERT(f && f->refs > 0);
	if (--f->refs == 0)
		frame_pool_free(mfn);
}

/*
 * The first use that there is something to do for. The type is set before the contents are read: from
 * here on nobody can get a writable mapping, and no remembered one is left, so what validate() reads
 * is what it will be.
 */
static NOINLINE int first_use(struct domain *d, struct frame *f, mfn_t mfn, enum frame_type type)
{
	const struct frame_class *class = frames.classes[type];
	enum frame_type before = f->type;
	int err;

	if (type == FRAME_WRITABLE) {
		/*
		 * The processor may still walk what was a table: nobody may write it before that is
		 * over.
		 */
		tlb_settle(mfn);
		f->type = type;
		f->uses = 1;
		return 0;
	}
	if (!class)
		return -EINVAL;
	if (before != type)
		tlb_settle(mfn);
	f->type = type;
	f->uses = 1;
	f->busy = true;
	err = class->validate(d, mfn);
	f->busy = false;
	f->valid = !err;
	if (err) {
		f->type = before;
		f->uses = 0;
	}
	return err;
}

int frame_get_type(struct domain *d, mfn_t mfn, enum frame_type type)
{
	struct frame *f = frame_record(mfn);
	int err = frame_get(d, mfn);

	if (err)
		return err;
	/* Uses cannot outgrow references, which are bounded. */
	if (f->busy || (f->uses > 0 && f->type != type)) {
		err = -EBUSY;
	} else if (f->uses > 0 || (type == FRAME_WRITABLE && f->type <= FRAME_WRITABLE)) {
		f->type = type;
		f->uses++;
	} else {
		err = first_use(d, f, mfn, type);
	}
	if (err)
		frame_put(mfn);
	return err;
}

void frame_put_type(mfn_t mfn)
{
	struct frame *f = frame_record(mfn);

	ASSERT(f && f->uses > 0 && !f->busy);
	if (f->uses == 1 && f->valid) {
		/*
		 * The use is still counted while the contents are given back: nobody can take the
		 * frame meanwhile.
		 */
		f->busy = true;
		frames.classes[f->type]->release(mfn);
		f->busy = false;
		f->valid = false;
		tlb_note(mfn);
	}
	f->uses--;
	frame_put(mfn);
}

bool frame_is_writable(const struct domain *d, mfn_t mfn)
{
	struct frame *f = frame_record(mfn);

	return f && f->owner == d->id && f->type == FRAME_WRITABLE && f->uses > 0;
}

bool frame_is(mfn_t mfn, enum frame_type type)
{
	struct frame *f = frame_record(mfn);

	return f && f->type == type && f->valid;
}

/*
 * ---- the auditor: takes every reference that can be found off the counts, looks for rests, puts
 * them back ----
 */

static void wrong(const char *what, mfn_t mfn)
{
	if (!frames.wrong) {
		frames.wrong = what;
		frames.wrong_mfn = mfn.n;
	}
}

static void see_off(mfn_t mfn, enum frame_type type)
{
	struct frame *f = frame_record(mfn);

	if (!f) {
		wrong("a reference to no frame", mfn);
		return;
	}
	if (type != FRAME_NONE) {
		if (f->type != type)
			wrong("a use as another type", mfn);
		f->uses--;
	}
	f->refs--;
}

static void see_back(mfn_t mfn, enum frame_type type)
{
	struct frame *f = frame_record(mfn);

	if (!f)
		return;
	if (type != FRAME_NONE)
		f->uses++;
	f->refs++;
}

static void each_own_hold(frame_see_fn *see)
{
	for (uint32_t i = 0; i < frame_table.count; i++) {
		if (frame_table.records[i].reserved)
			see(MFN(i), FRAME_NONE);
		if (frame_table.records[i].pinned)
			see(MFN(i), frame_table.records[i].type);
	}
}

static void each_hold(frame_see_fn *see)
{
	each_own_hold(see);
	for (unsigned int i = 0; i < frames.holder_count; i++)
		frames.holders[i](see);
}

static void check_rest(uint32_t i)
{
	const struct frame *f = &frame_table.records[i];

	if (f->refs != 0)
		wrong("references that nobody holds, or held ones not counted", MFN(i));
	if (f->uses != 0)
		wrong("uses that nobody holds, or held ones not counted", MFN(i));
}

static void check_record(uint32_t i)
{
	const struct frame *f = &frame_table.records[i];
	bool table = f->type > FRAME_WRITABLE;

	if (f->busy)
		wrong("busy outside a call", MFN(i));
	if (f->valid != (f->uses > 0 && table))
		wrong("valid without uses, or used unvalidated", MFN(i));
	if (f->pinned && !f->valid)
		wrong("pinned, but not a valid table", MFN(i));
	if (f->refs < f->uses)
		wrong("more uses than references", MFN(i));
	if ((f->owner == OWNER_NONE) && f->refs != 0)
		wrong("free, but referred to", MFN(i));
}

bool frame_check(void)
{
	frames.wrong = NULL;
	for (uint32_t i = 0; i < frame_table.count; i++)
		check_record(i);
	each_hold(see_off);
	for (uint32_t i = 0; i < frame_table.count; i++)
		if (frame_table.records[i].owner != OWNER_MACHINE)
			check_rest(i);
	each_hold(see_back);
	if (frames.wrong)
		console_printf("frame_check: frame 0x%x: %s\n", frames.wrong_mfn, frames.wrong);
	return !frames.wrong;
}
