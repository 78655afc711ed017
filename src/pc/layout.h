/* SPDX-License-Identifier: MIT */
/*
 * Where everything of the hypervisor lies, for C and for assembly. A slot is an entry of the page
 * directory: 4 MiB.
 *
 *   1008        M2P, read-only, for guests as well
 *   1009-1010   the image: virtual = IMAGE_BASE + real, for the first 8 MiB of real memory, the
 *     image's pages only
 *   1011-1016   the frame table
 *   1017        the M2P, writable
 *   1018        the loaded domain's windows on its GDT and LDT: a page table for each domain
 *   1019        temporary mappings
 *   1020        shared pages and those page tables, by domain
 *   1021        memory of devices
 *   1022-1023   nothing
 */
#ifndef ATELIER_PC_LAYOUT_H
#define ATELIER_PC_LAYOUT_H

#define SLOT_M2P		1008
#define SLOT_IMAGE		1009
#define SLOT_IMAGE_COUNT	2
#define SLOT_FRAMES		1011
#define SLOT_FRAMES_COUNT	6
#define SLOT_M2P_WRITABLE	1017
#define SLOT_DOMAIN		1018
#define SLOT_WINDOWS		1019
#define SLOT_SHARED		1020
#define SLOT_DEVICES		1021

#define IMAGE_BASE	0xfc400000
#define IMAGE_MAX	0x00800000
#define IMAGE_START	0x00100000	/* where the loader puts it: real address */

/* GDTR never changes: the windows are at one address in every address space. */
#define GDT_WINDOW	0xfe800000
#define LDT_WINDOW	(GDT_WINDOW + 0x10000)

/* Selectors of ring 0 (as in machine.h) and of the second reserved frame. */
#define SELECTOR_CODE		0xe008
#define SELECTOR_DATA		0xe010
#define SELECTOR_TSS		0xf008
#define SELECTOR_LDT		0xf010
#define SELECTOR_DOUBLE_FAULT	0xf018

/*
 * One stack. A call that reaches STACK_CANARY below its top uses too much; what goes past the whole
 * of it meets a page that is not there.
 */
#define STACK_SIZE		0x2000
#define STACK_CANARY		0x1000
#define STACK_CANARY_VALUE	0x0ddba11

/* Offsets in struct regs (machine.h) for entry.S; trap.c checks them. */
#define REGS_EIP	56
#define REGS_CS		60
#define REGS_SIZE	76

/* Offsets in struct tss; cpu.c checks them. */
#define TSS_EIP		32
#define TSS_EBP		60

/* Device interrupts: behind 0x20 to 0x2f, which guests may have as fast traps. */
#define IRQ_VECTOR	0x30
#define IRQ_COUNT	16

/* Ways to stop (stop.c). */
#define ACPI_OFF_QEMU	0x604	/* PM1a control of the PIIX4, as SeaBIOS places it */
#define ACPI_SLEEP	0x2000	/* sleep type 0: off */
#define QEMU_EXIT	0xf4	/* -device isa-debug-exit: status 2n + 1 */
#define QEMU_CRASHED	0x30

#endif
