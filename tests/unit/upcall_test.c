// SPDX-License-Identifier: MIT
#include "upcall.h"
#include <string.h>
#include "host/domains.h"
#include "unit/test.h"

#define CALLBACK	0x40103000u
#define FAILSAFE	0x40104000u
#define HANDLER		0x40105000u
#define STACK		(host_va(PFN_DATA) + 0x800)	/* of ring 1, in a writable page */
#define KERNEL_STACK	(host_va(PFN_DATA + 1) + 0x800)	/* for entries from ring 3 */
#define RING3_CODE	0x002bu
#define RING3_DATA	0x0033u

static struct guest zero, g;
static struct regs *regs;
static struct shared_info *shared;

static const struct callbacks callbacks = {
	ATELIER_RING1_CODE, CALLBACK, ATELIER_RING1_CODE, FAILSAFE, 2,
	{ { 0x1000, 0x1010, 0x5000 }, { 0x2000, 0x2001, 0x6000 } },
};

/* A domain with callbacks, in ring 1 with events unmasked. */
static void start(void)
{
	host_start(64);
	zero = host_domain(4);
	g = host_domain(10);
	host_enter(&g);
	EXPECT_EQ(CALL(&g, set_callbacks, ARG(callbacks)), 0);
	EXPECT_EQ(CALL(&g, stack_switch, ATELIER_RING1_DATA, KERNEL_STACK), 0);
	regs = &g.d->vcpu.regs;
	regs->eip = 0x1234;
	regs->esp = STACK;
	regs->eflags = 0x202;
	shared = g.d->shared;
	shared->upcall_mask = 0;
}

static void in_ring_3(void)
{
	regs->cs = RING3_CODE;
	regs->ss = RING3_DATA;
	regs->esp = 0x7000;
}

static void handler(unsigned int vector, unsigned int flags)
{
	g.d->traps.handlers[vector] = (struct trap_handler){ HANDLER, ATELIER_RING1_CODE, flags };
}

/* The words that a frame has, from ESP upward. */
static void expect_frame(const uint32_t *words, unsigned int n)
{
	uint32_t found[12];

	EXPECT(host_load(regs->esp, found, n * 4));
	for (unsigned int i = 0; i < n; i++)
		EXPECT_EQ(found[i], words[i], "word %u", i);
}
#define FRAME(...) \
	expect_frame((const uint32_t[]){ __VA_ARGS__ }, sizeof((const uint32_t[]){ __VA_ARGS__ }) / 4)

/* ---- events ---- */

TEST(an_event_in_ring_1_gets_a_frame_on_the_interrupted_stack)
{
	start();
	event_raise(g.d, 3);
	upcall_deliver(g.d, regs);
	EXPECT_EQ(regs->eip, CALLBACK);
	EXPECT_EQ(regs->cs, ATELIER_RING1_CODE);
	EXPECT_EQ(regs->esp, STACK - 12);
	EXPECT_EQ(shared->upcall_mask, 1);
	FRAME(0x1234, ATELIER_RING1_CODE, 0x202);
}

TEST(an_event_in_ring_3_gets_a_frame_on_the_kernels_stack)
{
	start();
	in_ring_3();
	event_raise(g.d, 3);
	upcall_deliver(g.d, regs);
	EXPECT_EQ(regs->esp, KERNEL_STACK - 20);
	EXPECT_EQ(regs->ss, ATELIER_RING1_DATA);
	EXPECT_EQ(regs->cs, ATELIER_RING1_CODE);
	FRAME(0x1234, RING3_CODE, 0x202, 0x7000, RING3_DATA);
}

TEST(nothing_is_delivered_while_masked_or_without_an_event_or_a_callback)
{
	start();
	upcall_deliver(g.d, regs);
	EXPECT_EQ(regs->eip, 0x1234, "no event");

	shared->upcall_mask = 1;
	event_raise(g.d, 3);
	upcall_deliver(g.d, regs);
	EXPECT_EQ(regs->eip, 0x1234, "masked");

	shared->upcall_mask = 0;
	g.d->upcalls.callbacks = (struct callbacks){ 0 };
	upcall_deliver(g.d, regs);
	EXPECT_EQ(regs->eip, 0x1234, "no callback");
	EXPECT_EQ(g.d->life, LIFE_OPEN);
}

TEST(a_delivered_event_masks_so_that_no_frame_is_built_in_a_frame)
{
	start();
	event_raise(g.d, 3);
	upcall_deliver(g.d, regs);
	event_raise(g.d, 4);
	upcall_deliver(g.d, regs);
	EXPECT_EQ(regs->esp, STACK - 12);
}

TEST(inside_a_critical_range_the_guest_goes_on_where_the_range_says)
{
	static const struct { uint32_t eip, resume; } rows[] = {
		{ 0xfff, 0 }, { 0x1000, 0x5000 }, { 0x100f, 0x5000 }, { 0x1010, 0 }, { 0x2000, 0x6000 }, { 0x2001, 0 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t resume;

		start();
		EXPECT_EQ(in_critical_range(g.d, rows[i].eip, &resume), rows[i].resume != 0, "row %u", i);
		regs->eip = rows[i].eip;
		event_raise(g.d, 3);
		upcall_deliver(g.d, regs);
		EXPECT_EQ(regs->eip, rows[i].resume ? rows[i].resume : CALLBACK, "row %u", i);
		EXPECT_EQ(regs->esp, rows[i].resume ? STACK : STACK - 12, "row %u", i);
		EXPECT_EQ(shared->upcall_mask, 1, "row %u", i);
	}
}

TEST(a_range_means_ring_1_addresses_only)
{
	start();
	in_ring_3();
	regs->eip = 0x1004;
	event_raise(g.d, 3);
	upcall_deliver(g.d, regs);
	EXPECT_EQ(regs->eip, CALLBACK);
}

/* ---- exceptions ---- */

TEST(exceptions_have_an_error_code_exactly_where_the_processor_has_one)
{
	static const bool has[32] = { [8] = true, [10 ... 13] = true, [17] = true };

	for (unsigned int vector = 0; vector < 32; vector++) {
		if (vector == 14)
			continue;
		start();
		handler(vector, 0);
		upcall_exception(g.d, regs, vector, 0x18, 0xdead);
		EXPECT_EQ(regs->eip, HANDLER, "vector %u", vector);
		EXPECT_EQ(regs->esp, STACK - (has[vector] ? 16 : 12), "vector %u", vector);
		if (has[vector])
			FRAME(0x18, 0x1234, ATELIER_RING1_CODE, 0x202);
		else
			FRAME(0x1234, ATELIER_RING1_CODE, 0x202);
	}
}

TEST(a_page_faults_address_lies_below_its_error_code_and_the_u_bit_means_ring_3)
{
	start();
	handler(14, 0);
	upcall_exception(g.d, regs, 14, 6, 0xabcd0123);		/* the processor's U bit is of no meaning */
	EXPECT_EQ(regs->esp, STACK - 20);
	FRAME(0xabcd0123, 2, 0x1234, ATELIER_RING1_CODE, 0x202);

	start();
	handler(14, 0);
	in_ring_3();
	upcall_exception(g.d, regs, 14, 3, 0x100);
	FRAME(0x100, 7, 0x1234, RING3_CODE, 0x202, 0x7000, RING3_DATA);

	start();
	handler(14, 0);
	in_ring_3();
	regs->cs = 0x2a;
	upcall_exception(g.d, regs, 14, 4, 0x100);
	FRAME(0x100, 0, 0x1234, 0x2a, 0x202, 0x7000, RING3_DATA);
}

TEST(delivery_may_only_add_masking)
{
	start();
	handler(6, TRAP_MASK_EVENTS);
	upcall_exception(g.d, regs, 6, 0, 0);
	EXPECT_EQ(shared->upcall_mask, 1);
	FRAME(0x1234, ATELIER_RING1_CODE, 0x202);

	start();
	handler(6, 0);
	shared->upcall_mask = 1;
	upcall_exception(g.d, regs, 6, 0, 0);
	EXPECT_EQ(shared->upcall_mask, 1);
	FRAME(0x1234, ATELIER_RING1_CODE, 0x002);	/* IF as the guest has it: events were masked */

	start();
	handler(6, 0);
	upcall_exception(g.d, regs, 6, 0, 0);
	EXPECT_EQ(shared->upcall_mask, 0);
}

TEST(a_handler_is_entered_without_the_flags_that_would_trap_it)
{
	start();
	handler(1, 0);
	regs->eflags = 0x202 | EFLAGS_TF | EFLAGS_NT | EFLAGS_RF | 0x400 | 1;
	upcall_exception(g.d, regs, 1, 0, 0);
	EXPECT_EQ(regs->eflags, 0x202 | 0x400 | 1);
	FRAME(0x1234, ATELIER_RING1_CODE, 0x202 | EFLAGS_TF | EFLAGS_NT | EFLAGS_RF | 0x400 | 1);
}

TEST(an_exception_without_a_handler_ends_the_domain_and_nobody_else)
{
	start();
	upcall_exception(g.d, regs, 13, 0x28, 0);
	EXPECT_EQ(g.d->life, LIFE_DYING);
	EXPECT_EQ(g.d->reason, SHUTDOWN_killed);
	EXPECT_EQ(zero.d->life, LIFE_OPEN);
	EXPECT(strstr(host_output(NULL), "exception 13"));
}

/* ---- stacks that are none ---- */

TEST(a_frame_that_cannot_be_stored_ends_the_domain_and_stores_nothing_above_the_line)
{
	static const struct { uint32_t esp; bool dies; } rows[] = {
		{ 0, true },			/* wraps to the top */
		{ 4, true },			/* half of it would wrap */
		{ 11, true },
		{ 0xfc000000, true },		/* below the line, but nothing is mapped there */
		{ 0xfc000004, true },
		{ 0xfc000011, true },
		{ 0xffffffff, true },
		{ 0x1000, true },		/* a hole */
		{ HOST_VA + 12, true },		/* a page directory: read-only */
		{ HOST_VA + PFN_DATA * PAGE_SIZE + 4, false },	/* half of it in the shared page, which may be written */
		{ HOST_VA + PFN_DATA * PAGE_SIZE + 12, false },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		start();
		handler(6, 0);
		regs->esp = rows[i].esp;
		upcall_exception(g.d, regs, 6, 0, 0);
		EXPECT_EQ(g.d->life == LIFE_DYING, rows[i].dies, "exception, row %u", i);

		start();
		regs->esp = rows[i].esp;
		event_raise(g.d, 3);
		upcall_deliver(g.d, regs);
		EXPECT_EQ(g.d->life == LIFE_DYING, rows[i].dies, "event, row %u", i);

		start();
		in_ring_3();
		g.d->vcpu.kernel_esp = rows[i].esp + 8;
		upcall_failsafe(g.d, regs);
		EXPECT_EQ(g.d->life == LIFE_DYING, rows[i].dies, "failsafe, row %u", i);
	}
}

/* ---- INT n ---- */

TEST(int_n_asks_the_table_for_its_privilege_and_moves_eip_on)
{
	static const struct { unsigned int flags, ring; bool allowed; } rows[] = {
		{ 0, 1, false }, { 1, 1, true }, { 1, 2, false }, { 2, 2, true }, { 2, 3, false }, { 3, 3, true }, { 3, 1, true },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		start();
		if (rows[i].ring > 1)
			in_ring_3();
		regs->cs = (regs->cs & ~3u) | rows[i].ring;
		handler(0x40, rows[i].flags);
		EXPECT_EQ(upcall_int_n(g.d, regs, 0x40), rows[i].allowed, "row %u", i);
		EXPECT_EQ(regs->eip, rows[i].allowed ? HANDLER : 0x1234, "row %u", i);
		if (rows[i].allowed && rows[i].ring == 1)
			FRAME(0x1236, ATELIER_RING1_CODE, 0x202);
	}
	start();
	EXPECT(!upcall_int_n(g.d, regs, 0x41));
	EXPECT_EQ(g.d->life, LIFE_OPEN);
}

TEST(int_n_has_no_error_code_even_where_the_exception_has_one)
{
	start();
	handler(13, 3);
	EXPECT(upcall_int_n(g.d, regs, 13));
	EXPECT_EQ(regs->esp, STACK - 12);
}

/* ---- the failsafe callback ---- */

TEST(the_failsafe_callback_finds_the_selectors_as_they_were_to_be_loaded)
{
	start();
	regs->ds = 0x9001;
	regs->es = 0x9002;
	regs->fs = 0x9003;
	regs->gs = 0x9004;
	upcall_failsafe(g.d, regs);
	EXPECT_EQ(regs->eip, FAILSAFE);
	FRAME(0x9001, 0x9002, 0x9003, 0x9004, 0x1234, ATELIER_RING1_CODE, 0x202);
	EXPECT_EQ(regs->ds, ATELIER_RING1_DATA);
	EXPECT_EQ(regs->es, ATELIER_RING1_DATA);
	EXPECT_EQ(regs->fs, ATELIER_RING1_DATA);
	EXPECT_EQ(regs->gs, ATELIER_RING1_DATA);
	EXPECT_EQ(shared->upcall_mask, 1);
}

TEST(a_fault_on_the_way_to_the_failsafe_callback_ends_the_domain)
{
	start();
	upcall_failsafe(g.d, regs);
	upcall_failsafe(g.d, regs);
	EXPECT_EQ(g.d->life, LIFE_DYING);

	start();
	g.d->upcalls.callbacks.failsafe_eip = 0;
	upcall_failsafe(g.d, regs);
	EXPECT_EQ(g.d->life, LIFE_DYING);
}

/* ---- set_callbacks ---- */

TEST(callbacks_that_no_guest_may_have_are_refused_and_the_old_ones_stand)
{
	static const struct { struct callbacks c; int error; } bad[] = {
		{ { .event_cs = 0xe009, .event_eip = 1, .failsafe_cs = 0xe019, .failsafe_eip = 1 }, -EPERM },	/* ring 0's, by RPL 1 */
		{ { .event_cs = 0xe018, .event_eip = 1, .failsafe_cs = 0xe019, .failsafe_eip = 1 }, -EPERM },	/* RPL 0 */
		{ { .event_cs = 0xe019, .event_eip = 0xfc000000, .failsafe_cs = 0xe019, .failsafe_eip = 1 }, -EPERM },
		{ { .event_cs = 0xe019, .event_eip = 1, .failsafe_cs = 0x002b, .failsafe_eip = 1 }, -EPERM },	/* RPL 3 */
		{ { .event_cs = 0xe019, .event_eip = 1, .failsafe_cs = 0xe019, .failsafe_eip = 0xffffffff }, -EPERM },
		{ { .event_cs = 0xe019, .event_eip = 1, .failsafe_cs = 0xe019, .failsafe_eip = 1,
		    .range_count = 9 }, -EINVAL },
		{ { .event_cs = 0xe019, .event_eip = 1, .failsafe_cs = 0xe019, .failsafe_eip = 1,
		    .range_count = UINT32_MAX }, -EINVAL },
		{ { .event_cs = 0xe019, .event_eip = 1, .failsafe_cs = 0xe019, .failsafe_eip = 1,
		    .range_count = 1, .ranges = { { 2, 1, 1 } } }, -EINVAL },
		{ { .event_cs = 0xe019, .event_eip = 1, .failsafe_cs = 0xe019, .failsafe_eip = 1,
		    .range_count = 1, .ranges = { { 1, 2, 0xfc000000 } } }, -EPERM },
		{ { .event_cs = 0x1e019, .event_eip = 1, .failsafe_cs = 0xe019, .failsafe_eip = 1 }, -EPERM },	/* 17 bits */
	};

	start();
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(CALL(&g, set_callbacks, ARG(bad[i].c)), bad[i].error, "row %u", i);
		EXPECT_EQ(memcmp(&g.d->upcalls.callbacks, &callbacks, sizeof(callbacks)), 0, "row %u", i);
	}
	EXPECT_EQ(CALL(&g, set_callbacks, 0x1000), -EFAULT);
}
