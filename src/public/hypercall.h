/* SPDX-License-Identifier: MIT */
/*
 * Hypercalls: how a guest asks (paper, section 3.2; Table 1).
 *
 * `int 0x82` from ring 1: the number in EAX (all 32 bits), arguments in EBX, ECX, EDX, ESI, EDI,
 * the answer in EAX. No other register changes. From ring 3 it is a #GP of the guest's own; an
 * unknown number is -ENOSYS. Calls marked "domain 0" answer everybody else -EPERM.
 */
#ifndef ATELIER_PUBLIC_HYPERCALL_H
#define ATELIER_PUBLIC_HYPERCALL_H

#include "atelier.h"

#define HYPERCALL_VECTOR		0x82

#define HYPERCALL_version		0	/* () -> ATELIER_INTERFACE. The cheapest call there is */
#define HYPERCALL_console_write		1	/* (bytes, count), below */
#define HYPERCALL_multicall		2	/* (struct multicall_entry *, count), below */
#define HYPERCALL_console_read		3	/* (buffer, size): domain 0, below */
#define HYPERCALL_stack_switch		4	/* vcpu.h */
#define HYPERCALL_iret			5	/* vcpu.h */
#define HYPERCALL_fpu_taskswitch	6	/* vcpu.h */
#define HYPERCALL_set_debugreg		7	/* vcpu.h */
#define HYPERCALL_get_debugreg		8	/* vcpu.h */
#define HYPERCALL_shutdown		9	/* vcpu.h */
#define HYPERCALL_event_channel_op	10	/* event.h */
#define HYPERCALL_block			11	/* event.h */
#define HYPERCALL_yield			12	/* event.h */
#define HYPERCALL_set_callbacks		13	/* trap.h */
#define HYPERCALL_set_trap_table	14	/* trap.h */
#define HYPERCALL_set_fast_trap		15	/* trap.h */
#define HYPERCALL_set_timer		16	/* timer.h */
#define HYPERCALL_mmu_update		17	/* paging.h */
#define HYPERCALL_update_va_mapping	18	/* paging.h */
#define HYPERCALL_set_gdt		19	/* segment.h */
#define HYPERCALL_set_ldt		20	/* segment.h */
#define HYPERCALL_update_descriptor	21	/* segment.h */
#define HYPERCALL_ring_op		22	/* ring.h */
#define HYPERCALL_memory_op		23	/* memory.h */
#define HYPERCALL_control_op		24	/* control.h: domain 0 */
#define HYPERCALL_debug_op		25	/* below; -ENOSYS unless the hypervisor is a debug build */
#define HYPERCALL_COUNT			26

/*
 * console_write(bytes, count): prints on the machine's console, for domain 0 as it is, for others
 * with the domain in front of each line. Prints the longest readable prefix of min(count,
 * CONSOLE_WRITE_MAX) bytes, of any value, and answers its length; -EFAULT if count > 0 and not even
 * one byte can be read.
 */
#define CONSOLE_WRITE_MAX	4096

/*
 * console_read(buffer, size): domain 0. Moves up to @size bytes that were typed into @buffer and
 * answers how many, 0 if there are none; -EFAULT if the buffer cannot be written, and then nothing
 * is lost. VIRQ_CONSOLE is raised when there is something to read.
 */

/* debug_op(op, argument): for tests of the hypervisor itself. */
#define DEBUG_audit		0	/* runs every ..._check(); 0, or -EIO with the reason on the console */
#define DEBUG_crash		1	/* fails an assertion: stops the machine with its report */
#define DEBUG_calls		2	/* -> how many calls the caller has made (low 32 bits) */
#define DEBUG_copy		3	/* (DEBUG_copy, source, destination, count): copies from the guest to a buffer of the
					   hypervisor, full of 0xa5 before, and all of that back to the guest. -> bytes
					   not copied in | bytes not copied out << 16; -EINVAL: count > DEBUG_COPY_MAX */
#define DEBUG_COPY_MAX		4096

#ifndef __ASSEMBLY__
/*
 * multicall(list, count): executes the entries in order and answers how many were executed. Each
 * entry is read once and its result written back into it. An entry that cannot be read ends the
 * batch (-EFAULT only if it was the first); one whose result cannot be written counts and ends it.
 * A multicall inside gets -EINVAL in its result and the batch goes on; so do iret and block, which
 * would leave it. The batch may stop early when an interrupt is due: the guest calls again for the
 * rest.
 */
struct multicall_entry {
	uint32_t call;
	int32_t result;
	uint32_t args[5];
	uint32_t reserved;
};
#endif

#endif
