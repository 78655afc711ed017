// SPDX-License-Identifier: MIT
/*
 * The hypervisor's own call chain, by frame pointers: EBP points at the caller's EBP, and the
 * return address lies above it. entry.S makes such a pair for the place of a fault.
 */
#include "console.h"
#include "pc/pc.h"

#define DEPTH	32

/*
 * A second link fills it (build.mk): an address and a name each, sorted; the end is an address of
 * 0.
 */
extern const char symbols[];

struct link {
	const struct link *caller;
	uint32_t address;
};

static const char *next_symbol(const char *s)
{
	for (s += sizeof(uint32_t); *s; s++)
		;
	return s + 1;
}

static uint32_t symbol_address(const char *s)
{
	uint32_t address;

	__builtin_memcpy(&address, s, sizeof(address));
	return address;
}

/* The address behind a call, which may be that of the next function. */
static void print_place(uint32_t address)
{
	const char *found = NULL;

	for (const char *s = symbols; symbol_address(s) && symbol_address(s) < address; s = next_symbol(s))
		found = s;
	if (found)
		console_printf("  %08x %s+0x%x\n", address, found + sizeof(uint32_t),
			       address - symbol_address(found));
	else
		console_printf("  %08x\n", address);
}

static bool in_image_data(const void *p)
{
	return (const char *)p >= rodata_end && (const char *)p + sizeof(struct link) <= image_end &&
	       (uintptr_t)p % 4 == 0;
}

static bool in_text(uint32_t address)
{
	return address >= (uint32_t)image_start && address < (uint32_t)text_end;
}

void machine_backtrace(void)
{
	const struct link *l = __builtin_frame_address(0);

	for (unsigned int i = 0; i < DEPTH && in_image_data(l) && in_text(l->address); i++) {
		print_place(l->address);
		l = l->caller;
	}
}
