/* SPDX-License-Identifier: MIT */
/*
 * The balloon: frames that a domain gives back, takes, and exchanges (paper, section 3.3.4).
 *
 * A frame changes hands only when nobody holds it but its owner's reservation: no mapping, no pin,
 * no use as anything, no ring, no device. Then what the processor remembers of it is flushed, its
 * entry in the machine-to-physical table is cleared, and it is free; whoever gets it next gets it
 * full of zeros. (frame_pool.h has these steps, in this order.)
 *
 * Two numbers bound what a domain may have. Its limit, which domain 0 may set to anything: below
 * what the domain owns, it only keeps the domain from taking more; nothing is taken by force. And
 * what others were promised: what they got at creation and have given back is theirs to take
 * again, up to their limit. So domain 0 makes room for another domain by lowering a limit.
 *
 * Invariant (balloon_check): a frame that belongs to no domain has no machine-to-physical entry
 * (M14). Paper, section 3.3.4.
 */
#ifndef ATELIER_BALLOON_H
#define ATELIER_BALLOON_H

#include "lib/types.h"
#include "public/memory.h"

struct domain;

/* From now on @d may take frames until it has @frames. What it has, it keeps. */
void balloon_set_limit(struct domain *d, uint32_t frames);

/*
 * Takes up to @count frames of zeros for @d: their numbers to @mfns. Returns how many: 0 if @d is
 * at its limit, or all that is left was promised to others, or @d is dying.
 */
uint32_t balloon_take(struct domain *d, uint32_t *mfns, uint32_t count);

/*
 * Gives one of @d's frames back:
 *   -EINVAL  no such frame, or not @d's
 *   -EBUSY   somebody holds it, be it only to read
 */
int balloon_give_back(struct domain *d, mfn_t mfn);

/*
 * The first half of an exchange: a frame of zeros for @d in the place of @old, number to @new, with
 * @old's machine-to-physical entry. Both are @d's until the caller, who must in the same call, gives
 * one up with frame_pool_give_up(): @old when the guest has been told, else the newcomer, and then
 * nothing has happened. The limit does not count: one comes, one goes. Errors as
 * balloon_give_back(), and:
 *   -ESRCH   @d is dying
 *   -ENOMEM  no frame is free
 */
int balloon_exchange(struct domain *d, mfn_t old, mfn_t *new);

int do_memory_op(struct domain *d, guest_addr_t at);

bool balloon_check(void);

#endif
