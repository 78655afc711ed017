/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What entry_32.S does differently in ring 1 of Atelier.
 *
 * The interrupt flag is a byte in the shared page, so masking is a store, and unmasking with a return cannot be one
 * instruction. The ranges named here are told to the hypervisor (trap.c): an event that comes inside one is not delivered
 * there; the guest goes on at a place of its own choice, with events masked.
 *
 * DS may be the user's: everything is addressed through SS.
 */
#ifndef _ASM_X86_ATELIER_ENTRY_H
#define _ASM_X86_ATELIER_ENTRY_H

#include <atelier/atelier.h>

#define ATELIER_CR2	4	/* offset of cr2 in struct atelier_registers */

#ifdef __ASSEMBLY__

.macro ATELIER_MASK_EVENTS
	movb	$1, %ss:atelier_shared + SHARED_UPCALL_MASK
.endm

/*
 * Returns to what the frame at ESP says, with the interrupt flag that it says. If the flag is to be set and an event waits, or
 * comes before the return is done, the frame is as good as one of the event callback's own, and goes to it.
 */
.macro ATELIER_IRET
SYM_INNER_LABEL(atelier_iret, SYM_L_GLOBAL)
	testb	$X86_EFLAGS_IF >> 8, 2*4 + 1(%esp)
	jz	.Lmasked_iret_\@
	movb	$0, %ss:atelier_shared + SHARED_UPCALL_MASK
SYM_INNER_LABEL(atelier_iret_start, SYM_L_GLOBAL)
	cmpb	$0, %ss:atelier_shared + SHARED_UPCALL_PENDING
	jne	atelier_iret_pending
.Liret_\@:
	iret
SYM_INNER_LABEL(atelier_iret_end, SYM_L_GLOBAL)
.Lmasked_iret_\@:
	iret
SYM_INNER_LABEL(atelier_iret_pending, SYM_L_GLOBAL)
	ATELIER_MASK_EVENTS
	jmp	asm_sysvec_atelier_events

	_ASM_EXTABLE(.Liret_\@, atelier_iret_error)
	_ASM_EXTABLE(.Lmasked_iret_\@, atelier_iret_error)
.endm

#endif /* __ASSEMBLY__ */
#endif
