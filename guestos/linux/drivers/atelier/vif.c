// SPDX-License-Identifier: GPL-2.0
/*
 * Virtual interfaces: eth0 and so on, each over a ring to send and a ring to receive.
 *
 * To receive, the interface posts pages that packets are copied into. A small packet is copied out of its page, which is posted
 * again at once; another one keeps its page, which is used again as soon as nobody else has it. Both rings have one
 * interrupt, and what they say is dealt with in one NAPI poll. That and sending never run at
 * the same time: there is one processor, and both keep soft interrupts out.
 */
#include <linux/etherdevice.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/in.h>
#include <linux/interrupt.h>
#include <linux/ip.h>
#include <linux/mm.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <asm/atelier.h>
#include "ring.h"

#define VIFS		4	/* numbers that are tried */
#define COPIED		256	/* bytes of a packet up to which it is copied out of its page */
#define LENT		128	/* pages that are looked after while the network has them */
#define RULES_LOOK_AT	34	/* bytes that must lie in the first piece */
#define HEADERS		80	/* bytes that those of a packet that is cut may have */
#define LARGE		(2 * PAGE_SIZE + 256)	/* which lies in as many pieces as there can be; Linux takes its headers off */

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
	struct page *posted[VIF_RX_SLOTS];	/* by the request's number; NULL: no memory yet */
	int irq;
	bool polling;			/* what is sent meanwhile goes out at the end */
	struct page *lent[LENT];		/* whose packets the network has, the oldest first; indices run freely */
	u32 lent_first, lent_end;
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
	if (skb->ip_summed == CHECKSUM_PARTIAL)
		r->flags = VIF_TX_CSUM;
	if (skb_is_gso(skb)) {
		r->flags |= VIF_TX_SEGMENTS;
		r->segment = skb_shinfo(skb)->gso_size;
	}
	for (i = 0; i < p->count; i++) {
		r->piece[i].address = atelier_p2m[page_to_pfn(p->piece[i].page)] << PAGE_SHIFT | p->piece[i].offset;
		r->piece[i].length = p->piece[i].length;
	}
}

/* What the hypervisor would not cut into segments, Linux does. */
static netdev_features_t features_check(struct sk_buff *skb, struct net_device *dev, netdev_features_t features)
{
	struct pieces p;

	if (skb_is_gso(skb) && (skb_transport_offset(skb) + tcp_hdrlen(skb) > HEADERS || !find_pieces(skb, &p)))
		features &= ~NETIF_F_GSO_MASK;
	return features;
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
	if (!v->polling && (!netdev_xmit_more() || netif_queue_stopped(dev)))
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
			v->dev->stats.tx_packets += skb_shinfo(skb)->gso_segs ?: 1;
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

/* The page that was lent to the network longest ago, if it is ours alone again. */
static struct page *page_back(struct vif *v)
{
	struct page *page = v->lent[v->lent_first % LENT];

	if (v->lent_first == v->lent_end || page_ref_count(page) != 1)
		return NULL;
	v->lent_first++;
	return page;
}

/* The network will drop its reference; ours stays. Of too many, the oldest is left to the network. */
static void lend(struct vif *v, struct page *page)
{
	if (v->lent_end - v->lent_first == LENT)
		put_page(v->lent[v->lent_first++ % LENT]);
	get_page(page);
	v->lent[v->lent_end++ % LENT] = page;
}

static void post(struct vif *v, u32 id)
{
	struct vif_rx_request *r = atelier_ring_request(&v->rx);

	*r = (struct vif_rx_request){ .id = id, .flags = VIF_RX_COPY, .frame = atelier_p2m[page_to_pfn(v->posted[id])] };
}

/* For as many packets as can come. With no memory now, the next packet asks again. */
static void post_pages(struct vif *v)
{
	struct page *page;

	while (v->rx_ids.count && (page = page_back(v) ?: alloc_page(GFP_ATOMIC | __GFP_NOWARN)) != NULL) {
		u32 id = v->rx_ids.free[--v->rx_ids.count];

		v->posted[id] = page;
		post(v, id);
	}
	atelier_ring_send(&v->rx);
}

/* A small packet is copied; another one's page becomes the packet, and Linux's own record of it goes to the page's end. */
static struct sk_buff *make_packet(struct vif *v, const struct vif_rx_response *r)
{
	struct page *page = v->posted[r->id];
	void *data = lowmem_page_address(page);
	struct sk_buff *skb;

	if (r->length <= COPIED) {
		skb = napi_alloc_skb(&v->napi, r->length);
		if (skb)
			skb_put_data(skb, data + r->offset, r->length);
		return skb;
	}
	skb = napi_build_skb(data, PAGE_SIZE);
	if (skb) {
		lend(v, page);
		v->posted[r->id] = NULL;
		skb_reserve(skb, r->offset);
		skb_put(skb, r->length);
	}
	return skb;
}

/*
 * Another domain's packet has its check sum made when it leaves the machine, if it ever does. That it is TCP or UDP in one piece,
 * and has its header, was looked at.
 */
static void set_check_sum(struct sk_buff *skb, u16 flags)
{
	if (flags & VIF_RX_CSUM_BLANK) {
		const struct iphdr *ip = (const struct iphdr *)skb->data;
		bool tcp = ip->protocol == IPPROTO_TCP;

		skb_partial_csum_set(skb, ip->ihl * 4, tcp ? offsetof(struct tcphdr, check) : offsetof(struct udphdr, check));
	} else if (flags & VIF_RX_CSUM_OK) {
		skb->ip_summed = CHECKSUM_UNNECESSARY;
	}
}

static void receive(struct vif *v, const struct vif_rx_response *r)
{
	struct net_device *dev = v->dev;
	struct sk_buff *skb = NULL;

	if (r->length < ETH_HLEN || !netif_running(dev))
		dev->stats.rx_errors++;
	else if (!(skb = make_packet(v, r)))
		dev->stats.rx_dropped++;
	if (v->posted[r->id])
		post(v, r->id);
	else
		v->rx_ids.free[v->rx_ids.count++] = r->id;
	if (!skb)
		return;
	dev->stats.rx_packets++;
	dev->stats.rx_bytes += r->length;
	skb->protocol = eth_type_trans(skb, dev);
	set_check_sum(skb, r->flags);
	napi_gro_receive(&v->napi, skb);
}

/* A response is copied: the next request may be written there. */
static int take_received(struct vif *v, int budget)
{
	const struct vif_rx_response *r;
	int count = 0;

	for (; count < budget && (r = atelier_ring_response(&v->rx)) != NULL; count++) {
		struct vif_rx_response copy = *r;

		receive(v, &copy);
	}
	return count;
}

/* When the hypervisor writes into them no more. */
static void free_pages_of(struct vif *v)
{
	u32 i;

	for (i = 0; i < VIF_RX_SLOTS; i++)
		if (v->posted[i])
			__free_page(v->posted[i]);
	while (v->lent_first != v->lent_end)
		put_page(v->lent[v->lent_first++ % LENT]);
}

static int poll(struct napi_struct *napi, int budget)
{
	struct vif *v = container_of(napi, struct vif, napi);
	bool over;
	int done;

	v->polling = true;
	take_sent(v, budget);
	done = take_received(v, budget);
	over = done < budget && napi_complete_done(napi, done);
	v->polling = false;
	atelier_ring_send(&v->tx);
	post_pages(v);
	if (over && (atelier_ring_more(&v->tx) | atelier_ring_more(&v->rx)))
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
	.ndo_features_check = features_check,
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
	dev->features = dev->hw_features = NETIF_F_SG | NETIF_F_IP_CSUM | NETIF_F_TSO;
	netif_set_tso_max_size(dev, LARGE);
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

static void remove_vif(u32 number)
{
	struct net_device *dev = vifs[number];
	struct vif *v = netdev_priv(dev);

	vifs[number] = NULL;
	unregister_netdev(dev);
	free_irq(v->irq, v);
	atelier_ring_close(&v->rx);
	atelier_ring_close(&v->tx);
	free_pages_of(v);
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
