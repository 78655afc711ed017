/* SPDX-License-Identifier: MIT */
/*
 * Marks: what a program in the machine tells plugin.c outside it. A mark is a long NOP (SDM 2B, NOP) whose
 * displacement is the message: it needs no port, no privilege and no time, and means nothing to a processor.
 */
#ifndef BENCH_MARK_H
#define BENCH_MARK_H

#define MARK_MAGIC	0x41544d00		/* the last byte is which one */

#define MARK_FIRST_LINE	(MARK_MAGIC + 0)	/* the first program has come to its first line: boot is over */
#define MARK_ROW	(MARK_MAGIC + 1)	/* what is measured from here on is the next row */
#define MARK_OPEN	(MARK_MAGIC + 2)	/* the measuring goes on */
#define MARK_CLOSE	(MARK_MAGIC + 3)	/* ... and pauses */

/* nopl MESSAGE(%eax): bytes 0f 1f 80, then the message. */
#define MARK(message)	__asm__ volatile(".byte 0x0f, 0x1f, 0x80; .long %c0" : : "i"(message) : "memory")

#endif
