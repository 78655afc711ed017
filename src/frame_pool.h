/* SPDX-License-Identifier: MIT */
/*
 * The pool: which frames are free, and whose the others are.
 *
 * Every usable frame is on exactly one list: a free one or its owner's. A frame is scrubbed on its
 * way from one owner to the next: while nobody has anything to do, or when the next one gets it, in
 * any case before that one can map it. A frame given back in a call
 * is not handed out again before the call's flush (tlb_end_of_call) is done: nobody allocates in
 * between.
 */
#ifndef ATELIER_FRAME_POOL_H
#define ATELIER_FRAME_POOL_H

#include "lib/types.h"
#include "public/atelier.h"

struct domain;

struct frame_list {
	uint32_t first;		/* frame number, UINT32_MAX if empty */
	uint32_t count;
};

/* A domain's share: what it owns, and how much it may. */
struct reservation {
	struct frame_list owned;
	uint32_t limit;
	uint32_t promised;	/* what it may always have, within its limit */
};

/* Takes all usable frames of the machine. */
void frame_pool_init(void);

/*
 * From now on a frame is scrubbed before it is handed out. Until then no domain has run, so there
 * is nothing to hide in memory, and domain 0, which may read everything, gets most of it.
 * @ahead: also before somebody wants it, when nobody can run.
 */
void frame_pool_scrub(bool ahead);

/* Scrubs a free frame ahead of time; false: there is none to scrub. For when nobody can run. */
bool frame_pool_scrub_one(void);

/* Takes one more frame, of no owner until now, into the pool. */
void frame_pool_add(mfn_t mfn);

void frame_pool_open(struct reservation *r, uint32_t limit);

/*
 * A zeroed frame for the hypervisor itself (@d NULL) or for @d with one reference, the
 * reservation's. MFN_NONE: none left, or limit.
 */
mfn_t frame_pool_alloc(struct domain *d);

/* The same for @count frames for @d: their numbers to @mfns. Returns how many there were. */
uint32_t frame_pool_take(struct domain *d, uint32_t *mfns, uint32_t count);

/*
 * The last reference is gone: off its owner's list, free. Called by frame_put() and for the
 * hypervisor's own.
 */
void frame_pool_free(mfn_t mfn);

/* domain.c lies above this file: it says here what to do when a domain's last frame is free. */
void frame_pool_set_empty(void (*empty)(void));

uint32_t frame_pool_free_count(void);

/* Promises @d as many frames, which are there. At creation, once. */
void frame_pool_promise(struct domain *d, uint32_t frames);

/* How many @d may still ask for, whatever others do: what it was promised within its limit and has not got. */
uint32_t frame_pool_outstanding(const struct domain *d);

/* Free frames that nobody but @d was promised; NULL: that nobody was, what there is for one more domain. */
uint32_t frame_pool_unpromised(const struct domain *d);

/* Frames that are or were ever free: what the machine has for domains. */
uint32_t frame_pool_total(void);

/* A frame leaves its owner's reservation: drops the reference that frame_pool_alloc() gave. */
void frame_pool_give_up(mfn_t mfn);

/*
 * Two frames change places: @leaves, in a domain's reservation and held by nobody else, becomes the
 * hypervisor's, and @enters, the hypervisor's, that domain's, with the other's entry in the
 * machine-to-physical table. The caller says what is in @enters; nothing is scrubbed.
 */
void frame_pool_swap(mfn_t leaves, mfn_t enters);

bool frame_pool_check(void);

#endif
