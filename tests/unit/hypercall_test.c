// SPDX-License-Identifier: MIT
#include "hypercall.h"
#include <string.h>
#include "guest_copy.h"
#include "host/audit.h"
#include "host/domains.h"
#include "host/state.h"
#include "unit/test.h"

static struct guest start(void)
{
	struct guest g;

	host_start(64);
	g = host_domain(12);
	host_enter(&g);
	host_output_clear();
	return g;
}

/* ---- dispatch ---- */

TEST(the_call_gate_is_open_to_ring_1_and_no_further)
{
	start();
	EXPECT_EQ(host.gates[0x82].kind, GATE_INTERRUPT);
	EXPECT_EQ(host.gates[0x82].dpl, 1);
	EXPECT_EQ(host.gates[0x82].selector, MACHINE_RING0_CODE);
	EXPECT_EQ(host.gates[0x82].offset, machine_entry_point(0x82));
}

TEST(a_number_without_a_handler_is_refused_whatever_its_upper_bits_are)
{
	static const uint32_t numbers[] = {
		HYPERCALL_COUNT, HYPERCALL_COUNT + 1, 0x100, 0x101, 0x10000, 0x7fffffff, 0x80000000, 0x80000001,
		0xffffff00, UINT32_MAX,
	};
	struct guest g = start();

	for (unsigned int i = 0; i < ARRAY_SIZE(numbers); i++)
		EXPECT_EQ(host_call(&g, numbers[i], (const uint32_t[5]){ 0 }), -ENOSYS, "number 0x%x", numbers[i]);
}

TEST(a_call_gets_its_five_arguments_by_value_and_changes_eax_alone)
{
	struct guest g = start();

	/* host_call() compares the other registers. */
	EXPECT_EQ(CALL(&g, version, 1, 2, 3, 4, 5), ATELIER_INTERFACE);
	EXPECT_EQ(CALL(&g, stack_switch, 0x12340021, 0x55667788), 0);
	EXPECT_EQ(g.d->vcpu.kernel_ss, 0x21);
	EXPECT_EQ(g.d->vcpu.kernel_esp, 0x55667788);
	EXPECT_EQ(g.d->calls.count, 2);
}

/* ---- console_write ---- */

/* As another domain than 0 writes it, without the prefix that opens the line. */
static const char *printed(void)
{
	const char *text = host_output(NULL), *blank = strchr(text, ' ');

	return blank ? blank + 1 : text;
}

TEST(console_write_prints_the_longest_readable_prefix_and_answers_its_length)
{
	static const struct { uint32_t before_hole, count; int answer; } rows[] = {
		{ 100,	0,		0 },
		{ 100,	1,		1 },
		{ 200,	127,		127 },
		{ 200,	128,		128 },		/* one chunk */
		{ 200,	129,		129 },
		{ 8192,	4095,		4095 },
		{ 8192,	4096,		4096 },
		{ 8192,	4097,		4096 },
		{ 8192,	0x80000000u,	4096 },
		{ 8192,	UINT32_MAX,	4096 },
		{ 200,	300,		200 },		/* a hole in the second chunk */
		{ 1,	300,		1 },
		{ 0,	1,		-EFAULT },
		{ 0,	0,		0 },
	};
	struct guest g = start();
	uint32_t hole = host_va(11);

	((uint32_t *)host_frame(g.mfn[PFN_TABLE]))[11] = 0;
	for (uint32_t pfn = PFN_DATA; pfn < 11; pfn++)
		memset(host_frame(g.mfn[pfn]), 'x', PAGE_SIZE);
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t size;

		host_output_clear();
		EXPECT_EQ(CALL(&g, console_write, hole - rows[i].before_hole, rows[i].count), rows[i].answer,
			  "row %u", i);
		host_output(&size);
		EXPECT_EQ(size, MAX(rows[i].answer, 0), "row %u", i);
	}
}

TEST(console_write_prints_every_byte_value_and_does_not_stop_at_a_nul)
{
	static const char text[] = { 'a', 0, 27, (char)255, 'b' };
	struct guest g = start();
	size_t size;

	EXPECT_EQ(CALL(&g, console_write, host_arg(text, sizeof(text)), sizeof(text)), sizeof(text));
	host_output(&size);
	EXPECT_EQ(size, sizeof(text));
	EXPECT_EQ(memcmp(host_output(NULL), text, sizeof(text)), 0);
}

TEST(console_write_never_reads_above_the_line)
{
	static const struct { uint32_t addr, count; int answer; } rows[] = {
		{ 0xfc000000, 0, 0 }, { 0xfc000000, 1, -EFAULT }, { 0xfc000001, 1, -EFAULT },
		{ 0xffffffff, 4, -EFAULT }, { 0xfbffffff, 4, -EFAULT /* nothing is mapped there */ },
	};
	struct guest g = start();

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++)
		EXPECT_EQ(CALL(&g, console_write, rows[i].addr, rows[i].count), rows[i].answer, "row %u", i);
}

/* ---- multicall ---- */

#define PATTERN	0x5a5a5a5a

static struct multicall_entry entry(uint32_t call, uint32_t a, uint32_t b)
{
	return (struct multicall_entry){ .call = call, .result = PATTERN, .args = { a, b } };
}

TEST(a_multicall_does_its_entries_in_order_and_writes_each_result)
{
	struct guest g = start();
	struct multicall_entry list[4] = {
		entry(HYPERCALL_console_write, ARG("1"), 1),
		entry(1000, 0, 0),
		entry(HYPERCALL_console_write, ARG("23"), 2),
		entry(HYPERCALL_version, 0, 0),
	};
	uint32_t at = ARG(list);
	const struct multicall_entry *after = host_arg_bytes(at);

	EXPECT_EQ(CALL(&g, multicall, at, 4), 4);
	EXPECT_EQ(after[0].result, 1);
	EXPECT_EQ(after[1].result, -ENOSYS);
	EXPECT_EQ(after[2].result, 2);
	EXPECT_EQ(after[3].result, ATELIER_INTERFACE);
	EXPECT_TEXT(printed(), "123");
	EXPECT_EQ(g.d->calls.count, 5);
}

TEST(calls_that_would_leave_the_list_are_refused_and_the_list_goes_on)
{
	static const uint32_t leaving[] = { HYPERCALL_multicall, HYPERCALL_iret, HYPERCALL_block };
	uint32_t frame[4] = { 0, 0x40000000, ATELIER_RING1_CODE, 0x202 };	/* EAX EIP CS EFLAGS: one that iret takes */
	struct guest g = start();

	g.d->vcpu.regs.esp = ARG(frame);
	for (unsigned int i = 0; i < ARRAY_SIZE(leaving); i++) {
		struct multicall_entry list[3] = {
			entry(HYPERCALL_version, 0, 0), entry(leaving[i], 0, 0), entry(HYPERCALL_version, 0, 0),
		};
		uint32_t at = ARG(list);
		const struct multicall_entry *after = host_arg_bytes(at);

		EXPECT_EQ(CALL(&g, multicall, at, 3), 3, "row %u", i);
		EXPECT_EQ(after[1].result, -EINVAL, "row %u", i);
		EXPECT_EQ(after[2].result, ATELIER_INTERFACE, "row %u", i);
	}
}

TEST(a_refused_list_refuses_only_itself)
{
	struct guest g = start();
	struct multicall_entry nested = entry(HYPERCALL_multicall, 0, 1), good = entry(HYPERCALL_version, 0, 0);

	EXPECT_EQ(CALL(&g, multicall, ARG(nested), 1), 1);
	EXPECT_EQ(CALL(&g, multicall, 0x1000, 1), -EFAULT);	/* not mapped */
	EXPECT_EQ(CALL(&g, multicall, ARG(good), 1), 1);
}

TEST(a_list_that_cannot_be_one_is_refused_unread)
{
	static const struct { uint32_t at, count; int answer; } rows[] = {
		{ 0xfc000000, 1, -EFAULT },
		{ 0xfbfffff0, 1, -EFAULT },		/* ends above the line */
		{ 0x1000, 0x08000000, -EFAULT },	/* 2^32 bytes: 0 in 32 bits */
		{ 0x1000, UINT32_MAX, -EFAULT },
		{ 0xfc000000, 0, 0 },
		{ 0x1000, 0, 0 },
	};
	struct guest g = start();

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++)
		EXPECT_EQ(CALL(&g, multicall, rows[i].at, rows[i].count), rows[i].answer, "row %u", i);
}

/* Entries on the guest's own pages: the last one before the hole at page 11, or before read-only page 10. */
static uint32_t place(struct guest *g, uint32_t end, unsigned int n)
{
	uint32_t at = end - n * sizeof(struct multicall_entry);

	for (unsigned int i = 0; i < n; i++) {
		struct multicall_entry e = entry(HYPERCALL_version, 0, 0);

		host_store(at + i * sizeof(e), &e, sizeof(e));
	}
	((uint32_t *)host_frame(g->mfn[PFN_TABLE]))[11] = 0;
	return at;
}

TEST(an_entry_that_cannot_be_read_ends_the_list_and_is_an_error_only_if_it_is_the_first)
{
	struct guest g = start();
	uint32_t at = place(&g, host_va(11), 3);

	EXPECT_EQ(CALL(&g, multicall, at, 5), 3);
	EXPECT_EQ(CALL(&g, multicall, host_va(11), 2), -EFAULT);
	EXPECT_EQ(CALL(&g, multicall, host_va(11) - 8, 2), -EFAULT);	/* half of the first entry */
}

TEST(an_entry_whose_result_cannot_be_written_counts_and_ends_the_list)
{
	struct guest g = start();
	uint32_t at;

	at = place(&g, host_va(10) + 2 * sizeof(struct multicall_entry), 4);
	((uint32_t *)host_frame(g.mfn[PFN_TABLE]))[10] &= ~PTE_RW;
	g.d->calls.count = 0;
	EXPECT_EQ(CALL(&g, multicall, at, 4), 3);
	EXPECT_EQ(g.d->calls.count, 4);		/* the multicall itself, and three */
}

TEST(a_list_may_stop_early_when_an_interrupt_is_due)
{
	struct guest g = start();
	struct multicall_entry list[3] = {
		entry(HYPERCALL_version, 0, 0), entry(HYPERCALL_version, 0, 0), entry(HYPERCALL_version, 0, 0),
	};
	uint32_t at = ARG(list);
	const struct multicall_entry *after = host_arg_bytes(at);

	host.interrupt_after = 2;
	EXPECT_EQ(CALL(&g, multicall, at, 3), 2);
	EXPECT_EQ(after[1].result, ATELIER_INTERFACE);
	EXPECT_EQ(after[2].result, PATTERN);
}

/* A guest that changes an entry as soon as it has been read: during the call that it asks for. */
static uint32_t changing;

static void change_after_read(const char *seam)
{
	struct multicall_entry *e = host_arg_bytes(changing);

	if (strcmp(seam, "machine_set_kernel_stack") == 0)
		e->call = HYPERCALL_multicall;
}

TEST(an_entry_is_read_once)
{
	struct guest g = start();
	struct multicall_entry list[1] = { entry(HYPERCALL_stack_switch, ATELIER_RING1_DATA, 0x1000) };
	const struct multicall_entry *after;

	changing = ARG(list);
	after = host_arg_bytes(changing);
	host.at_seam = change_after_read;
	EXPECT_EQ(CALL(&g, multicall, changing, 1), 1);
	EXPECT_EQ(after[0].call, HYPERCALL_multicall);	/* it did change */
	EXPECT_EQ(after[0].result, 0);
}

/* Turns the entry into a nested call before each read of it but the first. */
static void change_before_second_read(guest_addr_t src, size_t n)
{
	static unsigned int reads;

	if (src.n - changing < sizeof(struct multicall_entry) && reads++ > 0)
		((struct multicall_entry *)host_arg_bytes(changing))->call = HYPERCALL_multicall;
}

TEST(an_entry_that_was_judged_is_the_one_that_is_done)
{
	struct guest g = start();
	struct multicall_entry list[1] = { entry(HYPERCALL_version, 0, 0) };
	const struct multicall_entry *after;

	changing = ARG(list);
	after = host_arg_bytes(changing);
	host.before_copy_in = change_before_second_read;
	EXPECT_EQ(CALL(&g, multicall, changing, 1), 1);
	EXPECT_EQ(after[0].result, ATELIER_INTERFACE);
}

TEST(a_domain_that_ends_itself_in_a_list_does_nothing_more)
{
	struct guest zero, g;
	struct multicall_entry list[2] = {
		entry(HYPERCALL_shutdown, SHUTDOWN_crash, 0), entry(HYPERCALL_version, 0, 0),
	};
	const struct multicall_entry *after;
	uint32_t at;

	host_start(64);
	zero = host_domain(4);
	g = host_domain(8);
	host_enter(&g);
	at = ARG(list);
	after = host_arg_bytes(at);
	EXPECT_EQ(CALL(&g, multicall, at, 2), 1);
	EXPECT_EQ(after[1].result, PATTERN);
	EXPECT_EQ(g.d->life, LIFE_DYING);
	EXPECT_EQ(zero.d->life, LIFE_OPEN);
}

/* ---- debug_op ---- */

/* ---- what calls write ---- */

#define AROUND	64u	/* bytes before and behind an answer that a call must leave alone */

struct answer {
	const char *what;
	uint32_t call, args[2], at;	/* @at: which argument is the answer's address */
	uint32_t size;			/* of the structure that is there */
	uint8_t in[24];			/* and holds this before the call */
	uint32_t out[4];		/* the words of it that the interface says are written, each plus 1; 0: no more */
};

/* Puts the question between bytes of @filler and answers which of all the bytes the call has changed. */
static void answer_on(struct guest *g, const struct answer *a, uint8_t filler, bool *changed)
{
	uint8_t before[2 * AROUND + 24];
	uint32_t args[5] = { a->args[0], a->args[1] }, at;
	const uint8_t *after;

	memset(before, filler, sizeof(before));
	memcpy(before + AROUND, a->in, a->size);
	at = host_arg(before, sizeof(before));
	after = host_arg_bytes(at);
	args[a->at] = at + AROUND;
	EXPECT_EQ(host_call(g, a->call, args), 0, "%s", a->what);
	for (unsigned int i = 0; i < sizeof(before); i++)
		changed[i] |= before[i] != after[i];
}

static bool may_change(const struct answer *a, unsigned int byte)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(a->out) && a->out[i]; i++)
		if (byte / 4 == AROUND / 4 + a->out[i] - 1)
			return true;
	return false;
}

#define OP(n)	.size = 24, .in = { n }

/* XSA-122: whatever else lay on the hypervisor's stack is no guest's business. */
TEST(an_answer_changes_the_bytes_that_the_interface_names_and_no_others)
{
	static const struct answer answers[] = {
		{ "alloc_unbound", HYPERCALL_event_channel_op, OP(EVENT_alloc_unbound), .out = { 2 } },
		{ "bind_virq", HYPERCALL_event_channel_op, OP(EVENT_bind_virq), .out = { 2 } },
		{ "status of an open port", HYPERCALL_event_channel_op, .size = 24, .in = { EVENT_status, 0, 0, 0, 1 },
		  .out = { 3, 4, 5, 6 } },
		{ "status of a closed port", HYPERCALL_event_channel_op, .size = 24, .in = { EVENT_status, 0, 0, 0, 9 },
		  .out = { 3, 4, 5, 6 } },
		{ "close", HYPERCALL_event_channel_op, .size = 24, .in = { EVENT_close, 0, 0, 0, 1 } },
		{ "get_debugreg", HYPERCALL_get_debugreg, { 7 }, 1, .out = { 1 } },
		{ "mmu_update: how many were done", HYPERCALL_mmu_update, { HOST_ARGS }, 2, .out = { 1 } },
		{ "set_timer", HYPERCALL_set_timer, .size = 16, .in = { 1 } },
	};
	static const uint8_t fillers[] = { 0xaa, 0x55 };
	bool changed[2 * AROUND + 24];

	for (unsigned int i = 0; i < ARRAY_SIZE(answers); i++) {
		memset(changed, false, sizeof(changed));
		for (unsigned int f = 0; f < ARRAY_SIZE(fillers); f++) {
			struct guest g = start();

			if (answers[i].in[4])
				EXPECT_EQ(CALL(&g, event_channel_op, host_arg((uint8_t[24]){ EVENT_alloc_unbound }, 24)), 0);
			answer_on(&g, &answers[i], fillers[f], changed);
		}
		for (unsigned int byte = 0; byte < sizeof(changed); byte++)
			EXPECT(!changed[byte] || may_change(&answers[i], byte), "%s: byte %d", answers[i].what,
			       (int)byte - (int)AROUND);
	}
}

TEST(the_audit_call_says_whether_the_state_is_sound)
{
	struct guest g = start();

	EXPECT_EQ(CALL(&g, debug_op, DEBUG_audit), 0);
	EXPECT_EQ(CALL(&g, debug_op, DEBUG_calls), 2);
	EXPECT_EQ(CALL(&g, debug_op, 77), -EINVAL);
	EXPECT_EQ(CALL(&g, debug_op, DEBUG_copy, HOST_ARGS, HOST_ARGS, DEBUG_COPY_MAX + 1), -EINVAL);
	EXPECT_EQ(CALL(&g, debug_op, DEBUG_copy, 0x1000, HOST_ARGS, 8), 8);
	EXPECT_EQ(CALL(&g, debug_op, DEBUG_copy, HOST_ARGS, 0x1000, 8), 8 << 16);
	frame_record(MFN(g.mfn[PFN_DATA]))->refs++;
	EXPECT_EQ(CALL(&g, debug_op, DEBUG_audit), -EIO);
	EXPECT(strstr(host_output(NULL), "frame_check"));
}

/* ---- addresses that are none ---- */

/* A call that reads a structure of more than four bytes at its first argument, or writes one there. */
struct reader {
	uint32_t number, second;
	bool writes;
};

static void expect_untouched(struct guest *g, const struct reader *r, uint32_t at, struct state *before, struct state *after)
{
	int result;

	state_take(before);
	result = host_call(g, r->number, (const uint32_t[5]){ at, r->second, 0, DOMID_SELF });
	state_take(after);
	EXPECT_EQ(result, -EFAULT, "call %u at 0x%x", r->number, at);
	EXPECT(!state_differs(before, after), "call %u at 0x%x: %s", r->number, at, state_differs(before, after));
}

TEST(a_call_at_an_address_that_is_none_faults_and_changes_nothing)
{
	static const struct reader readers[] = {
		{ HYPERCALL_multicall, 2, false }, { HYPERCALL_event_channel_op, 0, true }, { HYPERCALL_set_callbacks, 0, false },
		{ HYPERCALL_set_trap_table, 2, false }, { HYPERCALL_set_timer, 0, false }, { HYPERCALL_mmu_update, 1, false },
		{ HYPERCALL_set_gdt, 1024, false }, { HYPERCALL_ring_op, 0, false }, { HYPERCALL_memory_op, 0, false },
		{ HYPERCALL_control_op, 0, true },
	};
	struct guest g = start();
	const uint32_t bad[] = {
		0, 0x1000, host_va(200), host_va(12) - 4, ATELIER_LINE - 4, ATELIER_LINE, ATELIER_LINE + 4, ATELIER_FENCE - 4,
		ATELIER_FENCE, 0xfffffffc, 0xffffffff,
	};
	struct state *before = state_new(PAGE_SIZE), *after = state_new(PAGE_SIZE);

	for (unsigned int r = 0; r < ARRAY_SIZE(readers); r++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
			expect_untouched(&g, &readers[r], bad[i], before, after);
		if (readers[r].writes)	/* readable, and no more: a page table */
			expect_untouched(&g, &readers[r], host_va(PFN_TABLE), before, after);
	}
	state_free(before);
	state_free(after);
	audit_all();
}
