// SPDX-License-Identifier: MIT
/* A guest has no handlers: nothing interrupts it, and its first exception is its end. */
#include "upcall.h"
#include "crash.h"
#include "domain.h"

void upcall_deliver(struct domain *d, struct regs *regs)
{
	/* Nothing is ever pending. */
}

void upcall_exception(struct domain *d, struct regs *regs, unsigned int vector, uint32_t error, uint32_t fault)
{
	crash_domain(d, "exception %u, error code 0x%x, address 0x%x: nobody handles any yet", vector, error, fault);
}

bool upcall_int_n(struct domain *d, struct regs *regs, unsigned int vector)
{
	return false;
}

void upcall_failsafe(struct domain *d, struct regs *regs)
{
	crash_domain(d, "the way back to it faulted");
}
