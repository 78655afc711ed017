/* SPDX-License-Identifier: MIT */
/*
 * The pretend machine's disks. A transfer that was started stays under way until the test ends it, in whatever order it likes, well or
 * not; only then are bytes moved, so that whoever lets go of memory too early is seen.
 */
#ifndef HOST_DISK_H
#define HOST_DISK_H

#include "lib/types.h"
#include "machine.h"

#define HOST_DISK_SECTORS	4096u	/* that have bytes; a larger disk's others are read as zeros */

struct host_transfer {
	uint32_t disk;
	struct machine_transfer t;
	void *tag;
};

/* No disks. host_setup() does it. */
void host_disks_clear(void);

/* One more disk, of zeros; its number. */
uint32_t host_disk_add(uint32_t sectors, unsigned int depth, bool caches);

/* A sector of one, for the test's own eyes and hands. */
uint8_t *host_disk_bytes(uint32_t disk, uint32_t sector);

/* What is under way, oldest first. */
unsigned int host_disk_under_way(void);
const struct host_transfer *host_disk_transfer(unsigned int i);

/* How many were ever started. */
unsigned int host_disk_started(void);

/* Ends one: moves its bytes unless @error, and calls disk_done(). */
void host_disk_end(unsigned int i, int error);

/* Ends the oldest one again and again, until none is under way. */
void host_disk_end_all(void);

#endif
