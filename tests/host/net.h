/* SPDX-License-Identifier: MIT */
/*
 * A guest's end of a VIF: its rings, packets to send and frames to receive into. The guest writes into its rings as it likes; what
 * the hypervisor answered is read in order.
 */
#ifndef HOST_NET_H
#define HOST_NET_H

#include "host/domains.h"
#include "host/wire.h"
#include "public/ring.h"

enum { PFN_TX = PFN_DATA, PFN_RX, PFN_NET };	/* frames of the rings; free ones from PFN_NET on */

struct net {
	struct guest *g;
	uint32_t number, port;
	uint8_t mac[6];
	uint32_t tx_ring, rx_ring;	/* frames */
	uint32_t tx_read, rx_read;	/* answers */
};

/* A control operation of @zero's on the operation's own domain; what comes out is in @op. */
int net_control(struct guest *zero, struct control_op *op);

/* Gives @g VIF @number with an address that ends in its own number and that one; no rings yet. */
int net_create(struct guest *zero, struct guest *g, uint32_t number, struct net *n, uint32_t credit_bytes, uint32_t credit_us);

/* Registers both rings in the frames @pfn and @pfn + 1, empty and at their beginning. */
void net_open(struct net *n, uint32_t pfn);

/* Takes the mapping of the guest's frame @pfn away; its number. */
uint32_t net_unmap(struct guest *g, uint32_t pfn);

int net_ring_op(struct net *n, uint32_t op, uint32_t ring_class);

/* Writes a request, which counts at once; kicks are the test's. */
void net_request(struct net *n, const struct vif_tx_request *q);
void net_post(struct net *n, uint16_t id, uint32_t frame);
void net_post_flagged(struct net *n, uint16_t id, uint32_t frame, uint16_t flags);	/* VIF_RX_COPY */

/* A request of one piece: @length bytes of the guest's frame @pfn from @offset on. */
void net_send(struct net *n, uint16_t id, uint32_t pfn, uint32_t offset, uint32_t length);

/* The next answer, if there is one. */
bool net_sent(struct net *n, struct vif_tx_response *a);
bool net_received(struct net *n, struct vif_rx_response *a);

/* A rule that lets everything pass between these ends. */
int net_rule(struct guest *zero, uint16_t action, uint16_t from, uint16_t to);

/* Writes a UDP packet of @length bytes with sound lengths, its payload made of @seed, between these ends. */
struct net_flow {
	const uint8_t *from, *to;		/* MAC */
	uint32_t source, destination;		/* as 10.0.0.1 is 0x0a000001 */
	uint16_t source_port, destination_port;
};
void net_packet(uint8_t *bytes, uint32_t length, const struct net_flow *f, uint8_t seed);

#endif
