// SPDX-License-Identifier: GPL-2.0
/*
 * The processor as Linux may see it.
 */
#include <linux/bitops.h>
#include <linux/bug.h>
#include <linux/export.h>
#include <linux/irqflags.h>
#include <asm/atelier.h>
#include <asm/cpufeature.h>
#include <asm/processor.h>
#include <asm/debugreg.h>
#include <atelier/vcpu.h>
#include "../kernel/cpu/cpu.h"
#include "internal.h"

/* CR0 is what head_32.S leaves; there is no CR4 to write. */
struct atelier_registers atelier_registers = {
	.cr0 = X86_CR0_PE | X86_CR0_MP | X86_CR0_ET | X86_CR0_NE | X86_CR0_WP | X86_CR0_AM | X86_CR0_PG,
};

#define FEATURE(x)	BIT(X86_FEATURE_##x & 31)

/*
 * Features that a guest can use, from the leaves that have them. All others would make Linux, or the programs that it tells,
 * try what the hypervisor does not have: large and global pages, SYSENTER, local APIC, MSRs, XSAVE.
 */
void __cpuid(unsigned int *eax, unsigned int *ebx, unsigned int *ecx, unsigned int *edx)
{
	unsigned int leaf = *eax;

	native_cpuid(eax, ebx, ecx, edx);
	switch (leaf) {
	case 0:
		*eax = min(*eax, 4u);
		break;
	case 1:
		*edx &= FEATURE(FPU) | FEATURE(TSC) | FEATURE(CX8) | FEATURE(CMOV) | FEATURE(MMX) |
			FEATURE(FXSR) | FEATURE(XMM) | FEATURE(XMM2);
		*ecx &= FEATURE(XMM3) | FEATURE(SSSE3) | FEATURE(XMM4_1) | FEATURE(XMM4_2) | FEATURE(POPCNT);
		*ecx |= FEATURE(HYPERVISOR);
		break;
	case 2 ... 4:
	case 0x80000000:
	case 0x80000002 ... 0x80000006:		/* the name, the caches */
		break;
	default:
		*eax = *ebx = *ecx = *edx = 0;
		break;
	}
}
EXPORT_SYMBOL(__cpuid);

/* Whoever made it: nothing that Linux knows of particular processors concerns a guest. */
static const struct cpu_dev processor = {
	.c_vendor = "Atelier",
	.c_ident = { "GenuineIntel", "AuthenticAMD" },
	.c_init = cpu_detect_cache_sizes,
	.c_x86_vendor = X86_VENDOR_UNKNOWN,
};
cpu_dev_register(processor);

/* The addresses and the control are kept here too: a call would be long for what happens at each trap. */
#define DR7_FIXED	0x400	/* reads as 1 (SDM 3B, 17.2.4) */
static unsigned long debugregs[8] = { [7] = DR7_FIXED };

unsigned long atelier_get_debugreg(int reg)
{
	u32 status;

	if (reg != 6)
		return debugregs[reg];
	if (hypercall2(HYPERCALL_get_debugreg, 6, (unsigned long)&status))
		BUG();
	return status;
}
EXPORT_SYMBOL(atelier_get_debugreg);

/* Refused are addresses above the line, which Linux has checked, and watchpoints on ports. */
void set_debugreg(unsigned long value, int reg)
{
	if (!hypercall2(HYPERCALL_set_debugreg, reg, value))
		debugregs[reg] = reg == 7 ? value | DR7_FIXED : value;
}
EXPORT_SYMBOL(set_debugreg);

/* The last instruction of those who have nothing left to do. */
void halt(void)
{
	if (irqs_disabled())
		atelier_end(SHUTDOWN_crash, 0);
	arch_safe_halt();
}
