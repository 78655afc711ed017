// SPDX-License-Identifier: MIT
/*
 * IDE disks behind a PIIX (Intel 82371SB data sheet; ATA/ATAPI-6; Programming Interface for Bus Master
 * IDE Controller, 1.0): two channels with two drives each, of which one at a time is at work.
 *
 * A transfer ends in one of four ways. The drive interrupts, and all went well, or it says what did not.
 * It interrupts and nobody hears of it: an alarm looks once a second. It never ends: then the channel
 * is reset, which takes its time as well, and the alarm looks for the end of that. A channel that does not
 * come back is dead, and so is all that is asked of it. Whatever happens reaches its owner as -EIO.
 */
#include "console.h"
#include "lib/string.h"
#include "pc/disk.h"
#include "pc/io.h"
#include "pc/pc.h"
#include "pc/pci.h"
#include "timer.h"
#include "vbd.h"

#define PCI_IDE		0x0101		/* class and subclass */
#define NATIVE(channel)	(1u << 2 * (channel))	/* in its interface: ports and interrupt are not the old ones */
#define MASTER_AREA	4

#define CHANNELS	2u
#define DRIVES		2u		/* of a channel */
#define SECTOR		512u

/* Registers of a channel from its first port on, and at its control port. */
#define DATA		0
#define COUNT		2
#define LBA_LOW		3
#define LBA_MIDDLE	4
#define LBA_HIGH	5
#define DEVICE		6
#define STATUS		7
#define COMMAND		7

#define DEVICE_LBA	0xe0
#define DEVICE_SECOND	0x10
#define STATUS_ERROR	0x01
#define STATUS_DRQ	0x08
#define STATUS_FAULT	0x20
#define STATUS_BUSY	0x80
#define CONTROL_QUIET	0x02		/* no interrupts */
#define CONTROL_RESET	0x04

#define IDENTIFY	0xec
#define READ_DMA	0xc8
#define READ_DMA_EXT	0x25
#define WRITE_DMA	0xca
#define WRITE_DMA_EXT	0x35
#define FLUSH		0xe7
#define FLUSH_EXT	0xea
#define LBA28_END	0x10000000u

/* Registers of the bus master, for each channel. */
#define MASTER_COMMAND	0
#define MASTER_STATUS	2
#define MASTER_TABLE	4
#define MASTER_SIZE	8
#define MASTER_START	0x01
#define MASTER_TO_MEMORY	0x08
#define MASTER_ACTIVE	0x01
#define MASTER_ERROR	0x02
#define MASTER_INTERRUPT	0x04

#define PIECE_LAST	0x80000000u

#define MS		1000000ull		/* nanoseconds */
#define PROBE_TIME	(100 * MS)
#define LOOK_TIME	(1000 * MS)		/* between two looks for a lost interrupt */
#define WORK_TIME	(30000 * MS)		/* a drive may have to start its motor first */
#define RESET_LOOK_TIME	(20 * MS)
#define RESET_TIME	(31000 * MS)

/* What the bus master reads: memory that does not cross 64 KiB. */
struct region {
	uint32_t start;
	uint32_t size;			/* bytes; PIECE_LAST */
};

struct drive {
	bool wide;			/* takes 48-bit sector numbers */
	bool wanted;			/* @transfer is to be done, or being done */
	struct machine_transfer transfer;
	void *tag;
};

enum state {
	ABSENT,
	IDLE,
	WORKING,			/* drive @current */
	RESETTING,
	DEAD,
};

static struct channel {
	enum state state;
	uint16_t base, control, master;
	unsigned int irq;
	struct drive drives[DRIVES];
	unsigned int current;
	uint64_t until;			/* when working or resetting has taken too long */
	struct alarm alarm;
} channels[CHANNELS];

static struct region regions[CHANNELS][TRANSFER_PIECES] ALIGNED(128);	/* nor does a table cross 64 KiB */

/* ---- registers ---- */

static uint8_t read_status(const struct channel *c)
{
	return inb(c->base + STATUS);		/* and takes the interrupt back */
}

static uint8_t peek_status(const struct channel *c)
{
	return inb(c->control);
}

/* 400 ns, until a drive that was chosen or told something says so: a read of a port takes 100 or more. */
static void settle(const struct channel *c)
{
	for (unsigned int i = 0; i < 4; i++)
		peek_status(c);
}

static void choose_drive(const struct channel *c, unsigned int drive, uint8_t lba)
{
	outb(c->base + DEVICE, DEVICE_LBA | (drive ? DEVICE_SECOND : 0) | lba);
	settle(c);
}

/* ---- commands ---- */

static void write_address(const struct channel *c, uint32_t sector, uint8_t count)
{
	outb(c->base + COUNT, count);
	outb(c->base + LBA_LOW, sector);
	outb(c->base + LBA_MIDDLE, sector >> 8);
	outb(c->base + LBA_HIGH, sector >> 16);
}

/* The higher bytes go into the same registers, before the lower ones. */
static void write_wide_address(const struct channel *c, uint32_t sector, uint8_t count)
{
	write_address(c, sector >> 24, 0);
	write_address(c, sector, count);
}

static void fill_regions(struct region *r, const struct machine_transfer *t)
{
	for (unsigned int i = 0; i < t->pieces; i++)
		r[i] = (struct region){ t->piece[i].start, t->piece[i].sectors * SECTOR };
	r[t->pieces - 1].size |= PIECE_LAST;
}

static void prepare_master(struct channel *c, const struct machine_transfer *t)
{
	struct region *r = regions[c - channels];

	fill_regions(r, t);
	outl(c->master + MASTER_TABLE, image_real(r));
	outb(c->master + MASTER_COMMAND, t->kind == TRANSFER_READ ? MASTER_TO_MEMORY : 0);
}

static uint8_t command_for(const struct machine_transfer *t, bool wide)
{
	switch (t->kind) {
	case TRANSFER_READ:
		return wide ? READ_DMA_EXT : READ_DMA;
	case TRANSFER_WRITE:
		return wide ? WRITE_DMA_EXT : WRITE_DMA;
	case TRANSFER_FLUSH:
		break;
	}
	return wide ? FLUSH_EXT : FLUSH;
}

static void issue(struct channel *c)
{
	const struct drive *d = &c->drives[c->current];
	const struct machine_transfer *t = &d->transfer;
	bool wide = d->wide && (t->kind == TRANSFER_FLUSH || t->sector + t->count > LBA28_END);

	outb(c->master + MASTER_STATUS, inb(c->master + MASTER_STATUS) | MASTER_ERROR | MASTER_INTERRUPT);
	choose_drive(c, c->current, wide || t->kind == TRANSFER_FLUSH ? 0 : t->sector >> 24);
	if (t->kind != TRANSFER_FLUSH) {
		prepare_master(c, t);
		if (wide)
			write_wide_address(c, t->sector, t->count);
		else
			write_address(c, t->sector, t->count);
	}
	outb(c->base + COMMAND, command_for(t, wide));
	if (t->kind != TRANSFER_FLUSH)
		outb(c->master + MASTER_COMMAND, (t->kind == TRANSFER_READ ? MASTER_TO_MEMORY : 0) | MASTER_START);
}

/* ---- the life of a channel ---- */

/* The next drive that wants something, the other one first. */
static void go_on(struct channel *c)
{
	uint64_t now;

	for (unsigned int i = 0; i < DRIVES && c->state == IDLE; i++) {
		c->current = (c->current + 1) % DRIVES;
		if (!c->drives[c->current].wanted)
			continue;
		c->state = WORKING;
		now = machine_now();
		c->until = now + WORK_TIME;
		issue(c);
		if (c->alarm.when == TIMER_NEVER)	/* it goes on from one transfer to the next */
			alarm_set(&c->alarm, now + LOOK_TIME);
	}
}

static void reset(struct channel *c)
{
	c->state = RESETTING;
	c->until = machine_now() + RESET_TIME;
	outb(c->control, CONTROL_RESET);
	for (unsigned int i = 0; i < 20; i++)		/* 5 us at least */
		settle(c);
	outb(c->control, 0);
	alarm_set(&c->alarm, machine_now() + RESET_LOOK_TIME);
}

/*
 * The drive is done. It, or the bus master, may have something to say; and a bus master that would go
 * on has moved less than was asked.
 */
static int outcome(const struct machine_transfer *t, uint8_t status, uint8_t master)
{
	if (status & (STATUS_BUSY | STATUS_DRQ | STATUS_FAULT | STATUS_ERROR))
		return -EIO;
	if (t->kind != TRANSFER_FLUSH && (master & (MASTER_ERROR | MASTER_ACTIVE)))
		return -EIO;
	return 0;
}

/* The bus master is stopped first: from then on nobody touches the memory. */
static void end_transfer(struct channel *c)
{
	uint8_t master = inb(c->master + MASTER_STATUS), status;
	struct drive *d = &c->drives[c->current];
	int error;

	outb(c->master + MASTER_COMMAND, 0);
	status = read_status(c);
	outb(c->master + MASTER_STATUS, master | MASTER_ERROR | MASTER_INTERRUPT);
	error = outcome(&d->transfer, status, master);
	d->wanted = false;
	if (status & (STATUS_BUSY | STATUS_DRQ)) {	/* nothing else can be begun */
		reset(c);
	} else {
		c->state = IDLE;
		go_on(c);
	}
	disk_done(d->tag, error);	/* which may start the next one */
}

static bool at_work(const struct channel *c)
{
	return peek_status(c) & (STATUS_BUSY | STATUS_DRQ);
}

static void look_at_work(struct channel *c)
{
	if (!at_work(c)) {
		end_transfer(c);	/* its interrupt was lost */
	} else if (machine_now() >= c->until) {
		console_printf("disk: drive %u of channel %u does not answer, and is reset\n", c->current,
			       (unsigned int)(c - channels));
		end_transfer(c);
	} else {
		alarm_set(&c->alarm, machine_now() + LOOK_TIME);
	}
}

static void fail_all(struct channel *c)
{
	for (unsigned int i = 0; i < DRIVES; i++)
		if (c->drives[i].wanted) {
			c->drives[i].wanted = false;
			disk_done(c->drives[i].tag, -EIO);
		}
}

static void look_at_reset(struct channel *c)
{
	if (!(peek_status(c) & STATUS_BUSY)) {
		c->state = IDLE;
		go_on(c);
	} else if (machine_now() >= c->until) {
		console_printf("disk: channel %u is dead\n", (unsigned int)(c - channels));
		c->state = DEAD;
		fail_all(c);
	} else {
		alarm_set(&c->alarm, machine_now() + RESET_LOOK_TIME);
	}
}

static void look(struct alarm *a)
{
	struct channel *c = container_of(a, struct channel, alarm);

	switch (c->state) {
	case WORKING:
		look_at_work(c);
		break;
	case RESETTING:
		look_at_reset(c);
		break;
	case DEAD:
		fail_all(c);
		break;
	case ABSENT:
	case IDLE:
		break;
	}
}

static void interrupt(struct channel *c)
{
	if (c->state != WORKING) {
		read_status(c);
		return;
	}
	/* The line is shared with nobody, but may have been raised for what is over. */
	if (!(inb(c->master + MASTER_STATUS) & MASTER_INTERRUPT) && at_work(c))
		return;
	end_transfer(c);
}

static void interrupt_0(void)
{
	interrupt(&channels[0]);
}

static void interrupt_1(void)
{
	interrupt(&channels[1]);
}

static void start_transfer(unsigned int unit, const struct machine_transfer *t, void *tag)
{
	struct channel *c = &channels[unit / DRIVES];
	struct drive *d = &c->drives[unit % DRIVES];

	memcpy(&d->transfer, t, offsetof(struct machine_transfer, piece[t->pieces]));
	d->tag = tag;
	d->wanted = true;
	if (c->state == DEAD)
		alarm_set(&c->alarm, machine_now());
	else
		go_on(c);
}

/* ---- who is there ---- */

/* The 256 words that a disk says of itself. False: there is none, or it is something else. */
static bool identify(const struct channel *c, unsigned int drive, uint16_t *words)
{
	uint64_t until = machine_now() + PROBE_TIME;
	uint8_t status;

	choose_drive(c, drive, 0);
	status = peek_status(c);
	if (status == 0 || status == 0xff)
		return false;
	outb(c->base + COMMAND, IDENTIFY);
	settle(c);
	do
		status = read_status(c);
	while ((status & STATUS_BUSY) && machine_now() < until);
	if ((status & (STATUS_BUSY | STATUS_ERROR | STATUS_DRQ)) != STATUS_DRQ)
		return false;
	for (unsigned int i = 0; i < SECTOR / 2; i++)
		words[i] = inw(c->base + DATA);
	return true;
}

#define WORD_ABLE	49
#define ABLE_DMA	0x0300		/* and sectors by number */
#define WORD_SECTORS	60
#define WORD_COMMANDS	83		/* that it knows */
#define WORD_ENABLED	85
#define WORD_DEFAULT	87		/* says whether the one at 85 counts */
#define WORD_WIDE_SECTORS	100
#define WORD_COUNTS	0x4000		/* in the upper two bits */
#define KNOWS_WIDE	0x0400
#define KNOWS_FLUSH	0x1000
#define ENABLED_CACHE	0x0020

static bool has(const uint16_t *words, unsigned int valid, unsigned int word, uint16_t bit)
{
	return (words[valid] & 0xc000) == WORD_COUNTS && (words[word] & bit);
}

static uint32_t sectors_of(const uint16_t *words, bool wide)
{
	if (!wide)
		return words[WORD_SECTORS] | words[WORD_SECTORS + 1] << 16;
	if (words[WORD_WIDE_SECTORS + 2] || words[WORD_WIDE_SECTORS + 3])
		return UINT32_MAX;	/* what lies behind 2 TiB stays unused */
	return words[WORD_WIDE_SECTORS] | words[WORD_WIDE_SECTORS + 1] << 16;
}

static void probe_drive(struct channel *c, unsigned int drive)
{
	unsigned int unit = (c - channels) * DRIVES + drive;
	struct machine_disk what = { .depth = 1 };
	uint16_t words[SECTOR / 2];

	if (!identify(c, drive, words))
		return;
	if ((words[WORD_ABLE] & ABLE_DMA) != ABLE_DMA) {
		console_printf("disk: drive %u of channel %u has no DMA, and is left alone\n", drive,
			       (unsigned int)(c - channels));
		return;
	}
	c->drives[drive].wide = has(words, WORD_COMMANDS, WORD_COMMANDS, KNOWS_WIDE);
	what.sectors = sectors_of(words, c->drives[drive].wide);
	what.caches = has(words, WORD_COMMANDS, WORD_COMMANDS, KNOWS_FLUSH) &&
		      has(words, WORD_DEFAULT, WORD_ENABLED, ENABLED_CACHE);
	if (what.sectors > 0 && disk_add(what, start_transfer, unit))
		c->state = IDLE;
}

static void probe_channel(struct channel *c)
{
	outb(c->control, CONTROL_QUIET);
	for (unsigned int i = 0; i < DRIVES; i++)
		probe_drive(c, i);
	if (c->state == ABSENT)
		return;
	outb(c->control, 0);
	alarm_open(&c->alarm, look);
	pic_enable(c->irq, c == channels ? interrupt_0 : interrupt_1);
}

void ide_init(void)
{
	static const struct channel places[CHANNELS] = {
		{ .base = 0x1f0, .control = 0x3f6, .irq = 14 },
		{ .base = 0x170, .control = 0x376, .irq = 15 },
	};
	struct pci_device d;
	struct pci_area master;

	if (!pci_find_class(PCI_IDE, &d))
		return;
	master = pci_area(&d, MASTER_AREA);
	if (!master.io || master.base == 0)
		return;
	pci_enable_master(&d);
	for (unsigned int i = 0; i < CHANNELS; i++) {
		channels[i] = places[i];
		channels[i].master = master.base + i * MASTER_SIZE;
		if (!(d.class & NATIVE(i)))
			probe_channel(&channels[i]);
	}
}
