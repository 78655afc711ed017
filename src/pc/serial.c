// SPDX-License-Identifier: MIT
/*
 * COM1, a 16550: out by polling, in by interrupt. Everything is programmed here, as without a
 * firmware nothing has been.
 *
 * Nobody need be listening: a line that does not take a byte for long is given up until it does
 * again, and says then how many it missed.
 */
#include "console.h"
#include "lib/printf.h"
#include "pc/io.h"
#include "pc/pc.h"

#define COM1		0x3f8
#define DATA		(COM1 + 0)
#define INTERRUPTS	(COM1 + 1)
#define FIFO		(COM1 + 2)	/* read: which interrupt */
#define LINE		(COM1 + 3)
#define MODEM		(COM1 + 4)
#define STATUS		(COM1 + 5)
#define SCRATCH		(COM1 + 7)
#define IRQ		4

#define LINE_8N1	0x03
#define LINE_DIVISOR	0x80
#define FIFO_ON		0x07		/* and empty */
#define FIFO_WORKS	0xc0
#define MODEM_ON	0x0b		/* DTR, RTS, and the gate of the interrupt line */
#define STATUS_INPUT	0x01
#define STATUS_ROOM	0x20		/* all that was written is on its way */
#define STATUS_DONE	0x40		/* and has left */
#define INPUT_INTERRUPT	0x01

#define FIFO_SIZE	16
#define PATIENCE	4000000		/* reads of the status; a byte takes 87 us at 115200 baud */
#define BURST		4096		/* bytes that one interrupt may bring */

static struct {
	bool present, stuck;
	unsigned int depth;		/* bytes that fit when the status says room */
	unsigned int room;
	uint32_t lost;			/* bytes, since it got stuck */
} serial;

void serial_init(void)
{
	outb(SCRATCH, 0x5a);
	serial.present = inb(SCRATCH) == 0x5a;
	outb(INTERRUPTS, 0);
	outb(LINE, LINE_DIVISOR);
	outb(DATA, 1);			/* 115200 baud */
	outb(INTERRUPTS, 0);
	outb(LINE, LINE_8N1);
	outb(FIFO, FIFO_ON);
	outb(MODEM, MODEM_ON);
	serial.depth = (inb(FIFO) & FIFO_WORKS) == FIFO_WORKS ? FIFO_SIZE : 1;
}

static bool wait_for(uint8_t status)
{
	unsigned int tries = serial.stuck ? 1 : PATIENCE;

	while (!(inb(STATUS) & status))
		if (--tries == 0)
			return false;
	return true;
}

static void report_lost(void)
{
	char text[48];
	uint32_t lost = serial.lost;

	serial.lost = 0;
	format_string(text, sizeof(text), "\r\n(atelier) %u bytes were lost here\r\n", lost);
	for (const char *p = text; *p; p++)
		serial_put(*p);
}

void serial_put(char c)
{
	if (!serial.present)
		return;
	if (serial.room == 0) {
		serial.stuck = !wait_for(STATUS_ROOM);
		if (serial.stuck) {
			serial.lost++;
			return;
		}
		serial.room = serial.depth;
		if (serial.lost > 0)
			report_lost();
	}
	serial.room--;
	outb(DATA, c);
}

void serial_flush(void)
{
	if (serial.present)
		wait_for(STATUS_DONE);
}

static void interrupt(void)
{
	/* To the last byte, or there is no further edge. */
	for (unsigned int i = 0; i < BURST && (inb(STATUS) & STATUS_INPUT); i++)
		console_input(inb(DATA));
}

void serial_enable_input(void)
{
	if (!serial.present)
		return;
	pic_enable(IRQ, interrupt);
	outb(INTERRUPTS, INPUT_INTERRUPT);
}
