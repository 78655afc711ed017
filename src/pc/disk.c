// SPDX-License-Identifier: MIT
/* The machine's disks, whichever driver has them: numbered as the drivers found them. */
#include "crash.h"
#include "pc/disk.h"

static struct {
	struct {
		struct machine_disk what;
		disk_start_fn *start;
		unsigned int unit;
	} disks[MACHINE_DISKS];
	unsigned int count;
} dk;

bool disk_add(struct machine_disk what, disk_start_fn *start, unsigned int unit)
{
	if (dk.count == MACHINE_DISKS)
		return false;
	dk.disks[dk.count].what = what;
	dk.disks[dk.count].start = start;
	dk.disks[dk.count++].unit = unit;
	return true;
}

unsigned int machine_disk_count(void)
{
	return dk.count;
}

struct machine_disk machine_disk(unsigned int disk)
{
	ASSERT(disk < dk.count);
	return dk.disks[disk].what;
}

void machine_disk_start(unsigned int disk, const struct machine_transfer *t, void *tag)
{
	dk.disks[disk].start(dk.disks[disk].unit, t, tag);
}
