// SPDX-License-Identifier: MIT
/* host test */
/*
 * Creates a VIF, uses it and takes it away, again and again; packets for it, and for all, arrive at every call of the seam while it is
 * created and while it goes.
 */
#include "frame_pool.h"
#include "host/audit.h"
#include "host/net.h"
#include "host/program.h"
#include "vif.h"

#define FRAMES		24u
#define PFN_POST	(PFN_NET + 2)
#define POSTS		8u

static const uint8_t wire_mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };
static const uint8_t stranger[6] = { 0x52, 0x55, 10, 0, 2, 2 }, its_mac[6] = { 2, 0, 0, 0, 1, 0 };
static uint8_t to_it[60], to_all[60];
static struct guest zero, one;
static struct net n;
static uint32_t posts[POSTS];
static bool inside;
static uint32_t arrived;

static void arrive(const char *call)
{
	if (inside || strcmp(call, "machine_copy_out") == 0)	/* by then domain 0 may know it */
		return;
	inside = true;
	host_wire_arrive(to_it, sizeof(to_it));
	host_wire_arrive(to_all, sizeof(to_all));
	arrived++;
	inside = false;
}

static int destroy(void)
{
	struct control_op op = { .op = CONTROL_vif_destroy, .domain = 1 };

	return net_control(&zero, &op);
}

static struct control_vif info(void)
{
	struct control_op op = { .op = CONTROL_vif_info, .domain = 1 };

	net_control(&zero, &op);
	return op.u.vif;
}

/* Those that came back are unmapped still, whichever they are. */
static uint32_t drain(void)
{
	struct vif_rx_response r;
	uint32_t packets = 0, at = 0;

	while (net_received(&n, &r)) {
		packets += r.length > 0;
		posts[at++ % POSTS] = r.frame;
	}
	return packets;
}

static uint32_t use(void)
{
	struct vif_tx_response t;

	for (uint32_t i = 0; i < POSTS; i++)
		net_post(&n, i, posts[i]);
	net_ring_op(&n, RING_kick, RING_VIF_RX);
	host_wire_arrive(to_it, sizeof(to_it));
	net_send(&n, 1, PFN_NET, 0, 60);
	net_ring_op(&n, RING_kick, RING_VIF_TX);
	host_wire_leave_all();
	host_wire.sent_count = host_wire.done = 0;
	return net_sent(&n, &t) ? t.status : 1;
}

static void round_of(uint32_t key)
{
	uint32_t early, status, got;
	int created, destroyed;

	host.at_seam = arrive;
	created = net_create(&zero, &one, 0, &n, 0, 0);
	host.at_seam = NULL;
	early = info().rx_packets + info().rx_dropped;
	net_open(&n, PFN_TX);
	status = use();
	host.at_seam = arrive;
	destroyed = destroy();
	host.at_seam = NULL;
	got = drain();
	net_ring_op(&n, RING_unregister, RING_VIF_TX);
	net_ring_op(&n, RING_unregister, RING_VIF_RX);
	CALL(&one, event_channel_op, ARG(((struct event_channel_op){ .op = EVENT_close, .port = n.port })));
	observe("round created:int early status:int destroyed:int got", key, created, early, status, destroyed, got);
}

static void run(void)
{
	uint32_t rounds = input_word(), before;

	host_start(300);
	zero = host_domain(6);
	one = host_domain(FRAMES);
	host_wire_plug(wire_mac);
	vif_start();
	frame_pool_scrub(true);
	net_rule(&zero, RULE_ACCEPT, RULE_ANY, RULE_ANY);
	net_packet(to_it, 60, &(struct net_flow){ stranger, its_mac, 1, 2, 3, 4 }, 5);
	memcpy(to_all, to_it, sizeof(to_all));
	memset(to_all, 0xff, 6);
	host_enter(&one);
	memcpy(host_frame(one.mfn[PFN_NET]), to_it, 60);
	memcpy(host_frame(one.mfn[PFN_NET]), to_it + 6, 6);
	memcpy((uint8_t *)host_frame(one.mfn[PFN_NET]) + 6, to_it, 6);
	for (uint32_t i = 0; i < POSTS; i++)
		posts[i] = net_unmap(&one, PFN_POST + i);
	before = frame_pool_free_count();
	for (uint32_t i = 0; i < rounds; i++) {
		const char *wrong;

		round_of(i);
		wrong = i % 50 ? NULL : domain_check() ? audit()
						       : "an auditor of the hypervisor objects";
		if (wrong)
			observe_bytes("audit text:bytes", i, wrong, strlen(wrong));
	}
	observe("end before after owned arrived", 0, before, frame_pool_free_count(), one.d->memory.owned.count, arrived);
}
