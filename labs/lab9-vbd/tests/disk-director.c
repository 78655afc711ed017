// SPDX-License-Identifier: MIT
/* Domain 0 of tests with several domains: makes their virtual disks as its judge says, and waits for their ends. */
#include "disk.h"
#include "sleep.h"

int test_main(const struct start_info *start)
{
	uint32_t domains = input_word();
	struct control_op op;

	event_init();
	sleep_open();
	events_enable();
	disk_extend_all();
	for (uint32_t d = 1; d < domains; d++)
		do {
			sleep_for(5 * MILLISECOND);
			op = (struct control_op){ .interface = ATELIER_INTERFACE, .op = CONTROL_info, .domain = d };
		} while (hypercall_control_op(&op) == 0 && op.domain == d && op.u.info.state != DOMAIN_DYING);
	return 0;
}
