/* SPDX-License-Identifier: MIT */
/*
 * The virtual processor: what a domain's registers are while it does not run, and what of them it
 * may set.
 *
 * Invariant (S4): what is loaded into the processor for a guest has CS of ring 1 to 3, IOPL 0, IF
 * 1, VM 0, NT 0.
 */
#ifndef ATELIER_VCPU_H
#define ATELIER_VCPU_H

#include "lib/types.h"
#include "machine.h"
#include "public/vcpu.h"

struct domain;

/*
 * A domain's share. The processor itself saves into @regs: it stays at its place, and a few words
 * below may be overwritten.
 */
struct vcpu {
	uint32_t gap[8];
	struct regs regs;
	uint32_t kernel_ss, kernel_esp;
	uint32_t dr[8];
	bool fpu_live;		/* the processor holds this domain's registers */
	bool fpu_started;	/* @fpu holds some */
	bool fpu_trap;		/* the guest asked for the next #NM */
	uint8_t fpu[512] ALIGNED(16);
};

/* EFLAGS that a guest may have, from what it asks for. */
static inline uint32_t vcpu_safe_eflags(uint32_t eflags)
{
	return (eflags & ~(EFLAGS_IOPL | EFLAGS_NT | EFLAGS_VM | EFLAGS_VIF | EFLAGS_VIP)) | EFLAGS_IF | 2;
}

/* First registers: at @eip, with @esi, on the flat ring-1 segments. */
void vcpu_open(struct domain *d, uint32_t eip, uint32_t esi);

void vcpu_switch_out(struct domain *d);
void vcpu_switch_in(struct domain *d);

/* A door for pc/: #NM. True: it was ours, the instruction goes on; false: it is the guest's. */
bool vcpu_fpu_fault(struct domain *d);

int do_stack_switch(struct domain *d, uint32_t ss, uint32_t esp);
int do_iret(struct domain *d);
int do_fpu_taskswitch(struct domain *d, uint32_t set);
int do_set_debugreg(struct domain *d, uint32_t reg, uint32_t value);
int do_get_debugreg(struct domain *d, uint32_t reg, guest_addr_t value);
int do_shutdown(struct domain *d, uint32_t reason, uint32_t status);

#endif
