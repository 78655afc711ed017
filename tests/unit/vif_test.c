// SPDX-License-Identifier: MIT
#include "vif.h"
#include <string.h>
#include "frame.h"
#include "host/audit.h"
#include "host/domains.h"
#include "host/net.h"
#include "unit/test.h"

#define FRAMES		48u
#define PFN_POST	(PFN_NET + 6)	/* frames to receive into: unmapped */
#define POSTS		24u
#define MS		1000000ull

static const uint8_t wire_mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };
static const uint8_t stranger[6] = { 0x52, 0x55, 10, 0, 2, 2 };
static const uint8_t all[6] = { 255, 255, 255, 255, 255, 255 };

static struct guest zero, one, two;
static struct net a, b;
static uint8_t bytes[VIF_LARGE_MAX];

static void audited(struct guest *g, uint32_t number, int result)
{
	audit_all();
}

static void unmap_posts(struct guest *g)
{
	for (uint32_t i = 0; i < POSTS; i++)
		net_unmap(g, PFN_POST + i);
}

/* Domains 1 and 2 with a VIF each, and a wire; nothing is allowed yet. */
static void start_capped(uint32_t credit_bytes, uint32_t credit_us)
{
	host_start(400);
	zero = host_domain(8);
	host_wire_plug(wire_mac);
	vif_start();
	one = host_domain(FRAMES);
	two = host_domain(FRAMES);
	frame_pool_scrub(true);
	EXPECT_EQ(net_create(&zero, &one, 0, &a, credit_bytes, credit_us), 0);
	EXPECT_EQ(net_create(&zero, &two, 0, &b, 0, 0), 0);
	net_open(&a, PFN_TX);
	net_open(&b, PFN_TX);
	host_enter(&two);
	unmap_posts(&two);
	host_enter(&one);
	unmap_posts(&one);
	host_after_call = audited;
}

static void start(void)
{
	start_capped(0, 0);
}

/* One that everything passes. */
static void start_open(void)
{
	start();
	EXPECT_EQ(net_rule(&zero, RULE_ACCEPT, RULE_ANY, RULE_ANY), 0);
}

static void packet(const uint8_t *from, const uint8_t *to, uint32_t length)
{
	net_packet(bytes, length, &(struct net_flow){ from, to, 0x0a000001, 0x0a000002, 1, 2 }, length);
}

/* A packet of domain 1's to @to, in its first free frame. */
static void put_packet(const uint8_t *to, uint32_t length)
{
	packet(a.mac, to, length);
	memcpy(host_frame(one.mfn[PFN_NET]), bytes, length);
}

static int send(const uint8_t *to, uint32_t length)
{
	struct vif_tx_response r;

	put_packet(to, length);
	net_send(&a, 7, PFN_NET, 0, length);
	EXPECT_EQ(net_ring_op(&a, RING_kick, RING_VIF_TX), 0);
	if (!net_sent(&a, &r))
		return 1;		/* not yet */
	EXPECT_EQ(r.id, 7);
	return r.status;
}

static void post(struct net *n, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		net_post(n, 100 + i, n->g->mfn[PFN_POST + i]);
	EXPECT_EQ(net_ring_op(n, RING_kick, RING_VIF_RX), 0);
}

static struct control_vif info(const struct net *n)
{
	struct control_op op = { .op = CONTROL_vif_info, .domain = n->g->d->id };

	op.u.vif.number = n->number;
	EXPECT_EQ(net_control(&zero, &op), 0);
	return op.u.vif;
}

static void expect_tx(const struct net *n, uint32_t packets, uint32_t dropped, uint32_t refused)
{
	struct control_vif i = info(n);

	EXPECT_EQ(i.tx_packets, packets);
	EXPECT_EQ(i.tx_dropped, dropped);
	EXPECT_EQ(i.tx_refused, refused);
}

static bool zero_but(uint32_t mfn, uint32_t offset, uint32_t length)
{
	const uint8_t *p = host_frame(mfn);

	for (uint32_t i = 0; i < PAGE_SIZE; i++)
		if ((i < offset || i >= offset + length) && p[i] != 0)
			return false;
	return true;
}

/* The next packet that @n received is @length bytes as they are in @bytes, and nothing else lies in its frame. */
static void expect_packet(struct net *n, uint16_t id, uint32_t length)
{
	struct vif_rx_response r = { .length = 0 };

	EXPECT(net_received(n, &r));
	EXPECT_EQ(r.id, id);
	EXPECT_EQ(r.length, length);
	EXPECT_EQ(r.flags, 0);
	EXPECT(memcmp((uint8_t *)host_frame(r.frame) + r.offset, bytes, length) == 0, "%u bytes", length);
	EXPECT(zero_but(r.frame, r.offset, length), "%u bytes", length);
	EXPECT_EQ(frame_record(MFN(r.frame))->owner, n->g->d->id);
	EXPECT_EQ(frame_record(MFN(r.frame))->refs, 1);
	audit_all();
}

static void expect_none(struct net *n)
{
	struct vif_rx_response r;

	EXPECT(!net_received(n, &r));
}

/* ---- creation ---- */

TEST(a_vif_that_cannot_be_is_refused)
{
	struct net n;
	struct control_op op = { .op = CONTROL_vif_create, .domain = 1 };
	static const uint8_t bad[][6] = { { 0, 0, 0, 0, 0, 0 }, { 1, 0, 0, 0, 0, 1 }, { 255, 255, 255, 255, 255, 255 } };

	start();
	EXPECT_EQ(net_create(&zero, &one, 0, &n, 0, 0), -EEXIST);
	EXPECT_EQ(net_create(&zero, &one, RING_DEVICES, &n, 0, 0), -EINVAL);
	op.u.vif.number = 1;
	for (uint32_t i = 0; i < ARRAY_SIZE(bad); i++) {
		memcpy(op.u.vif.mac, bad[i], 6);
		EXPECT_EQ(net_control(&zero, &op), -EINVAL, "%u", i);
	}
	memcpy(op.u.vif.mac, b.mac, 6);
	EXPECT_EQ(net_control(&zero, &op), -EEXIST);
	memcpy(op.u.vif.mac, wire_mac, 6);
	EXPECT_EQ(net_control(&zero, &op), -EEXIST);
	op.u.vif.mac[5]++;
	op.u.vif.reserved = 1;
	EXPECT_EQ(net_control(&zero, &op), -EINVAL);
	op.u.vif.reserved = 0;
	host_fail_allocations_after(0);
	EXPECT_EQ(net_control(&zero, &op), -ENOSPC);
	host_fail_allocations_after(UINT32_MAX);
	EXPECT_EQ(net_control(&zero, &op), 0);
	EXPECT_EQ(net_control(&one, &op), -EPERM);
	op.domain = 5;
	EXPECT_EQ(net_control(&zero, &op), -ESRCH);
}

TEST(vifs_run_out_with_an_answer)
{
	start();
	for (uint32_t i = 0; i < VIFS; i++) {
		struct control_vif v = { .number = i % 4, .mac = { 2, 1, 0, 0, 0, i } };
		struct vif *had = vif_find(one.d, v.number);

		if (had)
			one.d->vifs.vifs[v.number] = NULL;	/* a domain of many */
		EXPECT_EQ(vif_create(one.d, &v), i < VIFS - 3 ? 0 : -ENOSPC, "%u", i);
	}
}

TEST(a_ring_needs_its_vif)
{
	struct net n;

	start();
	n = a;
	n.number = 1;
	EXPECT_EQ(net_ring_op(&n, RING_register, RING_VIF_TX), -ENODEV);
	EXPECT_EQ(net_ring_op(&n, RING_register, RING_VIF_RX), -ENODEV);
	EXPECT_EQ(net_ring_op(&a, RING_register, RING_VIF_TX), -EEXIST);
}

TEST(a_guest_is_told_its_address_and_no_other)
{
	struct ring_op op = { RING_info, RING_VIF_TX, 0, ~0u, ~0u, 0 };
	uint32_t at;

	start();
	at = ARG(op);
	EXPECT_EQ(CALL(&two, ring_op, at), 0);
	EXPECT(memcmp(host_arg_bytes(at) + 12, b.mac, 6) == 0);
	EXPECT_EQ(((struct ring_op *)host_arg_bytes(at))->port >> 16, 0);
	op.ring_class = RING_VIF_RX;
	at = ARG(op);
	EXPECT_EQ(CALL(&two, ring_op, at), 0);
	EXPECT(memcmp(host_arg_bytes(at) + 12, b.mac, 6) == 0);
	op.device = 1;
	EXPECT_EQ(CALL(&two, ring_op, ARG(op)), -ENODEV);
}

TEST(info_says_what_there_is)
{
	struct control_op op = { .op = CONTROL_info, .domain = 1 };
	struct control_vif i;

	start_capped(5000, 70);
	i = info(&a);
	EXPECT(memcmp(i.mac, a.mac, 6) == 0);
	EXPECT_EQ(i.credit_bytes, 5000);
	EXPECT_EQ(i.credit_us, 70);
	EXPECT_EQ(net_control(&zero, &op), 0);
	EXPECT_EQ(op.u.info.vifs, 1);
	op = (struct control_op){ .op = CONTROL_vif_info, .domain = 1, .u.vif.number = 3 };
	EXPECT_EQ(net_control(&zero, &op), -ENODEV);
	op.u.vif.number = UINT32_MAX;
	EXPECT_EQ(net_control(&zero, &op), -ENODEV);
	op.op = CONTROL_vif_destroy;
	EXPECT_EQ(net_control(&zero, &op), -ENODEV);
}

TEST(domain_0_begins_with_the_wires_address_and_rules_that_it_may_remove)
{
	struct control_op op = { .op = CONTROL_vif_info };

	start();
	EXPECT_EQ(net_control(&zero, &op), 0);
	EXPECT(memcmp(op.u.vif.mac, wire_mac, 6) == 0);
	for (uint32_t i = 0; i < 2; i++) {
		op = (struct control_op){ .op = CONTROL_rule_info };
		EXPECT_EQ(net_control(&zero, &op), 0);
		EXPECT_EQ(op.u.rule.action, RULE_ACCEPT);
		EXPECT(op.u.rule.from_domain == (i ? RULE_WIRE : 0) && op.u.rule.to_domain == (i ? 0 : RULE_WIRE));
		op.op = CONTROL_rule_remove;
		EXPECT_EQ(net_control(&zero, &op), 0);
	}
	op.op = CONTROL_rule_info;
	EXPECT_EQ(net_control(&zero, &op), -ENODEV);
	EXPECT_EQ(host_wire.buffer_count, HOST_WIRE_BUFFERS);
}

/* ---- to the wire ---- */

TEST(what_is_sent_is_what_lies_in_the_pieces)
{
	struct vif_tx_request q = { .id = 9, .pieces = 4 };
	struct vif_tx_response r;
	static const uint32_t cuts[] = { 0, 50, 90, 91, 1514 };

	start_open();
	packet(a.mac, stranger, 1514);
	for (uint32_t i = 0; i < 4; i++) {
		uint32_t n = cuts[i + 1] - cuts[i], offset = i == 3 ? PAGE_SIZE - n : 100 * i;

		memcpy((uint8_t *)host_frame(one.mfn[PFN_NET + i]) + offset, bytes + cuts[i], n);
		q.piece[i].address = (one.mfn[PFN_NET + i] << PAGE_SHIFT) + offset;
		q.piece[i].length = n;
	}
	net_request(&a, &q);
	net_ring_op(&a, RING_kick, RING_VIF_TX);
	EXPECT(!net_sent(&a, &r));
	EXPECT(host_wire_leave());
	audit_all();
	EXPECT(net_sent(&a, &r));
	EXPECT_EQ(r.id, 9);
	EXPECT_EQ(r.status, 0);
	EXPECT_EQ(host_wire.sent[0].length, 1514);
	EXPECT(memcmp(host_wire.sent[0].bytes, bytes, 1514) == 0);
	EXPECT_EQ(info(&a).tx_bytes, 1514);
}

static int send_flagged(uint16_t flags)
{
	struct vif_tx_request q = { .id = 7, .pieces = 1, .flags = flags };
	struct vif_tx_response r;

	memcpy(host_frame(one.mfn[PFN_NET]), bytes, 200);
	q.piece[0].address = one.mfn[PFN_NET] << PAGE_SHIFT;
	q.piece[0].length = 200;
	net_request(&a, &q);
	EXPECT_EQ(net_ring_op(&a, RING_kick, RING_VIF_TX), 0);
	if (!net_sent(&a, &r))
		host_wire_leave_all();
	else
		return r.status;
	EXPECT(net_sent(&a, &r));
	return r.status;
}

TEST(the_wire_is_told_of_a_check_sum_that_it_shall_make_and_only_then)
{
	const struct host_sent *s = host_wire.sent;

	start_open();
	packet(a.mac, stranger, 200);
	EXPECT_EQ(send_flagged(0), 0);
	EXPECT_EQ(send_flagged(VIF_TX_CSUM), 0);
	bytes[23] = 6;			/* TCP */
	EXPECT_EQ(send_flagged(VIF_TX_CSUM), 0);
	EXPECT_EQ(s[0].sum.at, 0);
	EXPECT(s[1].sum.start == 34 && s[1].sum.at == 40);
	EXPECT(s[2].sum.start == 34 && s[2].sum.at == 50);
}

TEST(a_check_sum_that_cannot_be_made_is_refused)
{
	start_open();
	packet(a.mac, stranger, 200);
	EXPECT_EQ(send_flagged(4), -EINVAL);
	EXPECT_EQ(send_flagged(VIF_TX_CSUM | 4), -EINVAL);
	bytes[23] = 1;			/* ICMP */
	EXPECT_EQ(send_flagged(VIF_TX_CSUM), -EINVAL);
	bytes[23] = 17;
	bytes[20] = 0x20;		/* the first fragment of several */
	EXPECT_EQ(send_flagged(VIF_TX_CSUM), -EINVAL);
	bytes[20] = 0;
	bytes[21] = 1;			/* a later one */
	EXPECT_EQ(send_flagged(VIF_TX_CSUM), -EINVAL);
	bytes[21] = 0;
	bytes[17] = 27;			/* its own length ends before the check sum does */
	bytes[16] = 0;
	EXPECT_EQ(send_flagged(VIF_TX_CSUM), -EINVAL);
	EXPECT_EQ(host_wire.sent_count, 0);
}

TEST(a_neighbour_is_told_that_a_check_sum_was_not_made)
{
	struct vif_rx_response r;

	start_open();
	post(&b, 2);
	packet(a.mac, b.mac, 200);
	EXPECT_EQ(send_flagged(0), 0);
	EXPECT_EQ(send_flagged(VIF_TX_CSUM), 0);
	EXPECT(net_received(&b, &r));
	EXPECT_EQ(r.flags, 0);
	EXPECT(net_received(&b, &r));
	EXPECT_EQ(r.flags, VIF_RX_CSUM_OK | VIF_RX_CSUM_BLANK);
}

/* A packet of TCP of 10,000 bytes to @to, in three of domain 1's pages, its headers with the first of these. */
#define LARGE	10000u
#define LARGE_HEADERS	54u

static struct vif_tx_request large_request(const uint8_t *to, uint16_t segment)
{
	struct vif_tx_request q = { .id = 9, .pieces = 3, .flags = VIF_TX_CSUM | VIF_TX_SEGMENTS, .segment = segment };
	static const uint32_t cuts[] = { 0, 2000, 6096, LARGE };

	packet(a.mac, to, LARGE);
	bytes[23] = 6;			/* TCP, without options */
	bytes[46] = 5 << 4;
	for (uint32_t i = 0; i < 3; i++) {
		memcpy(host_frame(one.mfn[PFN_NET + i]), bytes + cuts[i], cuts[i + 1] - cuts[i]);
		q.piece[i].address = one.mfn[PFN_NET + i] << PAGE_SHIFT;
		q.piece[i].length = cuts[i + 1] - cuts[i];
	}
	return q;
}

/* Its answer; 1: there is none yet. */
static int send_large(const struct vif_tx_request *q)
{
	struct vif_tx_response r;

	net_request(&a, q);
	EXPECT_EQ(net_ring_op(&a, RING_kick, RING_VIF_TX), 0);
	return net_sent(&a, &r) ? r.status : 1;
}

TEST(a_large_packet_goes_to_the_wire_as_one_that_is_to_be_cut)
{
	struct vif_tx_request q;
	struct vif_tx_response r;

	start_open();
	q = large_request(stranger, 1460);
	EXPECT_EQ(send_large(&q), 1);
	EXPECT_EQ(host_wire.sent_count, 1);
	EXPECT_EQ(host_wire.sent[0].length, LARGE);
	EXPECT_EQ(host_wire.sent[0].sum.segment, 1460);
	EXPECT(host_wire.sent[0].sum.start == 34 && host_wire.sent[0].sum.at == 50);
	EXPECT_EQ(frame_record(MFN(one.mfn[PFN_NET + 2]))->refs, 3);
	EXPECT(host_wire_leave());
	EXPECT_EQ(frame_record(MFN(one.mfn[PFN_NET + 2]))->refs, 2);
	EXPECT(memcmp(host_wire.large, bytes, LARGE) == 0);
	EXPECT(net_sent(&a, &r) && r.status == 0);
	EXPECT_EQ(info(&a).tx_packets, 7);
	EXPECT_EQ(info(&a).tx_bytes, LARGE + 6 * LARGE_HEADERS);
}

TEST(a_neighbour_gets_a_large_packet_in_parts)
{
	uint32_t at = LARGE_HEADERS;
	struct vif_rx_response r;
	struct vif_tx_request q;

	start_open();
	post(&b, 12);
	q = large_request(b.mac, 1000);
	EXPECT_EQ(send_large(&q), 0);
	for (uint32_t i = 0; net_received(&b, &r); i++) {
		const uint8_t *got = (uint8_t *)host_frame(r.frame) + r.offset;

		EXPECT_EQ(r.id, 100 + i);
		EXPECT_EQ(r.flags, VIF_RX_CSUM_OK | VIF_RX_CSUM_BLANK);
		EXPECT_EQ(got[16] << 8 | got[17], r.length - 14);
		EXPECT(memcmp(got + LARGE_HEADERS, bytes + at, r.length - LARGE_HEADERS) == 0, "packet %u", i);
		EXPECT(zero_but(r.frame, r.offset, r.length), "packet %u", i);
		at += r.length - LARGE_HEADERS;
	}
	EXPECT_EQ(at, LARGE);
	EXPECT_EQ(info(&b).rx_packets, 10);
	EXPECT_EQ(info(&b).rx_bytes, LARGE + 9 * LARGE_HEADERS);
	EXPECT_EQ(info(&a).tx_packets, 10);
	EXPECT_EQ(info(&b).rx_dropped, 0);
	q = large_request(b.mac, 1000);
	EXPECT_EQ(send_large(&q), 0);
	EXPECT_EQ(info(&b).rx_dropped, 8);
}

TEST(a_large_packet_that_cannot_be_cut_is_refused)
{
	struct vif_tx_request q;

	start_open();
	q = large_request(stranger, 1460);
	q.flags = VIF_TX_SEGMENTS;
	EXPECT_EQ(send_large(&q), -EINVAL);
	q.flags = VIF_TX_CSUM;
	EXPECT_EQ(send_large(&q), -EINVAL);
	q = large_request(stranger, 0);
	EXPECT_EQ(send_large(&q), -EINVAL);
	q = large_request(stranger, 1461);
	EXPECT_EQ(send_large(&q), -EINVAL);
	q = large_request(stranger, 1460);
	((uint8_t *)host_frame(one.mfn[PFN_NET]))[46] = 12 << 4;	/* its headers reach beyond what is copied */
	EXPECT_EQ(send_large(&q), -EINVAL);
	q = large_request(stranger, 1460);
	q.piece[3] = q.piece[2];
	q.piece[3].length = PAGE_SIZE;
	q.piece[2].length = PAGE_SIZE;
	q.piece[1].length = PAGE_SIZE;
	q.piece[0].length = PAGE_SIZE;
	q.pieces = 4;
	((uint8_t *)host_frame(one.mfn[PFN_NET]))[16] = (VIF_LARGE_MAX - 14) >> 8;
	((uint8_t *)host_frame(one.mfn[PFN_NET]))[17] = (uint8_t)(VIF_LARGE_MAX - 14);
	EXPECT_EQ(send_large(&q), 1);
	q.pieces = 5;
	EXPECT_EQ(send_large(&q), -EINVAL);
	EXPECT_EQ(host_wire.sent_count, 1);
	host_wire_leave_all();
}

TEST(a_large_packet_costs_as_much_credit_as_leaves)
{
	uint32_t cost = LARGE + 9 * LARGE_HEADERS;
	struct vif_tx_request q;

	start_capped(cost - 1, 1000);
	EXPECT_EQ(net_rule(&zero, RULE_ACCEPT, RULE_ANY, RULE_ANY), 0);
	q = large_request(stranger, 1000);
	EXPECT_EQ(send_large(&q), -ENOSPC);
	start_capped(cost, 1000);
	EXPECT_EQ(net_rule(&zero, RULE_ACCEPT, RULE_ANY, RULE_ANY), 0);
	q = large_request(stranger, 1000);
	EXPECT_EQ(send_large(&q), 1);
	EXPECT_EQ(vif_find(one.d, 0)->credit, 0);
	EXPECT_EQ(send_large(&q), 1);
	EXPECT_EQ(host_wire.sent_count, 1);
	host_wire_time(host.now + 900 * 1000);
	EXPECT_EQ(host_wire.sent_count, 1);
	host_wire_time(host.now + 101 * 1000);
	EXPECT_EQ(host_wire.sent_count, 2);
}

TEST(a_header_in_crumbs_is_a_header)
{
	struct vif_tx_request q = { .pieces = 4 };

	start_open();
	put_packet(stranger, 60);
	for (uint32_t i = 0; i < 4; i++) {
		q.piece[i].address = (one.mfn[PFN_NET] << PAGE_SHIFT) + i;
		q.piece[i].length = i < 3 ? 1 : 57;
	}
	net_request(&a, &q);
	net_ring_op(&a, RING_kick, RING_VIF_TX);
	EXPECT(host_wire_leave());
	EXPECT(memcmp(host_wire.sent[0].bytes, bytes, 60) == 0);
}

TEST(what_is_no_packet_is_refused_and_holds_nothing)
{
	start_open();
	const struct {
		uint16_t pieces;
		uint32_t address;
		uint16_t length;
		uint32_t second;
		uint16_t more;
		const char *why;
	} bad[] = {
		{ 0, 0, 60, 0, 0, "no pieces" },
		{ 5, 0, 60, 0, 0, "more pieces than there can be" },
		{ 65535, 0, 60, 0, 0, "many more" },
		{ 1, 0, 0, 0, 0, "an empty piece" },
		{ 2, 0, 60, 0, 0, "an empty second piece" },
		{ 1, 4090, 60, 0, 0, "over the page's end" },
		{ 1, 0, 1515, 0, 0, "a byte too long" },
		{ 2, 0, 1514, 0, 1, "a byte too long together" },
		{ 2, 0, 100, 0, 65535, "a sum that wraps" },
		{ 1, 0, 13, 0, 0, "not even a header" },
		{ 2, 0, 60, two.mfn[PFN_NET] << PAGE_SHIFT, 60, "another's frame" },
		{ 2, 0, 60, 0xfffff000, 60, "no frame" },
		{ 2, 0, 60, zero.d->slot_frame.n << PAGE_SHIFT, 60, "the hypervisor's frame" },
	};

	put_packet(stranger, 60);
	for (uint32_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct vif_tx_request q = { .id = i, .pieces = bad[i].pieces };
		struct vif_tx_response r = { .status = 1 };
		uint32_t base = one.mfn[PFN_NET] << PAGE_SHIFT;

		q.piece[0].address = base + bad[i].address;
		q.piece[0].length = bad[i].length;
		q.piece[1].address = bad[i].second ? bad[i].second : base + 200;
		q.piece[1].length = bad[i].more;
		net_request(&a, &q);
		net_ring_op(&a, RING_kick, RING_VIF_TX);
		EXPECT(net_sent(&a, &r), "%s", bad[i].why);
		EXPECT_EQ(r.status, -EINVAL, "%s", bad[i].why);
		EXPECT_EQ(r.id, i);
	}
	EXPECT_EQ(host_wire.sent_count, 0);
	expect_tx(&a, 0, ARRAY_SIZE(bad), 0);
}

TEST(the_longest_and_the_shortest_packet_go)
{
	start_open();
	EXPECT_EQ(send(stranger, 1514), 1);
	put_packet(stranger, 60);
	bytes[12] = 0x88;		/* of a protocol that has no header that we know */
	memcpy(host_frame(one.mfn[PFN_NET]), bytes, 14);
	net_send(&a, 8, PFN_NET, 0, 14);
	net_ring_op(&a, RING_kick, RING_VIF_TX);
	host_wire_leave_all();
	EXPECT_EQ(host_wire.sent_count, 2);
	expect_tx(&a, 2, 0, 0);
}

TEST(payload_is_held_until_the_wire_is_done_with_it)
{
	struct memory_op give = { MEMORY_decrease, 0, 1, 0 };

	start_open();
	put_packet(stranger, 600);
	net_send(&a, 7, PFN_NET, 0, 600);
	net_unmap(&one, PFN_NET);
	net_ring_op(&a, RING_kick, RING_VIF_TX);
	EXPECT_EQ(frame_record(MFN(one.mfn[PFN_NET]))->refs, 2);
	give.list = host_arg(&one.mfn[PFN_NET], 4);
	EXPECT_EQ(CALL(&one, memory_op, ARG(give)), -EBUSY);
	host_wire_leave();
	EXPECT_EQ(CALL(&one, memory_op, ARG(give)), 1);
	EXPECT(memcmp(host_wire.sent[0].bytes, bytes, 600) == 0);
}

TEST(the_sender_of_a_packet_pays_for_its_way_and_its_receiver_for_its_coming)
{
	uint64_t used, sent, gone;

	start_open();
	post(&b, 1);
	host_wire.slots = 1;
	send(stranger, 60);
	send(stranger, 60);		/* it waits */
	host_wire.slots = 2;
	host_enter(&two);
	used = one.d->vtime.used;
	host.tick = 100;
	vif_alarm();
	sent = one.d->vtime.used;
	EXPECT(sent > used);
	sched_meter();
	host_wire_leave();
	gone = one.d->vtime.used;
	EXPECT(gone > sent);
	host_enter(&one);
	sched_meter();
	used = two.d->vtime.used;
	packet(stranger, b.mac, 300);
	host_wire_arrive(bytes, 300);
	EXPECT(two.d->vtime.used > used);
	host.tick = 0;
}

TEST(payload_may_lie_in_a_page_table_and_nothing_is_written_there)
{
	static uint8_t before[PAGE_SIZE];

	start_open();
	memcpy(before, host_frame(one.mfn[PFN_TABLE]), PAGE_SIZE);
	net_send(&a, 1, PFN_TABLE, 0, 1000);
	net_ring_op(&a, RING_kick, RING_VIF_TX);
	put_packet(stranger, 42);
	{
		struct vif_tx_request q = { .id = 2, .pieces = 2 };

		q.piece[0].address = one.mfn[PFN_NET] << PAGE_SHIFT;
		q.piece[0].length = 42;
		q.piece[1].address = one.mfn[PFN_TABLE] << PAGE_SHIFT;
		q.piece[1].length = 500;
		net_request(&a, &q);
	}
	((uint8_t *)host_frame(one.mfn[PFN_NET]))[12] = 0x88;
	net_ring_op(&a, RING_kick, RING_VIF_TX);
	host_wire_leave_all();
	EXPECT_EQ(host_wire.sent_count, 1);
	EXPECT(memcmp(host_wire.sent[0].bytes + 42, before, 500) == 0);
	EXPECT(memcmp(host_frame(one.mfn[PFN_TABLE]), before, PAGE_SIZE) == 0);
}

/* ---- who may ---- */

TEST(without_a_rule_a_packet_is_refused_and_the_sender_told)
{
	start();
	EXPECT_EQ(send(stranger, 100), -EACCES);
	EXPECT_EQ(send(b.mac, 100), -EACCES);
	EXPECT_EQ(send(all, 100), -EACCES);
	EXPECT_EQ(host_wire.sent_count, 0);
	expect_tx(&a, 0, 0, 3);
}

TEST(domain_0_obeys_rules_too)
{
	struct net n = { &zero, .number = 0 };
	struct vif_tx_response r;

	start();
	net_open(&n, PFN_TX);
	packet(wire_mac, b.mac, 100);
	memcpy(host_frame(zero.mfn[PFN_NET]), bytes, 100);
	net_send(&n, 1, PFN_NET, 0, 100);
	net_ring_op(&n, RING_kick, RING_VIF_TX);
	EXPECT(net_sent(&n, &r));
	EXPECT_EQ(r.status, -EACCES);
	packet(wire_mac, stranger, 100);
	memcpy(host_frame(zero.mfn[PFN_NET]), bytes, 100);
	net_send(&n, 2, PFN_NET, 0, 100);
	net_ring_op(&n, RING_kick, RING_VIF_TX);
	EXPECT(!net_sent(&n, &r));
	EXPECT_EQ(host_wire.sent_count, 1);
}

TEST(nobody_sends_under_another_name)
{
	struct vif_tx_response r;

	start_open();
	packet(b.mac, stranger, 100);
	memcpy(host_frame(one.mfn[PFN_NET]), bytes, 100);
	net_send(&a, 1, PFN_NET, 0, 100);
	net_ring_op(&a, RING_kick, RING_VIF_TX);
	EXPECT(net_sent(&a, &r));
	EXPECT_EQ(r.status, -EACCES);
	packet(a.mac, stranger, 100);
	memcpy(bytes + 12, "\x08\x06\0\x01\x08\0\x06\x04\0\x01", 10);
	memcpy(bytes + 22, b.mac, 6);
	memcpy(host_frame(one.mfn[PFN_NET]), bytes, 100);
	net_send(&a, 2, PFN_NET, 0, 100);
	net_ring_op(&a, RING_kick, RING_VIF_TX);
	EXPECT(net_sent(&a, &r));
	EXPECT_EQ(r.status, -EACCES);
	memcpy((uint8_t *)host_frame(one.mfn[PFN_NET]) + 22, a.mac, 6);
	net_send(&a, 3, PFN_NET, 0, 100);
	net_ring_op(&a, RING_kick, RING_VIF_TX);
	EXPECT_EQ(host_wire.sent_count, 1);
	expect_tx(&a, 1, 0, 2);
}

TEST(what_was_judged_is_sent_whatever_the_guest_writes_meanwhile)
{
	start_open();
	EXPECT_EQ(send(stranger, 200), 1);
	memset(host_frame(one.mfn[PFN_NET]), 0xee, VFR_HEADER);
	host_wire_leave();
	EXPECT(memcmp(host_wire.sent[0].bytes, bytes, 200) == 0);
}

/* ---- between domains ---- */

TEST(a_packet_for_a_neighbour_does_not_see_the_wire)
{
	start_open();
	post(&b, 2);
	memset(host_frame(two.mfn[PFN_POST]), 0x77, PAGE_SIZE);
	EXPECT_EQ(send(b.mac, 1514), 0);
	EXPECT_EQ(host_wire.sent_count, 0);
	expect_packet(&b, 100, 1514);
	EXPECT_EQ(send(b.mac, 60), 0);
	expect_packet(&b, 101, 60);
	EXPECT_EQ(send(b.mac, 60), 0);
	expect_none(&b);
	EXPECT_EQ(info(&b).rx_packets, 2);
	EXPECT_EQ(info(&b).rx_bytes, 1574);
	EXPECT_EQ(info(&b).rx_dropped, 1);
	expect_tx(&a, 3, 0, 0);
}

TEST(a_packet_for_all_goes_to_all_that_rules_let_it_to)
{
	struct vif_tx_response r;
	struct net c;

	start();
	EXPECT_EQ(net_create(&zero, &two, 1, &c, 0, 0), 0);
	net_open(&c, PFN_NET);
	net_post(&c, 5, two.mfn[PFN_POST + 5]);
	net_ring_op(&c, RING_kick, RING_VIF_RX);
	post(&a, 1);
	post(&b, 2);
	EXPECT_EQ(net_rule(&zero, RULE_ACCEPT, 1, 2), 0);
	EXPECT_EQ(send(all, 100), 0);
	expect_packet(&b, 100, 100);
	expect_packet(&c, 5, 100);
	expect_none(&a);
	EXPECT_EQ(host_wire.sent_count, 0);
	EXPECT_EQ(net_rule(&zero, RULE_ACCEPT, 1, RULE_WIRE), 0);
	EXPECT_EQ(send(all, 100), 1);
	expect_packet(&b, 101, 100);
	EXPECT(host_wire_leave());
	EXPECT(net_sent(&a, &r));
	EXPECT(!net_sent(&a, &r));
	expect_tx(&a, 2, 0, 0);
}

/* ---- from the wire ---- */

TEST(a_packet_of_the_wires_goes_to_its_address_if_a_rule_lets_it)
{
	start();
	post(&a, 3);
	post(&b, 3);
	packet(stranger, a.mac, 300);
	host_wire_arrive(bytes, 300);
	expect_none(&a);
	EXPECT_EQ(net_rule(&zero, RULE_ACCEPT, RULE_WIRE, 1), 0);
	host_wire_arrive(bytes, 300);
	expect_packet(&a, 100, 300);
	packet(stranger, b.mac, 300);
	host_wire_arrive(bytes, 300);
	expect_none(&b);
	packet(stranger, wire_mac, 300);
	host_wire_arrive(bytes, 300);		/* domain 0 has no ring */
	packet(stranger, stranger, 300);
	host_wire_arrive(bytes, 300);
	expect_none(&a);
	EXPECT_EQ(info(&a).rx_packets, 1);
	audit_all();
}

TEST(the_frame_it_came_in_becomes_the_guests_and_the_guests_the_wires)
{
	struct vif_rx_response r;
	uint32_t came;

	start_open();
	post(&a, 1);
	came = host_wire.buffers[0].n;
	packet(stranger, a.mac, 300);
	host_wire_arrive(bytes, 300);
	EXPECT(net_received(&a, &r));
	EXPECT_EQ(r.frame, came);
	EXPECT_EQ(host_wire.buffers[0].n, one.mfn[PFN_POST]);
	EXPECT_EQ(machine_m2p_get(MFN(came)), PFN_POST);
	EXPECT_EQ(machine_m2p_get(MFN(one.mfn[PFN_POST])), ATELIER_NO_PFN);
	EXPECT_EQ(one.d->memory.owned.count, FRAMES);
	audit_all();
}

/* H7, XSA-392: who posts nothing keeps nothing of others' memory. */
TEST(packets_for_one_that_takes_none_are_dropped_and_kept_nowhere)
{
	uint32_t before;

	start_open();
	packet(stranger, a.mac, 200);
	before = frame_pool_free_count();
	for (unsigned int i = 0; i < 2000; i++)
		host_wire_arrive(bytes, 200);
	EXPECT_EQ(info(&a).rx_dropped, 2000);
	EXPECT_EQ(info(&a).rx_packets, 0);
	EXPECT_EQ(frame_pool_free_count(), before);
	EXPECT_EQ(one.d->memory.owned.count, FRAMES);
	post(&a, 1);
	host_wire_arrive(bytes, 200);
	expect_packet(&a, 100, 200);
	audit_all();
}

TEST(frames_are_filled_in_the_order_they_were_posted)
{
	start_open();
	post(&a, 20);
	for (uint32_t i = 0; i < 25; i++) {
		packet(stranger, a.mac, 100 + i);
		host_wire_arrive(bytes, 100 + i);
		if (i < 20)
			expect_packet(&a, 100 + i, 100 + i);
	}
	expect_none(&a);
	EXPECT_EQ(info(&a).rx_dropped, 5);
	net_post(&a, 1, one.mfn[PFN_POST + 22]);
	net_ring_op(&a, RING_kick, RING_VIF_RX);
	host_wire_arrive(bytes, 124);
	expect_packet(&a, 1, 124);
}

TEST(a_packet_for_all_from_the_wire_is_copied_to_each)
{
	start_open();
	post(&a, 1);
	post(&b, 1);
	packet(stranger, all, 400);
	host_wire_arrive(bytes, 400);
	expect_packet(&a, 100, 400);
	expect_packet(&b, 100, 400);
}

TEST(nobody_out_there_has_an_address_of_ours_and_no_packet_is_longer_than_it_can_be)
{
	start_open();
	post(&a, 1);
	packet(b.mac, a.mac, 100);
	host_wire_arrive(bytes, 100);
	packet(stranger, a.mac, 1515);
	host_wire_arrive(bytes, 1515);
	host_wire_arrive(bytes, 13);
	host_wire_arrive(bytes, 0);
	expect_none(&a);
}

static uint32_t received_frame(uint32_t length)
{
	struct vif_rx_response r = { .length = 0 };

	EXPECT(net_received(&a, &r));
	EXPECT_EQ(r.length, length);
	EXPECT(memcmp((uint8_t *)host_frame(r.frame) + r.offset, bytes, length) == 0, "%u bytes", length);
	EXPECT(zero_but(r.frame, r.offset, length), "%u bytes", length);
	return r.frame;
}

/* Posts @frame, which the next packet comes in exchange for: that one's frame. */
static uint32_t exchange(uint32_t frame, uint32_t length)
{
	net_post(&a, 0, frame);
	EXPECT_EQ(net_ring_op(&a, RING_kick, RING_VIF_RX), 0);
	packet(stranger, a.mac, length);
	host_wire_arrive(bytes, length);
	return received_frame(length);
}

/* To nobody here: the wire keeps its frame. */
static void pass_by(uint32_t length)
{
	packet(stranger, stranger, length);
	host_wire_arrive(bytes, length);
}

TEST(of_frames_that_only_had_packets_in_them_nothing_older_is_shown)
{
	static const uint32_t lengths[] = { 1514, 60, 700, 61, 1000, 80 };
	uint32_t frame;

	start_open();
	frame = one.mfn[PFN_POST];
	for (uint32_t i = 0; i < 6 * HOST_WIRE_BUFFERS; i++) {
		frame = exchange(frame, lengths[i % ARRAY_SIZE(lengths)]);
		if (i % 7 == 0)
			pass_by(1514);
		if (i % 11 == 0)
			pass_by(1900);		/* more than a packet has */
	}
	audit_all();
}

TEST(what_its_owner_wrote_into_a_frame_meanwhile_is_not_shown_either)
{
	struct mmu_request map = { one.mfn[PFN_TABLE] << PAGE_SHIFT | 4 * PFN_POST, 0 };
	uint32_t frame;

	start_open();
	map.where = one.mfn[PFN_TABLE] << PAGE_SHIFT | 4 * PFN_POST;
	frame = exchange(one.mfn[PFN_POST], 100);
	for (uint32_t i = 0; i < 3 * HOST_WIRE_BUFFERS; i++) {
		map.value = frame << PAGE_SHIFT | PTE_P | PTE_RW;
		EXPECT_EQ(CALL(&one, mmu_update, ARG(map), 1, 0, DOMID_SELF), 0);
		memset(host_frame(frame), 'x', PAGE_SIZE);
		net_unmap(&one, PFN_POST);
		frame = exchange(frame, 60 + i % 2);
	}
}

TEST(a_frame_that_was_given_back_and_taken_again_is_as_unknown_as_any)
{
	struct memory_op op = { MEMORY_decrease, 0, 1, 0 };
	uint32_t frame;

	start_open();
	frame_pool_scrub(false);
	frame = exchange(one.mfn[PFN_POST], 100);
	op.list = host_arg(&frame, 4);
	EXPECT_EQ(CALL(&one, memory_op, ARG(op)), 1);
	memset(host_frame(frame), 'x', PAGE_SIZE);
	op.op = MEMORY_increase;
	op.list = host_arg(&frame, 4);
	EXPECT_EQ(CALL(&one, memory_op, ARG(op)), 1);
	memcpy(&frame, host_arg_bytes(op.list), sizeof(frame));
	memset(host_frame(frame), 'x', PAGE_SIZE);
	for (uint32_t i = 0; i < HOST_WIRE_BUFFERS + 2; i++)
		frame = exchange(frame, 100);
}

TEST(what_the_wire_verified_is_said)
{
	struct vif_rx_response r;

	start_open();
	post(&a, 1);
	host_wire.verifies = true;
	packet(stranger, a.mac, 100);
	host_wire_arrive(bytes, 100);
	EXPECT(net_received(&a, &r));
	EXPECT_EQ(r.flags, VIF_RX_CSUM_OK);
}

/* ---- posting ---- */

TEST(only_a_frame_that_nobody_holds_can_be_posted)
{
	struct vif_rx_response r;

	start_open();
	const struct {
		uint32_t frame;
		int error;
		const char *why;
	} bad[] = {
		{ one.mfn[PFN_NET], -EBUSY, "mapped" },
		{ one.mfn[PFN_TX], -EBUSY, "a ring" },
		{ one.mfn[PFN_SHARED], -EBUSY, "the shared page" },
		{ one.mfn[PFN_TABLE], -EBUSY, "a page table" },
		{ two.mfn[PFN_POST], -EINVAL, "another's" },
		{ one.d->slot_frame.n, -EINVAL, "the hypervisor's" },
		{ 0xfffff, -EINVAL, "no frame" },
		{ UINT32_MAX, -EINVAL, "no number" },
		{ one.mfn[PFN_POST], -EBUSY, "posted before" },
	};

	post(&a, 1);
	for (uint32_t i = 0; i < ARRAY_SIZE(bad); i++) {
		net_post(&a, i, bad[i].frame);
		net_ring_op(&a, RING_kick, RING_VIF_RX);
		EXPECT(net_received(&a, &r), "%s", bad[i].why);
		EXPECT_EQ(r.length, bad[i].error, "%s", bad[i].why);
		EXPECT_EQ(r.id, i);
		EXPECT_EQ(r.frame, bad[i].frame);
	}
	packet(stranger, a.mac, 100);
	host_wire_arrive(bytes, 100);
	expect_packet(&a, 100, 100);
}

/* A request of @n's for a copy. */
static void post_copy(struct net *n, uint16_t id, uint32_t frame, uint16_t flags)
{
	net_post_flagged(n, id, frame, flags);
	EXPECT_EQ(net_ring_op(n, RING_kick, RING_VIF_RX), 0);
}

TEST(a_packet_is_copied_into_a_frame_that_is_there_for_it)
{
	uint32_t own = PFN_NET, refs;
	struct vif_rx_response r;
	uint8_t *page;

	start_open();
	page = host_frame(one.mfn[own]);
	refs = frame_record(MFN(one.mfn[own]))->refs;
	for (uint32_t i = 0; i < 2; i++) {
		memset(page, 0x5a, PAGE_SIZE);
		post_copy(&a, 3, one.mfn[own], VIF_RX_COPY);
		packet(i ? b.mac : stranger, a.mac, 300);
		if (i) {
			memcpy(host_frame(two.mfn[PFN_NET]), bytes, 300);
			net_send(&b, 1, PFN_NET, 0, 300);
			net_ring_op(&b, RING_kick, RING_VIF_TX);
		} else {
			host_wire_arrive(bytes, 300);
		}
		EXPECT(net_received(&a, &r));
		EXPECT(r.id == 3 && r.length == 300 && r.frame == one.mfn[own]);
		EXPECT(memcmp(page + r.offset, bytes, 300) == 0);
		for (uint32_t k = 0; k < PAGE_SIZE; k++)
			EXPECT(page[k] == 0x5a || (k >= r.offset && k < r.offset + 300u), "byte %u", k);
	}
	EXPECT_EQ(frame_record(MFN(one.mfn[own]))->refs, refs);
	EXPECT_EQ(info(&a).rx_packets, 2);
	EXPECT_EQ(info(&a).rx_bytes, 600);
}

TEST(a_packet_is_copied_into_nothing_that_its_receiver_could_not_write)
{
	struct vif_rx_response r;
	static uint8_t before[PAGE_SIZE];
	uint32_t bad[5];

	start_open();
	bad[0] = one.mfn[PFN_TABLE];
	bad[1] = two.mfn[PFN_NET];
	bad[2] = one.mfn[PFN_POST];		/* nobody maps it */
	bad[3] = one.d->slot_frame.n;
	bad[4] = 0xfffff;
	memcpy(before, host_frame(bad[0]), PAGE_SIZE);
	for (uint32_t i = 0; i < 5; i++)
		post_copy(&a, i, bad[i], VIF_RX_COPY);
	post_copy(&a, 7, one.mfn[PFN_NET], VIF_RX_COPY);
	packet(stranger, a.mac, 100);
	host_wire_arrive(bytes, 100);
	for (uint32_t i = 0; i < 5; i++) {
		EXPECT(net_received(&a, &r));
		EXPECT(r.id == i && r.length == -EBUSY && r.frame == bad[i], "frame %u", i);
	}
	EXPECT(net_received(&a, &r) && r.id == 7 && r.length == 100);
	EXPECT(memcmp(before, host_frame(bad[0]), PAGE_SIZE) == 0);
	post_copy(&a, 8, one.mfn[PFN_NET], 2);
	EXPECT(net_received(&a, &r) && r.id == 8 && r.length == -EINVAL);
	post_copy(&a, 9, bad[0], VIF_RX_COPY);
	host_wire_arrive(bytes, 100);
	EXPECT(net_received(&a, &r) && r.id == 9 && r.length == -EBUSY);
	expect_none(&a);
	EXPECT_EQ(info(&a).rx_dropped, 1);
}

TEST(frames_that_wait_are_all_of_one_kind)
{
	struct vif_rx_response r;

	start_open();
	post(&a, 1);
	post_copy(&a, 1, one.mfn[PFN_NET], VIF_RX_COPY);
	EXPECT(net_received(&a, &r) && r.id == 1 && r.length == -EINVAL);
	packet(stranger, a.mac, 100);
	host_wire_arrive(bytes, 100);
	expect_packet(&a, 100, 100);
	post_copy(&a, 2, one.mfn[PFN_NET], VIF_RX_COPY);
	net_post(&a, 3, one.mfn[PFN_POST + 1]);
	net_ring_op(&a, RING_kick, RING_VIF_RX);
	EXPECT(net_received(&a, &r) && r.id == 3 && r.length == -EINVAL);
	host_wire_arrive(bytes, 100);
	EXPECT(net_received(&a, &r) && r.id == 2 && r.length == 100);
}

TEST(copies_that_wait_are_answered_when_the_vif_goes)
{
	struct control_op op = { .op = CONTROL_vif_destroy, .domain = 1 };
	uint32_t refs, free;
	struct vif_rx_response r;

	start_open();
	refs = frame_record(MFN(one.mfn[PFN_NET]))->refs;
	post_copy(&a, 4, one.mfn[PFN_NET], VIF_RX_COPY);
	free = frame_pool_free_count();
	EXPECT_EQ(net_control(&zero, &op), 0);
	EXPECT(net_received(&a, &r) && r.id == 4 && r.length == -ENODEV);
	EXPECT_EQ(frame_record(MFN(one.mfn[PFN_NET]))->refs, refs);
	EXPECT_EQ(frame_pool_free_count(), free + 1);
}

TEST(a_posted_frame_stays_and_one_that_got_mapped_meanwhile_is_handed_back)
{
	struct memory_op give = { MEMORY_decrease, 0, 1, 0 };
	struct mmu_request map;
	struct vif_rx_response r;

	start_open();
	post(&a, 2);
	give.list = host_arg(&one.mfn[PFN_POST], 4);
	EXPECT_EQ(CALL(&one, memory_op, ARG(give)), -EBUSY);
	map = (struct mmu_request){ one.mfn[PFN_TABLE] << PAGE_SHIFT | 4 * PFN_POST,
				    one.mfn[PFN_POST] << PAGE_SHIFT | PTE_P };
	EXPECT_EQ(CALL(&one, mmu_update, ARG(map), 1, 0, DOMID_SELF), 0);
	packet(stranger, a.mac, 100);
	host_wire_arrive(bytes, 100);
	EXPECT(net_received(&a, &r));
	EXPECT_EQ(r.id, 100);
	EXPECT_EQ(r.length, -EBUSY);
	EXPECT_EQ(r.frame, one.mfn[PFN_POST]);
	expect_packet(&a, 101, 100);
}

/* ---- turns ---- */

TEST(with_little_room_on_the_wire_each_sends_one_in_its_turn)
{
	static uint8_t order[40];
	struct net n[4];
	struct guest *who[4] = { &one, &one, &two, &two };

	start_open();
	host_wire.slots = 1;
	for (uint32_t i = 0; i < 4; i++) {
		EXPECT_EQ(net_create(&zero, who[i], 1 + i % 2, &n[i], 0, 0), 0);
		net_open(&n[i], PFN_POST + 10 + 2 * (i % 2));
		for (uint32_t k = 0; k < 10; k++) {
			packet(n[i].mac, stranger, 60);
			bytes[59] = i;
			memcpy((uint8_t *)host_frame(who[i]->mfn[PFN_NET + i]) + 60 * k, bytes, 60);
			net_send(&n[i], k, PFN_NET + i, 60 * k, 60);
		}
	}
	for (uint32_t i = 0; i < 4; i++)
		net_ring_op(&n[i], RING_kick, RING_VIF_TX);
	host_wire_leave_all();
	EXPECT_EQ(host_wire.done, 40);
	for (uint32_t i = 0; i < 40; i++)
		order[i] = host_wire.sent[i].bytes[59];
	for (uint32_t i = 1; i + 4 <= 40; i += 4)
		EXPECT(order[i] != order[i + 1] && order[i] != order[i + 2] && order[i] != order[i + 3] &&
			       order[i + 1] != order[i + 2] && order[i + 1] != order[i + 3] && order[i + 2] != order[i + 3],
		       "round %u", i / 4);
	audit_all();
}

TEST(who_waits_for_the_wire_does_not_stop_who_does_not_need_it)
{
	struct vif_tx_response r;

	start_open();
	host_wire.slots = 1;
	post(&a, 2);
	EXPECT_EQ(send(stranger, 100), 1);
	EXPECT_EQ(send(stranger, 101), 1);
	EXPECT_EQ(host_wire.sent_count, 1);
	packet(b.mac, a.mac, 60);
	memcpy(host_frame(two.mfn[PFN_NET]), bytes, 60);
	net_send(&b, 3, PFN_NET, 0, 60);
	net_ring_op(&b, RING_kick, RING_VIF_TX);
	EXPECT(net_sent(&b, &r));
	EXPECT_EQ(r.status, 0);
	expect_packet(&a, 100, 60);
	host_wire_leave_all();
	EXPECT_EQ(host_wire.sent_count, 2);
}

TEST(work_stops_when_an_interrupt_is_due_and_goes_on_by_itself)
{
	struct vif_tx_response r;

	start_open();
	put_packet(stranger, 60);
	for (uint32_t i = 0; i < 10; i++)
		net_send(&a, i, PFN_NET, 0, 60);
	host.interrupt = true;
	net_ring_op(&a, RING_kick, RING_VIF_TX);
	EXPECT_EQ(host_wire.sent_count, 8);
	EXPECT_EQ(host_wire.alarm, host.now);
	host.interrupt = false;
	host_wire_time(host.now);
	EXPECT_EQ(host_wire.sent_count, 10);
	EXPECT(!net_sent(&a, &r));
}

/* ---- credit ---- */

TEST(a_capped_vif_sends_what_it_has_credit_for_and_goes_on_when_it_has_more)
{
	uint64_t start_time;

	start_capped(1000, 1000);	/* a byte a microsecond */
	EXPECT_EQ(net_rule(&zero, RULE_ACCEPT, RULE_ANY, RULE_ANY), 0);
	start_time = host.now;
	for (uint32_t i = 0; i < 5; i++)
		send(stranger, 400);
	EXPECT_EQ(host_wire.sent_count, 2);
	host_wire_time(start_time + 199 * 1000);
	EXPECT_EQ(host_wire.sent_count, 2);
	host_wire_time(start_time + 201 * 1000);
	EXPECT_EQ(host_wire.sent_count, 3);
	host_wire_time(start_time + 599 * 1000);
	EXPECT_EQ(host_wire.sent_count, 3);
	host_wire_time(start_time + 2 * MS);
	EXPECT_EQ(host_wire.sent_count, 5);
	host_wire_time(start_time + 3600000 * MS);
	for (uint32_t i = 0; i < 5; i++)
		send(stranger, 400);
	EXPECT_EQ(host_wire.sent_count, 7);
	audit_all();
}

TEST(in_no_time_more_goes_than_the_credit_and_its_rate)
{
	uint64_t at[64], first;
	uint32_t n = 0;

	start_capped(3000, 777);
	EXPECT_EQ(net_rule(&zero, RULE_ACCEPT, RULE_ANY, RULE_ANY), 0);
	host.now = -5 * MS;		/* about to wrap */
	first = host.now;
	vif_find(one.d, 0)->refilled = first;
	put_packet(stranger, 1000);
	for (uint32_t i = 0; i < 40; i++)
		net_send(&a, i, PFN_NET, 0, 1000);
	net_ring_op(&a, RING_kick, RING_VIF_TX);
	while (n < 40 && host.now - first < 30 * MS) {
		while (n < host_wire.sent_count)
			at[n++] = host.now - first;
		host.now += 10000;
		host_wire.alarm = UINT64_MAX;
		vif_alarm();
		while (host_wire_leave())
			;
	}
	EXPECT_EQ(n, 40);
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t j = i; j < n; j++)
			EXPECT((j - i + 1) * 1000ull * 777000 <= 3000ull * 777000 + 3000 * (at[j] - at[i]), "packets %u to %u", i, j);
	EXPECT(at[39] <= 37 * 777000 / 3 + 50000, "the last one went after %u us", (unsigned int)(at[39] / 1000));
}

TEST(what_is_larger_than_the_credit_never_goes_and_is_told_so)
{
	start_capped(500, 1000);
	EXPECT_EQ(net_rule(&zero, RULE_ACCEPT, RULE_ANY, RULE_ANY), 0);
	EXPECT_EQ(send(stranger, 501), -ENOSPC);
	EXPECT_EQ(send(stranger, 500), 1);
	EXPECT_EQ(host_wire.sent_count, 1);
	expect_tx(&a, 1, 1, 0);
}

TEST(what_is_refused_costs_nothing)
{
	start_capped(1000, 1000000);
	for (uint32_t i = 0; i < 20; i++)
		EXPECT_EQ(send(stranger, 600), -EACCES);
	EXPECT_EQ(net_rule(&zero, RULE_ACCEPT, RULE_ANY, RULE_ANY), 0);
	EXPECT_EQ(send(stranger, 1000), 1);
	EXPECT_EQ(host_wire.sent_count, 1);
}

TEST(a_cap_of_nothing_is_no_cap_and_the_largest_one_does_not_wrap)
{
	static const struct {
		uint32_t bytes, us;
	} caps[] = { { 0, 0 }, { 0, 1000 }, { 1000, 0 }, { UINT32_MAX, 1 }, { UINT32_MAX, UINT32_MAX } };

	for (uint32_t i = 0; i < ARRAY_SIZE(caps); i++) {
		start_capped(caps[i].bytes, caps[i].us);
		EXPECT_EQ(net_rule(&zero, RULE_ACCEPT, RULE_ANY, RULE_ANY), 0);
		for (uint32_t k = 0; k < 20; k++) {
			host.now += 1234567;
			send(stranger, 1514);
		}
		EXPECT_EQ(host_wire.sent_count, 20, "%u bytes, %u us", caps[i].bytes, caps[i].us);
	}
}

/* ---- the end ---- */

TEST(a_vif_that_is_taken_away_answers_all_and_its_frames_are_the_guests_again)
{
	struct control_op op = { .op = CONTROL_vif_destroy, .domain = 1 };
	struct vif_tx_response t;
	struct vif_rx_response r;
	uint32_t free;

	start_open();
	host_wire.slots = 1;
	post(&a, 2);
	EXPECT_EQ(send(stranger, 100), 1);
	EXPECT_EQ(send(stranger, 101), 1);
	free = frame_pool_free_count();
	EXPECT_EQ(net_control(&zero, &op), 0);
	EXPECT_EQ(frame_pool_free_count(), free + 1);
	EXPECT(net_sent(&a, &t));
	EXPECT_EQ(t.status, -ENODEV);
	for (uint32_t i = 0; i < 2; i++) {
		EXPECT(net_received(&a, &r));
		EXPECT_EQ(r.length, -ENODEV);
		EXPECT_EQ(r.frame, one.mfn[PFN_POST + i]);
	}
	EXPECT_EQ(net_ring_op(&a, RING_unregister, RING_VIF_TX), -EAGAIN);
	host_wire_leave_all();
	EXPECT(net_sent(&a, &t));
	EXPECT_EQ(t.status, 0);
	/* Who goes on is told. */
	EXPECT_EQ(send(stranger, 100), -ENODEV);
	net_post(&a, 3, one.mfn[PFN_POST]);
	net_ring_op(&a, RING_kick, RING_VIF_RX);
	EXPECT(net_received(&a, &r));
	EXPECT_EQ(r.length, -ENODEV);
	packet(stranger, a.mac, 100);
	host_wire_arrive(bytes, 100);
	expect_none(&a);
	EXPECT_EQ(net_ring_op(&a, RING_unregister, RING_VIF_TX), 0);
	EXPECT_EQ(net_ring_op(&a, RING_unregister, RING_VIF_RX), 0);
	EXPECT_EQ(net_control(&zero, &op), -ENODEV);
}

TEST(the_rules_that_name_a_vif_go_with_it)
{
	struct control_op op = { .op = CONTROL_rule_add }, end = { .op = CONTROL_vif_destroy, .domain = 2 };

	start();
	op.u.rule = (struct control_rule){ .from_domain = 1, .from_vif = RULE_ANY, .to_domain = 2, .to_vif = 0 };
	EXPECT_EQ(net_control(&zero, &op), 0);
	post(&b, 2);
	EXPECT_EQ(send(b.mac, 100), 0);
	EXPECT_EQ(net_control(&zero, &end), 0);
	EXPECT_EQ(net_create(&zero, &two, 0, &b, 0, 0), 0);
	EXPECT_EQ(send(b.mac, 100), -EACCES);
	op.op = CONTROL_rule_remove;
	EXPECT_EQ(net_control(&zero, &op), -ENODEV);
}

TEST(a_ring_that_is_released_gives_back_what_waits_and_may_come_again)
{
	struct vif_tx_response t;
	struct vif_rx_response r;

	start_open();
	host_wire.slots = 1;
	post(&a, 2);
	send(stranger, 100);
	send(stranger, 101);
	EXPECT_EQ(net_ring_op(&a, RING_unregister, RING_VIF_TX), -EAGAIN);
	EXPECT(net_sent(&a, &t));
	EXPECT_EQ(t.status, -ENODEV);
	EXPECT_EQ(net_ring_op(&a, RING_unregister, RING_VIF_RX), 0);
	EXPECT(net_received(&a, &r));
	EXPECT_EQ(r.length, -ENODEV);
	host_wire_leave_all();
	EXPECT_EQ(net_ring_op(&a, RING_unregister, RING_VIF_TX), 0);
	packet(stranger, a.mac, 100);
	host_wire_arrive(bytes, 100);
	net_open(&a, PFN_TX);
	EXPECT_EQ(send(stranger, 102), 1);
	post(&a, 1);
	packet(stranger, a.mac, 100);
	host_wire_arrive(bytes, 100);
	expect_packet(&a, 100, 100);
}

TEST(a_domain_dies_with_packets_at_every_stage_and_nothing_is_left_of_it)
{
	uint32_t free, rules = 0;
	struct control_op op = { .op = CONTROL_rule_add };

	start_open();
	free = frame_pool_free_count();
	op.u.rule = (struct control_rule){ .from_domain = 1, .to_domain = RULE_WIRE, .from_vif = RULE_ANY };
	EXPECT_EQ(net_control(&zero, &op), 0);
	host_wire.slots = 2;
	post(&a, 5);
	for (uint32_t i = 0; i < 5; i++)
		send(stranger, 300 + i);
	packet(stranger, a.mac, 100);
	host_wire_arrive(bytes, 100);
	domain_kill(one.d, SHUTDOWN_crash, 0);
	audit_all();
	while (domain_reap())
		audit_all();
	EXPECT_EQ(one.d->life, LIFE_DYING);
	host_wire_arrive(bytes, 100);
	EXPECT_EQ(host_wire.sent_count, 2);
	host_wire_leave_all();
	while (domain_reap())
		audit_all();
	EXPECT_EQ(one.d->life, LIFE_FREE);
	EXPECT_EQ(frame_pool_free_count(), free + FRAMES + 2);
	for (op = (struct control_op){ .op = CONTROL_rule_info }; net_control(&zero, &op) == 0; rules++)
		op.u.rule.index = rules + 1;
	EXPECT_EQ(rules, 3);
}

TEST(a_ring_that_is_stopped_takes_its_vif_out_of_the_row)
{
	start_open();
	host_wire.slots = 1;
	post(&a, 1);
	send(stranger, 100);
	send(stranger, 101);
	((struct ring_header *)host_frame(a.tx_ring))->req_prod += 1000;
	host_wire_leave_all();
	((struct ring_header *)host_frame(a.rx_ring))->req_prod += 1000;
	net_ring_op(&a, RING_kick, RING_VIF_RX);
	packet(stranger, a.mac, 100);
	host_wire_arrive(bytes, 100);
	audit_all();
	EXPECT(list_empty(&vif_find(one.d, 0)->turn));
	EXPECT_EQ(vif_find(one.d, 0)->take, vif_find(one.d, 0)->post);
}
