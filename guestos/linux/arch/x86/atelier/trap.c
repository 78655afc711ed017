// SPDX-License-Identifier: GPL-2.0
/*
 * Traps: what Linux writes into an interrupt descriptor table goes to the hypervisor as a trap table.
 */
#include <linux/init.h>
#include <linux/bug.h>
#include <asm/atelier.h>
#include <asm/atelier_entry.h>
#include <asm/desc.h>
#include <asm/irq_vectors.h>
#include <asm/trapnr.h>
#include <atelier/trap.h>
#include "internal.h"

extern char atelier_page_fault[], atelier_failsafe[];
extern char atelier_int80_masked[], atelier_iret_start[], atelier_iret_end[], atelier_iret_pending[];
asmlinkage void asm_sysvec_atelier_events(void);

/* Where the page-fault stub goes on: Linux's handler of the time. */
unsigned long atelier_page_fault_handler;

static struct {
	struct trap_entry list[NUM_EXCEPTION_VECTORS + 1];
	unsigned int count;
	bool loaded;
} traps;

static struct trap_entry *entry_of(u8 vector)
{
	struct trap_entry *t;

	for (t = traps.list; t < traps.list + traps.count; t++)
		if (t->vector == vector)
			return t;
	traps.count++;
	t->vector = vector;
	return t;
}

/*
 * Takes over one gate. Task gates are not: a double fault ends the domain. The vectors from 32 on are device interrupts, which
 * come as events, but for the system call. Its gate lets ring 3 through without the hypervisor, which then cannot mask events:
 * its first instruction does.
 */
static void take_gate(int vector, const gate_desc *gate)
{
	struct trap_entry *t;
	bool call = vector == IA32_SYSCALL_VECTOR;

	if (vector >= NUM_EXCEPTION_VECTORS && !call)
		return;
	if (!gate->bits.p || (gate->bits.type != GATE_INTERRUPT && gate->bits.type != GATE_TRAP))
		return;
	t = entry_of(vector);
	t->flags = gate->bits.dpl | (call ? 0 : TRAP_MASK_EVENTS);
	t->cs = gate_segment(gate) | 1;
	t->address = gate_offset(gate);
	if (vector == X86_TRAP_PF) {
		atelier_page_fault_handler = t->address;
		t->address = (unsigned long)atelier_page_fault;
	}
}

static void send(void)
{
	if (hypercall2(HYPERCALL_set_trap_table, (unsigned long)traps.list, traps.count))
		BUG();
	if (hypercall1(HYPERCALL_set_fast_trap, IA32_SYSCALL_VECTOR))
		BUG();
}

void load_idt(const struct desc_ptr *idt)
{
	const gate_desc *gates = (const gate_desc *)idt->address;
	unsigned int vector;

	for (vector = 0; vector < (idt->size + 1u) / sizeof(*gates); vector++)
		take_gate(vector, &gates[vector]);
	traps.loaded = true;
	send();
}

void write_idt_entry(gate_desc *idt, int vector, const gate_desc *gate)
{
	native_write_idt_entry(idt, vector, gate);
	if (!traps.loaded)
		return;
	take_gate(vector, gate);
	send();
}

void __init atelier_init_traps(void)
{
	const struct callbacks callbacks = {
		.event_cs = __KERNEL_CS | 1,
		.event_eip = (unsigned long)asm_sysvec_atelier_events,
		.failsafe_cs = __KERNEL_CS | 1,
		.failsafe_eip = (unsigned long)atelier_failsafe,
		.range_count = 2,
		.ranges = {
			{ (unsigned long)entry_INT80_32, (unsigned long)atelier_int80_masked,
			  (unsigned long)atelier_int80_masked },
			{ (unsigned long)atelier_iret_start, (unsigned long)atelier_iret_end,
			  (unsigned long)atelier_iret_pending },
		},
	};

	BUILD_BUG_ON(offsetof(struct atelier_registers, cr2) != ATELIER_CR2);
	if (hypercall1(HYPERCALL_set_callbacks, (unsigned long)&callbacks))
		BUG();
}
