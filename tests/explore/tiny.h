/* SPDX-License-Identifier: MIT */
/*
 * A machine so small that all its states can be visited: one domain with OWN frames of SLOTS slots each that the explorer plays with, three
 * more that only carry it (a page directory to stand on, a GDT, its shared page), and one frame of domain 0's, which stands for everything
 * that is not the domain's.
 *
 * A state is what is here, and nothing else in the hypervisor's memory may differ from the first state: symbols_changed() compares every
 * byte of its variables. So what the explorer visits is all that there is.
 */
#ifndef EXPLORE_TINY_H
#define EXPLORE_TINY_H

#include "domain.h"
#include "lib/types.h"

#ifndef OWN
#define OWN	2
#endif
#define SLOTS	GUEST_SLOTS
#define WORDS	TABLE_ENTRIES		/* the last one is the hypervisor's in a directory */

#define NOTHING	0xff			/* no frame of the OWN: the carrying one */

/* What the processor may remember of a frame. */
#define TLB_READ	1
#define TLB_WRITE	2
#define TLB_WALK	4
#define TLB_WALK_WRITE	8

struct tiny_frame {
	uint8_t type, uses, refs;
	uint8_t flags;			/* FLAG_... */
	int8_t linear;
	uint8_t words[WORDS];		/* codes: tiny_code() */
};
#define FLAG_VALID	1
#define FLAG_PINNED	2
#define FLAG_STALE	4		/* a mapping went, and no flush came since */
#define FLAG_FREE	8		/* given back to the pool */
#define FLAG_OPEN	16		/* contents left out: reduce.h */

struct tiny {
	struct tiny_frame f[OWN];
	uint8_t base, ldt;
	uint8_t gdt[2];
	uint8_t tlb[OWN];		/* TLB_...; last, so that states which differ in it alone are neighbours */
};
#define TINY_KEY	offsetof(struct tiny, tlb)

/* Starts the machine; the first state. */
void tiny_start(struct tiny *first);

/* Makes the machine what @t says. */
void tiny_restore(const struct tiny *t);

/* Whether the machine is as tiny_restore() left it, surely: every byte of which a state is made is the same. */
bool tiny_untouched(void);

/* And back: NULL, or what of the machine is no state at all. */
const char *tiny_extract(struct tiny *t);

/* Everything anew, after a domain has died in it. */
void tiny_reset(void);

/* The one of all states that differ only in the numbers of the OWN frames that stands for them. */
void tiny_canonical(struct tiny *t);

/* Whether a refused call has changed something (M12). */
bool tiny_changed(const struct tiny *before, const struct tiny *after);

/* A word of memory as a byte. Entries that name a frame of the OWN have codes that tiny_canonical() can renumber. */
uint8_t tiny_code(uint32_t word);
uint32_t tiny_word(uint8_t code);

extern struct tiny_machine {
	struct domain *d, *zero;
	uint32_t own[OWN];		/* frame numbers */
	uint32_t home, gdt, shared, foreign;
	uint32_t free_at_death;		/* frames that are free when the domain is gone */
	unsigned int used_words;	/* of each frame, into which the guest puts something: SLOTS, or WORDS; set by whoever starts it */
} tiny;

#define TINY_ARGS	0x80000000u	/* where the guest's arguments lie, whatever its tables say */

#endif
