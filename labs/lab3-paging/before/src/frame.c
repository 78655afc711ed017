// SPDX-License-Identifier: MIT
/*
 * Page tables never change once the builder has made them, so nobody needs to know what a frame is used as, or by how many:
 * each is held once, by its owner.
 */
#include "frame.h"
#include "frame_pool.h"
#include "lib/string.h"
#include "machine.h"

struct frame_table frame_table;

void frame_init(void)
{
	frame_table.count = machine_frame_count();
	frame_table.records = machine_frame_table(sizeof(struct frame));
	memset(frame_table.records, 0, frame_table.count * sizeof(struct frame));
	for (uint32_t i = 0; i < frame_table.count; i++)
		frame_table.records[i].owner = OWNER_NONE;
}

void frame_register_holder(void (*each)(frame_see_fn *see))
{
	/* There are no counts that could be held against what is found. */
}

void frame_put(mfn_t mfn)
{
	frame_pool_free(mfn);
}

void frame_put_type(mfn_t mfn)
{
	/* The use went uncounted when it was taken. */
}
