// SPDX-License-Identifier: MIT
#include "net.h"
#include "lib/string.h"
#include "mini.h"
#include "paging.h"

int net_open(struct net *n, uint32_t number)
{
	struct ring_op info = { .op = RING_info, .ring_class = RING_VIF_TX, .device = number };
	int err = hypercall_ring_op(&info);

	if (err)
		return err;
	*n = (struct net){ .number = number };
	memcpy(n->mac, &info.frame, 4);
	memcpy(n->mac + 4, &info.port, 2);
	err = ring_open(&n->tx, RING_VIF_TX, number, NULL, NULL);
	if (err)
		return err;
	err = ring_open(&n->rx, RING_VIF_RX, number, NULL, NULL);
	if (err)
		ring_close(&n->tx);
	return err;
}

/* ---- receiving ---- */

static int free_id(const struct net *n)
{
	for (uint32_t id = 0; id < VIF_RX_SLOTS; id++)
		if (!n->posted[id])
			return id;
	panic("mini: more pages are posted than a ring has slots");
}

int net_post(struct net *n, void *page)
{
	uint16_t id = free_id(n);
	int err = page_protect(page, 0);

	if (err)
		return err;
	n->posted[id] = page;
	ring_put(&n->rx, &(struct vif_rx_request){ .id = id, .frame = page_mfn(page) });
	return 0;
}

int net_publish(struct net *n)
{
	return ring_publish(&n->rx);
}

bool net_receive(struct net *n, struct net_received *r)
{
	struct vif_rx_response a;
	void *page;

	if (!ring_get(&n->rx, &a))
		return false;
	page = n->posted[a.id % VIF_RX_SLOTS];
	n->posted[a.id % VIF_RX_SLOTS] = NULL;
	page_replace(page, a.frame);
	*r = (struct net_received){ page, (uint8_t *)page + a.offset, a.length, a.flags };
	return true;
}

/* ---- sending ---- */

void net_put(struct net *n, uint16_t id, const void *bytes, uint32_t length)
{
	struct vif_tx_request q = { .id = id };
	const char *at = bytes;

	while (length > 0 && q.pieces < VIF_TX_PIECES) {
		uint32_t piece = MIN(length, PAGE_SIZE - (uint32_t)at % PAGE_SIZE);

		q.piece[q.pieces].address = machine_address(at);
		q.piece[q.pieces++].length = piece;
		at += piece;
		length -= piece;
	}
	ring_put(&n->tx, &q);
}

int net_send(struct net *n, uint16_t id, const void *bytes, uint32_t length)
{
	struct vif_tx_response a = { .status = 0 };

	net_put(n, id, bytes, length);
	ring_publish(&n->tx);
	events_wait_until(ring_answered(&n->tx));
	ring_get(&n->tx, &a);
	return a.status;
}
