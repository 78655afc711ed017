// SPDX-License-Identifier: MIT
/*
 * Programs that turning a segment over cannot help, or must not: each has to come to its end with
 * the trap that it asked for. Then the same from ring 1, and a program whose code is gone when the
 * hypervisor wants to read it.
 */
#include "programs.h"

/* An access below the base from ring 1: nothing is turned over for it. */
static void from_ring_1(void)
{
	uint64_t before;
	uint32_t low = input_word(), high = input_word();
	struct probe p = { .selector = SLOT << 3 | 3, .offset = -8, .kind = PROBE_READ };
	struct fault fault;

	observe("loaded-1 answer:int", 0, load_descriptor(low, high));
	before = descriptor_now();
	fault = try_call(do_probe, &p);
	gs_load(0);
	/* The processor itself marks it as accessed. */
	observe("ring-1 vector error changed", 0, fault.happened ? fault.vector : NOTHING, fault.error,
		(before ^ descriptor_now()) & ~(1ull << 40));
}

/* INT 0x80, and behind it an access below the base. */
USER_CODE(gone, "int $0x80\n"
		"mov %gs:0xfffffff8, %eax\n"
		"int $0x80\n");

/*
 * The page of the code is not there any more, but for the processor, which remembers it for
 * instructions alone: it executed, and never read, there since the last flush. Its #GP leads to
 * code that cannot be read.
 */
static void code_that_is_gone(void)
{
	uint32_t low = input_word(), high = input_word(), code = USER_LOAD(gone);
	uint32_t entry = *page_entry(code);
	struct frame regs = user_start(code);

	observe("loaded-gone answer:int", 0, load_descriptor(low, high));
	gs_load(SLOT << 3 | 3);
	hypercall_update_va_mapping(code, entry, UVM_FLUSH, DOMID_SELF);
	user_run(&regs);
	observe("there vector", 0, regs.vector);
	hypercall_update_va_mapping(code, 0, UVM_NONE, DOMID_SELF);
	user_run(&regs);
	gs_load(0);
	observe("gone vector error address offset", 0, regs.vector, regs.error,
		regs.address - code, regs.eip - code);
	hypercall_update_va_mapping(code, entry, UVM_FLUSH, DOMID_SELF);
}

int test_main(const struct start_info *start)
{
	programs_open();
	do_programs();
	from_ring_1();
	code_that_is_gone();
	return 0;
}
