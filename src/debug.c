// SPDX-License-Identifier: MIT
#include "debug.h"
#include "crash.h"
#include "domain.h"
#include "frame_map.h"		/* lab 3 */
#include "guest_copy.h"
#include "lib/string.h"

#ifndef DEBUG
#define DEBUG	0
#endif

/* What copies let through and leave open, for all to see. */
static int copy(guest_addr_t source, guest_addr_t destination, uint32_t count)
{
	static uint8_t buffer[DEBUG_COPY_MAX];
	uint32_t missed_in, missed_out;

	if (count > sizeof(buffer))
		return -EINVAL;
	memset(buffer, 0xa5, sizeof(buffer));
	missed_in = copy_from_guest(buffer, source, count);
	missed_out = copy_to_guest(destination, buffer, count);
	return missed_in | missed_out << 16;
}

int do_debug_op(struct domain *d, uint32_t op, guest_addr_t source, guest_addr_t destination, uint32_t count)
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
	case DEBUG_copy:
		return copy(source, destination, count);
	case DEBUG_frames:	/* lab 3 */
		return frame_map(d, source.n, destination, count); /* lab 3 */
	}
	return -EINVAL;
}
