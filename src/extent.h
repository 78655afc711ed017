/* SPDX-License-Identifier: MIT */
/*
 * Extents: the pieces of real disk that a virtual block device is made of.
 *
 * A guest names virtual sectors and nothing else. Domain 0 writes the table that says where they
 * lie, and extent_resolve() is the one place where a virtual sector becomes a real one: whatever
 * it lets through reaches the disk unchecked.
 *
 * Invariant (extent_check): extents are sorted by first sector, none is empty, no two overlap,
 * and no end overflows on either side. Paper, section 3.3.6.
 */
#ifndef ATELIER_EXTENT_H
#define ATELIER_EXTENT_H

#include "lib/types.h"
#include "public/control.h"

/* Sectors of 512 bytes. Each type says who counts, so that the compiler keeps them apart. */
typedef struct { uint32_t n; } vsector_t;	/* as the guest counts */
typedef struct { uint32_t n; } rsector_t;	/* as the disk counts */

/* What an extent allows, and what a request needs. */
#define DISK_READ	EXTENT_READ
#define DISK_WRITE	EXTENT_WRITE
#define DISK_SHARED	EXTENT_SHARED

#ifndef EXTENTS
#define EXTENTS		16u	/* of a VBD, at most */
#endif

struct vrun {
	vsector_t first;
	uint32_t count;
};

struct rrun {
	uint32_t disk;		/* of the machine */
	rsector_t first;
	uint32_t count;
};

struct extent {
	vsector_t first;
	struct rrun real;
	unsigned int rights;
};

struct extent_table {
	unsigned int count;
	struct extent extents[EXTENTS];
};

/*
 * Translates one request into runs of real sectors, in order, and returns how many (1 to max).
 * @want may be anything a guest can write. @need is DISK_READ or DISK_WRITE. On an error @out is
 * undefined and the request must not reach a disk:
 *   -EINVAL  no sectors, or the end of the run overflows
 *   -ENXIO   a sector that no extent holds
 *   -EACCES  an extent forbids what is needed
 *   -E2BIG   more than @max runs
 */
int extent_resolve(const struct extent_table *t, struct vrun want, unsigned int need,
		   struct rrun *out, unsigned int max);

/* The virtual sector behind the last extent: how large the device is. */
uint32_t extent_end(const struct extent_table *t);

/*
 * Appends an extent: its virtual sectors begin at extent_end(). Both end before 2^32. The caller has
 * looked whether the run lies on the disk, and for conflicts.
 *   -EINVAL  no sectors; an end overflows, the virtual one or the real one; rights that are none, or
 *            neither to read nor to write
 *   -ENOSPC  the table is full
 */
int extent_add(struct extent_table *t, struct rrun real, unsigned int rights);

/* Takes the last extent away. -ENODEV: there is none. */
int extent_remove(struct extent_table *t);

/*
 * Whether a domain that has @t stands against another one's having @real with @rights: they have a
 * sector in common that one of them may write, and the other one's extent does not say that it is
 * shared. Domain 0's word alone lifts that: DISK_SHARED on an extent means that others may write
 * there.
 */
bool extent_conflict(const struct extent_table *t, struct rrun real, unsigned int rights);

bool extent_check(const struct extent_table *t);

#endif
