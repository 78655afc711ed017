// SPDX-License-Identifier: MIT
#include "hypercall.h"
#include "console.h"
#include "crash.h"
#include "domain.h"
#include "guest_copy.h"
#include "machine.h"

#define CHUNK	128	/* bytes of a console_write that are on the stack at once */

static struct {
	hypercall_fn *const *table;
	uint32_t rows;
	bool (*audit)(void);
} hypercalls;

void hypercall_init(hypercall_fn *const *table, uint32_t rows)
{
	hypercalls.table = table;
	hypercalls.rows = rows;
	machine_set_gate(HYPERCALL_VECTOR, GATE_INTERRUPT, 1, MACHINE_RING0_CODE,
			 machine_entry_point(HYPERCALL_VECTOR));
}

void hypercall_set_audit(bool (*audit)(void))
{
	hypercalls.audit = audit;
}

static int call(struct domain *d, uint32_t number, const uint32_t *args)
{
	crash_context.call = number;
	d->calls.count++;
	if (number >= hypercalls.rows || !hypercalls.table[number])
		return -ENOSYS;
	return hypercalls.table[number](d, args);
}

void hypercall_dispatch(struct domain *d, struct regs *regs)
{
	/* Copies: the compiler owns its argument slots, the guest its registers. */
	const uint32_t args[5] = { regs->ebx, regs->ecx, regs->edx, regs->esi, regs->edi };

	regs->eax = call(d, regs->eax, args);
	if (hypercalls.audit && !hypercalls.audit())
		crash_machine(NULL, "an auditor found the state broken");
	crash_context.call = UINT32_MAX;
}

int do_console_write(struct domain *d, guest_addr_t bytes, uint32_t count)
{
	char chunk[CHUNK];
	uint32_t size, done = 0;

	if (!guest_range_ok(bytes, 0))
		return count ? -EFAULT : 0;
	size = MIN(MIN(count, CONSOLE_WRITE_MAX), ATELIER_LINE - bytes.n);

	while (done < size) {
		uint32_t n = MIN(size - done, CHUNK);
		uint32_t missed = copy_from_guest(chunk, guest_add(bytes, done), n);

		console_emit(d, chunk, n - missed);
		done += n - missed;
		if (missed)
			break;
	}
	return done || !count ? (int)done : -EFAULT;
}

/* Calls that would leave the list they stand in. */
static bool leaves_list(uint32_t number)
{
	return number == HYPERCALL_multicall || number == HYPERCALL_iret || number == HYPERCALL_block;
}

/* Executes one entry; false: its result could not be written. */
static bool do_entry(struct domain *d, guest_addr_t at, const struct multicall_entry *entry)
{
	int32_t result = leaves_list(entry->call) ? -EINVAL : call(d, entry->call, entry->args);

	return copy_to_guest(guest_add(at, offsetof(struct multicall_entry, result)),
			     &result, sizeof(result)) == 0;
}

int do_multicall(struct domain *d, guest_addr_t list, uint32_t count)
{
	struct multicall_entry entry;
	uint32_t done = 0;
	bool written = true;

	if (!guest_array_ok(list, count, sizeof(entry)))
		return -EFAULT;

	while (done < count && written && d->life == LIFE_OPEN) {
		guest_addr_t at = guest_add(list, done * sizeof(entry));

		if (copy_from_guest(&entry, at, sizeof(entry)))
			return done ? (int)done : -EFAULT;
		written = do_entry(d, at, &entry);
		done++;
		if (machine_interrupt_due())
			break;
	}
	return done;
}
