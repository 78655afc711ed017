/* SPDX-License-Identifier: MIT */
/*
 * 64 KiB of ROM that make Bochs start a multiboot kernel with no BIOS: from the reset vector straight
 * into flat 32-bit mode and to the kernel's entry. bochs.py fills in the three words and the boot
 * information, and has Bochs load kernel and modules to 1 MiB (optramimage1).
 *
 * Bochs gives memory to a machine in blocks, in the order in which they are first touched, and loads an
 * image as if all its blocks lay in a row. So they must be touched in a row, before anything else is.
 *
 * No device has been set up: the kernel finds the serial line at 5 bits a character, PCI without
 * addresses, and no ACPI.
 */
#define INFO		0x8000		/* where the kernel finds its boot information */
#define INFO_SIZE	0x2000
#define STACK		0xc000		/* grows down to behind it */
#define ROM		0xffff0000	/* the last 64 KiB below 4 GiB */

	.section .rom, "ax"
rom:
	.globl	rom_entry, rom_end, rom_info
rom_entry:
	.long	0			/* the kernel's first instruction */
rom_end:
	.long	0			/* the first byte behind the image */
rom_info:
	.fill	INFO_SIZE

	.code32
start:
	mov	$0x10, %eax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %fs
	mov	%ax, %gs
	mov	%ax, %ss

	mov	$0x100000, %esi
touch:
	mov	(%esi), %eax
	add	$0x1000, %esi
	cmp	ROM + rom_end - rom, %esi
	jb	touch

	cld
	mov	$ROM + rom_info - rom, %esi
	mov	$INFO, %edi
	mov	$INFO_SIZE / 4, %ecx
	rep movsl

	mov	$STACK, %esp
	mov	$INFO, %ebx
	mov	$0x2badb002, %eax
	jmp	*ROM + rom_entry - rom

	.align	8
gdt:
	.quad	0
	.quad	0x00cf9a000000ffff	/* 0x08: code, ring 0, 4 GiB */
	.quad	0x00cf92000000ffff	/* 0x10: data */
gdt_register:
	.word	. - gdt - 1
	.long	ROM + gdt - rom

	.code16
enter:
	cli
	lgdtl	%cs:(gdt_register - rom)
	mov	%cr0, %eax
	or	$1, %al
	mov	%eax, %cr0
	ljmpl	$0x08, $(ROM + start - rom)

	.org	0xfff0
	jmp	enter			/* where the processor starts */
	.org	0xffff
	.byte	0
