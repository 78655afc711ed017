/* SPDX-License-Identifier: MIT */
/*
 * The PCI bus: who is on it, and how to talk to them (PCI Local Bus Specification 2.2, chapter 6).
 *
 * The firmware has given each device its addresses and its interrupt; nothing here gives them others.
 */
#ifndef ATELIER_PC_PCI_H
#define ATELIER_PC_PCI_H

#include "lib/types.h"

/* A function of a device. */
struct pci_device {
	uint32_t place;		/* bus, device and function, as mechanism 1 has them */
	uint16_t vendor, device;
	uint32_t class;		/* class, subclass and programming interface: 24 bits */
	uint8_t irq;		/* as the firmware routed it; 255: none */
};

/* One of the six areas of addresses of a function. Base 0: there is none. */
struct pci_area {
	uint32_t base;
	bool io;		/* ports, not memory */
};

/*
 * The first function with this vendor and device, or with this class and subclass (16 bits, whatever
 * its programming interface). False: there is none, or no PCI bus.
 */
bool pci_find_device(uint16_t vendor, uint16_t device, struct pci_device *found);
bool pci_find_class(uint16_t class, struct pci_device *found);

/* A register of a function; @reg is a multiple of 4. */
uint32_t pci_read(const struct pci_device *d, unsigned int reg);
void pci_write(const struct pci_device *d, unsigned int reg, uint32_t value);

/* Area 0 to 5. One of memory above 4 GiB counts as none. */
struct pci_area pci_area(const struct pci_device *d, unsigned int number);

/* Lets it answer at its addresses, and read and write memory by itself. */
void pci_enable_master(const struct pci_device *d);

#endif
