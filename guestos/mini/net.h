/* SPDX-License-Identifier: MIT */
/*
 * A virtual interface: the guest's side (RING_VIF_TX and RING_VIF_RX of public/ring.h). Needs lab 8.
 *
 *   struct net net;
 *   net_open(&net, 0);
 *   for (...)
 *           net_post(&net, page_alloc());
 *   net_publish(&net);
 *   net_send(&net, id, packet, length);
 *   events_wait_until(ring_answered(&net.rx));
 *   while (net_receive(&net, &r)) ...
 *
 * A page that is posted has no mapping; the one that comes back is another frame at the same place.
 */
#ifndef MINI_NET_H
#define MINI_NET_H

#include "ring.h"

struct net {
	struct ring tx, rx;
	uint32_t number;
	uint8_t mac[6];
	void *posted[VIF_RX_SLOTS];	/* by the request's id; NULL: free */
};

/* What came of a posted page, which is mapped again. */
struct net_received {
	void *page;
	uint8_t *bytes;
	int length;			/* of the packet at @bytes, or a negative error */
	uint16_t flags;
};

/* Opens both rings of the domain's VIF @number. 0 or an error; then nothing is left. */
int net_open(struct net *n, uint32_t number);

/* Gives a page to receive into; net_publish() shows all of them. 0, or the error of unmapping it. */
int net_post(struct net *n, void *page);
int net_publish(struct net *n);

/* The next of them that is back; false: none is. */
bool net_receive(struct net *n, struct net_received *r);

/*
 * Puts a packet that lies in the domain's mapped memory, in a row and over at most four pages, into
 * the ring. ring_publish(&n->tx) sends it; its bytes must stay until the answer.
 */
void net_put(struct net *n, uint16_t id, const void *bytes, uint32_t length);

/* Both, and waits for the answer: its status. Nothing else is under way. */
int net_send(struct net *n, uint16_t id, const void *bytes, uint32_t length);

#endif
