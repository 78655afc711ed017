// SPDX-License-Identifier: MIT
#include "debug.h"
#include "crash.h"
#include "domain.h"

#ifndef DEBUG
#define DEBUG	0
#endif

int do_debug_op(struct domain *d, uint32_t op)
{
	if (!DEBUG)
		return -ENOSYS;
	switch (op) {
	case DEBUG_audit:
		return domain_check() ? 0 : -EIO;
	case DEBUG_crash:
		crash_machine(NULL, "asked for by a debug call");
	case DEBUG_calls:
		return d->calls.count & INT32_MAX;
	}
	return -EINVAL;
}
