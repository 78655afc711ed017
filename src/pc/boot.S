/* SPDX-License-Identifier: MIT */
/*
 * The first instructions: from what a multiboot loader leaves (protected mode, flat segments, no
 * paging, EAX the magic number, EBX the information; Multiboot 0.6.96, section 3.2) to C at the
 * linked address.
 */
#include "pc/layout.h"

#define REAL(x)		((x) - IMAGE_BASE)

#define MULTIBOOT_MAGIC	0x1badb002
#define MULTIBOOT_FLAGS	3		/* modules on page borders; tell the memory map */

/* CPUID leaf 1, EDX: time stamp counter, CMPXCHG8B, CMOV, FXSAVE. */
#define FEATURES	(1 << 4 | 1 << 8 | 1 << 15 | 1 << 24)

#define EFLAGS_ID	(1 << 21)

#define CR0_WP		0x00010000
#define CR0_PG		0x80000000

#define PAGE_FLAGS	0x63		/* present, writable, accessed, dirty */

	.section .boot, "ax"
	.align 4
	.long MULTIBOOT_MAGIC, MULTIBOOT_FLAGS, -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)

	.globl boot
boot:
	cli
	cld
	mov $REAL(stack_top), %esp
	mov %eax, %edi
	mov %ebx, %esi
	call check_processor

	/*
	 * All 8 MiB at IMAGE_BASE, and the first 4 of them at 0 as well, for the next few
	 * instructions.
	 */
	mov $REAL(hypervisor_image_tables), %edx
	mov $PAGE_FLAGS, %eax
	xor %ecx, %ecx
1:	mov %eax, (%edx, %ecx, 4)
	add $0x1000, %eax
	inc %ecx
	cmp $(IMAGE_MAX >> 12), %ecx
	jb 1b
	lea PAGE_FLAGS(%edx), %eax
	mov $REAL(hypervisor_directory), %edx
	mov %eax, (%edx)
	mov %eax, (4 * SLOT_IMAGE)(%edx)
	add $0x1000, %eax
	mov %eax, (4 * SLOT_IMAGE + 4)(%edx)
	mov %edx, %cr3
	mov %cr0, %eax
	or $(CR0_PG | CR0_WP), %eax
	mov %eax, %cr0
	mov $mapped, %eax
	jmp *%eax

	/* The loader's segments serve until ours are mapped. */
	.text
mapped:
	mov $stack_top, %esp
	xor %ebp, %ebp
	movl $STACK_CANARY_VALUE, stack_canary
	call mmu_init
	lgdt gdt_pointer
	ljmp $SELECTOR_CODE, $1f
1:	mov $SELECTOR_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	xor %eax, %eax
	mov %eax, %fs
	mov %eax, %gs
	push %esi
	push %edi
	call init
	movl $STACK_CANARY_VALUE, stack_canary
	jmp exit_to_guest

/*
 * Returns if this processor can run what the compiler makes. Everything up to here runs on an
 * 80386.
 */
	.section .boot
check_processor:
	pushf
	pop %eax
	mov %eax, %ecx
	xor $EFLAGS_ID, %eax
	push %eax
	popf
	pushf
	pop %eax
	xor %ecx, %eax
	test $EFLAGS_ID, %eax
	jz unsuitable_processor
	push %esi
	push %edi
	mov $1, %eax
	cpuid
	pop %edi
	pop %esi
	and $FEATURES, %edx
	cmp $FEATURES, %edx
	jne unsuitable_processor
	ret

/* The line goes to COM1, to port 0xE9 and to the top of the screen. */
unsuitable_processor:
	mov $unsuitable_text, %esi
	mov $0xb8000, %edi
	mov $0x0700, %eax		/* grey on black */
1:	lodsb
	test %al, %al
	jz 3f
	stosw
	mov $0xe9, %edx
	outb %al, %dx
	mov %al, %bl
	mov $10000, %ecx
	mov $0x3fd, %edx
2:	inb %dx, %al
	test $0x20, %al
	loopz 2b
	mov %bl, %al
	mov $0x3f8, %edx
	outb %al, %dx
	jmp 1b
3:	mov $QEMU_CRASHED, %al		/* stop.c says what these are */
	outb %al, $QEMU_EXIT
	mov $ACPI_SLEEP, %ax
	mov $ACPI_OFF_QEMU, %dx
	outw %ax, %dx
	xchg %bx, %bx
4:	hlt
	jmp 4b

unsuitable_text:
	.asciz "atelier: this processor is too old: a Pentium III or newer is needed\r\nend crash\n"

	.section .rodata
	.align 4
	.word 0
gdt_pointer:
	.word 0xffff
	.long GDT_WINDOW

	.section .bss.pages, "aw", @nobits
	.align 4096
	.globl hypervisor_directory, hypervisor_image_tables
hypervisor_directory:
	.skip 4096
hypervisor_image_tables:
	.skip 4096 * SLOT_IMAGE_COUNT

	.globl stack_guard, stack_bottom, stack_canary, stack_top
stack_guard:
	.skip 4096
stack_bottom:
	.skip STACK_SIZE - STACK_CANARY
stack_canary:
	.skip STACK_CANARY
stack_top:
