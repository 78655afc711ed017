/* SPDX-License-Identifier: MIT */
/*
 * Two IDE channels with two drives each behind a PIIX, and the machine around src/pc/ide.c: a clock, alarms, interrupts. Nothing
 * happens by itself: a test says what a drive does with its next command, and when.
 *
 * Real addresses are addresses of the test's own memory.
 */
#ifndef DRIVERS_DRIVES_H
#define DRIVERS_DRIVES_H

#include "machine.h"
#include "pc/disk.h"

#define UNITS		4u
#define UNIT_SECTORS	64u
#define SECTOR_SIZE	512u

/* What a drive may do with a command. */
enum deed {
	DEED_WELL,
	DEED_SILENT,		/* all of it, and nobody hears the interrupt */
	DEED_ERROR,		/* says that it failed */
	DEED_FAULT,		/* says that it is broken */
	DEED_MASTER_ERROR,	/* the bus master could not reach the memory */
	DEED_SHORT,		/* is done before all has been moved, and sees nothing wrong in that */
	DEED_HANGS,		/* never ends; a reset helps */
	DEED_DIES,		/* never ends, and no reset helps */
};

struct unit {
	bool there, has_dma, caches, wide;
	uint32_t first;		/* the sector from which on it has content: before it nobody looks */
	enum deed next;		/* for one command; then DEED_WELL again */
	uint8_t content[UNIT_SECTORS][SECTOR_SIZE];
	unsigned int flushes;
};
extern struct unit units[UNITS];

/* ide_init()'s findings: what was added, by its order. */
struct found {
	struct machine_disk what;
	disk_start_fn *start;
	unsigned int unit;
};
extern struct found found[UNITS];
extern unsigned int found_count;

/* What ended, in that order. */
struct end {
	void *tag;
	int error;
};
extern struct end ends[];
extern unsigned int end_count, resets;

/* Lets the drives that are at work come to their end. False: none is that would. */
bool drives_work(void);

/* An interrupt that no drive has asked for. */
void drives_stray(unsigned int channel);

/* Lets time pass, and alarms ring. */
void pass(uint64_t nanoseconds);

#endif
