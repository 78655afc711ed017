// SPDX-License-Identifier: MIT
#include "trap_table.h"
#include <string.h>
#include "host/domains.h"
#include "unit/test.h"

static struct guest g, other;

static void start(void)
{
	host_start(64);
	g = host_domain(8);
	other = host_domain(8);
	host_enter(&g);
}

static struct trap_entry row(uint8_t vector, uint8_t flags, uint16_t cs, uint32_t address)
{
	return (struct trap_entry){ vector, flags, cs, address };
}

TEST(a_table_replaces_the_old_one_whole)
{
	struct trap_entry first[2] = { row(0, 0, 0xe019, 0x100), row(255, 7, 0x0009, 0xfbffffff) };
	struct trap_entry second[1] = { row(3, 3, 0x0005, 0x200) };	/* RPL 1, of the LDT */

	start();
	EXPECT_EQ(CALL(&g, set_trap_table, ARG(first), 2), 0);
	EXPECT_EQ(trap_handler(g.d, 0)->address, 0x100);
	EXPECT_EQ(trap_handler(g.d, 255)->flags, 7);
	EXPECT_EQ(trap_handler(g.d, 255)->cs, 9);
	EXPECT(!trap_handler(g.d, 1));
	EXPECT_EQ(CALL(&g, set_trap_table, ARG(second), 1), 0);
	EXPECT(!trap_handler(g.d, 0));
	EXPECT_EQ(trap_handler(g.d, 3)->address, 0x200);
	EXPECT_EQ(CALL(&g, set_trap_table, 0, 0), 0);
	EXPECT(!trap_handler(g.d, 3));
	EXPECT(!trap_handler(other.d, 3));
}

TEST(a_bad_entry_anywhere_leaves_the_old_table)
{
	static const struct { struct trap_entry e; int error; } bad[] = {
		{ { 9, 8, 0xe019, 0x100 }, -EINVAL },		/* a flag that does not exist */
		{ { 9, 0x80, 0xe019, 0x100 }, -EINVAL },
		{ { 9, 0, 0xe019, 0 }, -EINVAL },		/* no address */
		{ { 1, 0, 0xe019, 0x100 }, -EINVAL },		/* named twice */
		{ { 9, 0, 0xe019, 0xfc000000 }, -EPERM },
		{ { 9, 0, 0xe019, 0xffffffff }, -EPERM },
		{ { 9, 0, 0xe018, 0x100 }, -EPERM },		/* RPL 0 */
		{ { 9, 0, 0xe01b, 0x100 }, -EPERM },		/* RPL 3 */
		{ { 9, 0, 0xe009, 0x100 }, -EPERM },		/* the hypervisor's code: a gate ignores the RPL */
		{ { 9, 0, 0xe021, 0x100 }, -EPERM },
		{ { 9, 0, 0xf001, 0x100 }, -EPERM },		/* the second reserved frame */
		{ { 9, 0, 0xe079, 0x100 }, -EPERM },		/* its last slot */
		{ { 9, 0, 0xf079, 0x100 }, -EPERM },
		{ { 9, 0, 0, 0x100 }, -EPERM },
	};
	struct trap_entry old = row(77, 0, 0xe019, 0x700);

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
		for (unsigned int at = 0; at < 3; at++) {
			struct trap_entry list[3] = { row(2, 0, 0xe019, 2), row(1, 0, 0xe019, 1), row(3, 0, 0xe019, 3) };

			start();
			EXPECT_EQ(CALL(&g, set_trap_table, ARG(old), 1), 0);
			list[at] = bad[i].e;
			if (at == 1)
				list[0] = row(1, 0, 0xe019, 2);
			EXPECT_EQ(CALL(&g, set_trap_table, ARG(list), 3), bad[i].error, "row %u at %u", i, at);
			EXPECT(trap_handler(g.d, 77), "row %u at %u", i, at);
			EXPECT(!trap_handler(g.d, 2), "row %u at %u", i, at);
		}
}

TEST(selectors_next_to_the_reserved_ones_are_the_guests)
{
	static const uint16_t good[] = { 0xe081, 0xdff9, 0xeff9, 0xf081, 0xfff9, 0xe00d /* of the LDT */, 0x0001 };

	for (unsigned int i = 0; i < ARRAY_SIZE(good); i++)
		EXPECT(trap_target_ok(good[i], 0x100), "selector 0x%x", good[i]);
}

TEST(a_list_that_is_none_is_refused)
{
	start();
	EXPECT_EQ(CALL(&g, set_trap_table, HOST_ARGS, 257), -E2BIG);
	EXPECT_EQ(CALL(&g, set_trap_table, HOST_ARGS, UINT32_MAX), -E2BIG);
	EXPECT_EQ(CALL(&g, set_trap_table, HOST_ARGS, 0x20000001), -E2BIG);
	EXPECT_EQ(CALL(&g, set_trap_table, 0x1000, 1), -EFAULT);
	EXPECT_EQ(CALL(&g, set_trap_table, 0xfbfffffc, 1), -EFAULT);
}

/* ---- fast handlers ---- */

static void set(unsigned int vector, unsigned int flags, uint16_t cs, uint32_t address)
{
	g.d->traps.handlers[vector] = (struct trap_handler){ address, cs, flags };
}

TEST(a_fast_vector_becomes_a_gate_that_follows_its_domain)
{
	start();
	set(0x80, 3, 0xe019, 0x1000);
	EXPECT_EQ(CALL(&g, set_fast_trap, 0x80), 0);
	EXPECT_EQ(host.gates[0x80].kind, GATE_TRAP);
	EXPECT_EQ(host.gates[0x80].dpl, 3);
	EXPECT_EQ(host.gates[0x80].selector, 0xe019);
	EXPECT_EQ(host.gates[0x80].offset, 0x1000);

	host_enter(&other);
	EXPECT_EQ(host.gates[0x80].kind, GATE_NONE);
	other.d->traps.handlers[0x2f] = (struct trap_handler){ 0x2000, 0xe019, 3 };
	EXPECT_EQ(CALL(&other, set_fast_trap, 0x2f), 0);
	EXPECT_EQ(host.gates[0x2f].offset, 0x2000);

	host_enter(&g);
	EXPECT_EQ(host.gates[0x2f].kind, GATE_NONE);
	EXPECT_EQ(host.gates[0x80].offset, 0x1000);
	EXPECT_EQ(CALL(&g, set_fast_trap, FAST_TRAP_NONE), 0);
	EXPECT_EQ(host.gates[0x80].kind, GATE_NONE);
	EXPECT_EQ(host.gates[0x20].kind, GATE_NONE);
}

TEST(another_fast_vector_takes_the_first_ones_gate_away)
{
	start();
	set(0x80, 3, 0xe019, 0x1000);
	set(0x20, 3, 0xe019, 0x2000);
	EXPECT_EQ(CALL(&g, set_fast_trap, 0x80), 0);
	EXPECT_EQ(CALL(&g, set_fast_trap, 0x20), 0);
	EXPECT_EQ(host.gates[0x80].kind, GATE_NONE);
	EXPECT_EQ(host.gates[0x20].offset, 0x2000);
}

TEST(vectors_that_cannot_be_fast_are_refused_and_the_old_gate_stays)
{
	start();
	for (unsigned int v = 0; v < 256; v++)
		set(v, 3, 0xe019, 0x1000 + v);
	EXPECT_EQ(CALL(&g, set_fast_trap, 0x80), 0);
	for (uint32_t v = 0; v <= 0x180; v++)
		if (v != 0x80 && (v < 0x20 || v > 0x2f))
			EXPECT_EQ(CALL(&g, set_fast_trap, v), -EINVAL, "vector 0x%x", v);
	EXPECT_EQ(CALL(&g, set_fast_trap, 0x100000080ull & UINT32_MAX), 0);
	EXPECT_EQ(CALL(&g, set_fast_trap, 0xfffffffe), -EINVAL);
	EXPECT_EQ(host.gates[0x80].offset, 0x1080);
	EXPECT_EQ(host.gates[0x82].dpl, 1);
}

TEST(entries_that_a_gate_must_not_have_are_refused_and_the_old_gate_stays)
{
	static const struct { unsigned int flags; uint16_t cs; uint32_t address; } bad[] = {
		{ 3, 0xe019, 0 },				/* absent */
		{ 3 | TRAP_MASK_EVENTS, 0xe019, 0x1000 },	/* nobody would mask */
		{ 3, 0xe009, 0x1000 },				/* these three cannot be in a table; once more at the gate */
		{ 3, 0xe02b, 0x1000 },
		{ 3, 0xe019, 0xfc000000 },
	};

	start();
	set(0x80, 3, 0xe019, 0x1000);
	EXPECT_EQ(CALL(&g, set_fast_trap, 0x80), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		set(0x21, bad[i].flags, bad[i].cs, bad[i].address);
		EXPECT_EQ(CALL(&g, set_fast_trap, 0x21), -EPERM, "row %u", i);
		EXPECT_EQ(host.gates[0x80].offset, 0x1000, "row %u", i);
		EXPECT_EQ(host.gates[0x21].kind, GATE_NONE, "row %u", i);
	}
}

TEST(a_new_trap_table_does_not_change_the_installed_gate)
{
	start();
	set(0x80, 3, 0xe019, 0x1000);
	EXPECT_EQ(CALL(&g, set_fast_trap, 0x80), 0);
	EXPECT_EQ(CALL(&g, set_trap_table, 0, 0), 0);
	host_enter(&other);
	host_enter(&g);
	EXPECT_EQ(host.gates[0x80].offset, 0x1000);
}

TEST(a_dead_domains_fast_gate_is_not_left_to_the_next_one)
{
	start();
	host_enter(&other);
	other.d->traps.handlers[0x80] = (struct trap_handler){ 0x2000, 0xe019, 3 };
	EXPECT_EQ(CALL(&other, set_fast_trap, 0x80), 0);
	CALL(&other, shutdown, SHUTDOWN_crash, 0);
	host_enter(&g);
	EXPECT_EQ(host.gates[0x80].kind, GATE_NONE);
}
