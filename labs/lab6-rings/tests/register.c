// SPDX-License-Identifier: MIT
/*
 * Registers pages of its own as its console ring, again and again, uses and releases them, as it is told step by step. Domain 0 is
 * director.c, and waits.
 */
#include "lib/string.h"
#include "paging.h"
#include "text.h"

#define PAGES	4u
#define PORTS	2u

enum { FRAME_PAGE, FRAME_TABLE, FRAME_DIRECTORY, FRAME_SHARED, FRAME_HOLE };
enum { STEP_REGISTER, STEP_RELEASE, STEP_KICK, STEP_USE, STEP_RETYPE };

static void *pages[PAGES];
static int ports[PORTS + 1];
static volatile uint32_t raised[PORTS];
static struct ring ring;

static void on_event(uint32_t port, void *arg)
{
	(*(volatile uint32_t *)arg)++;
}

static uint32_t frame_of(uint32_t name, uint32_t n)
{
	switch (name) {
	case FRAME_PAGE:
		return page_mfn(pages[n]);
	case FRAME_TABLE:
		return directory_loaded()[start_info->virt_base >> 22] >> PAGE_SHIFT;
	case FRAME_DIRECTORY:
		return page_mfn(directory_loaded());
	case FRAME_SHARED:
		return page_mfn((const void *)start_info->shared);
	}
	return n;
}

static uint32_t port_of(uint32_t n)
{
	return n < ARRAY_SIZE(ports) ? (uint32_t)ports[n] : n;
}

static int32_t ask(uint32_t op, uint32_t frame, uint32_t port)
{
	struct ring_op o = { .op = op, .ring_class = input_word(), .device = input_word(), .frame = frame, .port = port };

	o.reserved = input_word();
	return hypercall_ring_op(&o);
}

/* In a page full of old bytes. */
static void do_register(uint32_t key)
{
	uint32_t name = input_word(), n = input_word(), frame = frame_of(name, n), port = port_of(input_word());
	int32_t answer;

	if (name == FRAME_PAGE && pages[n] != ring.header)
		memset(pages[n], 0xee, PAGE_SIZE);
	answer = ask(RING_register, frame, port);
	observe("register answer:int", key, answer);
	if (answer)
		return;
	ring = (struct ring){ .header = pages[n], .ring_class = RING_CONSOLE, .port = port };
	observe("begins req_event rsp_prod flags", key, ring.header->req_event, ring.header->rsp_prod, ring.header->flags);
	ring.put = ring.taken = ring.header->rsp_prod;
	ring.header->req_prod = ring.put;
}

static void do_release(uint32_t key)
{
	int32_t answer = ask(RING_unregister, 0, 0);

	observe("release answer:int", key, answer);
	if (answer == 0)
		ring.header = NULL;
}

/* Requests that are answered at once, for they claim too much; the last one's answer raises the port. */
static void do_use(uint32_t key)
{
	uint32_t count = input_word(), good = 0, before[PORTS] = { raised[0], raised[1] };
	struct console_slot s = { .count = UINT16_MAX };

	for (s.id = 0; s.id < count; s.id++)
		ring_put(&ring, &s);
	ring.header->rsp_event = ring.taken + count;
	ring_publish(&ring);
	for (uint32_t i = 0; ring_get(&ring, &s); i++)
		good += s.id == i && s.count == 0;
	observe("use good port_0 port_1", key, good, raised[0] - before[0], raised[1] - before[1]);
}

/* Whether a page could become a page table now. */
static void do_retype(uint32_t key)
{
	void *page = pages[input_word()];
	struct mmu_request pin = { page_mfn(page) << PAGE_SHIFT | MMU_COMMAND, MMU_PIN_TABLE };
	struct mmu_request unpin = { page_mfn(page) << PAGE_SHIFT | MMU_COMMAND, MMU_UNPIN };
	int32_t answer;

	if (page != ring.header)
		memset(page, 0, PAGE_SIZE);	/* an empty table */
	page_protect(page, PTE_P | PTE_A);
	answer = page_update(&pin, 1, NULL);
	if (answer == 0)
		page_update(&unpin, 1, NULL);
	observe("retype answer:int writable:int", key, answer, page_protect(page, PTE_P | PTE_RW | PTE_A | PTE_D));
}

static void do_step(uint32_t key)
{
	switch (input_word()) {
	case STEP_REGISTER:
		do_register(key);
		return;
	case STEP_RELEASE:
		do_release(key);
		return;
	case STEP_KICK:
		observe("kick answer:int", key, ask(RING_kick, 0, 0));
		return;
	case STEP_USE:
		do_use(key);
		return;
	case STEP_RETYPE:
		do_retype(key);
		return;
	}
}

int test_main(const struct start_info *start)
{
	uint32_t count;

	skip_director(1);
	event_init();
	events_enable();
	for (uint32_t i = 0; i < PAGES; i++)
		pages[i] = page_alloc();
	for (uint32_t i = 0; i < PORTS; i++)
		ports[i] = event_alloc_unbound(DOMID_SELF, on_event, (void *)&raised[i]);
	ports[PORTS] = event_alloc_unbound(DOMID_SELF, NULL, NULL);
	event_close(ports[PORTS]);
	count = input_word();
	for (uint32_t i = 0; i < count; i++)
		do_step(i);
	return 0;
}
