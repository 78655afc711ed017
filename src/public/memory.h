/* SPDX-License-Identifier: MIT */
/*
 * Memory: the balloon (paper, section 3.3.4). A domain owns what its reservation gave it at
 * creation, may give frames back, and may take more up to its limit.
 */
#ifndef ATELIER_PUBLIC_MEMORY_H
#define ATELIER_PUBLIC_MEMORY_H

#include "atelier.h"

/*
 * memory_op(struct memory_op *): answers how many frames were done; an error only if not even the
 * first was, and then nothing has changed. Fewer than asked: ask again for the rest, which says why
 * if it was no interrupt. -EFAULT; -EINVAL (operation, reserved, @list not a multiple of 4).
 */
#define MEMORY_increase	0	/* @count scrubbed frames; their numbers go to @list. -ENOMEM */
#define MEMORY_decrease	1	/* gives the frames of @list back: own, untyped, unmapped. -EINVAL, -EBUSY */
#define MEMORY_exchange	2	/* each frame of @list for a scrubbed other one, written in its place */
#define MEMORY_query	3	/* out count: frames owned, list: the limit. Answers 0 */

#ifndef __ASSEMBLY__
struct memory_op {
	uint32_t op;
	uint32_t list;		/* address of uint32_t[count] */
	uint32_t count;
	uint32_t reserved;
};
#endif

#endif
