/* SPDX-License-Identifier: MIT */
/*
 * The virtual processor: stacks, return, floating point, debug registers, the end.
 */
#ifndef ATELIER_PUBLIC_VCPU_H
#define ATELIER_PUBLIC_VCPU_H

#include "atelier.h"

/*
 * stack_switch(ss, esp): the ring-1 stack for entries from rings 2 and 3, from the next entry on.
 * 0. Nothing is checked: a bad one faults when it is used, and costs the domain that uses it. @ss
 * must name a flat segment (base 0): what the hypervisor stores, it stores at ESP.
 */

/*
 * iret(): returns like the instruction, and sets upcall_mask to the opposite of IF in one step. The
 * ring-1 stack holds, from ESP upward: EAX, EIP, CS, EFLAGS and, if CS is of ring 2 or 3, ESP, SS.
 * On success it does not come back; EAX is what the stack said. -EFAULT: the stack cannot be read;
 * -EINVAL: CS is of ring 0. A selector that cannot be loaded ends in the failsafe callback
 * (trap.h).
 */

/*
 * fpu_taskswitch(set): 1: the next floating-point instruction raises #NM, once; 0: it does not. 0.
 * The hypervisor switches the registers between domains lazily and by itself (paper, section 3.1.2:
 * fast handlers stay out of the way). The handler of #NM must run with events masked until the
 * registers are the right ones.
 */

/*
 * set_debugreg(register, value): 0 to 3, addresses: at most ATELIER_LINE - 8, else -EPERM; 6; 7: no
 * GD bit, no I/O and no 8-byte watchpoints, else -EPERM. Anything else -EINVAL.
 * get_debugreg(register, uint32_t *value): 0; -EINVAL; -EFAULT.
 */

/*
 * shutdown(reason, status): ends the caller and does not come back; -EINVAL for an unknown reason.
 */
#define SHUTDOWN_poweroff	0	/* domain 0: the machine goes off; @status (0 to 255) is its exit status */
#define SHUTDOWN_reboot		1	/* domain 0: the machine restarts */
#define SHUTDOWN_crash		2	/* the guest gave up; domain 0: the machine stops */
/* Not to be asked for, but what domain 0 is told: */
#define SHUTDOWN_killed		3	/* the hypervisor ended the domain; its log says why */
#define SHUTDOWN_destroyed	4	/* domain 0 did */

#endif
