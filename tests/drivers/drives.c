// SPDX-License-Identifier: MIT
#include "drives.h"
#include "pc/io.h"
#include "pc/pc.h"
#include "pc/pci.h"
#include "vbd.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define CHANNELS	2u
#define MASTER		0xc000u		/* where the firmware put the bus master */
#define MASTER_SIZE	8u
#define ENDS		65536u

#define STATUS_ERROR	0x01
#define STATUS_DRQ	0x08
#define STATUS_FAULT	0x20
#define STATUS_READY	0x40
#define STATUS_BUSY	0x80
#define CONTROL_QUIET	0x02
#define CONTROL_RESET	0x04
#define MASTER_ACTIVE	0x01
#define MASTER_ERROR	0x02
#define MASTER_INTERRUPT	0x04

enum { COUNT = 2, LOW, MIDDLE, HIGH, DEVICE, STATUS };

struct unit units[UNITS];
struct found found[UNITS];
unsigned int found_count, end_count, resets;
struct end ends[ENDS];

static struct channel {
	uint8_t registers[8], higher[8];	/* as they were before the last write */
	uint8_t status, control, command;
	uint8_t master, master_status;
	uint32_t table;
	bool working;			/* a command is under way: none of reading the registers ends it */
	bool dead;
	const uint16_t *words;		/* to be read from the data port, if there are any */
	uint16_t identity[256];
	void (*handler)(void);
} channels[CHANNELS] = { { .status = STATUS_READY }, { .status = STATUS_READY } };

static uint64_t now;
static struct alarm *alarms;

/* ---- the machine around the driver ---- */

uint64_t machine_now(void)
{
	return now += 100;		/* as long as a look at a clock takes: loops come to their end */
}

void alarm_open(struct alarm *a, void (*ring)(struct alarm *a))
{
	*a = (struct alarm){ .when = UINT64_MAX, .ring = ring, .next = alarms };
	alarms = a;
}

void alarm_set(struct alarm *a, uint64_t when)
{
	a->when = when;
}

static struct alarm *first_alarm(uint64_t until)
{
	struct alarm *first = NULL;

	for (struct alarm *a = alarms; a; a = a->next)
		if (a->when <= until && (!first || a->when < first->when))
			first = a;
	return first;
}

void pass(uint64_t nanoseconds)
{
	uint64_t until = now + nanoseconds;
	struct alarm *a;

	while ((a = first_alarm(until))) {
		now = a->when > now ? a->when : now;
		a->when = UINT64_MAX;
		a->ring(a);
	}
	now = until > now ? until : now;
}

void pic_enable(unsigned int irq, void (*handler)(void))
{
	channels[irq - 14].handler = handler;
}

bool disk_add(struct machine_disk what, disk_start_fn *start, unsigned int unit)
{
	found[found_count++] = (struct found){ what, start, unit };
	return true;
}

void disk_done(void *tag, int error)
{
	if (end_count == ENDS)
		abort();
	ends[end_count++] = (struct end){ tag, error };
}

bool pci_find_class(uint16_t class, struct pci_device *d)
{
	*d = (struct pci_device){ .class = (uint32_t)class << 8 | 0x80 };
	return class == 0x0101;
}

struct pci_area pci_area(const struct pci_device *d, unsigned int number)
{
	return number == 4 ? (struct pci_area){ MASTER, true } : (struct pci_area){ 0, false };
}

void pci_enable_master(const struct pci_device *d)
{
}

void console_printf(const char *format, ...)
{
}

/* ---- drives ---- */

static struct unit *chosen(struct channel *c)
{
	return &units[(c - channels) * 2 + (c->registers[DEVICE] >> 4 & 1)];
}

static void interrupt(struct channel *c)
{
	c->master_status |= MASTER_INTERRUPT;
	if (!(c->control & CONTROL_QUIET) && c->handler)
		c->handler();
}

static void identify(struct channel *c)
{
	const struct unit *u = chosen(c);
	uint16_t *words = c->identity;

	memset(words, 0, sizeof(c->identity));
	words[49] = u->has_dma ? 0x0300 : 0x0200;
	words[60] = UNIT_SECTORS;
	words[83] = 0x4000 | (u->wide ? 0x0400 : 0) | 0x1000;
	words[85] = u->caches ? 0x0020 : 0;
	words[87] = 0x4000;
	words[100] = u->first + UNIT_SECTORS;
	words[101] = (u->first + UNIT_SECTORS) >> 16;
	c->words = words;
	c->status = STATUS_READY | STATUS_DRQ;
}

static bool is_wide(uint8_t command)
{
	return command == 0x25 || command == 0x35 || command == 0xea;
}

static uint64_t first_sector(const struct channel *c)
{
	const uint8_t *r = c->registers, *h = c->higher;
	uint32_t low = r[LOW] | r[MIDDLE] << 8 | r[HIGH] << 16;

	if (is_wide(c->command))
		return (uint64_t)(h[LOW] | h[MIDDLE] << 8 | h[HIGH] << 16) << 24 | low;
	return (uint32_t)(r[DEVICE] & 0xf) << 24 | low;
}

/* Moves what the bus master's table says, but for @less bytes at its end. */
static void move(struct channel *c, uint32_t less)
{
	const uint32_t *entry = (const uint32_t *)(uintptr_t)(c->table + IMAGE_BASE);
	struct unit *u = chosen(c);
	uint64_t first = first_sector(c);
	uint32_t count = is_wide(c->command) ? c->higher[COUNT] << 8 | c->registers[COUNT] : c->registers[COUNT];
	uint32_t left = count * SECTOR_SIZE - less;
	uint8_t *disk;
	bool last = false;

	if (first < u->first || first + count > u->first + UNIT_SECTORS)
		abort();	/* the driver's mistake */
	disk = u->content[first - u->first];
	for (; left > 0 && !last; entry += 2) {
		uint32_t size = entry[1] & 0xffff, n = size < left ? size : left;
		uint8_t *memory = (uint8_t *)(uintptr_t)entry[0];

		memcpy(c->master & 0x08 ? memory : disk, c->master & 0x08 ? disk : memory, n);
		disk += n;
		left -= n;
		last = entry[1] >> 31;
	}
	if (!less && !left && last)
		c->master_status &= ~MASTER_ACTIVE;
}

static bool is_flush(uint8_t command)
{
	return command == 0xe7 || command == 0xea;
}

/* The end of what is under way. False: it does not come. */
static bool end_of_work(struct channel *c)
{
	struct unit *u = chosen(c);
	enum deed deed = u->next;

	if (deed == DEED_HANGS || deed == DEED_DIES)
		return false;
	u->next = DEED_WELL;
	c->working = false;
	c->status = STATUS_READY | (deed == DEED_ERROR ? STATUS_ERROR : 0) | (deed == DEED_FAULT ? STATUS_FAULT : 0);
	if (is_flush(c->command))
		u->flushes++;
	else if (deed == DEED_WELL || deed == DEED_SILENT)
		move(c, 0);
	else if (deed == DEED_SHORT)
		move(c, SECTOR_SIZE);
	else
		c->master_status &= ~MASTER_ACTIVE;
	if (deed == DEED_MASTER_ERROR)
		c->master_status |= MASTER_ERROR;
	if (deed != DEED_SILENT)
		interrupt(c);
	return true;
}

bool drives_work(void)
{
	bool any = false;

	for (struct channel *c = channels; c < channels + CHANNELS; c++)
		any |= c->working && end_of_work(c);
	return any;
}

void drives_stray(unsigned int channel)
{
	if (channels[channel].handler)
		channels[channel].handler();
}

/* ---- ports ---- */

static void do_command(struct channel *c, uint8_t command)
{
	c->command = command;
	if (command == 0xec) {
		identify(c);
		return;
	}
	if (c->working)
		abort();	/* a drive at work takes nothing */
	c->working = true;
	c->status = STATUS_BUSY;
}

static void write_control(struct channel *c, uint8_t value)
{
	if (value & ~c->control & CONTROL_RESET) {
		struct unit *u = chosen(c);

		resets++;
		c->dead |= c->working && u->next == DEED_DIES;
		if (c->working)
			u->next = DEED_WELL;
		c->working = false;
		c->status = STATUS_BUSY;
	} else if (c->control & ~value & CONTROL_RESET && !c->dead) {
		c->status = STATUS_READY;
	}
	c->control = value;
}

static struct channel *channel_of(uint16_t port, unsigned int *reg)
{
	for (unsigned int i = 0; i < CHANNELS; i++) {
		uint16_t base = i ? 0x170 : 0x1f0;

		*reg = port - base;
		if (*reg < 8 || port == base + 0x206)
			return &channels[i];
	}
	abort();
}

static uint8_t *master_register(uint16_t port, struct channel **c)
{
	*c = &channels[(port - MASTER) / MASTER_SIZE];
	return (port - MASTER) % MASTER_SIZE == 0 ? &(*c)->master : &(*c)->master_status;
}

static bool is_master(uint16_t port)
{
	return port >= MASTER && port < MASTER + CHANNELS * MASTER_SIZE;
}

static void write_master(uint16_t port, uint8_t value)
{
	struct channel *c;
	uint8_t *r = master_register(port, &c);

	if (r == &c->master_status) {
		*r &= ~(value & (MASTER_ERROR | MASTER_INTERRUPT));
		return;
	}
	c->master_status = (c->master_status & ~MASTER_ACTIVE) | (value & 1 ? MASTER_ACTIVE : 0);
	*r = value;
}

void outb(uint16_t port, uint8_t value)
{
	unsigned int reg;
	struct channel *c;

	if (is_master(port)) {
		write_master(port, value);
		return;
	}
	c = channel_of(port, &reg);
	if (reg == STATUS) {
		do_command(c, value);
	} else if (reg < 8) {
		c->higher[reg] = c->registers[reg];
		c->registers[reg] = value;
	} else {
		write_control(c, value);
	}
}

void outl(uint16_t port, uint32_t value)
{
	struct channel *c = &channels[(port - MASTER) / MASTER_SIZE];

	if ((port - MASTER) % MASTER_SIZE != 4)
		abort();
	c->table = value;
}

uint8_t inb(uint16_t port)
{
	unsigned int reg;
	struct channel *c;

	if (is_master(port))
		return *master_register(port, &c);
	c = channel_of(port, &reg);
	if (reg < STATUS)
		return c->registers[reg];
	return chosen(c)->there ? c->status : 0;
}

uint16_t inw(uint16_t port)
{
	unsigned int reg;
	struct channel *c = channel_of(port, &reg);
	uint16_t word = c->words ? *c->words++ : 0xffff;

	if (c->words == c->identity + 256) {
		c->words = NULL;
		c->status = STATUS_READY;
	}
	return word;
}
