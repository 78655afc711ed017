// SPDX-License-Identifier: MIT
/* host test */
/*
 * Sends packets with false senders, and packets that become false while they are looked at: with each access of the hypervisor to
 * the guest's frame once, the guest writes the false header over the good one just behind that access.
 */
#include "frame_pool.h"
#include "host/net.h"
#include "host/program.h"
#include "host/watch.h"
#include "vif.h"

#define FRAMES		16u
#define MOST		200u		/* accesses after which the header may change */

static const uint8_t wire_mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };

static struct guest zero, one;
static struct net n;
static uint8_t evil[2048];
static uint32_t evil_length, accesses, change_after;

static void after_access(void)
{
	if (accesses++ == change_after)
		memcpy(host_frame(one.mfn[PFN_NET]), evil, evil_length);
}

/* Sends @length bytes of the first free frame; what came of it. */
static void send(uint32_t key, uint32_t when, uint32_t length)
{
	struct vif_tx_response r = { .status = 0 };
	unsigned int before = host_wire.sent_count;
	const struct host_sent *s = &host_wire.sent[before];

	net_send(&n, key, PFN_NET, 0, length);
	accesses = 0;
	change_after = when;
	host_watch(MFN(one.mfn[PFN_NET]), after_access);
	net_ring_op(&n, RING_kick, RING_VIF_TX);
	host_watch_end();
	memcpy(host_frame(one.mfn[PFN_NET]), evil, evil_length);
	host_wire_leave_all();
	net_sent(&n, &r);
	observe("sent when status:int left", key, when, r.status, host_wire.sent_count - before);
	if (host_wire.sent_count > before)
		observe_bytes("packet data:bytes", key, s->bytes, s->length);
}

static void allow(uint32_t address)
{
	struct control_op op = { .op = CONTROL_rule_add };

	op.u.rule = (struct control_rule){ .from_domain = 1, .from_vif = 0, .to_domain = RULE_WIRE, .to_vif = RULE_ANY,
					   .source = __builtin_bswap32(address), .source_mask = UINT32_MAX };
	net_control(&zero, &op);
}

static void run(void)
{
	uint32_t address = input_word(), count = input_word(), key = 0;

	host_start(300);
	zero = host_domain(6);
	one = host_domain(FRAMES);
	host_wire_plug(wire_mac);
	frame_pool_scrub(true);
	net_create(&zero, &one, 0, &n, 0, 0);
	net_open(&n, PFN_TX);
	host_enter(&one);
	allow(address);
	while (count-- > 0) {
		uint32_t length, moments = input_word();
		const uint8_t *good = input_bytes(&length), *bad = input_bytes(&evil_length);

		memcpy(evil, bad, evil_length);
		for (uint32_t when = 0; when < MIN(moments, MOST); when++) {
			memcpy(host_frame(one.mfn[PFN_NET]), good, length);
			send(key++, when, length);
		}
	}
}
