// SPDX-License-Identifier: MIT
#include "extent.h"

/*
 * Exercise 9.1. Translates one request into runs of real sectors, in order, and returns how many
 * (1 to @max). @want may be anything a guest can write. @need is DISK_READ or DISK_WRITE. Several
 * extents may lie behind a request, in any places of any disks; each of them has rights of its own.
 * On an error @out is undefined and the request must not reach a disk:
 *   -EINVAL  no sectors, or the end of the run overflows
 *   -ENXIO   a sector that no extent holds
 *   -EACCES  an extent forbids what is needed
 *   -E2BIG   more than @max runs
 * The errors of later sectors come after those of earlier ones. @t is as extent_check() wants it;
 * what is let through here is checked by nobody else. Keeps D1. Handout, part 9.1.
 */
int extent_resolve(const struct extent_table *t, struct vrun want, unsigned int need,
		   struct rrun *out, unsigned int max)
{
	return exercise_missing("9.1");
}

/*
 * Exercise 9.2. Appends an extent: its virtual sectors begin at extent_end(). Both ends, the virtual
 * and the real one, are below 2^32. @rights are of DISK_READ, DISK_WRITE and DISK_SHARED. The caller
 * has looked whether the run lies on the disk, and for conflicts. On an error the table is what it
 * was:
 *   -EINVAL  no sectors; an end overflows, the virtual one or the real one; rights that are none, or
 *            neither to read nor to write
 *   -ENOSPC  the table is full
 * Keeps what extent_check() looks at. Handout, part 9.2.
 */
int extent_add(struct extent_table *t, struct rrun real, unsigned int rights)
{
	return exercise_missing("9.2");
}

/*
 * Exercise 9.2. Takes the last extent away. -ENODEV: there is none. Requests that were translated
 * before are none of the table's business. Handout, part 9.2.
 */
int extent_remove(struct extent_table *t)
{
	return exercise_missing("9.2");
}

/*
 * Exercise 9.2. Whether a domain that has @t stands against another one's having @real with @rights:
 * they have a sector of a disk in common that one of them may write, and the other one's extent does
 * not say that it is shared. DISK_SHARED on an extent means that others may write there. Two that
 * only read are in nobody's way. Keeps D1. Handout, part 9.2.
 */
bool extent_conflict(const struct extent_table *t, struct rrun real, unsigned int rights)
{
	exercise_missing("9.2");
	return true;		/* as long as nobody can tell, nobody gets what might be another's */
}
