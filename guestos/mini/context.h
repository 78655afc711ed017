/* SPDX-License-Identifier: MIT */
/* The two jumps of entry.S that leave frames behind, for try and user mode. */
#ifndef MINI_CONTEXT_H
#define MINI_CONTEXT_H

#include "frame.h"
#include "lib/types.h"

/*
 * Calls @fn and answers 0. context_leave() with what came to be in *@esp is back out of it at once,
 * and the answer is 1; whatever was begun meanwhile is forgotten.
 */
int context_call(uint32_t *esp, void (*fn)(void *arg), void *arg);
NORETURN void context_leave(uint32_t esp);

/*
 * Enters ring 3 with @regs; the only way back is context_leave(). Entries from ring 3 use the stack
 * below from here on.
 */
int user_enter(uint32_t *esp, const struct frame *regs);

#endif
