// SPDX-License-Identifier: MIT
#include "frame_map.h"
#include "domain.h"
#include "frame.h"
#include "guest_copy.h"

_Static_assert(FRAME_LDT == 5 && OWNER_MACHINE == FRAMES_HYPERVISOR, "frame_map.h");

static uint32_t describe(const struct frame *f)
{
	return f->owner | f->type << 16 | (f->uses > 0 ? FRAMES_USED : 0);
}

int frame_map(struct domain *d, uint32_t first, guest_addr_t list, uint32_t count)
{
	uint32_t n;

	if (!d->privileged)
		return -EPERM;
	for (n = 0; n < MIN(count, FRAMES_A_CALL) && frame_record(MFN(first + n)); n++) {
		uint32_t word = describe(frame_record(MFN(first + n)));

		if (copy_to_guest(guest_add(list, n * sizeof(word)), &word, sizeof(word)))
			return -EFAULT;
	}
	return n;
}
