// SPDX-License-Identifier: MIT
#include "trap_table.h"
#include "domain.h"
#include "guest_copy.h"
#include "lib/string.h"
#include "machine.h"
#include "public/segment.h"

#define TRAP_FLAGS	(TRAP_DPL | TRAP_MASK_EVENTS)
#define VECTORS		256u

void trap_table_open(struct domain *d)
{
	d->traps.fast = FAST_TRAP_NONE;
}

/* Whether a selector names one of the slots that the hypervisor fills, in any ring's name. */
static bool reserved(uint32_t selector)
{
	uint32_t index = selector >> 3, frame = index / GDT_ENTRIES_A_FRAME;

	return !(selector & 4) && frame >= GDT_RESERVED_FRAME &&
	       index % GDT_ENTRIES_A_FRAME < GDT_RESERVED_SLOTS;
}

bool trap_target_ok(uint32_t cs, uint32_t address)
{
	if (address >= ATELIER_LINE || cs > UINT16_MAX)
		return false;
	return cs == ATELIER_RING1_CODE || ((cs & 3) == 1 && !reserved(cs));
}

const struct trap_handler *trap_handler(const struct domain *d, unsigned int vector)
{
	const struct trap_handler *h = &d->traps.handlers[vector];

	return h->address ? h : NULL;
}

static int check_entry(const struct trap_entry *e, const struct trap_handler *table)
{
	if ((e->flags & ~TRAP_FLAGS) || e->address == 0 || table[e->vector].address)
		return -EINVAL;
	return trap_target_ok(e->cs, e->address) ? 0 : -EPERM;
}

int do_set_trap_table(struct domain *d, guest_addr_t list, uint32_t count)
{
	static struct trap_handler table[VECTORS];	/* too large for the stack; one call at a time */
	struct trap_entry e;
	int err;

	if (count > VECTORS)
		return -E2BIG;
	memset(table, 0, sizeof(table));
	for (uint32_t i = 0; i < count; i++) {
		if (!guest_array_ok(list, count, sizeof(e)) ||
		    copy_from_guest(&e, guest_add(list, i * sizeof(e)), sizeof(e)))
			return -EFAULT;
		err = check_entry(&e, table);
		if (err)
			return err;
		table[e.vector] = (struct trap_handler){ e.address, e.cs, e.flags };
	}
	memcpy(d->traps.handlers, table, sizeof(table));
	return 0;
}

static bool may_be_fast(uint32_t vector)
{
	return vector == 0x80 || (vector >= 0x20 && vector <= 0x2f);
}

static void install(const struct trap_table *t)
{
	if (t->fast != FAST_TRAP_NONE)
		machine_set_gate(t->fast, GATE_TRAP, t->fast_gate.flags & TRAP_DPL,
				 t->fast_gate.cs, t->fast_gate.address);
}

static void uninstall(const struct trap_table *t)
{
	if (t->fast != FAST_TRAP_NONE)
		machine_set_gate(t->fast, GATE_NONE, 0, 0, 0);
}

void fast_switch_to(struct domain *prev, struct domain *next)
{
	if (prev)
		uninstall(&prev->traps);
	if (next)
		install(&next->traps);
}

int do_set_fast_trap(struct domain *d, uint32_t vector)
{
	const struct trap_handler *h = NULL;

	if (vector != FAST_TRAP_NONE) {
		if (!may_be_fast(vector))
			return -EINVAL;
		h = trap_handler(d, vector);
		/*
		 * The processor enters it without us: it could not set the mask, and looks at the
		 * selector's index alone.
		 */
		if (!h || (h->flags & TRAP_MASK_EVENTS) || !trap_target_ok(h->cs, h->address))
			return -EPERM;
	}
	uninstall(&d->traps);
	d->traps.fast = vector;
	if (h)
		d->traps.fast_gate = *h;
	install(&d->traps);
	return 0;
}
