/* SPDX-License-Identifier: MIT */
/* What a driver of disks is to disk.c, which has the seam's functions (machine_disk.h). */
#ifndef ATELIER_PC_DISK_H
#define ATELIER_PC_DISK_H

#include "machine.h"

/* Starts a transfer on a driver's disk number @unit: machine_disk_start() says what that means. */
typedef void disk_start_fn(unsigned int unit, const struct machine_transfer *t, void *tag);

/* The drivers, which add what they find. */
void ide_init(void);
void ramdisk_init(void);

/* One more disk of the machine's. False: it has as many as it can have. At start only. */
bool disk_add(struct machine_disk what, disk_start_fn *start, unsigned int unit);

#endif
