// SPDX-License-Identifier: MIT
#include "host/net.h"
#include <string.h>
#include "host/host.h"

int net_control(struct guest *zero, struct control_op *op)
{
	uint32_t at;
	int err;

	op->interface = ATELIER_INTERFACE;
	at = host_arg(op, sizeof(*op));
	err = CALL(zero, control_op, at);
	memcpy(op, host_arg_bytes(at), sizeof(*op));
	return err;
}

int net_create(struct guest *zero, struct guest *g, uint32_t number, struct net *n, uint32_t credit_bytes, uint32_t credit_us)
{
	struct control_op op = { .op = CONTROL_vif_create, .domain = g->d->id };

	*n = (struct net){ .g = g, .number = number, .mac = { 2, 0, 0, 0, g->d->id, number } };
	op.u.vif.number = number;
	op.u.vif.credit_bytes = credit_bytes;
	op.u.vif.credit_us = credit_us;
	memcpy(op.u.vif.mac, n->mac, 6);
	return net_control(zero, &op);
}

int net_ring_op(struct net *n, uint32_t op, uint32_t ring_class)
{
	struct ring_op ask = { op, ring_class, n->number, ring_class == RING_VIF_TX ? n->tx_ring : n->rx_ring, n->port, 0 };

	return CALL(n->g, ring_op, ARG(ask));
}

static struct ring_header *header(uint32_t frame)
{
	return host_frame(frame);
}

static void *slot(uint32_t frame, uint32_t index, uint32_t slots, size_t size)
{
	return (uint8_t *)(header(frame) + 1) + index % slots * size;
}

void net_open(struct net *n, uint32_t pfn)
{
	struct event_channel_op port = { .op = EVENT_alloc_unbound, .remote = 0 };
	uint32_t at = ARG(port);

	n->tx_ring = n->g->mfn[pfn];
	n->rx_ring = n->g->mfn[pfn + 1];
	if (CALL(n->g, event_channel_op, at))
		host_panic("net_open: no port is left");
	n->port = ((struct event_channel_op *)host_arg_bytes(at))->port;
	if (net_ring_op(n, RING_register, RING_VIF_TX) || net_ring_op(n, RING_register, RING_VIF_RX))
		host_panic("net_open: a ring is refused");
	n->tx_read = n->rx_read = RING_START;
	header(n->tx_ring)->req_prod = header(n->rx_ring)->req_prod = RING_START;
	header(n->tx_ring)->rsp_event = header(n->rx_ring)->rsp_event = RING_START + 1;
}

uint32_t net_unmap(struct guest *g, uint32_t pfn)
{
	struct mmu_request r = { g->mfn[PFN_TABLE] << PAGE_SHIFT | 4 * pfn, 0 };

	if (CALL(g, mmu_update, ARG(r), 1, 0, DOMID_SELF))
		host_panic("net_unmap: frame %u stays mapped", pfn);
	return g->mfn[pfn];
}

void net_request(struct net *n, const struct vif_tx_request *q)
{
	memcpy(slot(n->tx_ring, header(n->tx_ring)->req_prod++, VIF_TX_SLOTS, sizeof(*q)), q, sizeof(*q));
}

void net_post(struct net *n, uint16_t id, uint32_t frame)
{
	net_post_flagged(n, id, frame, 0);
}

void net_post_flagged(struct net *n, uint16_t id, uint32_t frame, uint16_t flags)
{
	struct vif_rx_request q = { id, flags, frame };

	memcpy(slot(n->rx_ring, header(n->rx_ring)->req_prod++, VIF_RX_SLOTS, sizeof(struct vif_rx_response)), &q, sizeof(q));
}

void net_send(struct net *n, uint16_t id, uint32_t pfn, uint32_t offset, uint32_t length)
{
	struct vif_tx_request q = { .id = id, .pieces = 1 };

	q.piece[0].address = (n->g->mfn[pfn] << PAGE_SHIFT) + offset;
	q.piece[0].length = length;
	net_request(n, &q);
}

bool net_sent(struct net *n, struct vif_tx_response *a)
{
	if (n->tx_read == header(n->tx_ring)->rsp_prod)
		return false;
	memcpy(a, slot(n->tx_ring, n->tx_read++, VIF_TX_SLOTS, sizeof(struct vif_tx_request)), sizeof(*a));
	return true;
}

bool net_received(struct net *n, struct vif_rx_response *a)
{
	if (n->rx_read == header(n->rx_ring)->rsp_prod)
		return false;
	memcpy(a, slot(n->rx_ring, n->rx_read++, VIF_RX_SLOTS, sizeof(*a)), sizeof(*a));
	return true;
}

int net_rule(struct guest *zero, uint16_t action, uint16_t from, uint16_t to)
{
	struct control_op op = { .op = CONTROL_rule_add };

	op.u.rule = (struct control_rule){ .rank = 10, .action = action, .from_domain = from, .to_domain = to,
					   .from_vif = RULE_ANY, .to_vif = RULE_ANY };
	return net_control(zero, &op);
}

static void put_16(uint8_t *at, uint32_t value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static void put_32(uint8_t *at, uint32_t value)
{
	put_16(at, value >> 16);
	put_16(at + 2, value);
}

void net_packet(uint8_t *bytes, uint32_t length, const struct net_flow *f, uint8_t seed)
{
	for (uint32_t i = 0; i < length; i++)
		bytes[i] = seed + i * 7;
	memcpy(bytes, f->to, 6);
	memcpy(bytes + 6, f->from, 6);
	put_16(bytes + 12, 0x0800);
	memcpy(bytes + 14, "\x45\0\0\0\0\0\0\0\x40\x11\0\0", 12);
	put_16(bytes + 16, length - 14);
	put_32(bytes + 26, f->source);
	put_32(bytes + 30, f->destination);
	put_16(bytes + 34, f->source_port);
	put_16(bytes + 36, f->destination_port);
	put_16(bytes + 38, length - 34);
	put_16(bytes + 40, 0);
}
