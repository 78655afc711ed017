/* SPDX-License-Identifier: MIT */
/*
 * Two handlers for system calls of ring 3 that do nothing but count, and a program that makes them. Which of the two is
 * called tells whether a gate is as it was when it was installed, or the trap table as it is now was asked.
 */
#ifndef LAB2_QUICK_H
#define LAB2_QUICK_H

#include "raw.h"
#include "user.h"

#define QUICK_END	6	/* #UD ends the program */

extern const char quick_first[], quick_second[];
extern volatile uint32_t quick_count[2];

asm(".bss\n"
    ".balign 4\n"
    ".globl quick_count\n"
    "quick_count: .skip 8\n"
    ".text\n"
    "quick_first: incl %ss:quick_count\n"
    "iret\n"
    "quick_second: incl %ss:quick_count + 4\n"
    "iret\n");

/* Rows for #UD and for @vectors, which go to @handler. 0 or an error. */
static inline int32_t quick_table(const uint8_t *vectors, uint32_t count, const char *handler)
{
	struct trap_entry table[32] = { { QUICK_END, 0, ATELIER_RING1_CODE, raw_stub(QUICK_END) } };

	for (uint32_t i = 0; i < count; i++)
		table[i + 1] = (struct trap_entry){ vectors[i], 3, ATELIER_RING1_CODE, (uint32_t)handler };
	return hypercall_set_trap_table(table, count + 1);
}

/* Ring 3 executes INT @vector, @times times; answers whether it came to its end. */
static inline bool quick_calls(uint8_t vector, uint32_t times)
{
	const uint8_t code[] = { 0xcd, vector, 0xe2, 0xfc, 0x0f, 0x0b };	/* 1: int; loop 1b; ud2 */
	uint32_t words[RAW_WORDS], eip = user_load(code, sizeof(code));
	static uint32_t kernel_stack[256];
	struct raw_start start = {
		.ecx = times, .eflags = 2, .eip = eip, .cs = ATELIER_RING3_CODE,
		.esp = (uint32_t)user_page(USER_PAGES), .ss = ATELIER_RING3_DATA,
	};

	raw_run(&start, (uint32_t)(kernel_stack + ARRAY_SIZE(kernel_stack)), 0, words);
	return raw_found.stub == QUICK_END && raw_found.ecx == 0;
}

#endif
