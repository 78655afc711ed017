// SPDX-License-Identifier: MIT
/*
 * The screen: VGA text, 80 by 25, as the firmware leaves it. The adapter shows a window on 32 KiB
 * that moves down with the text, so that a new line costs one line; at the end the last screenful
 * goes back to the top.
 */
#include "lib/string.h"
#include "pc/io.h"
#include "pc/pc.h"

#define TEXT_MEMORY	0xb8000
#define TEXT_PAGES	8
#define COLUMNS		80u
#define ROWS		25u
#define LINES		(TEXT_PAGES * PAGE_SIZE / 2 / COLUMNS)	/* that fit */
#define BLANK		0x0720		/* grey on black */

#define CRTC_INDEX	0x3d4
#define CRTC_DATA	0x3d5
#define CRTC_START	12		/* and 13: first character shown */
#define CRTC_CURSOR	14		/* and 15 */

#define ESCAPE		0x1b
#define TAB_STOP	8u

enum state { PLAIN, ESCAPED, SEQUENCE };

static struct {
	uint16_t *text;			/* NULL: no adapter, or not wanted */
	unsigned int top, row, column;	/* of LINES; @row is the current one */
	enum state state;
} vga;

static void write_pair(uint8_t index, unsigned int value)
{
	outb(CRTC_INDEX, index);
	outb(CRTC_DATA, value >> 8);
	outb(CRTC_INDEX, index + 1);
	outb(CRTC_DATA, value);
}

static void clear_line(unsigned int line)
{
	for (unsigned int i = 0; i < COLUMNS; i++)
		vga.text[line * COLUMNS + i] = BLANK;
}

static void new_line(void)
{
	vga.column = 0;
	vga.row++;
	if (vga.row == LINES) {
		memcpy(vga.text, vga.text + (LINES - ROWS + 1) * COLUMNS, (ROWS - 1) * COLUMNS * 2);
		vga.row = ROWS - 1;
		vga.top = 0;
	} else if (vga.row >= vga.top + ROWS) {
		vga.top++;
	}
	clear_line(vga.row);
	write_pair(CRTC_START, vga.top * COLUMNS);
	write_pair(CRTC_CURSOR, vga.row * COLUMNS);
}

static void put_plain(uint8_t c)
{
	switch (c) {
	case '\n':
		new_line();
		break;
	case '\r':
		vga.column = 0;
		break;
	case '\b':
		vga.column -= vga.column > 0;
		break;
	case '\t':
		vga.column = MIN((vga.column | (TAB_STOP - 1)) + 1, COLUMNS);
		break;
	case ESCAPE:
		vga.state = ESCAPED;
		break;
	case ' ' ... 0xff:
		if (vga.column == COLUMNS)
			new_line();
		vga.text[vga.row * COLUMNS + vga.column++] = (BLANK & 0xff00) | c;
	}
}

/*
 * What a terminal would do at an escape sequence (ECMA-48, 5.4) is not done here, but not shown
 * either.
 */
void vga_put(char c)
{
	if (!vga.text)
		return;
	switch (vga.state) {
	case PLAIN:
		put_plain(c);
		break;
	case ESCAPED:
		vga.state = c == '[' ? SEQUENCE : PLAIN;
		break;
	case SEQUENCE:
		if (c >= '@')
			vga.state = PLAIN;
		break;
	}
}

void vga_init(void)
{
	volatile uint16_t *text = mmu_map_device(TEXT_MEMORY, TEXT_PAGES);

	text[0] = 0x075a;
	text[1] = 0x07a5;
	if (text[0] != 0x075a || text[1] != 0x07a5)
		return;
	vga.text = (uint16_t *)text;
	for (unsigned int line = 0; line < ROWS; line++)
		clear_line(line);
	write_pair(CRTC_START, 0);
}
