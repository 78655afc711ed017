// SPDX-License-Identifier: MIT
/*
 * COM1, a 16550: out by polling, in by interrupt. Everything is programmed here, as without a firmware nothing has been.
 *
 * Nobody need be listening: a line that does not take a byte for long is given up until it does again.
 */
#include "console.h"
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
#define INPUT_INTERRUPT	0x01

#define FIFO_SIZE	16
#define PATIENCE	200000		/* reads of the status; a byte takes 87 us at 115200 baud */
#define BURST		4096		/* bytes that one interrupt may bring */

static struct {
	bool present, stuck;
	unsigned int depth;		/* bytes that fit when the status says room */
	unsigned int room;
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

static bool wait_for_room(void)
{
	unsigned int tries = serial.stuck ? 1 : PATIENCE;

	while (!(inb(STATUS) & STATUS_ROOM))
		if (--tries == 0)
			return false;
	return true;
}

void serial_put(char c)
{
	if (!serial.present)
		return;
	if (serial.room == 0) {
		serial.stuck = !wait_for_room();
		if (serial.stuck)
			return;
		serial.room = serial.depth;
	}
	serial.room--;
	outb(DATA, c);
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
