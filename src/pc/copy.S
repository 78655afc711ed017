/* SPDX-License-Identifier: MIT */
/*
 * Copies that may fault: machine.h's machine_copy_in() and machine_copy_out(). A fault among the
 * words goes on byte by byte, from the word that faulted, so that the count is exact; a fault among
 * the bytes is the end. cpu.c has the table.
 */
	.macro COPY way
	.globl machine_copy_\way
machine_copy_\way:
	push %ebp
	mov %esp, %ebp
	push %esi
	push %edi
	mov 8(%ebp), %edi
	mov 12(%ebp), %esi
	mov 16(%ebp), %ecx
	mov %ecx, %edx
	and $3, %edx			/* what is behind the last word */
	shr $2, %ecx
	.globl copy_\way\()_words
copy_\way\()_words:
	rep movsl
	mov %edx, %ecx
	.globl copy_\way\()_bytes
copy_\way\()_bytes:
	rep movsb
	.globl copy_\way\()_bytes_failed
copy_\way\()_bytes_failed:
	mov %ecx, %eax
	pop %edi
	pop %esi
	pop %ebp
	ret
	.globl copy_\way\()_words_failed
copy_\way\()_words_failed:
	lea (%edx, %ecx, 4), %ecx
	jmp copy_\way\()_bytes
	.endm

	.text
	COPY in
	COPY out
