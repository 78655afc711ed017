/* SPDX-License-Identifier: MIT */
/*
 * Going somewhere with all registers as told, and seeing all registers, and the words on the stack, where the hypervisor comes
 * back to ring 1. A stub for each vector and callback stores what it finds and ends the trip.
 */
#ifndef LAB2_RAW_H
#define LAB2_RAW_H

#include "frame.h"
#include "hypercall.h"
#include "lib/string.h"
#include "mini.h"
#include "paging.h"

#define RAW_EVENT	256	/* stubs of the callbacks */
#define RAW_FAILSAFE	257
#define RAW_DONE	258	/* where a trip ends that nothing interrupts */
#define RAW_RESUME	259	/* eight, for critical ranges */
#define RAW_STUBS	267

#define RAW_WORDS	12	/* of the stack */

struct raw_start {
	uint32_t eax, ebx, ecx, edx, esi, edi, ebp;
	uint32_t eflags, eip, cs, esp, ss;
};

struct raw_found {
	uint32_t stub, eax, ebx, ecx, edx, esi, edi, ebp, esp, ss, cs, ds, es, fs, gs, eflags, mask;
};

extern struct raw_found raw_found;
extern const char raw_stubs[];
void raw_go(const struct raw_start *start);

asm(".bss\n"
    ".balign 4\n"
    "raw_found: .skip 17 * 4\n"
    "raw_back: .skip 4\n"
    "raw_esp: .skip 4\n"
    "raw_eip: .skip 4\n"
    ".text\n"
    ".balign 16\n"
    "raw_stubs:\n"
    ".set raw_number, 0\n"
    ".rept 267\n"
    ".balign 16\n"
    "movl $raw_number, %ss:raw_found\n"
    "jmp raw_arrive\n"
    ".set raw_number, raw_number + 1\n"
    ".endr\n"

    /* Nothing changes a flag until PUSHF, and nothing is pushed before the stack is ours again. */
    "raw_arrive:\n"
    "mov %eax, %ss:raw_found + 4\n"
    "mov %ebx, %ss:raw_found + 8\n"
    "mov %ecx, %ss:raw_found + 12\n"
    "mov %edx, %ss:raw_found + 16\n"
    "mov %esi, %ss:raw_found + 20\n"
    "mov %edi, %ss:raw_found + 24\n"
    "mov %ebp, %ss:raw_found + 28\n"
    "mov %esp, %ss:raw_found + 32\n"
    "mov %ss, %eax\n mov %eax, %ss:raw_found + 36\n"
    "mov %cs, %eax\n mov %eax, %ss:raw_found + 40\n"
    "mov %ds, %eax\n mov %eax, %ss:raw_found + 44\n"
    "mov %es, %eax\n mov %eax, %ss:raw_found + 48\n"
    "mov %fs, %eax\n mov %eax, %ss:raw_found + 52\n"
    "mov %gs, %eax\n mov %eax, %ss:raw_found + 56\n"
    "mov %ss:raw_back, %esp\n"
    "pushf\n"
    "pop %ss:raw_found + 60\n"
    "movzbl %ss:shared_info + 1, %eax\n"
    "mov %eax, %ss:raw_found + 64\n"
    "movb $1, %ss:shared_info + 1\n"
    "push $0x2\n"
    "popf\n"
    "mov $0xe021, %eax\n"
    "mov %eax, %ds\n"
    "mov %eax, %es\n"
    "pop %edi\n pop %esi\n pop %ebx\n pop %ebp\n"
    "ret\n"

    "raw_go:\n"
    "push %ebp\n push %ebx\n push %esi\n push %edi\n"
    "mov 20(%esp), %eax\n"
    "mov %esp, raw_back\n"
    "testb $2, 36(%eax)\n"
    "jnz 1f\n"
    "push 28(%eax)\n"
    "mov 32(%eax), %ecx\n mov %ecx, raw_eip\n"
    "mov 40(%eax), %ecx\n mov %ecx, raw_esp\n"
    "mov 4(%eax), %ebx\n mov 8(%eax), %ecx\n mov 12(%eax), %edx\n"
    "mov 16(%eax), %esi\n mov 20(%eax), %edi\n mov 24(%eax), %ebp\n"
    "mov (%eax), %eax\n"
    "popf\n"
    "mov raw_esp, %esp\n"
    "jmp *raw_eip\n"
    "1: push 44(%eax)\n push 40(%eax)\n push 28(%eax)\n push 36(%eax)\n push 32(%eax)\n"
    "mov 4(%eax), %ebx\n mov 12(%eax), %edx\n"
    "mov 16(%eax), %esi\n mov 20(%eax), %edi\n mov 24(%eax), %ebp\n"
    "mov $0xe033, %ecx\n mov %ecx, %ds\n mov %ecx, %es\n"
    "mov %ss:8(%eax), %ecx\n"
    "mov %ss:(%eax), %eax\n"
    "iret\n");

static inline uint32_t raw_stub(uint32_t number)
{
	return (uint32_t)raw_stubs + number * 16;
}

/* Whether there is a word of the domain's memory, below the line and not in the hole. */
static inline bool raw_readable(uint32_t va)
{
	uint32_t page = (va - start_info->windows) / PAGE_SIZE;

	if (va >= start_info->virt_base)
		return va - start_info->virt_base < start_info->mapped_frames * PAGE_SIZE;
	return page < WINDOW_PAGES && (page < WINDOW_HOLE || page >= WINDOW_USER);
}

/*
 * A trip with the mask @mask: what it found is in raw_found, and the words on the stack there go to @words. @kernel_esp is where
 * entries from ring 3 find their stack. Afterwards events are masked.
 */
static inline void raw_run(const struct raw_start *start, uint32_t kernel_esp, uint8_t mask, uint32_t words[RAW_WORDS])
{
	shared_info.upcall_mask = 1;
	hypercall_stack_switch(ATELIER_RING1_DATA, kernel_esp);
	memset(words, 0, RAW_WORDS * 4);
	shared_info.upcall_mask = mask;
	barrier();
	raw_go(start);
	barrier();
	for (uint32_t i = 0; i < RAW_WORDS && raw_readable(raw_found.esp + 4 * i); i++)
		words[i] = ((const uint32_t *)raw_found.esp)[i];
}

#endif
