/* SPDX-License-Identifier: MIT */
/*
 * In and out of the hypervisor.
 *
 * From a guest the processor itself switches to TSS.esp0, which is the end of the current domain's
 * struct regs: what it pushes and what is pushed here is that structure, at its place, and nothing
 * has to be copied. Then ESP goes to the top of the one stack. On the way out all segment registers
 * but SS and CS are loaded while ESP is still there, then ESP points into the structure for the
 * last three instructions. Each of these loads may fault, as guests choose the selectors: a fault
 * between exit_segments and exit_segments_end, or at exit_iret, is the guest's (trap.c). The one at
 * exit_iret is pushed over the structure's lower part, and reaches a few words below it: vcpu.h
 * leaves a gap there.
 *
 * Interrupts are off throughout. An NMI may come at any instruction, so it touches nothing but a
 * counter.
 */
#include "pc/layout.h"

	.macro SAVE
	cld
	pusha
	push %ds
	push %es
	push %fs
	push %gs
	mov $SELECTOR_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	.endm

	.text

/* INT 0x82: struct regs *serve_hypercall(struct regs *). */
	.globl entry_hypercall
	.align 16
entry_hypercall:
	push $0
	push $0x82
	SAVE
	mov %esp, %eax
	mov $stack_top, %esp
	push %eax
	call serve_hypercall

/* EAX: the registers to leave with. */
	.globl exit_to_guest, exit_segments, exit_segments_end, exit_iret
exit_to_guest:
exit_segments:
	mov (%eax), %gs
	mov 4(%eax), %fs
	mov 8(%eax), %es
	mov %ss:12(%eax), %ds
exit_segments_end:
	lea 16(%eax), %esp
	popa
	add $8, %esp			/* vector, error */
exit_iret:
	iret

/* Everything else: struct regs *serve_trap(struct regs *). */
	.align 16
entry_trap:
	SAVE
	mov %esp, %ebx
	testb $3, REGS_CS(%ebx)
	jz from_hypervisor
	mov $stack_top, %esp
	push %ebx
	call serve_trap
	jmp exit_to_guest

/*
 * struct regs *serve_own_trap(struct regs *): NULL: go on where it came from. ESP is on the stack,
 * except after a fault at exit_iret, when nothing is on the stack. The two words make a frame for
 * the back-trace.
 */
from_hypervisor:
	mov %esp, %eax
	sub $stack_bottom, %eax
	cmp $STACK_SIZE, %eax
	jb 1f
	mov $stack_top, %esp
1:	push REGS_EIP(%ebx)
	push %ebp
	mov %esp, %ebp
	push %ebx
	call serve_own_trap
	test %eax, %eax
	jnz exit_to_guest
	lea 16(%ebx), %esp		/* the segment registers are ours */
	popa
	add $8, %esp
	iret

/*
 * A watchpoint of the guest's that our copy touched, or that the instruction before its INT touched
 * (loading SS holds it back until the first instruction here). Not a matter for ring 0: registers
 * as they are, go on.
 */
entry_debug:
	testb $3, 4(%esp)
	jz 1f
	push $0
	push $1
	jmp entry_trap
1:	iret

entry_nmi:
	incl %ss:entry_nmi_count
	iret

/*
 * Its own task with its own stack: the stack is what was probably wrong. The error code is always
 * 0.
 */
	.globl entry_double_fault
entry_double_fault:
	push cpu_tss + TSS_EIP
	push cpu_tss + TSS_EBP
	mov %esp, %ebp
	call serve_double_fault

	.macro ENTRY vector
	.if \vector == 1
	.long entry_debug
	.elseif \vector == 2
	.long entry_nmi
	.else
	.long entry_\vector
	.pushsection .text
	.align 8
entry_\vector:
	.if !(\vector == 8 || (\vector >= 10 && \vector <= 14) || \vector == 17)
	push $0				/* no error code by the processor (SDM 3A, 6.15) */
	.endif
	push $\vector
	jmp entry_trap
	.popsection
	.endif
	.endm

	.section .rodata
	.globl entry_points
	.align 4
	.altmacro
entry_points:
	.set vector, 0
	.rept 32
	ENTRY %vector
	.set vector, vector + 1
	.endr
	.set vector, IRQ_VECTOR
	.rept IRQ_COUNT
	ENTRY %vector
	.set vector, vector + 1
	.endr

	.bss
	.align 4
	.globl entry_nmi_count
entry_nmi_count:
	.skip 4
