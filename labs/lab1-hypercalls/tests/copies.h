/* SPDX-License-Identifier: MIT */
/* What the tests of exercise 1.3 share: copies through the hypervisor, as the judge asks for them. */
#ifndef LAB1_COPIES_H
#define LAB1_COPIES_H

#include "hypercall.h"
#include "lib/string.h"
#include "mini.h"
#include "paging.h"

#define PAINT	0x5c	/* what lies where nothing has been copied to yet */

/*
 * One case: a list of [source, destination, length, first byte to paint, how many, first byte to show, how many, bytes
 * for the source]. All addresses count from the windows.
 */
static void do_copy(uint32_t i)
{
	uint32_t base = start_info->windows;
	uint32_t source = base + input_word(), destination = base + input_word(), length = input_word();
	void *paint = (void *)(base + input_word());
	uint32_t paint_size = input_word();
	const void *show = (const void *)(base + input_word());
	uint32_t show_size = input_word(), size;
	const void *bytes = input_bytes(&size);

	memset(paint, PAINT, paint_size);
	memcpy((void *)source, bytes, size);
	observe("copy answer:int", i, hypercall_debug_op(DEBUG_copy, source, destination, length));
	observe_bytes("shown bytes:bytes", i, show, show_size);
}

static void do_copies(void)
{
	uint32_t count = input_word();

	for (uint32_t i = 0; i < count; i++)
		do_copy(i);
}

#endif
