// SPDX-License-Identifier: MIT
#include "pc/pci.h"
#include "pc/io.h"

/* Configuration mechanism 1: a place goes into one port, its register is then in the other (3.2.2.3.2). */
#define ADDRESS		0xcf8
#define DATA		0xcfc
#define ADDRESS_ENABLE	0x80000000u
#define BUS_SHIFT	16
#define SLOT_SHIFT	11
#define FUNCTION_SHIFT	8

#define SLOTS		32u
#define FUNCTIONS	8u
#define AREAS		6u
#define NOBODY		0xffffu		/* what a place with nobody there has for a vendor */

/* Registers of every function, and of a bridge to another bus (6.1; PCI-to-PCI Bridge 1.1, 3.2). */
#define REG_ID		0x00
#define REG_COMMAND	0x04
#define REG_CLASS	0x08
#define REG_HEADER	0x0c
#define REG_AREA	0x10
#define REG_BUSES	0x18
#define REG_INTERRUPT	0x3c

#define COMMAND_IO		0x0001
#define COMMAND_MEMORY		0x0002
#define COMMAND_MASTER		0x0004
#define COMMAND_BITS		0x0000ffff	/* the others are the status: what is written as 1 is cleared */
#define HEADER_MANY		0x00800000	/* it has more functions than one */
#define HEADER_KIND		0x007f0000
#define HEADER_BRIDGE		0x00010000
#define AREA_IO			0x1
#define AREA_KIND		0x6
#define AREA_64			0x4

/* ---- registers ---- */

static uint32_t read_place(uint32_t place, unsigned int reg)
{
	outl(ADDRESS, ADDRESS_ENABLE | place | reg);
	return inl(DATA);
}

uint32_t pci_read(const struct pci_device *d, unsigned int reg)
{
	return read_place(d->place, reg);
}

void pci_write(const struct pci_device *d, unsigned int reg, uint32_t value)
{
	outl(ADDRESS, ADDRESS_ENABLE | d->place | reg);
	outl(DATA, value);
}

struct pci_area pci_area(const struct pci_device *d, unsigned int number)
{
	uint32_t value = pci_read(d, REG_AREA + 4 * number);

	if (value & AREA_IO)
		return (struct pci_area){ value & ~3u, true };
	if ((value & AREA_KIND) == AREA_64 && number + 1 < AREAS && pci_read(d, REG_AREA + 4 * number + 4) != 0)
		return (struct pci_area){ 0, false };
	return (struct pci_area){ value & ~15u, false };
}

void pci_enable_master(const struct pci_device *d)
{
	uint32_t command = pci_read(d, REG_COMMAND) & COMMAND_BITS;

	pci_write(d, REG_COMMAND, command | COMMAND_IO | COMMAND_MEMORY | COMMAND_MASTER);
}

/* ---- who is there ---- */

/* What is looked for: all bits of @mask are as in @value, in the register. */
struct wanted {
	unsigned int reg;
	uint32_t mask, value;
};

static struct pci_device describe(uint32_t place)
{
	uint32_t id = read_place(place, REG_ID);

	return (struct pci_device){
		.place = place,
		.vendor = id,
		.device = id >> 16,
		.class = read_place(place, REG_CLASS) >> 8,
		.irq = read_place(place, REG_INTERRUPT),
	};
}

/* Looks through the functions of one device; @last_bus grows when one is a bridge. */
static bool find_in_slot(uint32_t slot, const struct wanted *w, uint32_t *last_bus, uint32_t *place)
{
	for (unsigned int f = 0; f < FUNCTIONS; f++) {
		uint32_t header;

		*place = slot | f << FUNCTION_SHIFT;
		if ((read_place(*place, REG_ID) & 0xffff) != NOBODY) {
			if ((read_place(*place, w->reg) & w->mask) == w->value)
				return true;
			header = read_place(*place, REG_HEADER);
			if ((header & HEADER_KIND) == HEADER_BRIDGE)
				*last_bus = MAX(*last_bus, read_place(*place, REG_BUSES) >> 16 & 0xff);
		}
		if (f == 0 && !(read_place(slot, REG_HEADER) & HEADER_MANY))
			break;
	}
	return false;
}

static bool find(const struct wanted *w, struct pci_device *found)
{
	uint32_t last_bus = 0, place;

	/* Without a bus all ones are read, and that is nobody everywhere. */
	for (uint32_t bus = 0; bus <= last_bus; bus++)
		for (uint32_t slot = 0; slot < SLOTS; slot++)
			if (find_in_slot(bus << BUS_SHIFT | slot << SLOT_SHIFT, w, &last_bus, &place)) {
				*found = describe(place);
				return true;
			}
	return false;
}

bool pci_find_device(uint16_t vendor, uint16_t device, struct pci_device *found)
{
	return find(&(struct wanted){ REG_ID, UINT32_MAX, vendor | (uint32_t)device << 16 }, found);
}

bool pci_find_class(uint16_t class, struct pci_device *found)
{
	return find(&(struct wanted){ REG_CLASS, 0xffff0000, (uint32_t)class << 16 }, found);
}
