// SPDX-License-Identifier: MIT
#include "guest_copy.h"
#include "lib/string.h"
#include "machine.h"

bool guest_range_ok(guest_addr_t addr, uint32_t n)
{
	return addr.n <= ATELIER_LINE && n <= ATELIER_LINE - addr.n;
}

bool guest_array_ok(guest_addr_t addr, uint32_t count, uint32_t size)
{
	return addr.n <= ATELIER_LINE && (uint64_t)count * size <= ATELIER_LINE - addr.n;
}

size_t copy_from_guest(void *dst, guest_addr_t src, size_t n)
{
	size_t missed = n;

	if (guest_range_ok(src, n))
		missed = machine_copy_in(dst, src, n);
	/* What was not copied must not be whatever lay on our stack before. */
	if (missed)
		memset((char *)dst + (n - missed), 0, missed);
	return missed;
}

size_t copy_to_guest(guest_addr_t dst, const void *src, size_t n)
{
	return guest_range_ok(dst, n) ? machine_copy_out(dst, src, n) : n;
}

uint32_t guest_fixup(uint32_t eip)
{
	const struct machine_fixup *rows;
	size_t count;

	rows = machine_fixups(&count);
	for (size_t i = 0; i < count; i++)
		if (rows[i].fault == eip)
			return rows[i].resume;
	return 0;
}
