// SPDX-License-Identifier: MIT
/*
 * One that fills frames with a secret, gives them back, and goes on writing where they were; and a newcomer that gets them and looks,
 * again and again, whether they are and stay its own. Domain 0 is director.c.
 */
#include "lib/string.h"
#include "memory.h"
#include "time.h"
#include "trap.h"

#define PAGES	40u
#define SECRET	0x5ec2e700u

static uint8_t *pages[PAGES];

/* Writes, then unmaps without asking for a flush, and gives back at once: what the processor remembers is the hypervisor's care. */
static void write_and_give(uint32_t i, uint32_t *through)
{
	uint32_t va = (uint32_t)pages[i], mfn = page_mfn(pages[i]);

	for (uint32_t w = 0; w < PAGE_SIZE / sizeof(uint32_t); w++)
		((volatile uint32_t *)va)[w] = SECRET + w;
	hypercall_update_va_mapping(va, 0, 0, DOMID_SELF);
	memory_give(mfn);
	*through += !try_write(va, SECRET).happened;
}

static void steal(void)
{
	uint32_t through = 0, read = 0, value;
	uint64_t end;

	for (uint32_t i = 0; i < PAGES; i++)
		pages[i] = page_alloc();
	memory_wait_for_limit(start_info->frames + 1);	/* the newcomer has made room */
	for (uint32_t i = 0; i < PAGES; i++)
		write_and_give(i, &through);
	for (end = time_now() + 30 * MILLISECOND; time_now() < end;)
		for (uint32_t i = 0; i < PAGES; i++) {
			through += !try_write((uint32_t)pages[i], SECRET).happened;
			read += !try_read((uint32_t)pages[i], &value).happened;
		}
	observe("stale writes reads", 0, through, read);
}

/* Words of the newcomers that are not what they should be. */
static uint32_t strangers(uint32_t expected)
{
	uint32_t found = 0;

	for (uint32_t i = 0; i < PAGES; i++)
		for (uint32_t w = 0; w < PAGE_SIZE / sizeof(uint32_t); w++)
			found += ((volatile uint32_t *)pages[i])[w] != expected;
	return found;
}

static void settle(void)
{
	static uint32_t list[PAGES];
	uint64_t end;
	uint32_t got, first, later = 0;
	int32_t error;

	for (uint32_t i = 0; i < PAGES; i++) {
		pages[i] = page_alloc();
		memory_give(memory_unmap(pages[i]));
	}
	memory_wait_for_limit(start_info->frames + 1);
	got = memory_ask_all(MEMORY_increase, list, PAGES, &error);
	for (uint32_t i = 0; i < got; i++)
		page_map((uint32_t)pages[i], list[i], MAPPED);
	first = strangers(0);
	for (uint32_t i = 0; i < PAGES; i++)
		memset(pages[i], 0x11, PAGE_SIZE);
	for (end = time_now() + 10 * MILLISECOND; time_now() < end;)
		later += strangers(0x11111111);
	observe("newcomers got first later", 0, got, first, later);
}

int test_main(const struct start_info *start)
{
	trap_init();
	memory_skip_director();
	if (argument_number("newcomer", 0))
		settle();
	else
		steal();
	return 0;
}
