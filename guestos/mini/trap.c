// SPDX-License-Identifier: MIT
#include "trap.h"
#include "context.h"
#include "event.h"
#include "hypercall.h"
#include "mini.h"
#include "user.h"

#define STUB_SIZE	16

_Static_assert(offsetof(struct frame, eflags) == FRAME_EFLAGS, "entry.S");
_Static_assert(sizeof(struct frame) == FRAME_SIZE, "entry.S");

extern const char trap_stubs[];		/* entry.S */

struct attempt {
	uint32_t esp;			/* for context_leave() */
	struct attempt *outer;
	struct fault fault;
};

static struct {
	trap_handler *handlers[FRAME_VECTORS];
	struct attempt *attempt;	/* the innermost try; NULL: none */
} traps;

struct trap_entry trap_row(unsigned int vector, uint8_t flags)
{
	return (struct trap_entry){
		.vector = vector,
		.flags = flags,
		.cs = ATELIER_RING1_CODE,
		.address = (uint32_t)trap_stubs + vector * STUB_SIZE,
	};
}

int trap_init(void)
{
	struct trap_entry table[33];

	for (unsigned int i = 0; i < 32; i++)
		table[i] = trap_row(i, 0);
	table[3] = trap_row(3, 3);	/* INT3 and INTO are for everybody, as on a machine of one's own */
	table[4] = trap_row(4, 3);
	table[32] = trap_row(TRAP_SYSTEM_CALL, 3);
	return hypercall_set_trap_table(table, ARRAY_SIZE(table));
}

void trap_set_handler(unsigned int vector, trap_handler *handler)
{
	traps.handlers[vector] = handler;
}

static NORETURN void unexpected(const struct frame *f)
{
	panic("mini: trap %u, error 0x%x, address 0x%x, at %x:%08x, eflags %08x\n"
	      "  eax %08x ebx %08x ecx %08x edx %08x esi %08x edi %08x ebp %08x ds %x es %x",
	      f->vector, f->error, f->address, f->cs, f->eip, f->eflags,
	      f->eax, f->ebx, f->ecx, f->edx, f->esi, f->edi, f->ebp, f->ds & 0xffff, f->es & 0xffff);
}

/*
 * Ends the innermost try. The frame stays behind on the stack, so what returning from it would do
 * is done here.
 */
static NORETURN void end_attempt(const struct frame *f)
{
	struct attempt *attempt = traps.attempt;

	attempt->fault = (struct fault){ true, f->vector, f->error, f->address, f->eip };
	events_restore(f->eflags & EFLAGS_IF);
	context_leave(attempt->esp);
}

/* From entry.S: everything that interrupts. */
void trap_dispatch(struct frame *f);
void trap_dispatch(struct frame *f)
{
	if (f->vector == FRAME_EVENT)
		event_dispatch();
	else if (traps.handlers[f->vector])
		traps.handlers[f->vector](f);
	else if (frame_ring(f) == 3)
		user_leave(f);
	else if (traps.attempt)
		end_attempt(f);
	else
		unexpected(f);
}

struct fault try_call(void (*fn)(void *arg), void *arg)
{
	struct attempt attempt = { .outer = traps.attempt };

	traps.attempt = &attempt;
	context_call(&attempt.esp, fn, arg);
	traps.attempt = attempt.outer;
	return attempt.fault;
}

struct access {
	volatile uint32_t *where;
	uint32_t value;
};

static void read_word(void *arg)
{
	struct access *a = arg;

	a->value = *a->where;
}

static void write_word(void *arg)
{
	struct access *a = arg;

	*a->where = a->value;
}

struct fault try_read(uint32_t va, uint32_t *value)
{
	struct access a = { (volatile uint32_t *)va, 0 };
	struct fault fault = try_call(read_word, &a);

	*value = a.value;
	return fault;
}

struct fault try_write(uint32_t va, uint32_t value)
{
	struct access a = { (volatile uint32_t *)va, value };

	return try_call(write_word, &a);
}
