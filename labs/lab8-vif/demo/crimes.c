// SPDX-License-Identifier: MIT
/* The vandal of lab 8: false senders, and packets that are none. */
#include "vandal.h"
#include "hypercall.h"
#include "lib/string.h"
#include "mini.h"
#include "net.h"
#include "paging.h"

#define LENGTH		60
#define PATIENCE	1000u		/* yields */
#define CREDIT		1000u		/* bytes a second that domain 0 lets pass */
#define ADDRESS		10, 0, 2, 66	/* the only one that it lets pass */

static struct net net;
static uint8_t *packet;

/* ---- domain 0 ---- */

static void control(struct control_op op)
{
	op.interface = ATELIER_INTERFACE;
	if (hypercall_control_op(&op))
		panic("the vandal gets no network");
}

ACCOMPLICE(8, connect)
{
	struct control_op vif = { .op = CONTROL_vif_create, .domain = domain };
	struct control_op rule = { .op = CONTROL_rule_add };
	static const uint8_t address[4] = { ADDRESS };

	vif.u.vif.mac[0] = 2;		/* nobody's: locally administered */
	vif.u.vif.mac[5] = domain;
	vif.u.vif.credit_bytes = CREDIT;
	vif.u.vif.credit_us = 1000000;
	control(vif);
	rule.u.rule = (struct control_rule){
		.action = RULE_ACCEPT, .from_domain = domain, .to_domain = RULE_ANY, .to_vif = RULE_ANY,
		.source_mask = 0xffffffff,
	};
	memcpy(&rule.u.rule.source, address, 4);
	control(rule);
}

/* ---- the vandal ---- */

/* An ARP request as it should be; what is wrong with it the crime says. */
static void make_packet(void)
{
	static const uint8_t address[4] = { ADDRESS };

	if (net_open(&net, 0))
		panic("the vandal has no network");
	packet = page_alloc();
	memset(packet, 0xff, 6);
	memcpy(packet + 6, net.mac, 6);
	memcpy(packet + 12, "\x08\x06\0\x01\x08\0\x06\x04\0\x01", 10);
	memcpy(packet + 22, net.mac, 6);
	memcpy(packet + 28, address, 4);
	if (net_send(&net, 0, packet, LENGTH))
		panic("an honest packet does not pass either");
}

static int send(uint32_t length)
{
	return net_send(&net, 1, packet, length);
}

/* What came of a request that the vandal has written itself. */
static int send_request(const struct vif_tx_request *q)
{
	struct vif_tx_response a;

	ring_put(&net.tx, q);
	ring_publish(&net.tx);
	events_wait_until(ring_answered(&net.tx));
	ring_get(&net.tx, &a);
	return a.status;
}

static int send_from(uint32_t address, uint32_t length)
{
	struct vif_tx_request q = { .id = 1, .pieces = 1 };

	q.piece[0].address = address;
	q.piece[0].length = length;
	return send_request(&q);
}

CRIME(8, 'a', false_mac, "sends as somebody else: a false Ethernet address")
{
	make_packet();
	packet[11] ^= 1;
	return send(LENGTH);
}

CRIME(8, 'b', false_arp, "says in an ARP packet that a neighbour's address is its own")
{
	make_packet();
	packet[27] ^= 1;
	return send(LENGTH);
}

CRIME(8, 'c', false_ip, "sends as somebody else: a false IP address")
{
	make_packet();
	packet[31] ^= 1;
	return send(LENGTH);
}

CRIME(8, 'd', of_hypervisor, "sends the hypervisor's memory over the wire")
{
	make_packet();
	return send_from(0x100000, LENGTH);
}

CRIME(8, 'e', across_pages, "sends what lies behind its page: a piece across the end")
{
	make_packet();
	return send_from(machine_address(packet) + PAGE_SIZE - LENGTH / 2, LENGTH);
}

CRIME(8, 'f', sum_wraps, "sends pieces whose lengths together are more than 16 bits hold")
{
	struct vif_tx_request q = { .id = 1, .pieces = 4 };

	make_packet();
	for (uint32_t i = 0; i < 4; i++) {
		q.piece[i].address = machine_address(packet);
		q.piece[i].length = 0x4000 + (i == 0 ? LENGTH : 0);
	}
	return send_request(&q);
}

CRIME(8, 'g', over_credit, "sends a packet that is larger than its credit")
{
	make_packet();
	packet = memcpy(page_alloc(), packet, PAGE_SIZE);
	return send(VIF_PACKET_MAX);
}

/* One that is taken is answered when a packet comes, and here none does: so silence means that it was taken. */
static int post(uint32_t mfn)
{
	struct vif_rx_response a;

	ring_put(&net.rx, &(struct vif_rx_request){ .id = 1, .frame = mfn });
	net_publish(&net);
	for (uint32_t i = 0; i < PATIENCE; i++) {
		if (ring_get(&net.rx, &a))
			return a.length;
		hypercall_yield();
	}
	return 0;
}

CRIME(8, 'h', post_mapped, "gives away a page to receive into that it can still write")
{
	make_packet();
	return post(page_mfn(page_alloc()));
}

CRIME(8, 'i', post_twice, "gives away one page to receive into twice")
{
	void *page = page_alloc();

	make_packet();
	net_post(&net, page);
	return post(page_mfn(page));
}

CRIME(8, 'j', post_stranger, "gives away the hypervisor's memory to receive into")
{
	make_packet();
	return post(0x100);
}
