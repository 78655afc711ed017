// SPDX-License-Identifier: MIT
#include "vcpu.h"
#include <string.h>
#include "host/domains.h"
#include "unit/test.h"

#define STACK	(host_va(PFN_DATA) + 0x100)

static struct guest g, other;

static void start(void)
{
	host_start(64);
	host_domain(4);
	g = host_domain(8);
	other = host_domain(8);
	host_enter(&g);
}

/* ---- the first registers ---- */

TEST(a_domain_starts_as_the_interface_says)
{
	const struct regs *r;

	start();
	vcpu_open(g.d, 0x40001000, 0x40002000);
	r = &g.d->vcpu.regs;
	EXPECT_EQ(r->eip, 0x40001000);
	EXPECT_EQ(r->esi, 0x40002000);
	EXPECT_EQ(r->eax, START_MAGIC);
	EXPECT_EQ(r->cs, ATELIER_RING1_CODE);
	EXPECT_EQ(r->ds & r->es & r->fs & r->gs & r->ss, ATELIER_RING1_DATA);
	EXPECT_EQ(r->eflags, 0x202);
	EXPECT_EQ(r->ebx | r->ecx | r->edx | r->edi | r->ebp | r->esp, 0);
}

/* ---- flags ---- */

TEST(no_guest_gets_flags_that_would_free_it)
{
	static const uint32_t forbidden = EFLAGS_IOPL | EFLAGS_NT | EFLAGS_VM | EFLAGS_VIF | EFLAGS_VIP;

	for (unsigned int bit = 0; bit < 32; bit++) {
		uint32_t safe = vcpu_safe_eflags(1u << bit);

		EXPECT_EQ(safe & forbidden, 0, "bit %u", bit);
		EXPECT_EQ(safe & 0x202, 0x202, "bit %u", bit);
		if (!((1u << bit) & forbidden))
			EXPECT_EQ(safe, 0x202 | 1u << bit, "bit %u", bit);
	}
}

/* ---- iret ---- */

static int iret(uint32_t eax, uint32_t eip, uint32_t cs, uint32_t eflags, uint32_t esp, uint32_t ss)
{
	const uint32_t frame[6] = { eax, eip, cs, eflags, esp, ss };

	host_store(STACK, frame, sizeof(frame));
	g.d->vcpu.regs.esp = STACK;
	return CALL(&g, iret);
}

TEST(iret_to_ring_3_takes_all_six_words)
{
	const struct regs *r;

	start();
	r = &g.d->vcpu.regs;
	EXPECT_EQ(iret(0x77, 0x1111, 0x1002b, 0x3202, 0x2222, 0x10033), 0x77);
	EXPECT_EQ(r->eip, 0x1111);
	EXPECT_EQ(r->cs, 0x2b);
	EXPECT_EQ(r->eflags, 0x202);
	EXPECT_EQ(r->esp, 0x2222);
	EXPECT_EQ(r->ss, 0x33);
	EXPECT_EQ(g.d->shared->upcall_mask, 0);
}

TEST(iret_to_ring_1_takes_four_words_and_keeps_the_stack)
{
	start();
	EXPECT_EQ(iret(5, 0x1111, ATELIER_RING1_CODE, 0x002, 0x2222, 0x33), 5);
	EXPECT_EQ(g.d->vcpu.regs.esp, STACK + 16);
	EXPECT_EQ(g.d->vcpu.regs.ss, ATELIER_RING1_DATA);
	EXPECT_EQ(g.d->shared->upcall_mask, 1);
}

TEST(iret_never_gives_a_guest_flags_that_would_free_it)
{
	start();
	for (unsigned int bit = 0; bit < 32; bit++) {
		iret(0, 0x1111, 0x2b, 1u << bit, 0, 0x33);
		EXPECT_EQ(g.d->vcpu.regs.eflags, vcpu_safe_eflags(1u << bit), "bit %u", bit);
		EXPECT_EQ(g.d->vcpu.regs.eflags & EFLAGS_IOPL, 0, "bit %u", bit);
		EXPECT_EQ(g.d->shared->upcall_mask, bit != 9, "bit %u", bit);
	}
}

TEST(iret_that_cannot_be_done_changes_nothing)
{
	struct regs before;

	start();
	g.d->shared->upcall_mask = 1;
	EXPECT_EQ(iret(1, 0x1111, 0xe008, 0x202, 0, 0), -EINVAL);	/* ring 0 */
	EXPECT_EQ(iret(1, 0x1111, 0, 0x202, 0, 0), -EINVAL);
	EXPECT_EQ(g.d->shared->upcall_mask, 1);
	before = g.d->vcpu.regs;
	for (unsigned int left = 0; left < 24; left += 4) {
		const uint32_t frame[6] = { 1, 2, 0x2b, 0x202, 5, 6 };
		uint32_t hole = host_va(8);		/* behind the last frame */

		host_store(hole - left, frame, left);
		g.d->vcpu.regs = before;
		g.d->vcpu.regs.esp = hole - left;
		EXPECT_EQ(CALL(&g, iret), -EFAULT, "%u bytes", left);
		EXPECT_EQ(g.d->vcpu.regs.eip, before.eip, "%u bytes", left);
		EXPECT_EQ(g.d->vcpu.regs.cs, before.cs, "%u bytes", left);
	}
	g.d->vcpu.regs.esp = 0xfbfffff4;
	EXPECT_EQ(CALL(&g, iret), -EFAULT);
	g.d->vcpu.regs.esp = 0xfffffff0;
	EXPECT_EQ(CALL(&g, iret), -EFAULT);
}

/* ---- stack_switch ---- */

TEST(the_kernels_stack_follows_its_domain)
{
	start();
	EXPECT_EQ(CALL(&g, stack_switch, ATELIER_RING1_DATA, 0x1000), 0);
	EXPECT_EQ(host.kernel_esp, 0x1000);
	host_enter(&other);
	EXPECT_EQ(CALL(&other, stack_switch, ATELIER_RING1_DATA, 0x2000), 0);
	host_enter(&g);
	EXPECT_EQ(host.kernel_esp, 0x1000);
	EXPECT_EQ(host.kernel_ss, ATELIER_RING1_DATA);
	EXPECT(host.regs == &g.d->vcpu.regs);
}

/* ---- floating point ---- */

/* A floating-point instruction of the guest: what its registers hold, after the trap if there is one. */
static bool use_fpu(struct guest *who)
{
	return host.fpu_trap ? vcpu_fpu_fault(who->d) : true;
}

TEST(each_domain_finds_its_own_floating_point_registers)
{
	start();
	EXPECT(host.fpu_trap);
	EXPECT(use_fpu(&g));
	EXPECT_EQ(host.fpu[0], 0, "fresh registers");
	memset(host.fpu, 0x11, sizeof(host.fpu));
	host_enter(&other);
	EXPECT(host.fpu_trap);
	EXPECT(use_fpu(&other));
	EXPECT_EQ(host.fpu[100], 0, "not the other domain's");
	memset(host.fpu, 0x22, sizeof(host.fpu));
	host_enter(&g);
	EXPECT(use_fpu(&g));
	EXPECT_EQ(host.fpu[100], 0x11);
	host_enter(&other);
	EXPECT(use_fpu(&other));
	EXPECT_EQ(host.fpu[100], 0x22);
}

TEST(a_domain_that_does_not_use_them_costs_no_save)
{
	start();
	EXPECT(use_fpu(&g));
	memset(host.fpu, 0x11, sizeof(host.fpu));
	host_enter(&other);
	host_enter(&g);
	EXPECT(use_fpu(&g));
	EXPECT_EQ(host.fpu[0], 0x11);
}

TEST(the_guests_own_trap_comes_once_and_is_its_own)
{
	start();
	EXPECT(use_fpu(&g));
	EXPECT_EQ(CALL(&g, fpu_taskswitch, 1), 0);
	EXPECT(host.fpu_trap);
	EXPECT(!vcpu_fpu_fault(g.d), "the guest's");
	EXPECT(!host.fpu_trap);

	EXPECT_EQ(CALL(&g, fpu_taskswitch, 1), 0);
	EXPECT_EQ(CALL(&g, fpu_taskswitch, 0), 0);
	EXPECT(!host.fpu_trap);
}

TEST(the_guests_trap_survives_a_switch)
{
	start();
	EXPECT(use_fpu(&g));
	memset(host.fpu, 0x11, sizeof(host.fpu));
	EXPECT_EQ(CALL(&g, fpu_taskswitch, 1), 0);
	host_enter(&other);
	host_enter(&g);
	EXPECT(host.fpu_trap);
	EXPECT(!vcpu_fpu_fault(g.d));
	EXPECT_EQ(host.fpu[0], 0x11, "its registers are there when its handler runs");
}

TEST(asking_for_no_trap_does_not_show_another_domains_registers)
{
	start();
	EXPECT(use_fpu(&g));
	memset(host.fpu, 0x11, sizeof(host.fpu));
	host_enter(&other);
	EXPECT_EQ(CALL(&other, fpu_taskswitch, 0), 0);
	EXPECT(host.fpu_trap);
}

/* ---- debug registers ---- */

TEST(debug_registers_that_reach_the_hypervisor_are_refused)
{
	static const struct { uint32_t reg, value; int result; } rows[] = {
		{ 0, 0x1000, 0 }, { 3, 0xfbfffff0, 0 }, { 1, 0xfbfffff8, 0 },
		{ 2, 0xfbfffff9, -EPERM }, { 0, 0xfbffffff, -EPERM },	/* eight bytes that end above the line */
		{ 0, 0xfc000000, -EPERM }, { 1, 0xffffffff, -EPERM }, { 2, 0xfc400000, -EPERM },
		{ 4, 0, -EINVAL }, { 5, 0, -EINVAL }, { 8, 0, -EINVAL }, { UINT32_MAX, 0, -EINVAL },
		{ 6, UINT32_MAX, 0 },
		{ 7, 0x00000001, 0 },			/* execute, local */
		{ 7, 0x000d0001, 0 },			/* write, four bytes */
		{ 7, 0x00002000, -EPERM },		/* GD */
		{ 7, 0x00020001, -EPERM },		/* I/O */
		{ 7, 0x00080001, -EPERM },		/* eight bytes */
		{ 7, 0x20000000, -EPERM },		/* I/O, of the last one */
		{ 7, 0x80000000, -EPERM },
	};

	start();
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++)
		EXPECT_EQ(CALL(&g, set_debugreg, rows[i].reg, rows[i].value), rows[i].result, "row %u", i);
}

TEST(fixed_bits_of_debug_registers_are_fixed_whatever_the_guest_asks)
{
	static const struct { uint32_t reg, value, loaded; } rows[] = {	/* SDM 3B, 17.2.3 and 17.2.4 */
		{ 6, 0, 0xffff0ff0 }, { 6, UINT32_MAX, 0xffffefff }, { 7, 0, 0x00000400 }, { 7, 0x0000dbff, 0x000007ff },
	};

	start();
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		EXPECT_EQ(CALL(&g, set_debugreg, rows[i].reg, rows[i].value), 0, "row %u", i);
		EXPECT_EQ(host.dr[rows[i].reg], rows[i].loaded, "row %u", i);
	}
}

TEST(debug_registers_follow_their_domain_and_can_be_read)
{
	uint32_t at = host_arg("....", 4);

	start();
	EXPECT_EQ(CALL(&g, set_debugreg, 0, 0x1234), 0);
	EXPECT_EQ(host.dr[0], 0x1234);
	host_enter(&other);
	EXPECT_EQ(host.dr[0], 0);
	host_enter(&g);
	EXPECT_EQ(host.dr[0], 0x1234);
	EXPECT_EQ(CALL(&g, get_debugreg, 0, at), 0);
	EXPECT_EQ(*(uint32_t *)host_arg_bytes(at), 0x1234);
	EXPECT_EQ(CALL(&g, get_debugreg, 5, at), -EINVAL);
	EXPECT_EQ(CALL(&g, get_debugreg, 9, at), -EINVAL);
	EXPECT_EQ(CALL(&g, get_debugreg, 0, 0x1000), -EFAULT);
	EXPECT_EQ(CALL(&g, get_debugreg, 0, 0xfbfffffe), -EFAULT);
}

/* ---- shutdown ---- */

static void shut_down_0(void *reason_status)
{
	struct domain *zero = domain_find(NULL, 0);
	struct guest guest = { .d = zero };

	CALL(&guest, shutdown, ((uint32_t *)reason_status)[0], ((uint32_t *)reason_status)[1]);
}

TEST(domain_0_ends_the_machine_with_its_status)
{
	uint32_t poweroff[2] = { SHUTDOWN_poweroff, 0x103 }, reboot[2] = { SHUTDOWN_reboot, 0 };
	struct host_end end;

	start();
	end = host_run(shut_down_0, poweroff);
	EXPECT(end.stopped);
	EXPECT_EQ(end.how, END_POWEROFF);
	EXPECT_EQ(end.status, 3);
	start();
	EXPECT_EQ(host_run(shut_down_0, reboot).how, END_REBOOT);
}

TEST(another_domain_ends_itself_alone)
{
	start();
	EXPECT_EQ(CALL(&g, shutdown, 3, 0), -EINVAL);
	EXPECT_EQ(CALL(&g, shutdown, UINT32_MAX, 0), -EINVAL);
	EXPECT_EQ(g.d->life, LIFE_OPEN);
	CALL(&g, shutdown, SHUTDOWN_poweroff, 0);
	EXPECT_EQ(g.d->life, LIFE_DYING);
	EXPECT_EQ(g.d->reason, SHUTDOWN_poweroff);
	EXPECT_EQ(other.d->life, LIFE_OPEN);
}
