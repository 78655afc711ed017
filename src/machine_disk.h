/* SPDX-License-Identifier: MIT */
/* The part of the seam (machine.h) that is about disks. */
#ifndef ATELIER_MACHINE_DISK_H
#define ATELIER_MACHINE_DISK_H

#include "lib/types.h"

#define MACHINE_DISKS	6u	/* at most */
#define TRANSFER_PIECES	16u

struct machine_disk {
	uint32_t sectors;	/* of 512 bytes */
	unsigned int depth;	/* transfers that it takes at a time */
	bool caches;		/* what it has done may be lost with the power until it is flushed */
};
unsigned int machine_disk_count(void);
struct machine_disk machine_disk(unsigned int disk);

enum machine_transfer_kind {
	TRANSFER_READ,		/* from the disk */
	TRANSFER_WRITE,
	TRANSFER_FLUSH,		/* no sectors, no pieces */
};
struct machine_transfer {
	enum machine_transfer_kind kind;
	uint32_t sector, count;
	unsigned int pieces;
	struct { uint32_t start, sectors; } piece[TRANSFER_PIECES];	/* real memory, none across a page's end */
};

/*
 * Starts a transfer on a disk that has less than @depth of them. When it has ended, well or not, and
 * never before this returns, disk_done() is called with @tag; until then the memory is the disk's.
 */
void machine_disk_start(unsigned int disk, const struct machine_transfer *t, void *tag);

#endif
