// SPDX-License-Identifier: MIT
/* A #GP of ring 3 that may come from a negative offset: what tls_fixup.c makes of it. */
#include "pc/pc.h"
#include "tls_fixup.h"
#include "upcall.h"

#define ERROR_USER	4u	/* of a page fault */

bool negative_offset(struct domain *d, struct regs *regs)
{
	uint32_t fault;

	if (regs->error != 0 || (regs->cs & 3) != 3)
		return false;
	switch (tls_fixup(d, regs, &fault)) {
	case TLS_RETRY:
		return true;
	case TLS_GIVE_PF:
		upcall_exception(d, regs, VECTOR_PAGE_FAULT, ERROR_USER, fault);
		return true;
	case TLS_GIVE_GP:
		break;
	}
	return false;
}
