// SPDX-License-Identifier: MIT
/*
 * The end. Whoever runs the machine as a program wants to know which: a line on port 0xE9, which
 * emulators show, says it, then every way is tried that some machine has, each of which does
 * nothing on the others.
 */
#include "lib/printf.h"
#include "pc/io.h"
#include "pc/pc.h"

#define DEBUG_PORT	0xe9		/* QEMU: -device isa-debugcon; Bochs: port_e9_hack */

#define ACPI_OFF_BOCHS	0xb004		/* as the Bochs BIOS does */

#define KEYBOARD	0x64
#define KEYBOARD_RESET	0xfe
#define CHIPSET_RESET	0xcf9
#define CHIPSET_HARD	0x06
#define DELAY_PORT	0x80		/* reading it takes a microsecond on a PC */
#define RESET_PATIENCE	100000

#define BOCHS_SHUTDOWN	0x8900

static void say(const char *text)
{
	for (; *text; text++)
		outb(DEBUG_PORT, *text);
}

static void announce(enum machine_end end, unsigned int status)
{
	char line[32];

	switch (end) {
	case END_POWEROFF:
		format_string(line, sizeof(line), "end poweroff %u\n", status);
		break;
	case END_REBOOT:
		format_string(line, sizeof(line), "end reboot\n");
		break;
	case END_CRASH:
		format_string(line, sizeof(line), "end crash\n");
		break;
	}
	say(line);
}

static void wait(void)
{
	for (unsigned int i = 0; i < RESET_PATIENCE; i++)
		inb(DELAY_PORT);
}

/* A reset takes a moment, in which nothing else may happen. */
static void reset(void)
{
	outb(KEYBOARD, KEYBOARD_RESET);
	wait();
	outb(CHIPSET_RESET, CHIPSET_HARD);
	wait();
}

static void power_off(void)
{
	outw(ACPI_OFF_QEMU, ACPI_SLEEP);	/* QEMU may go on for an instruction or two: the last ones here */
	outw(ACPI_OFF_BOCHS, ACPI_SLEEP);
	for (const char *p = "Shutdown"; *p; p++)
		outb(BOCHS_SHUTDOWN, *p);
}

void machine_stop(enum machine_end end, unsigned int status)
{
	asm volatile("cli");
	serial_flush();
	announce(end, status);
	asm volatile("xchg %bx, %bx");		/* Bochs with magic_break: into its debugger */
	if (end == END_REBOOT)
		reset();
	if (end == END_CRASH)
		outl(QEMU_EXIT, QEMU_CRASHED);
	power_off();
	for (;;)
		asm volatile("cli; hlt");
}
