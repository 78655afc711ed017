// SPDX-License-Identifier: MIT
#include "frame.h"

/*
 * Exercise 3.1. Takes a reference to a frame that belongs to @d, or says why not. In this order:
 *
 *   -EINVAL  no such frame; the number may be anything (frame_record())
 *   -EPERM   not @d's
 *   -EBUSY   the count is full (FRAME_COUNT_MAX)
 *
 * Invariant (M1, M2): the count says how many hold the frame; it never wraps, as one too low would free
 * memory that somebody still has. Handout: "References".
 */
int frame_get(struct domain *d, mfn_t mfn)
{
	return exercise_missing("3.1");
}

/*
 * Exercise 3.1. Gives one back; the last one gives the frame itself to the pool (frame_pool_free()). Whoever the owner
 * is: domain 0 may hold frames of others. Giving back what nobody holds is a bug of ours. Handout: "References".
 */
void frame_put(mfn_t mfn)
{
	exercise_missing("3.1");
}

/*
 * Exercise 3.2. Takes a reference that also makes the frame one of @type, or says why not. In this order:
 *
 *   as frame_get()
 *   -EBUSY   in use (@uses) as another type, or its contents are just being judged (@busy)
 *   -EINVAL  a type without a class, except FRAME_WRITABLE, whose contents are nobody's business
 *   what the class's validate says
 *
 * @uses counts how many need the type; only at 0 may it change, and what it was then does not matter any more. The
 * first use of a type that has a class reads the contents through, once (validate), and if that is refused,
 * all is as it was, but for what is remembered about flushes. After it, and as long as there are uses, they count as @valid.
 *
 * Whoever makes a frame something else first settles what flush is owed (tlb_settle()): a table must not be written to
 * through what the processor remembers; and what it may still walk as a table must not become writable.
 *
 * While a class judges, @busy is set: its validate() may come back to this function, for this very frame too.
 *
 * Invariant (M4, M6): a frame with uses as a table has none as a writable page; what is valid was read while
 * nobody could write it. frame_check() recounts. Handout: "Types".
 */
int frame_get_type(struct domain *d, mfn_t mfn, enum frame_type type)
{
	return exercise_missing("3.2");
}

/*
 * Exercise 3.2. Gives a reference of frame_get_type() back. With the last use of a valid frame its class gives back what the
 * contents held (release), and it is not @valid any more; tlb_note() remembers that it was a table. Meanwhile the frame is
 * @busy, and nobody can take it. The type stays written there, without meaning anything.
 *
 * Invariant (M4, M6): as above. Handout: "Types".
 */
void frame_put_type(mfn_t mfn)
{
	exercise_missing("3.2");
}
