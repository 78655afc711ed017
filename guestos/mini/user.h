/* SPDX-License-Identifier: MIT */
/*
 * Ring 3: programs in the user window (four pages of the IMAGE_WINDOWS), one at a time.
 *
 *   USER_CODE(twice, "add %eax, %eax\n int $0x80\n");
 *
 *   struct frame regs = user_start(USER_LOAD(twice));
 *   regs.eax = 21;
 *   user_run(&regs);		 comes back with regs.vector 0x80 and regs.eax 42
 *
 * Needs trap_init() to come back at all.
 */
#ifndef MINI_USER_H
#define MINI_USER_H

#include "frame.h"
#include "lib/types.h"

#define USER_PAGES	4	/* in the window: one of code, two for the guest's purposes, one of stack */

/* A program in assembly; it is copied, so it must not care where it lies. At file scope. */
#define USER_CODE(name, text)					\
	asm(".pushsection .rodata\n"				\
	    "user_" #name ":\n" text "\n"			\
	    "user_" #name "_end:\n"				\
	    ".popsection");					\
	extern const char user_##name[], user_##name##_end[]

/* Copies a program to the first page and answers its address there. */
#define USER_LOAD(name)	user_load(user_##name, user_##name##_end - user_##name)
uint32_t user_load(const void *code, uint32_t size);

/* Page @i of the window: ring 1 and ring 3 both read and write it. */
void *user_page(unsigned int i);

/*
 * Registers for a start at @eip: ring 3's segments, an empty stack, events enabled, all others 0.
 */
struct frame user_start(uint32_t eip);

/*
 * Runs in ring 3 with @regs until a trap comes from there that has no handler; then @regs is its
 * frame. Running it again goes on.
 */
void user_run(struct frame *regs);

/* Ends user_run() from a handler, which has been given @f by ring 3. */
NORETURN void user_leave(const struct frame *f);

#endif
