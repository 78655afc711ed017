// SPDX-License-Identifier: MIT
/*
 * Domain 0 of `dma-hostile`: gives the others a disk, waits until domain 2 dies in the middle of it, and takes all memory that becomes
 * free, as it becomes free. Whatever a disk is still writing then lands in one of those frames.
 */
#include "disk.h"

#define MOST		2048u		/* frames: more than domain 2 has */
#define CHUNK		32u
#define SECOND		1000000000ull

static uint32_t newcomers[MOST];
static uint32_t count;

/* DOMAIN_..., 0: it is gone. */
static uint32_t state_of(uint32_t domain)
{
	struct control_op op = { .interface = ATELIER_INTERFACE, .op = CONTROL_info, .domain = domain };

	if (hypercall_control_op(&op) || op.domain != domain)
		return 0;
	return op.u.info.state;
}

static void take(void)
{
	struct memory_op op = { MEMORY_increase, (uint32_t)(newcomers + count), CHUNK, 0 };
	int n = count + CHUNK <= MOST ? hypercall_memory_op(&op) : 0;

	if (n > 0)
		count += n;
}

/* How many of the newcomers are not all zeros. Each is looked at through the same page. */
static uint32_t dirty(void)
{
	uint32_t *page = page_alloc(), own = page_mfn(page), n = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t bits = 0;

		if (page_map((uint32_t)page, newcomers[i], PTE_P | PTE_A))
			panic("a newcomer cannot be mapped");
		for (uint32_t k = 0; k < 1024; k++)
			bits |= page[k];
		n += bits != 0;
	}
	page_map((uint32_t)page, own, PTE_P | PTE_RW | PTE_A | PTE_D);
	return n;
}

static volatile bool told;

static void on_told(uint32_t port, void *arg)
{
	told = true;
}

/* Domain 1 opens its second port for this, and stays: what it observed lies in its memory. */
static void wait_for_domain_1(void)
{
	while (event_bind_interdomain(1, 2, on_told, NULL) < 0)
		hypercall_yield();
	events_wait_until(told);
}

int test_main(const struct start_info *start)
{
	struct control_op op = { .op = CONTROL_limit };
	uint64_t end;

	disk_open();
	op.u.limit.frames = UINT32_MAX;
	disk_control(op);
	disk_extend_all();
	input_word();		/* domain 1's */
	wait_for_domain_1();
	disk_extend_all();
	while (state_of(2) != DOMAIN_DYING && state_of(2) != 0)
		hypercall_yield();
	for (end = time_now() + SECOND / 50; time_now() < end; time_spin(2000))
		take();
	observe("end state count dirty", 0, state_of(2), count, dirty());
	return 0;
}
