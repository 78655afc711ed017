/* SPDX-License-Identifier: MIT */
/*
 * What the tests of exercise 4.5 share: programs for ring 3 that the judge makes, byte by byte,
 * each with a GDT of its own. What comes after each is one trap, the registers, the bytes around
 * the segment's base, and the descriptor as it stands then.
 */
#ifndef LAB4_PROGRAMS_H
#define LAB4_PROGRAMS_H

#include "lib/string.h"
#include "probes.h"
#include "user.h"

#define SLOT	5u	/* of the descriptor that a program uses */

static uint64_t *program_tables[2];	/* the one in use cannot be written */
static unsigned int program_table;

static void programs_open(void)
{
	if (trap_init())
		panic("no trap table");
	program_tables[0] = page_alloc();
	program_tables[1] = page_alloc();
}

static int load_descriptor(uint32_t low, uint32_t high)
{
	uint64_t *table = program_tables[!program_table];
	int err;

	protect(table, 1, PTE_P | PTE_RW | PTE_A | PTE_D);
	memset(table, 0, PAGE_SIZE);
	table[SLOT] = (uint64_t)high << 32 | low;
	err = gdt_load(table, SLOT + 1);
	if (!err)
		program_table = !program_table;
	return err;
}

static uint64_t descriptor_now(void)
{
	return program_tables[program_table][SLOT];
}

/* The bytes of the user window's two middle pages: what they are follows from where they are. */
static void fill_data(void)
{
	uint8_t *data = user_page(1);

	for (uint32_t i = 0; i < 2 * PAGE_SIZE; i++)
		data[i] = ((uint32_t)&data[i] * 167) >> 3;
}

static void fs_load(uint32_t selector)
{
	asm volatile("mov %0, %%fs" : : "r" (selector) : "memory");
}

/*
 * A selector in the register of a prefix: GS and FS stay with us on the way to ring 3, ES is in the
 * frame.
 */
static void load_segment(struct frame *regs, uint32_t prefix, uint32_t selector)
{
	if (prefix == 0x65)
		gs_load(selector);
	else if (prefix == 0x64)
		fs_load(selector);
	else if (prefix == 0x26)
		regs->es = selector;
}

static void observe_program(uint32_t key, const struct frame *regs, const void *base)
{
	const uint32_t words[] = {
		regs->vector, regs->error, regs->address, regs->eip,
		regs->eax, regs->ecx, regs->edx, regs->ebx, regs->esp, regs->ebp, regs->esi, regs->edi,
		descriptor_now(), descriptor_now() >> 32,
	};

	observe_words("ran vector error address eip eax ecx edx ebx esp ebp esi edi low high", key, words,
		      sizeof(words) / sizeof(words[0]));
	observe_bytes("around bytes:bytes", key, (const uint8_t *)base - 64, 128);
}

static void read_registers(struct frame *regs)
{
	regs->eax = input_word();
	regs->ecx = input_word();
	regs->edx = input_word();
	regs->ebx = input_word();
	regs->esp = input_word();
	regs->ebp = input_word();
	regs->esi = input_word();
	regs->edi = input_word();
}

/*
 * [descriptor, prefix, selector, address of the code, of the first instruction, of the bytes to
 * show, registers, code]
 */
static void do_program(uint32_t key)
{
	uint32_t low = input_word(), high = input_word(), prefix = input_word(), selector = input_word();
	uint32_t at = input_word(), size;
	struct frame regs = user_start(input_word());
	const void *base = (const void *)input_word(), *code;

	read_registers(&regs);
	code = input_bytes(&size);
	memcpy((void *)at, code, size);
	fill_data();
	observe("loaded answer:int", key, load_descriptor(low, high));
	load_segment(&regs, prefix, selector);
	user_run(&regs);
	gs_load(0);
	fs_load(0);
	observe_program(key, &regs, base);
}

static void do_programs(void)
{
	uint32_t count = input_word();

	for (uint32_t i = 0; i < count; i++)
		do_program(i);
}

#endif
