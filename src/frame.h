/* SPDX-License-Identifier: MIT */
/*
 * Frames: who owns each, how often it is referred to, and as what (paper, section 3.3.3).
 *
 * Every frame has two counts. @refs counts all who hold it: mappings, pins, bases, descriptor-table
 * slots, rings, the domain's reservation itself. @uses counts those among them that need it to be
 * of its @type. The type may change only while @uses is 0, and that is the whole safety argument: a
 * frame with uses as a page table has none as a writable page, so nobody can store an entry in it
 * but we, who check each.
 *
 * A frame whose first use as a table is taken is read through once (the class's validate) and then
 * trusted until its last use goes (release), which gives back what its contents held.
 *
 * Invariants (frame_check recounts them from the tables themselves): assurance M1 to M6, M10.
 */
#ifndef ATELIER_FRAME_H
#define ATELIER_FRAME_H

#include "lib/types.h"
#include "public/atelier.h"

struct domain;

enum frame_type {
	FRAME_NONE,		/* never used as anything since it got its owner */
	FRAME_WRITABLE,
	FRAME_TABLE,		/* page table */
	FRAME_DIRECTORY,	/* page directory */
	FRAME_GDT,
	FRAME_LDT,
	FRAME_TYPES,
};

#ifndef FRAME_COUNT_MAX
#define FRAME_COUNT_MAX	0x7fffffffu	/* the explorer builds with 7, to get there */
#endif

/* Owners that are not domains. */
#define OWNER_NONE	DOMID_NONE	/* free, or no RAM at all */
#define OWNER_MACHINE	0xfffe		/* the hypervisor */

struct frame {
	uint32_t refs;
	uint32_t uses;
	uint32_t stamp;		/* tlb.h */
	uint32_t next, prev;	/* frame numbers: of the owner's list; frame_pool.h */
	domid_t owner;
	uint8_t type;		/* enum frame_type; lingers at 0 uses */
	bool valid : 1;		/* contents were validated (@uses > 0) */
	bool busy : 1;		/* contents are being validated or released right now */
	bool pinned : 1;
	bool reserved : 1;	/* the owner's reservation holds one of @refs */
	/*
	 * Not 0: all zeros but for what a packet left from MACHINE_WIRE_OFFSET up to here, as long as @type is
	 * FRAME_NONE, that is nobody could write since; vif.c.
	 */
	uint16_t packet_end;
	int16_t linear;		/* directory: > 0 foreign directories it maps; < 0 how many map it */
};

/*
 * What a type's contents must be. @validate judges and takes what the contents refer to, all or
 * nothing: 0 or the error with which the reference is refused. @release gives it back. A type
 * without a class is refused, except FRAME_WRITABLE, whose contents are the guest's own.
 */
struct frame_class {
	int (*validate)(struct domain *d, mfn_t mfn);
	void (*release)(mfn_t mfn);
};

/*
 * Whoever takes references registers how to find them all again: @each calls @see once for each
 * that is held right now, with the type that it needs (FRAME_NONE: any). For frame_check() alone.
 */
typedef void frame_see_fn(mfn_t mfn, enum frame_type type);
void frame_register_holder(void (*each)(frame_see_fn *see));

void frame_init(void);
void frame_register_class(enum frame_type type, const struct frame_class *class);

/* All records, for frame_record() alone. */
extern struct frame_table {
	struct frame *records;
	uint32_t count;
} frame_table;

/* The record of a frame number, or NULL if there is no such frame. */
static inline struct frame *frame_record(mfn_t mfn)
{
	return mfn.n < frame_table.count ? &frame_table.records[mfn.n] : NULL;
}

/*
 * Takes a reference to a frame that belongs to @d:
 *   -EINVAL  no such frame
 *   -EPERM   not @d's
 *   -EBUSY   the count is full
 */
int frame_get(struct domain *d, mfn_t mfn);

/* Gives one back; the last one gives the frame itself back to the pool. Whoever the owner is. */
void frame_put(mfn_t mfn);

/*
 * Takes a reference that also makes the frame one of @type, or says why not; a refusal leaves all
 * counts as they were:
 *   as frame_get()
 *   -EBUSY   in use as another type, or its contents are just being judged, or a count is full
 *   -EINVAL  a type without a class
 *   what the class's validate says
 */
int frame_get_type(struct domain *d, mfn_t mfn, enum frame_type type);

/* Gives a reference of frame_get_type() back; the last use releases what the contents held. */
void frame_put_type(mfn_t mfn);

/* Whether @mfn may be used as @type at once, its contents being validated already. */
bool frame_is(mfn_t mfn, enum frame_type type);

/* Whether it is a frame of @d's that somebody may write now: what is written into it at once does no harm. */
bool frame_is_writable(const struct domain *d, mfn_t mfn);

/*
 * Recounts everything from the live tables; false, with the first difference on the console. For
 * debug builds, tests and the explorer.
 */
bool frame_check(void);

#endif
