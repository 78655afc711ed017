// SPDX-License-Identifier: MIT
/* src/pc/ide.c: what a drive does, or does not do, reaches the owner of the transfer and nobody else. */
#include "drives.h"
#include "unit/test.h"
#include <stdlib.h>
#include <string.h>

#define EIO		5
#define SECOND		1000000000ull
#define STEPS		20000u
#define WIDE		0x23456780u	/* a sector that 28 bits do not hold */

static uint8_t memory[UNITS][8 * SECTOR_SIZE];

static void begin(void)
{
	for (unsigned int i = 0; i < UNITS; i++) {
		units[i].there = units[i].has_dma = units[i].caches = true;
		for (unsigned int s = 0; s < UNIT_SECTORS; s++)
			memset(units[i].content[s], (int)(i * UNIT_SECTORS + s), SECTOR_SIZE);
	}
	ide_init();
}

static void *tag_of(unsigned int number)
{
	return (void *)(uintptr_t)(number + 1);
}

/* @count sectors of those with content from @sector on, between a unit and its memory, in two pieces if there are two. */
static void ask(unsigned int unit, enum machine_transfer_kind kind, uint32_t sector, uint32_t count, unsigned int number)
{
	uint32_t start = (uintptr_t)memory[unit], first = (count + 1) / 2;
	struct machine_transfer t = { .kind = kind, .sector = units[unit].first + sector, .count = count,
				      .pieces = count > 1 ? 2 : count };

	t.piece[0].start = start;
	t.piece[0].sectors = first;
	t.piece[1].start = start + first * SECTOR_SIZE;
	t.piece[1].sectors = count - first;
	found[unit].start(found[unit].unit, &t, tag_of(number));
}

static void expect_end(unsigned int place, unsigned int number, int error)
{
	EXPECT(end_count > place, "%u ended", end_count);
	if (end_count > place) {
		EXPECT(ends[place].tag == tag_of(number), "end %u", place);
		EXPECT_EQ(ends[place].error, error, "end %u", place);
	}
}

TEST(all_drives_are_found_and_what_they_can)
{
	units[1].wide = true;
	units[1].first = WIDE;
	begin();
	EXPECT_EQ(found_count, UNITS);
	for (unsigned int i = 0; i < UNITS; i++) {
		EXPECT_EQ(found[i].what.sectors, units[i].first + UNIT_SECTORS);
		EXPECT(found[i].what.caches);
	}
}

TEST(a_drive_without_dma_is_left_alone)
{
	for (unsigned int i = 0; i < UNITS; i++)
		units[i].there = true;
	units[2].has_dma = true;
	ide_init();
	EXPECT_EQ(found_count, 1);
	EXPECT_EQ(found[0].unit, 2);
	EXPECT(!found[0].what.caches);
}

TEST(sectors_go_where_they_should)
{
	units[2].wide = units[3].wide = true;
	units[3].first = WIDE;
	begin();
	for (unsigned int unit = 0; unit < UNITS; unit++) {
		end_count = 0;
		ask(unit, TRANSFER_READ, 7, 5, 1);
		EXPECT_EQ(end_count, 0, "before it has begun");
		EXPECT(drives_work());
		expect_end(0, 1, 0);
		for (unsigned int s = 0; s < 5; s++)
			EXPECT_EQ(memory[unit][s * SECTOR_SIZE + 3], (uint8_t)(unit * UNIT_SECTORS + 7 + s));
		memset(memory[unit], 0xa0 + unit, SECTOR_SIZE);
		ask(unit, TRANSFER_WRITE, 63, 1, 2);
		EXPECT(drives_work());
		expect_end(1, 2, 0);
		EXPECT_EQ(units[unit].content[63][511], 0xa0 + unit);
		ask(unit, TRANSFER_FLUSH, 0, 0, 3);
		EXPECT(drives_work());
		expect_end(2, 3, 0);
		EXPECT_EQ(units[unit].flushes, 1);
	}
}

TEST(drives_of_a_channel_take_turns_and_channels_do_not_wait_for_each_other)
{
	begin();
	ask(0, TRANSFER_READ, 0, 1, 0);
	ask(1, TRANSFER_READ, 0, 1, 1);
	ask(2, TRANSFER_READ, 0, 1, 2);
	drives_work();
	EXPECT_EQ(end_count, 2, "one of each channel");
	drives_work();
	EXPECT_EQ(end_count, 3);
	expect_end(2, 1, 0);
}

/* A deed with which a command ends, seen by the one whose it was; who waits behind it gets what it asked for. */
static void expect_owner_hears(enum deed deed, int error)
{
	begin();
	units[0].next = deed;
	ask(0, TRANSFER_READ, 0, 4, 0);
	ask(1, TRANSFER_READ, 9, 1, 1);
	ask(2, TRANSFER_READ, 9, 1, 2);
	while (drives_work())
		;
	EXPECT_EQ(end_count, 3);
	for (unsigned int i = 0; i < end_count; i++)
		EXPECT_EQ(ends[i].error, ends[i].tag == tag_of(0) ? error : 0, "end %u", i);
	EXPECT_EQ(memory[1][0], UNIT_SECTORS + 9);
	EXPECT_EQ(memory[2][0], 2 * UNIT_SECTORS + 9);
	EXPECT_EQ(resets, 0);
}

TEST(an_error_reaches_its_owner)
{
	expect_owner_hears(DEED_ERROR, -EIO);
}

TEST(a_broken_drive_is_told_to_its_owner)
{
	expect_owner_hears(DEED_FAULT, -EIO);
}

TEST(an_error_of_the_bus_master_reaches_its_owner)
{
	expect_owner_hears(DEED_MASTER_ERROR, -EIO);
}

TEST(a_short_transfer_reaches_its_owner)
{
	expect_owner_hears(DEED_SHORT, -EIO);
}

TEST(a_flush_that_fails_is_told)
{
	begin();
	units[1].next = DEED_ERROR;
	ask(1, TRANSFER_FLUSH, 0, 0, 4);
	drives_work();
	expect_end(0, 4, -EIO);
}

TEST(a_lost_interrupt_is_found_within_a_second)
{
	begin();
	units[0].next = DEED_SILENT;
	ask(0, TRANSFER_READ, 3, 1, 0);
	ask(1, TRANSFER_READ, 4, 1, 1);
	drives_work();
	EXPECT_EQ(end_count, 0);
	pass(SECOND + SECOND / 100);
	expect_end(0, 0, 0);
	EXPECT_EQ(memory[0][0], 3);
	EXPECT(drives_work(), "the other drive's turn");
	expect_end(1, 1, 0);
}

TEST(a_drive_that_takes_long_is_not_disturbed)
{
	begin();
	ask(0, TRANSFER_READ, 3, 1, 0);
	pass(29 * SECOND);
	EXPECT_EQ(end_count, 0);
	drives_work();
	expect_end(0, 0, 0);
	EXPECT_EQ(resets, 0);
}

TEST(a_drive_that_never_ends_is_reset_and_the_other_goes_on)
{
	begin();
	units[0].next = DEED_HANGS;
	ask(0, TRANSFER_WRITE, 3, 1, 0);
	ask(1, TRANSFER_READ, 4, 1, 1);
	ask(2, TRANSFER_READ, 5, 1, 2);
	drives_work();
	expect_end(0, 2, 0);
	pass(32 * SECOND);
	EXPECT_EQ(resets, 1);
	expect_end(1, 0, -EIO);
	EXPECT_EQ(units[0].content[3][0], 3, "nothing was written");
	drives_work();
	expect_end(2, 1, 0);
	ask(0, TRANSFER_READ, 6, 1, 3);
	drives_work();
	expect_end(3, 3, 0);
}

TEST(a_channel_that_no_reset_brings_back_is_dead_and_the_other_is_not)
{
	begin();
	units[0].next = DEED_DIES;
	ask(0, TRANSFER_READ, 3, 1, 0);
	ask(1, TRANSFER_READ, 4, 1, 1);
	pass(70 * SECOND);
	EXPECT_EQ(end_count, 2);
	expect_end(0, 0, -EIO);
	expect_end(1, 1, -EIO);
	ask(1, TRANSFER_READ, 4, 1, 2);
	EXPECT_EQ(end_count, 2, "before it has begun");
	pass(SECOND);
	expect_end(2, 2, -EIO);
	ask(3, TRANSFER_READ, 4, 1, 3);
	drives_work();
	expect_end(3, 3, 0);
}

TEST(an_interrupt_that_nobody_asked_for_ends_nothing)
{
	begin();
	drives_stray(0);
	ask(0, TRANSFER_READ, 3, 1, 0);
	drives_stray(0);
	EXPECT_EQ(end_count, 0);
	drives_work();
	drives_stray(0);
	EXPECT_EQ(end_count, 1);
	expect_end(0, 0, 0);
}

/* ---- anything, for long ---- */

static struct {
	bool waits[UNITS];
	unsigned int number[UNITS], heard;
	int wanted[UNITS];
} asked;

static void ask_anything(unsigned int unit)
{
	static const struct { enum deed deed; int error; } may[] = {
		{ DEED_WELL, 0 }, { DEED_WELL, 0 }, { DEED_SILENT, 0 }, { DEED_ERROR, -EIO }, { DEED_FAULT, -EIO },
		{ DEED_MASTER_ERROR, -EIO }, { DEED_SHORT, -EIO }, { DEED_HANGS, -EIO },
	};
	unsigned int how = rand() % ARRAY_SIZE(may);

	if (asked.waits[unit])
		return;
	asked.waits[unit] = true;
	asked.wanted[unit] = may[how].error;
	units[unit].next = may[how].deed;
	ask(unit, rand() % 2 ? TRANSFER_READ : TRANSFER_WRITE, rand() % 50, 1 + rand() % 8, ++asked.number[unit] * UNITS + unit);
}

static void hear(void)
{
	for (; asked.heard < end_count; asked.heard++) {
		unsigned int number = (uintptr_t)ends[asked.heard].tag - 1, unit = number % UNITS;

		EXPECT(asked.waits[unit] && number / UNITS == asked.number[unit], "an end that nobody waits for");
		EXPECT_EQ(ends[asked.heard].error, asked.wanted[unit], "unit %u", unit);
		asked.waits[unit] = false;
	}
}

TEST(each_transfer_ends_once_and_as_its_drive_did_it)
{
	begin();
	srand(1);
	for (unsigned int i = 0; i < STEPS; i++) {
		switch (rand() % 4) {
		case 0:
			drives_work();
			break;
		case 1:
			pass(rand() % 3 * SECOND);
			break;
		default:
			ask_anything(rand() % UNITS);
		}
		hear();
	}
	for (unsigned int i = 0; i < 8; i++) {
		drives_work();
		pass(32 * SECOND);
	}
	hear();
	for (unsigned int i = 0; i < UNITS; i++)
		EXPECT(!asked.waits[i], "unit %u waits for ever", i);
	EXPECT(end_count > STEPS / 20, "%u", end_count);
}
