// SPDX-License-Identifier: GPL-2.0
/*
 * Virtual interfaces: eth0 and so on, each over a ring to send and a ring to receive.
 *
 * To receive, the interface gives pages' frames away, which nothing maps meanwhile; with a packet another frame comes back
 * for the page. Both rings have one interrupt, and what they say is dealt with in one NAPI poll. That and sending never run at
 * the same time: there is one processor, and both keep soft interrupts out.
 */
#include <linux/etherdevice.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/interrupt.h>
#include <linux/mm.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <asm/atelier.h>
#include "ring.h"

#define VIFS		4	/* numbers that are tried */
#define HEAD_COPY	256	/* bytes of a packet that are copied out of its page: of most small ones, all */
#define RULES_LOOK_AT	34	/* bytes that must lie in the first piece */

struct numbers {		/* that no request under way has */
	u16 free[VIF_RX_SLOTS];
	u32 count;
};

struct vif {
	struct net_device *dev;
	struct napi_struct napi;
	struct atelier_ring tx, rx;
	struct numbers tx_ids, rx_ids;
	struct sk_buff *sent[VIF_TX_SLOTS];
	struct page *posted[VIF_RX_SLOTS];
	int irq;
};

static struct net_device *vifs[VIFS];

static void all_free(struct numbers *n, u32 count)
{
	for (n->count = 0; n->count < count; n->count++)
		n->free[n->count] = n->count;
}

/* ---- to send ---- */

struct pieces {
	u32 count;
	struct { struct page *page; u32 offset, length; } piece[VIF_TX_PIECES];
};

/* A run of memory, cut where pages end. False: that is more than a request has pieces. */
static bool add_run(struct pieces *p, struct page *page, u32 offset, u32 length)
{
	page += offset >> PAGE_SHIFT;
	offset = offset_in_page(offset);
	while (length > 0) {
		u32 now = min_t(u32, length, PAGE_SIZE - offset);

		if (p->count == VIF_TX_PIECES)
			return false;
		p->piece[p->count].page = page++;
		p->piece[p->count].offset = offset;
		p->piece[p->count++].length = now;
		length -= now;
		offset = 0;
	}
	return true;
}

static bool find_pieces(const struct sk_buff *skb, struct pieces *p)
{
	unsigned int i;

	p->count = 0;
	if (!add_run(p, virt_to_page(skb->data), offset_in_page(skb->data), skb_headlen(skb)))
		return false;
	for (i = 0; i < skb_shinfo(skb)->nr_frags; i++) {
		const skb_frag_t *f = &skb_shinfo(skb)->frags[i];

		if (!add_run(p, skb_frag_page(f), skb_frag_off(f), skb_frag_size(f)))
			return false;
	}
	return p->piece[0].length >= RULES_LOOK_AT;
}

static void request_to_send(struct vif *v, struct sk_buff *skb, const struct pieces *p)
{
	struct vif_tx_request *r = atelier_ring_request(&v->tx);
	u32 i, id = v->tx_ids.free[--v->tx_ids.count];

	v->sent[id] = skb;
	*r = (struct vif_tx_request){ .id = id, .pieces = p->count };
	for (i = 0; i < p->count; i++) {
		r->piece[i].address = atelier_p2m[page_to_pfn(p->piece[i].page)] << PAGE_SHIFT | p->piece[i].offset;
		r->piece[i].length = p->piece[i].length;
	}
}

/* One that lies in too many places is copied: a copy lies in one page, since it comes from a slab of 2 KiB. */
static netdev_tx_t start_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct vif *v = netdev_priv(dev);
	struct pieces p;

	if (eth_skb_pad(skb))
		return NETDEV_TX_OK;
	if (!find_pieces(skb, &p)) {
		struct sk_buff *copy = skb_copy(skb, GFP_ATOMIC);

		dev_consume_skb_any(skb);
		skb = copy;
		if (!skb || skb_linearize(skb) || !find_pieces(skb, &p)) {
			dev->stats.tx_dropped++;
			dev_kfree_skb_any(skb);
			return NETDEV_TX_OK;
		}
	}
	skb_tx_timestamp(skb);
	request_to_send(v, skb, &p);
	if (!atelier_ring_room(&v->tx))
		netif_stop_queue(dev);
	if (!netdev_xmit_more() || netif_queue_stopped(dev))
		atelier_ring_send(&v->tx);
	return NETDEV_TX_OK;
}

static void take_sent(struct vif *v, int budget)
{
	const struct vif_tx_response *r;

	while ((r = atelier_ring_response(&v->tx)) != NULL) {
		struct sk_buff *skb = v->sent[r->id];

		v->sent[r->id] = NULL;
		v->tx_ids.free[v->tx_ids.count++] = r->id;
		if (r->status) {
			v->dev->stats.tx_dropped++;
		} else {
			v->dev->stats.tx_packets++;
			v->dev->stats.tx_bytes += skb->len;
		}
		napi_consume_skb(skb, budget);
	}
	if (netif_queue_stopped(v->dev) && netif_running(v->dev) && atelier_ring_room(&v->tx) >= VIF_TX_SLOTS / 4)
		netif_wake_queue(v->dev);
}

/* What was under way when the interface went away. */
static void take_unsent(struct vif *v)
{
	u32 i;

	for (i = 0; i < VIF_TX_SLOTS; i++)
		if (v->sent[i])
			dev_kfree_skb_any(v->sent[i]);
}

/* ---- to receive ---- */

/* Gives frames for as many packets as can come. With no memory now, the next packet asks again. */
static void post_pages(struct vif *v)
{
	while (v->rx_ids.count > 0) {
		struct page *page = alloc_page(GFP_ATOMIC | __GFP_NOWARN);
		struct vif_rx_request *r;
		u32 id;

		if (!page)
			break;
		id = v->rx_ids.free[--v->rx_ids.count];
		v->posted[id] = page;
		r = atelier_ring_request(&v->rx);
		*r = (struct vif_rx_request){ .id = id, .frame = atelier_give_frame(page) };
	}
	atelier_ring_send(&v->rx);
}

/* The page is freed, or a part of the packet from now on. */
static struct sk_buff *make_packet(struct vif *v, struct page *page, u32 offset, u32 length)
{
	struct sk_buff *skb = napi_alloc_skb(&v->napi, HEAD_COPY);
	u32 head = min_t(u32, length, HEAD_COPY);

	if (!skb) {
		v->dev->stats.rx_dropped++;
		__free_page(page);
		return NULL;
	}
	skb_put_data(skb, page_address(page) + offset, head);
	if (head < length)
		skb_add_rx_frag(skb, 0, page, offset + head, length - head, PAGE_SIZE);
	else
		__free_page(page);
	return skb;
}

static void receive(struct vif *v, struct vif_rx_response r)
{
	struct net_device *dev = v->dev;
	struct page *page = v->posted[r.id];
	struct sk_buff *skb;

	v->rx_ids.free[v->rx_ids.count++] = r.id;
	atelier_take_frame(page, r.frame, false);
	if (r.length < ETH_HLEN || !netif_running(dev)) {
		dev->stats.rx_errors++;
		__free_page(page);
		return;
	}
	skb = make_packet(v, page, r.offset, r.length);
	if (!skb)
		return;
	if (r.flags & VIF_RX_CSUM_OK)
		skb->ip_summed = CHECKSUM_UNNECESSARY;
	dev->stats.rx_packets++;
	dev->stats.rx_bytes += r.length;
	skb->protocol = eth_type_trans(skb, dev);
	napi_gro_receive(&v->napi, skb);
}

static int poll(struct napi_struct *napi, int budget)
{
	struct vif *v = container_of(napi, struct vif, napi);
	const struct vif_rx_response *r;
	int done = 0;

	take_sent(v, budget);
	while (done < budget && (r = atelier_ring_response(&v->rx)) != NULL) {
		receive(v, *r);
		done++;
	}
	post_pages(v);
	if (done < budget && napi_complete_done(napi, done) &&
	    (atelier_ring_more(&v->tx) | atelier_ring_more(&v->rx)))
		napi_schedule(napi);
	return done;
}

static irqreturn_t news(int irq, void *data)
{
	struct vif *v = data;

	napi_schedule(&v->napi);
	return IRQ_HANDLED;
}

/* ---- the device ---- */

/* The rings stay for ever. What came while the interface was down is dropped in the first poll. */
static int open(struct net_device *dev)
{
	struct vif *v = netdev_priv(dev);

	napi_enable(&v->napi);
	netif_start_queue(dev);
	local_bh_disable();
	napi_schedule(&v->napi);
	local_bh_enable();
	return 0;
}

static int stop(struct net_device *dev)
{
	struct vif *v = netdev_priv(dev);

	netif_stop_queue(dev);
	napi_disable(&v->napi);
	return 0;
}

static const struct net_device_ops operations = {
	.ndo_open = open,
	.ndo_stop = stop,
	.ndo_start_xmit = start_xmit,
	.ndo_validate_addr = eth_validate_addr,
};

static int open_rings(struct vif *v, u32 number, int irq)
{
	int err;

	err = atelier_ring_open(&v->tx, RING_VIF_TX, number, VIF_TX_SLOTS, sizeof(struct vif_tx_request), irq);
	if (err)
		return err;
	err = atelier_ring_open(&v->rx, RING_VIF_RX, number, VIF_RX_SLOTS, sizeof(struct vif_rx_response), irq);
	if (err)
		atelier_ring_close(&v->tx);
	return err;
}

static int start_vif(struct net_device *dev, u32 number, const u8 *mac)
{
	struct vif *v = netdev_priv(dev);
	int irq = atelier_open_port(), err;

	if (irq < 0)
		return irq;
	v->dev = dev;
	v->irq = irq;
	all_free(&v->tx_ids, VIF_TX_SLOTS);
	all_free(&v->rx_ids, VIF_RX_SLOTS);
	dev->netdev_ops = &operations;
	dev->features = dev->hw_features = NETIF_F_SG;
	dev->max_mtu = ETH_DATA_LEN;
	eth_hw_addr_set(dev, mac);
	netif_napi_add(dev, &v->napi, poll);
	err = open_rings(v, number, irq);
	if (err)
		goto close_port;
	err = request_irq(irq, news, 0, "vif", v);
	if (!err)
		err = register_netdev(dev);
	if (!err)
		return 0;
	atelier_ring_close(&v->rx);
	atelier_ring_close(&v->tx);
close_port:
	atelier_close_port(irq);
	return err;
}

static void add_vif(u32 number, const u8 *mac)
{
	struct net_device *dev = alloc_etherdev(sizeof(struct vif));
	int err = dev ? start_vif(dev, number, mac) : -ENOMEM;

	if (!err) {
		vifs[number] = dev;
		return;
	}
	pr_err("vif %u: error %d\n", number, err);
	if (dev)
		free_netdev(dev);
}

/* The hypervisor has answered all that it had taken: with that come the frames. */
static void remove_vif(u32 number)
{
	struct net_device *dev = vifs[number];
	struct vif *v = netdev_priv(dev);
	const struct vif_rx_response *r;

	vifs[number] = NULL;
	unregister_netdev(dev);
	free_irq(v->irq, v);
	while ((r = atelier_ring_response(&v->rx)) != NULL)
		receive(v, *r);
	atelier_ring_close(&v->rx);
	atelier_ring_close(&v->tx);
	take_unsent(v);
	atelier_close_port(v->irq);
	free_netdev(dev);
}

/* Another one may have the number by now: one with another address is another one. */
static void look_for_vifs(struct work_struct *unused)
{
	u32 number;

	for (number = 0; number < VIFS; number++) {
		struct ring_op info = { .op = RING_info, .ring_class = RING_VIF_TX, .device = number };
		const u8 *mac = (const u8 *)&info.frame;
		bool there = hypercall1(HYPERCALL_ring_op, (unsigned long)&info) == 0;

		if (vifs[number] && !(there && ether_addr_equal_unaligned(vifs[number]->dev_addr, mac)))
			remove_vif(number);
		if (!vifs[number] && there)
			add_vif(number, mac);
	}
}

static DECLARE_WORK(look, look_for_vifs);

static int __init net_init(void)
{
	look_for_vifs(NULL);
	return atelier_watch_devices(&look);
}
device_initcall(net_init);
