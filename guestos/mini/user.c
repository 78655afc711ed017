// SPDX-License-Identifier: MIT
#include "user.h"
#include "context.h"
#include "event.h"
#include "lib/string.h"
#include "mini.h"
#include "paging.h"

static struct {
	uint32_t esp;		/* for context_leave() */
	struct frame *regs;	/* of user_run(); NULL: it does not run */
} user;

void *user_page(unsigned int i)
{
	return window_page(WINDOW_USER, i);
}

uint32_t user_load(const void *code, uint32_t size)
{
	if (size > PAGE_SIZE)
		panic("mini: a program for ring 3 has %u bytes, more than a page", size);
	memcpy(user_page(0), code, size);
	return (uint32_t)user_page(0);
}

struct frame user_start(uint32_t eip)
{
	return (struct frame){
		.es = ATELIER_RING3_DATA,
		.ds = ATELIER_RING3_DATA,
		.eip = eip,
		.cs = ATELIER_RING3_CODE,
		.eflags = EFLAGS_IF,
		.esp = (uint32_t)user_page(USER_PAGES),
		.ss = ATELIER_RING3_DATA,
	};
}

void user_run(struct frame *regs)
{
	user.regs = regs;
	user_enter(&user.esp, regs);
}

void user_leave(const struct frame *f)
{
	struct frame *regs = user.regs;

	if (!regs)
		panic("mini: trap %u from ring 3 at 0x%x, where nothing should run", f->vector, f->eip);
	*regs = *f;
	user.regs = NULL;
	/*
	 * The frame stays behind on the stack: what returning from it would do to the mask is done
	 * here.
	 */
	events_restore(f->eflags & EFLAGS_IF);
	context_leave(user.esp);
}
