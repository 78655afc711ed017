/* SPDX-License-Identifier: MIT */
/*
 * What the tests of lab 8's credit share: a VIF with a cap that sends as its judge says, while time goes on in small steps, and when
 * each packet was given to the wire.
 */
#ifndef LAB8_CREDIT_H
#define LAB8_CREDIT_H

#include "frame_pool.h"
#include "host/net.h"
#include "host/program.h"
#include "vif.h"

#define FRAMES	16u
#define US	1000ull

static const uint8_t wire_mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };

static struct guest zero, one;
static struct net n;
static unsigned int looked;		/* packets on the wire that were observed */
static uint64_t begun;

static void look(uint32_t key)
{
	struct vif_tx_response r;

	while (looked < host_wire.sent_count) {
		const struct host_sent *s = &host_wire.sent[looked++];

		observe("left us length", key, (s->when - begun) / US, s->length);
	}
	host_wire_leave_all();
	while (net_sent(&n, &r))
		observe("answer id status:int", key, r.id, r.status);
}

/* Lets @us microseconds pass in steps of @step. */
static void pass(uint32_t key, uint32_t us, uint32_t step)
{
	uint64_t end = host.now + us * US;

	while (host.now != end) {
		host_wire_time(host.now + MIN(step * US, end - host.now));
		look(key);
	}
}

static void kick(uint32_t key)
{
	net_ring_op(&n, RING_kick, RING_VIF_TX);
	look(key);
}

/* Whether the rule that lets packets pass is there. */
static void allow(bool yes)
{
	struct control_op op = { .op = yes ? CONTROL_rule_add : CONTROL_rule_remove };

	op.u.rule = (struct control_rule){ .from_domain = 1, .to_domain = RULE_WIRE, .from_vif = RULE_ANY, .to_vif = RULE_ANY };
	net_control(&zero, &op);
}

/* A domain with a cap, at a moment. */
static void open_capped(uint32_t bytes, uint32_t us, uint64_t now)
{
	host_start(300);
	looked = 0;
	zero = host_domain(6);
	one = host_domain(FRAMES);
	host_wire_plug(wire_mac);
	host.now = begun = now;
	net_create(&zero, &one, 0, &n, bytes, us);
	net_open(&n, PFN_TX);
	host_enter(&one);
	allow(true);
	memset(host_frame(one.mfn[PFN_NET]), 0x11, PAGE_SIZE);
	memcpy(host_frame(one.mfn[PFN_NET]), "\x52\x55\x0a\0\x02\x02", 6);
	memcpy((uint8_t *)host_frame(one.mfn[PFN_NET]) + 6, n.mac, 6);
}

#endif
