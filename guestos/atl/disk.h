/* SPDX-License-Identifier: MIT */
/*
 * The disks' extents and their names: the partitions of a GPT, a table that every tool knows, with a second copy at the
 * disk's end and checksums, which survives a power cut. Debian's sfdisk reads and writes it. Partitions of one name are
 * one extent in pieces: that is how it grows.
 */
#ifndef ATL_DISK_H
#define ATL_DISK_H

#include "lib/types.h"

#define DISK_NAME	36	/* characters of a name, as GPT has it */
#define DISK_PIECES	64	/* partitions on all disks that are looked at */

struct piece {
	uint32_t disk;			/* of the machine */
	uint32_t partition;		/* its number, from 1 on */
	uint64_t first, count;		/* sectors */
	char name[DISK_NAME + 1];
};

/* All partitions of all disks. Ends with a complaint if a table cannot be read. */
uint32_t disk_read(struct piece pieces[DISK_PIECES]);

#endif
