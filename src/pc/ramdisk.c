// SPDX-License-Identifier: MIT
/*
 * Disks in boot modules, for tests: the same run after run, with the faults that one wants.
 *
 * The module's string is "disk", and then, all of them optional:
 *
 *   depth=N    transfers at a time (1)
 *   delay=N    one takes N to 2 N microseconds, drawn anew for each (50): with a depth they overtake
 *   seed=N     of what is drawn
 *   fail=N     transfers that touch sector N fail
 *   cut=N      the power fails when N transfers are done: nothing reaches the disk any more, all fails
 *   log=N      the last N pages of the module are no sectors, but a log of what was done
 *
 * Bytes move when a transfer ends, not when it begins, and none of one that fails. What the disk holds
 * and the log are read off the machine's memory.
 */
#include "lib/string.h"
#include "pc/disk.h"
#include "pc/pc.h"
#include "timer.h"
#include "vbd.h"

#define RAMDISKS	2u
#define DEPTH_MAX	8u
#define SECTOR		512u

/* The log: a word that counts records, also those that found no room; from 16 bytes on the records. */
struct record {
	uint16_t event;			/* EVENT_...; 0: nothing is written here */
	uint16_t kind;			/* TRANSFER_... */
	uint32_t sector, count;
	uint32_t word;			/* the first one of what was written or read; 0 at the beginning */
};
#define EVENT_BEGUN	1
#define EVENT_DONE	2
#define EVENT_FAILED	3
#define RECORDS_A_PAGE	(PAGE_SIZE / sizeof(struct record))

struct under_way {
	bool used;
	uint64_t end;
	struct machine_transfer transfer;
	void *tag;
};

/* Where they lie, for whoever looks at the machine from outside: found by this name. */
struct ramdisk_place {
	uint32_t start, sectors;	/* real address of sector 0 */
	uint32_t log, log_pages;	/* real address */
} ramdisk_places[RAMDISKS];

struct ramdisk {
	struct ramdisk_place *place;
	uint32_t recorded;
	uint32_t depth, delay, seed, fail, cut;
	uint32_t done;
	struct under_way under_way[DEPTH_MAX];
};

static struct {
	struct ramdisk disks[RAMDISKS];
	unsigned int count;
	struct alarm alarm;
} ramdisks;

/* ---- the log ---- */

static void *log_at(const struct ramdisk *r, uint32_t index)
{
	uint32_t at = r->place->log + index * sizeof(struct record);

	return (char *)machine_map_frame(MFN(at >> PAGE_SHIFT), WINDOW_DATA) + at % PAGE_SIZE;
}

static void record(struct ramdisk *r, const struct record *what)
{
	if (r->place->log_pages == 0)
		return;
	r->recorded++;
	if (r->recorded < r->place->log_pages * RECORDS_A_PAGE)
		memcpy(log_at(r, r->recorded), what, sizeof(*what));
	memcpy(log_at(r, 0), &r->recorded, sizeof(r->recorded));
}

/* ---- a transfer ---- */

static void move_sector(const struct ramdisk *r, enum machine_transfer_kind kind, uint32_t sector, uint32_t memory)
{
	uint32_t at = r->place->start + sector * SECTOR;
	char *disk = (char *)machine_map_frame(MFN(at >> PAGE_SHIFT), WINDOW_DATA) + at % PAGE_SIZE;
	char *guest = (char *)machine_map_frame(MFN(memory >> PAGE_SHIFT), WINDOW_COPY) + memory % PAGE_SIZE;

	if (kind == TRANSFER_READ)
		memcpy(guest, disk, SECTOR);
	else
		memcpy(disk, guest, SECTOR);
}

static void move(const struct ramdisk *r, const struct machine_transfer *t)
{
	uint32_t sector = t->sector;

	for (unsigned int i = 0; i < t->pieces; i++)
		for (uint32_t s = 0; s < t->piece[i].sectors; s++)
			move_sector(r, t->kind, sector++, t->piece[i].start + s * SECTOR);
}

static uint32_t first_word(const struct ramdisk *r, const struct machine_transfer *t)
{
	uint32_t at = r->place->start + t->sector * SECTOR, word;

	if (t->count == 0)
		return 0;
	memcpy(&word, (char *)machine_map_frame(MFN(at >> PAGE_SHIFT), WINDOW_DATA) + at % PAGE_SIZE, sizeof(word));
	return word;
}

static bool fails(const struct ramdisk *r, const struct machine_transfer *t)
{
	return r->done >= r->cut || (r->fail >= t->sector && r->fail - t->sector < t->count);
}

static void end_transfer(struct ramdisk *r, struct under_way *u)
{
	const struct machine_transfer t = u->transfer;
	bool bad = fails(r, &t);

	u->used = false;
	if (!bad) {
		move(r, &t);
		r->done++;
	}
	record(r, &(struct record){ bad ? EVENT_FAILED : EVENT_DONE, t.kind, t.sector, t.count,
				    bad ? 0 : first_word(r, &t) });
	disk_done(u->tag, bad ? -EIO : 0);
}

/* ---- time ---- */

static struct under_way *earliest(struct ramdisk **of)
{
	struct under_way *first = NULL;

	for (struct ramdisk *r = ramdisks.disks; r < ramdisks.disks + ramdisks.count; r++)
		for (struct under_way *u = r->under_way; u < r->under_way + r->depth; u++)
			if (u->used && (!first || u->end < first->end)) {
				first = u;
				*of = r;
			}
	return first;
}

static void set_alarm(void)
{
	struct ramdisk *r;
	const struct under_way *u = earliest(&r);

	alarm_set(&ramdisks.alarm, u ? u->end : TIMER_NEVER);
}

static void ring(struct alarm *a)
{
	uint64_t now = machine_now();
	struct under_way *u;
	struct ramdisk *r;

	while ((u = earliest(&r)) && u->end <= now)
		end_transfer(r, u);
	set_alarm();
}

/* Marsaglia, Xorshift RNGs (2003). */
static uint32_t draw(struct ramdisk *r)
{
	r->seed ^= r->seed << 13;
	r->seed ^= r->seed >> 17;
	r->seed ^= r->seed << 5;
	return r->seed;
}

static void start_transfer(unsigned int unit, const struct machine_transfer *t, void *tag)
{
	struct ramdisk *r = &ramdisks.disks[unit];
	struct under_way *u = r->under_way;

	while (u->used)
		u++;
	*u = (struct under_way){ true, machine_now() + (r->delay + draw(r) % (r->delay + 1)) * 1000ull, *t, tag };
	record(r, &(struct record){ EVENT_BEGUN, t->kind, t->sector, t->count, 0 });
	set_alarm();
}

/* ---- the modules ---- */

static uint32_t number(const char *string, const char *name, uint32_t otherwise, uint32_t least, uint32_t most)
{
	const char *s = string_option(string, name);
	uint32_t n = otherwise;

	if (s && (!string_number(&s, &n) || (*s != '\0' && *s != ' ') || n < least || n > most))
		unsuitable("boot module \"disk\": %s is to be a number from %u to %u", name, least, most);
	return n;
}

static void add_disk(const struct machine_module *m)
{
	struct ramdisk *r = &ramdisks.disks[ramdisks.count];
	struct ramdisk_place *p = &ramdisk_places[ramdisks.count];
	uint32_t pages = m->size / PAGE_SIZE;

	if (ramdisks.count == RAMDISKS || pages == 0)
		unsuitable("boot module \"disk\": there can be %u, of a page or more", RAMDISKS);
	*r = (struct ramdisk){
		.place = p,
		.depth = number(m->string, "depth", 1, 1, DEPTH_MAX),
		.delay = number(m->string, "delay", 50, 1, 1000000),
		.seed = number(m->string, "seed", 1, 1, UINT32_MAX),
		.fail = number(m->string, "fail", UINT32_MAX, 0, UINT32_MAX),
		.cut = number(m->string, "cut", UINT32_MAX, 0, UINT32_MAX),
	};
	p->start = m->start;
	p->log_pages = number(m->string, "log", 0, 0, pages - 1);
	p->log = m->start + (pages - p->log_pages) * PAGE_SIZE;
	p->sectors = (pages - p->log_pages) * (PAGE_SIZE / SECTOR);
	if (!disk_add((struct machine_disk){ p->sectors, r->depth, false }, start_transfer, ramdisks.count++))
		unsuitable("boot module \"disk\": the machine has %u disks already", MACHINE_DISKS);
}

void ramdisk_init(void)
{
	alarm_open(&ramdisks.alarm, ring);
	for (unsigned int i = 0; i < machine_module_count(); i++) {
		struct machine_module m = machine_module(i);

		if (!string_keyword(m.string, "disk"))
			continue;
		multiboot_keep_module(i);
		add_disk(&m);
	}
}
