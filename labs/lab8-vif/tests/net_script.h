/* SPDX-License-Identifier: MIT */
/*
 * What the guests of lab 8 are: each does, step by step, what its judge says, and observes what came of it. lab8_script.py
 * writes the steps and follows them by the rules of public/ring.h and control.h. The input has a list of steps for each domain.
 */
#ifndef LAB8_NET_SCRIPT_H
#define LAB8_NET_SCRIPT_H

#include "event.h"
#include "lib/string.h"
#include "mini.h"
#include "net.h"
#include "paging.h"
#include "sleep.h"
#include "trap.h"

#define SCRATCH		16u	/* pages that packets are sent from */
#define POOL		160u	/* pages to receive into */
#define FNV_START	2166136261u
#define FNV_PRIME	16777619u

enum {
	STEP_CREATE, STEP_DESTROY, STEP_RULE, STEP_OPEN, STEP_POST, STEP_POST_FRAME, STEP_PUBLISH, STEP_PUT, STEP_KICK, STEP_ANSWERS,
	STEP_DRAIN, STEP_START, STEP_SLEEP, STEP_INFO, STEP_GIVE_BACK, STEP_TABLE, STEP_MEMORY, STEP_KILL, STEP_MAP_POSTED, STEP_END,
};

enum { PIECE_SCRATCH, PIECE_FRAME, PIECE_TABLE, PIECE_POSTED };

static struct net nets[VIF_DEVICES];
static uint8_t *scratch[SCRATCH];
static void *pool[POOL];
static uint32_t pooled;
static uint32_t post_numbers[VIF_DEVICES];	/* pages posted so far */
static uint16_t posted_as[4096];		/* by page: its number among those */
static uint64_t start_time;

static int control(struct control_op *op)
{
	op->interface = ATELIER_INTERFACE;
	return hypercall_control_op(op);
}

/* ---- what domain 0 does ---- */

static void do_create(uint32_t key)
{
	struct control_op op = { .op = CONTROL_vif_create };
	const uint8_t *mac;
	uint32_t length;

	op.domain = input_word();
	op.u.vif.number = input_word();
	mac = input_bytes(&length);
	memcpy(op.u.vif.mac, mac, sizeof(op.u.vif.mac));
	op.u.vif.credit_bytes = input_word();
	op.u.vif.credit_us = input_word();
	observe("control answer:int", key, control(&op));
}

static void do_destroy(uint32_t key)
{
	struct control_op op = { .op = CONTROL_vif_destroy };

	op.domain = input_word();
	op.u.vif.number = input_word();
	observe("control answer:int", key, control(&op));
}

/* Addresses travel in the interface as they do on the wire. */
static uint32_t address(void)
{
	return __builtin_bswap32(input_word());
}

static void do_rule(uint32_t key)
{
	struct control_op op = { .op = input_word() ? CONTROL_rule_remove : CONTROL_rule_add };
	struct control_rule *r = &op.u.rule;

	r->rank = input_word();
	r->action = input_word();
	r->protocol = input_word();
	r->from_domain = input_word();
	r->to_domain = input_word();
	r->from_vif = input_word();
	r->to_vif = input_word();
	r->source = address();
	r->source_mask = address();
	r->destination = address();
	r->destination_mask = address();
	r->source_port_low = input_word();
	r->source_port_high = input_word();
	r->destination_port_low = input_word();
	r->destination_port_high = input_word();
	observe("control answer:int", key, control(&op));
}

static void do_info(uint32_t key)
{
	struct control_op op = { .op = CONTROL_vif_info };
	const struct control_vif *v = &op.u.vif;

	op.domain = input_word();
	op.u.vif.number = input_word();
	control(&op);
	observe("info tx_packets tx_bytes tx_dropped tx_refused rx_packets rx_bytes rx_dropped", key, v->tx_packets, v->tx_bytes,
		v->tx_dropped, v->tx_refused, v->rx_packets, v->rx_bytes, v->rx_dropped);
}

static void do_memory(uint32_t key)
{
	struct control_op op = { .op = CONTROL_machine };

	control(&op);
	observe("memory free_kib", key, op.u.machine.free_kib);
}

/* Asks until the domain is gone, which takes as long as what it has under way: the last step may be done between two asks. */
static void do_kill(uint32_t key)
{
	struct control_op op = { .op = CONTROL_destroy, .domain = input_word() };
	uint32_t waits = 0;
	int err;

	while ((err = control(&op)) == -EAGAIN && waits < 1000) {
		waits++;
		sleep_for(100 * MICROSECOND);
	}
	observe("kill answer:int waited", key, err == -ESRCH && waits > 0 ? 0 : err, waits > 0);
}

/* ---- what a domain with a VIF does ---- */

/* Domain 0 may not have created it yet. */
static void do_open(void)
{
	uint32_t number = input_word();

	while (net_open(&nets[number], number))
		sleep_for(50 * MICROSECOND);
}

static void do_post(void)
{
	uint32_t number = input_word(), count = input_word();
	struct net *n = &nets[number];

	while (count-- > 0) {
		void *page = pool[--pooled];

		posted_as[page_pfn(page) % ARRAY_SIZE(posted_as)] = post_numbers[number]++;
		if (net_post(n, page))
			panic("a page cannot be unmapped");
	}
	net_publish(n);
}

static uint32_t frame_of(uint32_t kind, uint32_t page)
{
	const uint32_t *table = page_entry((uint32_t)scratch[0]);

	switch (kind) {
	case PIECE_SCRATCH:
		return page_mfn(scratch[page]);
	case PIECE_TABLE:
		return page_mfn((void *)((uint32_t)table & PAGE_MASK));
	case PIECE_POSTED:
		return page_mfn(pool[POOL - 1 - page]);
	}
	return page;
}

/* A request of the test's own making; its answer is read raw. */
static void do_post_frame(void)
{
	struct net *n = &nets[input_word()];
	struct vif_rx_request q = { .id = input_word() };
	uint32_t kind = input_word();

	q.frame = frame_of(kind, input_word());
	ring_put(&n->rx, &q);
}

static void do_publish(uint32_t key)
{
	struct net *n = &nets[input_word()];
	struct vif_rx_response a;

	net_publish(n);
	while (ring_get(&n->rx, &a))
		observe("posted id length:int", key, a.id, a.length);
}

static void do_put(void)
{
	struct net *n = &nets[input_word()];
	struct vif_tx_request q = { .id = input_word() };
	uint32_t kinds[VIF_TX_PIECES], pages[VIF_TX_PIECES], count = input_word(), length;
	const uint8_t *bytes;

	q.pieces = count;
	q.segment = input_word();
	if (q.segment)
		q.flags = VIF_TX_CSUM | VIF_TX_SEGMENTS;
	count = MIN(count, VIF_TX_PIECES);
	for (uint32_t i = 0; i < count; i++) {
		kinds[i] = input_word();
		pages[i] = input_word();
		q.piece[i].address = frame_of(kinds[i], pages[i]) * PAGE_SIZE + input_word();
		q.piece[i].length = input_word();
	}
	bytes = input_bytes(&length);
	for (uint32_t i = 0; i < count && length > 0; i++) {
		uint32_t offset = q.piece[i].address % PAGE_SIZE, size = MIN(length, q.piece[i].length);

		if (kinds[i] != PIECE_SCRATCH)
			continue;
		memcpy(scratch[pages[i]] + offset, bytes, MIN(size, PAGE_SIZE - offset));
		bytes += size;
		length -= size;
	}
	ring_put(&n->tx, &q);
}

static void do_answers(uint32_t key)
{
	uint32_t number = input_word(), count = input_word();
	struct vif_tx_response a;
	struct net *n = &nets[number];

	events_wait_until(ring_answered_all(&n->tx, count));
	while (ring_get(&n->tx, &a))
		observe("answer vif id status:int", key, number, a.id, a.status);
}

static uint32_t not_zero(const uint8_t *page, uint32_t from, uint32_t to)
{
	uint32_t n = 0;

	while (from < to)
		n += page[from++] != 0;
	return n;
}

static void do_drain(uint32_t key)
{
	uint32_t number = input_word();
	struct net_received r;

	while (net_receive(&nets[number], &r)) {
		uint32_t offset = r.bytes - (uint8_t *)r.page, end = offset + MAX(r.length, 0);
		bool named = mfn_pfn(page_mfn(r.page)) == page_pfn(r.page);

		observe("got vif length:int around named posted", key, number, r.length,
			r.length < 0 ? 0 : not_zero(r.page, 0, offset) + not_zero(r.page, end, PAGE_SIZE), named,
			posted_as[page_pfn(r.page) % ARRAY_SIZE(posted_as)]);
		observe_bytes("packet data:bytes", key, r.bytes, MAX(r.length, 0));
		memset(r.page, 0xee, PAGE_SIZE);
		pool[pooled++] = r.page;
	}
}

static void do_give_back(uint32_t key)
{
	uint8_t *page = scratch[input_word()];
	uint32_t frame = page_mfn(page);
	struct memory_op give = { .op = MEMORY_decrease, .count = 1, .list = (uint32_t)&frame };
	int answer;

	page_protect(page, 0);
	answer = hypercall_memory_op(&give);
	if (answer != 1)
		page_protect(page, PTE_P | PTE_RW);
	observe("given answer:int", key, answer);
}

/* Reads the page table that maps the scratch pages; A and D are the processor's. */
static void do_table(uint32_t key)
{
	const uint32_t *table = (const uint32_t *)((uint32_t)page_entry((uint32_t)scratch[0]) & PAGE_MASK);
	uint32_t digest = FNV_START;

	for (uint32_t i = 0; i < TABLE_ENTRIES; i++)
		digest = (digest ^ (table[i] & ~(PTE_A | PTE_D))) * FNV_PRIME;
	observe("table digest", key, digest);
}

static void do_map_posted(uint32_t key)
{
	uint8_t *page = pool[POOL - 1 - input_word()];

	observe("mapped answer:int", key, page_protect(page, PTE_P));
}

/* ---- the steps ---- */

/* False: it was the last one. */
static bool do_step(uint32_t key)
{
	uint32_t step = input_word();

	switch (step) {
	case STEP_CREATE:
		do_create(key);
		break;
	case STEP_DESTROY:
		do_destroy(key);
		break;
	case STEP_RULE:
		do_rule(key);
		break;
	case STEP_OPEN:
		do_open();
		break;
	case STEP_POST:
		do_post();
		break;
	case STEP_POST_FRAME:
		do_post_frame();
		break;
	case STEP_PUBLISH:
		do_publish(key);
		break;
	case STEP_PUT:
		do_put();
		break;
	case STEP_KICK:
		ring_publish(&nets[input_word()].tx);
		break;
	case STEP_ANSWERS:
		do_answers(key);
		break;
	case STEP_DRAIN:
		do_drain(key);
		break;
	case STEP_START:
		start_time = time_now();
		break;
	case STEP_SLEEP:
		sleep_until(start_time + input_word() * MICROSECOND);
		break;
	case STEP_INFO:
		do_info(key);
		break;
	case STEP_GIVE_BACK:
		do_give_back(key);
		break;
	case STEP_TABLE:
		do_table(key);
		break;
	case STEP_MEMORY:
		do_memory(key);
		break;
	case STEP_KILL:
		do_kill(key);
		break;
	case STEP_MAP_POSTED:
		do_map_posted(key);
		break;
	default:
		return false;
	}
	return true;
}

/* The lists of the domains before ours. */
static void skip_to(uint32_t domain)
{
	uint32_t words;

	while (domain-- > 0)
		for (words = input_word(); words > 0; words--)
			input_word();
	input_word();
}

int test_main(const struct start_info *start)
{
	uint32_t key = 0;

	if (trap_init() || event_init() || sleep_open() < 0)
		panic("this hypervisor has no events");
	for (uint32_t i = 0; i < SCRATCH; i++)
		scratch[i] = page_alloc();
	for (pooled = 0; pooled < POOL; pooled++)
		pool[pooled] = memset(page_alloc(), 0xee, PAGE_SIZE);
	skip_to(start->domid);
	start_time = time_now();
	while (do_step(key))
		key++;
	if (start->flags & START_PRIVILEGED)
		return 0;
	/* A domain that is gone leaves no pages to read. */
	observe_end();
	for (;;)
		hypercall_block();
}

#endif
