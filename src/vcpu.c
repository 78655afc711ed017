// SPDX-License-Identifier: MIT
#include "vcpu.h"
#include "crash.h"
#include "domain.h"
#include "guest_copy.h"

#define DR6_FIXED	0xffff0ff0u	/* bits that read as 1 (SDM 3B, 17.2) */
#define DR6_ZERO	0x00001000u	/* and as 0 */
#define DR7_FIXED	0x00000400u
#define DR7_ZERO	0x0000d800u
#define DR7_GD		0x00002000u

void vcpu_open(struct domain *d, uint32_t eip, uint32_t esi)
{
	d->vcpu.regs = (struct regs){
		.gs = ATELIER_RING1_DATA, .fs = ATELIER_RING1_DATA, .es = ATELIER_RING1_DATA, .ds = ATELIER_RING1_DATA,
		.esi = esi, .eax = START_MAGIC,
		.eip = eip, .cs = ATELIER_RING1_CODE, .eflags = vcpu_safe_eflags(0), .ss = ATELIER_RING1_DATA,
	};
	d->vcpu.kernel_ss = ATELIER_RING1_DATA;
	d->vcpu.dr[6] = DR6_FIXED;
	d->vcpu.dr[7] = DR7_FIXED;
}

void vcpu_switch_out(struct domain *d)
{
	struct vcpu *v = &d->vcpu;

	if (!v->fpu_live)
		return;
	machine_fpu_trap(false);
	machine_fpu_save(v->fpu);
	v->fpu_started = true;
	v->fpu_live = false;
}

void vcpu_switch_in(struct domain *d)
{
	struct vcpu *v = &d->vcpu;

	machine_set_regs(&v->regs);
	machine_set_kernel_stack(v->kernel_ss, v->kernel_esp);
	machine_fpu_trap(true);
	machine_load_debugregs(v->dr);
}

bool vcpu_fpu_fault(struct domain *d)
{
	struct vcpu *v = &d->vcpu;
	bool ours = !v->fpu_live && !v->fpu_trap;

	machine_fpu_trap(false);
	if (!v->fpu_live) {
		if (v->fpu_started)
			machine_fpu_restore(v->fpu);
		else
			machine_fpu_init();
		v->fpu_live = true;
	}
	v->fpu_trap = false;
	return ours;
}

int do_stack_switch(struct domain *d, uint32_t ss, uint32_t esp)
{
	d->vcpu.kernel_ss = ss & 0xffff;
	d->vcpu.kernel_esp = esp;
	machine_set_kernel_stack(d->vcpu.kernel_ss, esp);
	return 0;
}

struct iret_frame {
	uint32_t eax, eip, cs, eflags;
	uint32_t esp, ss;		/* if CS is of ring 2 or 3 */
};

int do_iret(struct domain *d)
{
	struct regs *regs = &d->vcpu.regs;
	const size_t inner = offsetof(struct iret_frame, esp);
	guest_addr_t sp = GUEST_ADDR(regs->esp);
	struct iret_frame f = { .esp = regs->esp + inner, .ss = regs->ss };

	if (copy_from_guest(&f, sp, inner))
		return -EFAULT;
	if ((f.cs & 3) == 0)
		return -EINVAL;
	if ((f.cs & 3) > 1 && copy_from_guest(&f.esp, guest_add(sp, inner), sizeof(f) - inner))
		return -EFAULT;
	regs->eip = f.eip;
	regs->cs = f.cs & 0xffff;
	regs->eflags = vcpu_safe_eflags(f.eflags);
	regs->esp = f.esp;
	regs->ss = f.ss & 0xffff;
	d->shared->upcall_mask = !(f.eflags & EFLAGS_IF);
	return f.eax;		/* becomes EAX like any answer */
}

int do_fpu_taskswitch(struct domain *d, uint32_t set)
{
	d->vcpu.fpu_trap = set != 0;
	machine_fpu_trap(d->vcpu.fpu_trap || !d->vcpu.fpu_live);
	return 0;
}

/*
 * Whether one of the four watchpoints in DR7 is of a kind that a guest may not have: I/O, or eight
 * bytes long.
 */
static bool dr7_forbidden(uint32_t value)
{
	if (value & DR7_GD)
		return true;
	for (unsigned int i = 0; i < 4; i++) {
		uint32_t control = value >> (16 + 4 * i);

		if ((control & 3) == 2 || (control >> 2 & 3) == 2)
			return true;
	}
	return false;
}

int do_set_debugreg(struct domain *d, uint32_t reg, uint32_t value)
{
	switch (reg) {
	case 0 ... 3:
		/* Eight bytes from here must not reach the hypervisor. */
		if (value > ATELIER_LINE - 8)
			return -EPERM;
		break;
	case 6:
		value = (value | DR6_FIXED) & ~DR6_ZERO;
		break;
	case 7:
		if (dr7_forbidden(value))
			return -EPERM;
		value = (value | DR7_FIXED) & ~DR7_ZERO;
		break;
	default:
		return -EINVAL;
	}
	d->vcpu.dr[reg] = value;
	machine_load_debugregs(d->vcpu.dr);
	return 0;
}

int do_get_debugreg(struct domain *d, uint32_t reg, guest_addr_t value)
{
	if (reg > 7 || reg == 4 || reg == 5)
		return -EINVAL;
	return copy_to_guest(value, &d->vcpu.dr[reg], sizeof(d->vcpu.dr[reg])) ? -EFAULT : 0;
}

int do_shutdown(struct domain *d, uint32_t reason, uint32_t status)
{
	if (reason > SHUTDOWN_crash)
		return -EINVAL;
	crash_end(d, reason, status & 0xff);
	return 0;
}
