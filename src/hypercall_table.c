// SPDX-License-Identifier: MIT
#include "hypercall_table.h"
#include "console.h"
#include "control.h"		/* lab 5 */
#include "debug.h"
#include "domain.h"
#include "trace.h"

/* Unpacks a call's arguments for its handler. */
#define CALL(name, ...) \
	static int call_##name(struct domain *d, const uint32_t *a) \
	{ \
		uint32_t record = trace_enter(d->id, HYPERCALL_##name, a); \
\
		return trace_leave(record, do_##name(d, ##__VA_ARGS__)); \
	}
#define ADDR(i)	GUEST_ADDR(a[i])

static int call_version(struct domain *d, const uint32_t *a)
{
	return trace_leave(trace_enter(d->id, HYPERCALL_version, a), ATELIER_INTERFACE);
}

CALL(console_write, ADDR(0), a[1])
CALL(multicall, ADDR(0), a[1])
CALL(console_read, ADDR(0), a[1])
CALL(stack_switch, a[0], a[1])
CALL(iret)
CALL(fpu_taskswitch, a[0])
CALL(set_debugreg, a[0], a[1])
CALL(get_debugreg, a[0], ADDR(1))
CALL(shutdown, a[0], a[1])
CALL(event_channel_op, ADDR(0))		/* lab 2 */
CALL(block)				/* lab 2 */
CALL(yield)
CALL(set_callbacks, ADDR(0))		/* lab 2 */
CALL(set_trap_table, ADDR(0), a[1])	/* lab 2 */
CALL(set_fast_trap, a[0])		/* lab 2 */
CALL(set_timer, ADDR(0))		/* lab 2 */
CALL(mmu_update, ADDR(0), a[1], ADDR(2), a[3])		/* lab 3 */
CALL(update_va_mapping, a[0], a[1], a[2], a[3])		/* lab 3 */
CALL(set_gdt, ADDR(0), a[1])		/* lab 4 */
CALL(set_ldt, ADDR(0), a[1])		/* lab 4 */
CALL(update_descriptor, a[0], a[1], a[2])		/* lab 4 */
CALL(ring_op, ADDR(0))			/* lab 6 */
CALL(memory_op, ADDR(0))			/* lab 7 */
CALL(control_op, ADDR(0))		/* lab 5 */
CALL(debug_op, a[0], ADDR(1), ADDR(2), a[3])

hypercall_fn *const hypercall_table[HYPERCALL_COUNT] = {
	[HYPERCALL_version] = call_version,
	[HYPERCALL_console_write] = call_console_write,
	[HYPERCALL_multicall] = call_multicall,
	[HYPERCALL_console_read] = call_console_read,
	[HYPERCALL_stack_switch] = call_stack_switch,
	[HYPERCALL_iret] = call_iret,
	[HYPERCALL_fpu_taskswitch] = call_fpu_taskswitch,
	[HYPERCALL_set_debugreg] = call_set_debugreg,
	[HYPERCALL_get_debugreg] = call_get_debugreg,
	[HYPERCALL_shutdown] = call_shutdown,
	[HYPERCALL_event_channel_op] = call_event_channel_op,	/* lab 2 */
	[HYPERCALL_block] = call_block,				/* lab 2 */
	[HYPERCALL_yield] = call_yield,
	[HYPERCALL_set_callbacks] = call_set_callbacks,		/* lab 2 */
	[HYPERCALL_set_trap_table] = call_set_trap_table,	/* lab 2 */
	[HYPERCALL_set_fast_trap] = call_set_fast_trap,		/* lab 2 */
	[HYPERCALL_set_timer] = call_set_timer,			/* lab 2 */
	[HYPERCALL_mmu_update] = call_mmu_update,		/* lab 3 */
	[HYPERCALL_update_va_mapping] = call_update_va_mapping,	/* lab 3 */
	[HYPERCALL_set_gdt] = call_set_gdt,			/* lab 4 */
	[HYPERCALL_set_ldt] = call_set_ldt,			/* lab 4 */
	[HYPERCALL_update_descriptor] = call_update_descriptor,	/* lab 4 */
	[HYPERCALL_ring_op] = call_ring_op,			/* lab 6 */
	[HYPERCALL_memory_op] = call_memory_op,			/* lab 7 */
	[HYPERCALL_control_op] = call_control_op,		/* lab 5 */
	[HYPERCALL_debug_op] = call_debug_op,
};
