// SPDX-License-Identifier: MIT
/*
 * Virtual interfaces: packets made of the input, in pieces anywhere, over rings that their owner writes into, rules that come and go,
 * packets by wire, VIFs that are taken away under way. After each step an audit; and whatever has left carries its VIF's address.
 */
#include <stdlib.h>
#include <string.h>
#include "fuzz/reader.h"
#include "host/audit.h"
#include "host/domains.h"
#include "host/net.h"
#include "vif.h"

#define FRAMES		20u
#define PFN_POST	(PFN_NET + 4)
#define STEPS		64u

static const uint8_t wire_mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };
static const uint8_t stranger[6] = { 0x52, 0x55, 10, 0, 2, 2 };

static struct guest zero, one, two;
static struct net nets[3];		/* the last one is a second one of domain 2 */
static unsigned int judged;		/* packets on the wire that were looked at */

static void start(void)
{
	host_start(160);
	zero = host_domain(8);
	host_wire_plug(wire_mac);
	vif_start();
	one = host_domain(FRAMES);
	two = host_domain(FRAMES);
	net_create(&zero, &one, 0, &nets[0], 2000, 1000);
	net_create(&zero, &two, 0, &nets[1], 0, 0);
	net_create(&zero, &two, 1, &nets[2], 300, UINT32_MAX);
	net_open(&nets[0], PFN_TX);
	net_open(&nets[1], PFN_TX);
	net_open(&nets[2], PFN_NET + 2);
	host_enter(&two);
	for (uint32_t pfn = PFN_POST; pfn < FRAMES; pfn++)
		net_unmap(&two, pfn);
	host_enter(&one);
	for (uint32_t pfn = PFN_POST; pfn < FRAMES; pfn++)
		net_unmap(&one, pfn);
	net_rule(&zero, RULE_ACCEPT, 1, RULE_ANY);
	frame_pool_scrub(true);
	judged = 0;
}

/* Bytes of a packet that may mean something: sound addresses, then the input's. */
static uint32_t take_packet(struct reader *r, uint8_t *bytes, const uint8_t *from)
{
	const uint8_t *ends[] = { nets[0].mac, nets[1].mac, nets[2].mac, wire_mac, stranger, (const uint8_t *)"\xff\xff\xff\xff\xff\xff" };
	uint32_t length = take8(r) < 0xe0 ? 14 + take8(r) : take16(r) % 1600, header = take_of(r, 80);

	net_packet(bytes, MAX(length, 60u), &(struct net_flow){ from, ends[take_of(r, 6)], 0x0a000001, 0x0a000002, 1, 2 }, 3);
	for (uint32_t i = 12; i < 12 + header; i++)
		bytes[i] ^= take8(r);
	return length;
}

static struct net *take_net(struct reader *r)
{
	return &nets[take_of(r, 3)];
}

static void do_send(struct reader *r)
{
	struct net *n = take_net(r);
	struct vif_tx_request q = { .id = take8(r), .pieces = 1 + take_of(r, 5) };
	static uint8_t bytes[2048];
	uint32_t length = take_packet(r, bytes, take8(r) < 0xf0 ? n->mac : wire_mac), at = 0;

	q.flags = q.id >> 6;
	q.segment = q.id % 64 * 16;
	if ((q.flags & VIF_TX_SEGMENTS) && length >= 60) {	/* of TCP, if not more is wrong with it */
		bytes[23] ^= 17 ^ 6;
		bytes[46] = 5 << 4;
	}
	for (uint32_t i = 0; i < MIN(q.pieces, (uint32_t)VIF_TX_PIECES); i++) {
		uint32_t pfn = take_of(r, FRAMES), offset = take8(r) < 0x80 ? 0 : take16(r) % PAGE_SIZE;
		uint32_t size = i + 1 == q.pieces ? length - at : MIN(take16(r) % 1600, length - at);

		q.piece[i].address = (take8(r) < 0xf0 ? n->g->mfn[pfn] << PAGE_SHIFT : take32(r)) + offset;
		q.piece[i].length = take8(r) < 0xf0 ? size : take16(r);
		if (pfn >= PFN_NET + 2 && pfn < PFN_POST && offset + size <= PAGE_SIZE && size <= length - at)
			memcpy((uint8_t *)host_frame(n->g->mfn[pfn]) + offset, bytes + at, size);
		at += MIN(size, length - at);
	}
	if (n->g->d->life == LIFE_OPEN && frame_record(MFN(n->tx_ring))->owner == n->g->d->id)
		net_request(n, &q);
}

/* Odd ones are to be copied into. */
static void post(struct net *n, uint8_t id, uint32_t frame)
{
	net_post_flagged(n, id, frame, id % 2 ? VIF_RX_COPY : 0);
}

static void do_post(struct reader *r)
{
	struct net *n = take_net(r);

	if (n->g->d->life == LIFE_OPEN && frame_record(MFN(n->rx_ring))->owner == n->g->d->id)
		post(n, take8(r), take8(r) < 0xf0 ? n->g->mfn[take_of(r, FRAMES)] : take32(r));
}

static void do_ring(struct reader *r, uint32_t op)
{
	struct net *n = take_net(r);

	if (n->g->d->life == LIFE_OPEN)
		net_ring_op(n, op, RING_VIF_TX + take_of(r, 2));
}

static void do_rule(struct reader *r)
{
	struct control_op op = { .op = take8(r) < 0x80 ? CONTROL_rule_add : CONTROL_rule_remove };
	uint8_t *bytes = (uint8_t *)&op.u.rule;
	uint32_t n = take_of(r, sizeof(op.u.rule));

	op.u.rule.from_domain = take8(r) < 0x80 ? RULE_ANY : take_of(r, 4);
	op.u.rule.to_domain = take8(r) < 0x80 ? RULE_ANY : take_of(r, 4);
	for (uint32_t i = 16; i < n; i++)
		bytes[i] = take8(r);
	net_control(&zero, &op);
}

static void do_life(struct reader *r)
{
	uint32_t domain = 1 + take_of(r, 2), number = take_of(r, 2);
	struct control_op op = { .op = CONTROL_vif_destroy, .domain = domain };
	struct net again;

	op.u.vif.number = number;
	if (take8(r) < 0x80)
		net_control(&zero, &op);
	else if (domain_find(NULL, domain))
		net_create(&zero, domain == 1 ? &one : &two, number, &again, take16(r), take16(r));
}

static void do_arrive(struct reader *r)
{
	static uint8_t bytes[2048];
	uint32_t length = take_packet(r, bytes, stranger);

	host_wire_arrive(bytes, length);
}

static void do_step(struct reader *r)
{
	switch (take_of(r, 16)) {
	case 0 ... 4:
		do_send(r);
		break;
	case 5 ... 6:
		do_post(r);
		break;
	case 7 ... 9:
		do_ring(r, RING_kick);
		break;
	case 10:
		do_arrive(r);
		break;
	case 11:
		host_wire_leave();
		break;
	case 12:
		do_rule(r);
		break;
	case 13:
		host_wire_time(host.now + take16(r) * 1000u);
		break;
	case 14:
		if (take8(r) < 0x80)
			do_life(r);
		else
			do_ring(r, take_of(r, 2));
		break;
	case 15:
		if (take8(r) > 0xf0 && two.d->life == LIFE_OPEN)
			domain_kill(two.d, SHUTDOWN_crash, 0);
		domain_reap();
		break;
	}
}

/* V1: only these three have sent, and each under its own name. */
static void check_wire(void)
{
	for (; judged < host_wire.sent_count; judged++) {
		const uint8_t *from = host_wire.sent[judged].bytes + 6;

		if (memcmp(from, nets[0].mac, 6) && memcmp(from, nets[1].mac, 6) && memcmp(from, nets[2].mac, 6))
			host_panic("V1: a packet has left under a false name");
	}
}

static void steps(void *reader)
{
	struct reader *r = reader;

	for (unsigned int i = 0; i < STEPS && r->left > 0; i++) {
		do_step(r);
		check(audit());
		check_wire();
	}
	audit_all();
	host_wire_leave_all();
	audit_all();
}

/* The parser alone: the copy ends where what was copied ends. */
static void parse(const uint8_t *bytes, size_t size)
{
	uint32_t have = MIN(size, (size_t)VFR_HEADER);
	uint8_t *copy = malloc(have ? have : 1);
	struct vfr_packet p;

	memcpy(copy, bytes, have);
	vfr_parse(copy, have, size, &p);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct reader r = { bytes, size };
	struct host_end end;

	parse(bytes, size);
	start();
	end = host_run(steps, &r);
	if (end.stopped)
		host_panic("the machine stopped");
	return 0;
}
