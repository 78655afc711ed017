// SPDX-License-Identifier: MIT
/* The vandal of lab 2: stacks, handlers, ports, alarms. */
#include "vandal.h"
#include "event.h"
#include "hypercall.h"
#include "mini.h"
#include "time.h"
#include "trap.h"
#include "user.h"

#define HYPERVISOR_CODE	0xe009	/* the hypervisor's own code segment, as if it were ring 1's */

CRIME(2, 'a', stack_inside, "points its stack into the hypervisor, and takes an exception")
{
	asm volatile("mov %0, %%esp\n"
		     "ud2" : : "r" (HYPERVISOR_DATA));
	return 0;
}

CRIME(2, 'b', switch_inside, "has the next system call put its frame into the hypervisor")
{
	static const uint8_t call[] = { 0xcd, TRAP_SYSTEM_CALL };
	struct frame regs = user_start(user_load(call, sizeof(call)));

	hypercall_stack_switch(ATELIER_RING1_DATA, HYPERVISOR_DATA);
	/* Not by user_run(), which sets a stack of its own. */
	asm volatile("push %0\n"
		     "push %1\n"
		     "push $0x200\n"
		     "push %2\n"
		     "push %3\n"
		     "iret" : : "g" (regs.ss), "g" (regs.esp), "g" (regs.cs), "g" (regs.eip));
	return 0;
}

CRIME(2, 'c', handler_inside, "registers a place in the hypervisor as its exception handler")
{
	struct trap_entry entry = { .vector = 6, .cs = ATELIER_RING1_CODE, .address = HYPERVISOR };

	return hypercall_set_trap_table(&entry, 1);
}

CRIME(2, 'd', gate_to_ring_0, "asks for a fast system call that leads into ring 0")
{
	struct trap_entry entry = {
		.vector = TRAP_SYSTEM_CALL, .flags = 3, .cs = HYPERVISOR_CODE, .address = (uint32_t)user_page(0),
	};
	int err = hypercall_set_trap_table(&entry, 1);

	return err ? err : hypercall_set_fast_trap(TRAP_SYSTEM_CALL);
}

CRIME(2, 'e', handler_nowhere, "has exceptions handled where nothing is mapped, for ever")
{
	struct trap_entry entry = { .vector = TRAP_PAGE_FAULT, .cs = ATELIER_RING1_CODE, .address = 0x1000 };
	int err = hypercall_set_trap_table(&entry, 1);

	return err ? err : *(volatile int *)0x2000;
}

CRIME(2, 'f', forge_fault, "forges a page fault in ring 3, by INT 14")
{
	static const uint8_t forge[] = { 0xcd, TRAP_PAGE_FAULT };
	struct frame regs = user_start(user_load(forge, sizeof(forge)));

	user_run(&regs);
	return regs.vector == TRAP_PAGE_FAULT ? 0 : -EPERM;
}

CRIME(2, 'g', no_such_port, "closes a port behind the last one")
{
	return event_close(EVENT_PORTS);
}

/* Domain 0 keeps a port for itself. */
ACCOMPLICE(2, reserve_port)
{
	if (key == 'h')
		event_alloc_unbound(0, NULL, NULL);
}

CRIME(2, 'h', bind_stranger, "takes a port that domain 0 keeps for somebody else")
{
	return event_bind_interdomain(0, 1, NULL, NULL);
}

CRIME(2, 'i', alarm_storm, "sets alarms in the past, as fast as it can, for ever")
{
	int err;

	do
		err = time_alarm(1);
	while (!err);
	return err;
}

CRIME(2, 'j', never_yields, "masks everything, and loops for ever")
{
	events_disable();
	while (true)
		barrier();
	return 0;
}
