// SPDX-License-Identifier: MIT
#include "host/disk.h"
#include <stdlib.h>
#include <string.h>
#include "host/host.h"
#include "vbd.h"

#define SECTOR		512u
#define UNDER_WAY_MAX	256u

static struct {
	struct {
		struct machine_disk what;
		uint8_t *bytes;
		unsigned int running;
	} disks[MACHINE_DISKS];
	unsigned int count, started;
	struct host_transfer under_way[UNDER_WAY_MAX];
	unsigned int under_way_count;
} hd;

void host_disks_clear(void)
{
	hd.count = hd.started = hd.under_way_count = 0;
}

uint32_t host_disk_add(uint32_t sectors, unsigned int depth, bool caches)
{
	uint32_t i = hd.count++;

	if (i >= MACHINE_DISKS)
		host_panic("more disks than the machine can have");
	hd.disks[i].what = (struct machine_disk){ sectors, depth, caches };
	hd.disks[i].running = 0;
	if (!hd.disks[i].bytes)
		hd.disks[i].bytes = malloc(HOST_DISK_SECTORS * SECTOR);
	memset(hd.disks[i].bytes, 0, HOST_DISK_SECTORS * SECTOR);
	return i;
}

uint8_t *host_disk_bytes(uint32_t disk, uint32_t sector)
{
	if (disk >= hd.count || sector >= HOST_DISK_SECTORS)
		host_panic("sector %u of disk %u has no bytes", sector, disk);
	return hd.disks[disk].bytes + sector * SECTOR;
}

unsigned int host_disk_under_way(void)
{
	return hd.under_way_count;
}

const struct host_transfer *host_disk_transfer(unsigned int i)
{
	if (i >= hd.under_way_count)
		host_panic("%u transfers are under way, and not number %u", hd.under_way_count, i);
	return &hd.under_way[i];
}

unsigned int host_disk_started(void)
{
	return hd.started;
}

/* ---- the seam ---- */

unsigned int machine_disk_count(void)
{
	return hd.count;
}

struct machine_disk machine_disk(unsigned int disk)
{
	if (disk >= hd.count)
		host_panic("machine_disk: there is no disk %u", disk);
	return hd.disks[disk].what;
}

static void check_pieces(const struct machine_transfer *t)
{
	uint32_t sectors = 0;

	if (t->pieces > TRANSFER_PIECES)
		host_panic("machine_disk_start: %u pieces", t->pieces);
	for (unsigned int i = 0; i < t->pieces; i++) {
		uint32_t start = t->piece[i].start, size = t->piece[i].sectors * SECTOR;

		if (start % SECTOR || size == 0 || size > PAGE_SIZE - start % PAGE_SIZE)
			host_panic("machine_disk_start: a piece of %u bytes at 0x%x", size, start);
		host_frame(start >> PAGE_SHIFT);
		sectors += t->piece[i].sectors;
	}
	if (sectors != t->count)
		host_panic("machine_disk_start: pieces of %u sectors for %u", sectors, t->count);
}

void machine_disk_start(unsigned int disk, const struct machine_transfer *t, void *tag)
{
	struct machine_disk what = machine_disk(disk);

	if (host.at_seam)
		host.at_seam(__func__);
	check_pieces(t);
	if (t->kind == TRANSFER_FLUSH ? t->count != 0 : t->count == 0)
		host_panic("machine_disk_start: %u sectors for kind %d", t->count, t->kind);
	if (t->sector > what.sectors || t->count > what.sectors - t->sector)
		host_panic("machine_disk_start: %u sectors at %u, and the disk has %u", t->count, t->sector, what.sectors);
	if (hd.disks[disk].running == what.depth || hd.under_way_count == UNDER_WAY_MAX)
		host_panic("machine_disk_start: disk %u is at work on as many as it can", disk);
	hd.disks[disk].running++;
	hd.started++;
	hd.under_way[hd.under_way_count++] = (struct host_transfer){ disk, *t, tag };
}

/* ---- the end of one ---- */

static void move_sector(const struct host_transfer *h, uint32_t sector, uint8_t *memory)
{
	if (sector >= HOST_DISK_SECTORS) {
		if (h->t.kind == TRANSFER_READ)
			memset(memory, 0, SECTOR);
		return;
	}
	if (h->t.kind == TRANSFER_READ)
		memcpy(memory, host_disk_bytes(h->disk, sector), SECTOR);
	else
		memcpy(host_disk_bytes(h->disk, sector), memory, SECTOR);
}

static void move(const struct host_transfer *h)
{
	uint32_t sector = h->t.sector;

	for (unsigned int i = 0; i < h->t.pieces; i++) {
		uint32_t start = h->t.piece[i].start;
		uint8_t *memory = (uint8_t *)host_frame(start >> PAGE_SHIFT) + start % PAGE_SIZE;

		for (uint32_t s = 0; s < h->t.piece[i].sectors; s++)
			move_sector(h, sector++, memory + s * SECTOR);
	}
}

void host_disk_end(unsigned int i, int error)
{
	struct host_transfer h = *host_disk_transfer(i);

	if (!error)
		move(&h);
	hd.under_way_count--;
	memmove(&hd.under_way[i], &hd.under_way[i + 1], (hd.under_way_count - i) * sizeof(h));
	hd.disks[h.disk].running--;
	disk_done(h.tag, error);
}

void host_disk_end_all(void)
{
	while (hd.under_way_count > 0)
		host_disk_end(0, 0);
}
