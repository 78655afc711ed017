/* SPDX-License-Identifier: MIT */
/*
 * void hypercall_registers(struct registers *): a call with every register as given, and every
 * register after it. As it may leave none of them as it was, all that is needed afterwards is found
 * through SS, which the processor restores.
 */
#include "public/atelier.h"
#include "public/hypercall.h"

	.set EAX, 0
	.set EBX, 4
	.set ECX, 8
	.set EDX, 12
	.set ESI, 16
	.set EDI, 20
	.set EBP, 24
	.set EFLAGS, 28
	.set DS, 32
	.set ES, 36
	.set FS, 40
	.set GS, 44
	.set ESP, 48
	.set SIZE, 52

	.bss
	.balign 4
found:	.skip SIZE
stack:	.skip 4

	.text
	.globl hypercall_registers
hypercall_registers:
	push %ebp
	push %ebx
	push %esi
	push %edi
	push %fs
	push %gs
	mov 28(%esp), %eax		/* six words and the return address below it */

	push EFLAGS(%eax)
	push DS(%eax)
	push EAX(%eax)
	mov GS(%eax), %gs
	mov FS(%eax), %fs
	mov ES(%eax), %es
	mov EBX(%eax), %ebx
	mov ECX(%eax), %ecx
	mov EDX(%eax), %edx
	mov ESI(%eax), %esi
	mov EDI(%eax), %edi
	mov EBP(%eax), %ebp
	pop %eax
	pop %ds
	mov %esp, %ss:stack
	addl $4, %ss:stack		/* where POPF leaves it */
	popf				/* nothing from here to the call changes a flag */
	int $HYPERCALL_VECTOR

	mov %eax, %ss:found + EAX
	mov %ebx, %ss:found + EBX
	mov %ecx, %ss:found + ECX
	mov %edx, %ss:found + EDX
	mov %esi, %ss:found + ESI
	mov %edi, %ss:found + EDI
	mov %ebp, %ss:found + EBP
	mov %esp, %ss:found + ESP
	mov %ss:stack, %esp
	pushf
	pop %ss:found + EFLAGS
	mov %ds, %ss:found + DS		/* 16 bits; the rest stays 0 */
	mov %es, %ss:found + ES
	mov %fs, %ss:found + FS
	mov %gs, %ss:found + GS
	cld
	mov $ATELIER_RING1_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov stack, %eax
	sub %eax, found + ESP

	mov $found, %esi
	mov 28(%esp), %edi
	mov $SIZE / 4, %ecx
	rep movsl
	pop %gs
	pop %fs
	pop %edi
	pop %esi
	pop %ebx
	pop %ebp
	ret

	.section .note.GNU-stack, "", @progbits
