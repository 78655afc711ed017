/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The first instruction, and the entries that are not Linux's own: the page-fault stub and the failsafe callback.
 */
#include <linux/init.h>
#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/asm-offsets.h>
#include <asm/atelier_entry.h>
#include <asm/page_types.h>
#include <asm/processor-flags.h>
#include <asm/segment.h>

	__INIT
SYM_CODE_START(atelier_start)
	movl	initial_stack, %esp
	cld
	pushl	$0
	popfl
	movl	%esi, %eax		/* struct start_info * */
	call	atelier_start_kernel
	ud2
SYM_CODE_END(atelier_start)
	__FINIT

	.section .entry.text, "ax"

/*
 * A page fault: the faulting address lies below the error code. From here on the frame is the one that Linux's handler,
 * early or final, expects.
 */
SYM_CODE_START(atelier_page_fault)
	popl	%ss:atelier_registers + ATELIER_CR2
	jmp	*%ss:atelier_page_fault_handler
SYM_CODE_END(atelier_page_fault)

/*
 * A return failed, because of a selector in a segment register or because of the frame itself. Below the frame lie DS, ES, FS
 * and GS as they were to be loaded. A selector that still cannot be loaded becomes null, as on the way out of Linux itself
 * (RESTORE_REGS), and the return is tried again; if all four can be loaded, the frame is at fault.
 */
SYM_CODE_START(atelier_failsafe)
	ATELIER_MASK_EVENTS
	pushl	%eax
	movl	$1, %eax
1:	mov	1*4(%esp), %ds
2:	mov	2*4(%esp), %es
3:	mov	3*4(%esp), %fs
4:	mov	4*4(%esp), %gs
	testl	%eax, %eax
	popl	%eax
	leal	4*4(%esp), %esp
	jnz	atelier_iret_error
	jmp	atelier_iret

5:	xorl	%eax, %eax
	movl	%eax, 1*4(%esp)
	jmp	1b
6:	xorl	%eax, %eax
	movl	%eax, 2*4(%esp)
	jmp	2b
7:	xorl	%eax, %eax
	movl	%eax, 3*4(%esp)
	jmp	3b
8:	xorl	%eax, %eax
	movl	%eax, 4*4(%esp)
	jmp	4b
	_ASM_EXTABLE(1b, 5b)
	_ASM_EXTABLE(2b, 6b)
	_ASM_EXTABLE(3b, 7b)
	_ASM_EXTABLE(4b, 8b)
SYM_CODE_END(atelier_failsafe)
