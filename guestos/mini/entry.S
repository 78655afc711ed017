/* SPDX-License-Identifier: MIT */
/*
 * In and out of ring 1: the first instruction, the way in for traps and events, the one way back,
 * and the two jumps that leave a frame behind (try, user mode).
 */
#include "frame.h"
#include "public/atelier.h"
#include "public/hypercall.h"

	.bss
	.balign ATELIER_PAGE_SIZE
	.globl shared_info
shared_info:
	.skip ATELIER_PAGE_SIZE
	.skip 16384
stack_top:

	.text
/* ESI is the start info; there is no stack yet; events are masked. */
	.globl mini_entry
mini_entry:
	mov $stack_top, %esp
	xor %ebp, %ebp			/* the outermost frame */
	push %esi
	call mini_main

/*
 * A stub for each vector, 16 bytes each. All lay the same frame: what the hypervisor left out is a
 * zero. It stores an error code for some vectors, and for a page fault the address below that
 * (public/trap.h).
 */
	.globl trap_stubs
	.balign 16
trap_stubs:
	.set vector, 0
	.rept 256
	.balign 16
	.if vector != 14
	.if !(vector == 8 || (vector >= 10 && vector <= 13) || vector == 17)
	push $0				/* error */
	.endif
	push $0				/* address */
	.endif
	push $vector
	jmp enter
	.set vector, vector + 1
	.endr

/*
 * The way back. All that the interrupted code had is in its registers again before events are
 * unmasked; from there to the IRET the stack holds the frame that the hypervisor built and nothing
 * of ours. That is how things stand at event_entry, so an event that comes in the critical range
 * needs no frame of its own: the hypervisor masks again and goes on at event_entry (set_callbacks'
 * range), as we do ourselves if one came before the unmasking. So none is lost, and however many
 * come, the stack is one frame deep.
 *
 * DS may be the interrupted code's by then; SS is ours.
 */
	.globl frame_return, critical_start, critical_end, event_entry
frame_return:
	movb $1, shared_info + SHARED_UPCALL_MASK
	testl $EFLAGS_IF, FRAME_EFLAGS(%esp)
	pop %es
	pop %ds
	popa
	lea 12(%esp), %esp		/* vector, address, error; not ADD: the flags are still wanted */
	jz 1f
critical_start:
	movb $0, %ss:shared_info + SHARED_UPCALL_MASK
	cmpb $0, %ss:shared_info + SHARED_UPCALL_PENDING
	jne 2f
1:	iret				/* gives back the flags, too */
2:	movb $1, %ss:shared_info + SHARED_UPCALL_MASK
critical_end:

/*
 * The event callback, by the hypervisor or from just above: masked, nothing but EIP, CS, EFLAGS on
 * the stack.
 */
event_entry:
	push $0
	push $0
	push $FRAME_EVENT

/* Whatever interrupted code had in DS and ES, C wants ours. FS and GS it does not use. */
enter:
	cld
	pusha
	push %ds
	push %es
	mov $ATELIER_RING1_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	push %esp			/* struct frame * */
	call trap_dispatch
	add $4, %esp
	jmp frame_return

/* The failsafe callback: DS, ES, FS, GS lie below the frame, four words where three are wanted. */
	.globl failsafe_entry
failsafe_entry:
	push %eax
	mov 12(%esp), %eax
	shl $16, %eax
	mov 16(%esp), %ax
	mov %eax, 16(%esp)		/* error: FS, GS */
	mov 4(%esp), %eax
	shl $16, %eax
	mov 8(%esp), %ax
	mov %eax, 12(%esp)		/* address: DS, ES */
	movl $FRAME_FAILSAFE, 8(%esp)
	pop %eax
	lea 4(%esp), %esp
	jmp enter

/*
 * int context_call(uint32_t *esp, void (*fn)(void *), void *arg): calls @fn and answers 0; @esp
 * receives what context_leave() wants. NORETURN void context_leave(uint32_t esp): back out of that
 * context_call() or user_enter() at once, which answers 1.
 */
	.globl context_call, context_leave
context_call:
	push %ebp
	push %ebx
	push %esi
	push %edi
	mov 20(%esp), %eax
	mov %esp, (%eax)
	push 28(%esp)
	call *28(%esp)			/* the push moved it here */
	add $4, %esp
	xor %eax, %eax
	jmp 1f
context_leave:
	mov 4(%esp), %esp
	mov $1, %eax
1:	pop %edi
	pop %esi
	pop %ebx
	pop %ebp
	ret

/*
 * int user_enter(uint32_t *esp, const struct frame *regs): goes to ring 3 with @regs. The way back
 * is context_leave() alone; what comes from ring 3 until then lies on the stack right below here.
 */
	.globl user_enter
user_enter:
	push %ebp
	push %ebx
	push %esi
	push %edi
	mov 20(%esp), %eax
	mov %esp, (%eax)
	mov $HYPERCALL_stack_switch, %eax
	mov $ATELIER_RING1_DATA, %ebx
	mov %esp, %ecx
	int $HYPERCALL_VECTOR
	mov 24(%esp), %esi
	sub $FRAME_SIZE, %esp
	mov %esp, %edi
	mov $FRAME_SIZE / 4, %ecx
	rep movsl
	jmp frame_return

	.section .note.GNU-stack, "", @progbits
