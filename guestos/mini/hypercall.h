/* SPDX-License-Identifier: MIT */
/*
 * The calls, as C functions. What each does, takes and answers stands in public/; addresses are
 * pointers here, and what the interface counts in bytes is counted in bytes. Anything impossible
 * that a test wants to ask goes through hypercall().
 */
#ifndef MINI_HYPERCALL_H
#define MINI_HYPERCALL_H

#include "public/control.h"
#include "public/event.h"
#include "public/hypercall.h"
#include "public/memory.h"
#include "public/paging.h"
#include "public/ring.h"
#include "public/segment.h"
#include "public/timer.h"
#include "public/trap.h"
#include "public/vcpu.h"

/* Call @number with five arguments; those that a call does not have are 0. The answer is EAX. */
int32_t hypercall(uint32_t number, uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t e);

static inline int32_t hypercall_version(void)
{
	return hypercall(HYPERCALL_version, 0, 0, 0, 0, 0);
}

static inline int32_t hypercall_console_write(const void *bytes, uint32_t count)
{
	return hypercall(HYPERCALL_console_write, (uint32_t)bytes, count, 0, 0, 0);
}

static inline int32_t hypercall_multicall(struct multicall_entry *list, uint32_t count)
{
	return hypercall(HYPERCALL_multicall, (uint32_t)list, count, 0, 0, 0);
}

static inline int32_t hypercall_console_read(void *buffer, uint32_t size)
{
	return hypercall(HYPERCALL_console_read, (uint32_t)buffer, size, 0, 0, 0);
}

static inline int32_t hypercall_stack_switch(uint32_t ss, uint32_t esp)
{
	return hypercall(HYPERCALL_stack_switch, ss, esp, 0, 0, 0);
}

static inline int32_t hypercall_fpu_taskswitch(uint32_t set)
{
	return hypercall(HYPERCALL_fpu_taskswitch, set, 0, 0, 0, 0);
}

static inline int32_t hypercall_set_debugreg(uint32_t reg, uint32_t value)
{
	return hypercall(HYPERCALL_set_debugreg, reg, value, 0, 0, 0);
}

static inline int32_t hypercall_get_debugreg(uint32_t reg, uint32_t *value)
{
	return hypercall(HYPERCALL_get_debugreg, reg, (uint32_t)value, 0, 0, 0);
}

static inline int32_t hypercall_shutdown(uint32_t reason, uint32_t status)
{
	return hypercall(HYPERCALL_shutdown, reason, status, 0, 0, 0);
}

static inline int32_t hypercall_event_channel_op(struct event_channel_op *op)
{
	return hypercall(HYPERCALL_event_channel_op, (uint32_t)op, 0, 0, 0, 0);
}

static inline int32_t hypercall_block(void)
{
	return hypercall(HYPERCALL_block, 0, 0, 0, 0, 0);
}

static inline int32_t hypercall_yield(void)
{
	return hypercall(HYPERCALL_yield, 0, 0, 0, 0, 0);
}

static inline int32_t hypercall_set_callbacks(const struct callbacks *callbacks)
{
	return hypercall(HYPERCALL_set_callbacks, (uint32_t)callbacks, 0, 0, 0, 0);
}

static inline int32_t hypercall_set_trap_table(const struct trap_entry *table, uint32_t count)
{
	return hypercall(HYPERCALL_set_trap_table, (uint32_t)table, count, 0, 0, 0);
}

static inline int32_t hypercall_set_fast_trap(uint32_t vector)
{
	return hypercall(HYPERCALL_set_fast_trap, vector, 0, 0, 0, 0);
}

static inline int32_t hypercall_set_timer(const struct set_timer *timer)
{
	return hypercall(HYPERCALL_set_timer, (uint32_t)timer, 0, 0, 0, 0);
}

static inline int32_t hypercall_mmu_update(const struct mmu_request *list, uint32_t count, uint32_t *done,
					   uint32_t domain)
{
	return hypercall(HYPERCALL_mmu_update, (uint32_t)list, count, (uint32_t)done, domain, 0);
}

static inline int32_t hypercall_update_va_mapping(uint32_t va, uint32_t value, uint32_t flags, uint32_t domain)
{
	return hypercall(HYPERCALL_update_va_mapping, va, value, flags, domain, 0);
}

static inline int32_t hypercall_set_gdt(const uint32_t *frames, uint32_t entries)
{
	return hypercall(HYPERCALL_set_gdt, (uint32_t)frames, entries, 0, 0, 0);
}

static inline int32_t hypercall_set_ldt(const void *table, uint32_t entries)
{
	return hypercall(HYPERCALL_set_ldt, (uint32_t)table, entries, 0, 0, 0);
}

static inline int32_t hypercall_update_descriptor(uint32_t machine_address, uint32_t low, uint32_t high)
{
	return hypercall(HYPERCALL_update_descriptor, machine_address, low, high, 0, 0);
}

static inline int32_t hypercall_ring_op(struct ring_op *op)
{
	return hypercall(HYPERCALL_ring_op, (uint32_t)op, 0, 0, 0, 0);
}

static inline int32_t hypercall_memory_op(struct memory_op *op)
{
	return hypercall(HYPERCALL_memory_op, (uint32_t)op, 0, 0, 0, 0);
}

static inline int32_t hypercall_control_op(struct control_op *op)
{
	return hypercall(HYPERCALL_control_op, (uint32_t)op, 0, 0, 0, 0);
}

static inline int32_t hypercall_debug_op(uint32_t op, uint32_t a, uint32_t b, uint32_t c)
{
	return hypercall(HYPERCALL_debug_op, op, a, b, c, 0);
}

/*
 * All registers of a call, for tests of what it leaves alone. hypercall_registers() loads them (all
 * but ESP), makes the call that EAX names, and stores them all as they are after it.
 */
struct registers {
	uint32_t eax, ebx, ecx, edx, esi, edi, ebp, eflags;
	uint32_t ds, es, fs, gs;
	uint32_t esp;		/* after it: how far it has moved, 0 if not */
};

void hypercall_registers(struct registers *r);

#endif
