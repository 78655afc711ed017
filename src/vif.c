// SPDX-License-Identifier: MIT
#include "vif.h"
#include "console.h"
#include "crash.h"
#include "domain.h"
#include "frame.h"
#include "lib/string.h"

#define PACKETS_A_RUN	64u	/* after which whoever waits for the processor gets it */
#define PACKETS_A_LOOK	8u	/* and after which is looked whether an interrupt waits: a card has one for each packet */
#define NS_PER_US	1000u
#define FIRST_RANK	1000u	/* of domain 0's first rules: there is room on both sides */
#define MAC_HASHES	256u

_Static_assert(RING_DEVICES == VIF_DEVICES, "a VIF has a ring of its number");

static const struct vfr_end wire = { RULE_WIRE, RULE_ANY };

/* A packet that the wire is at work on. */
struct flight {
	struct domain *domain;		/* NULL: free */
	uint32_t number;		/* of the VIF, which may be gone */
	uint16_t id;
	unsigned int pieces;
	struct machine_piece rest[VIF_TX_PIECES];	/* each holds its frame */
};

static struct {
	struct vif vifs[VIFS];
	struct vif *by_mac[MAC_HASHES];	/* all of them, by the last byte of the address */
	struct list row;
	struct flight flights[MACHINE_WIRE_PACKETS];
	uint8_t free_flights[MACHINE_WIRE_PACKETS];	/* their tokens */
	unsigned int free_count;
	uint64_t due;			/* the first that waits for credit may go then; of the last vif_next() */
} state;

#define for_each_vif(v) \
	for (struct vif *v = state.vifs; v < state.vifs + VIFS; v++) \
		if (v->domain)

/* ---- who is who ---- */

struct vif *vif_find(struct domain *d, uint32_t number)
{
	return number < RING_DEVICES ? d->vifs.vifs[number] : NULL;
}

/* Of two that were made by a hand or a counter, the last byte differs. */
static struct vif **mac_chain(const uint8_t *mac)
{
	return &state.by_mac[mac[MAC_BYTES - 1] % MAC_HASHES];
}

static struct vif *find_mac(const uint8_t *mac)
{
	struct vif *v = *mac_chain(mac);

	while (v && memcmp(v->mac, mac, MAC_BYTES) != 0)
		v = v->next_mac;
	return v;
}

static bool is_for_many(const uint8_t *mac)
{
	return mac[0] & 1;
}

static struct vfr_end end_of(const struct vif *v)
{
	return (struct vfr_end){ v->domain->id, v->number };
}

static struct ring *tx_ring(struct vif *v)
{
	return ring_find(v->domain, RING_VIF_TX, v->number);
}

static struct ring *rx_ring(struct vif *v)
{
	return ring_find(v->domain, RING_VIF_RX, v->number);
}

/* ---- a packet of a guest's ---- */

static void drop_holds(const struct machine_piece *rest, unsigned int pieces)
{
	for (unsigned int i = 0; i < pieces; i++)
		frame_put(rest[i].frame);
}

/* Empty; and what @have and @pieces do not count is not looked at. */
static void begin_packet(struct vif_packet *p, uint16_t id)
{
	p->id = id;
	p->error = 0;
	p->sum = false;
	p->cut.count = 0;
	p->length = p->have = p->pieces = 0;
}

/* The first bytes are copied, once; what a piece has beyond them stays where it is. */
static void add_piece(struct vif_packet *p, mfn_t frame, uint32_t offset, uint32_t length)
{
	uint32_t n = MIN(length, VFR_HEADER - p->have);

	if (n > 0)
		memcpy(p->header + p->have, (uint8_t *)machine_map_frame(frame, WINDOW_DATA) + offset, n);
	p->have += n;
	p->length += length;
	if (length > n)
		p->rest[p->pieces++] = (struct machine_piece){ frame, offset + n, length - n };
}

uint32_t vif_longest(const struct vif_tx_request *q)
{
	return q->flags & VIF_TX_SEGMENTS ? VIF_LARGE_MAX : VIF_PACKET_MAX;
}

int vif_plan(const struct vif_tx_request *q, struct vif_packet *p)
{
	int err = 0;

	p->cost = p->length;
	if (q->flags & VIF_TX_SEGMENTS) {
		err = p->sum ? segmentation_plan(&p->cut, p->header, p->have, p->length, q->segment) : -EINVAL;
		p->cost = segmentation_bytes(&p->cut);
	}
	return err;
}

/*
 * Makes a packet of the pieces, and holds those frames that there is still something to read from.
 * -EINVAL: it is none. What is held then is dropped with the answer.
 */
static int gather(struct domain *d, const struct vif_tx_request *q, struct vif_packet *p)
{
	if (q->pieces == 0 || q->pieces > VIF_TX_PIECES || (q->flags & ~(VIF_TX_CSUM | VIF_TX_SEGMENTS)))
		return -EINVAL;
	for (unsigned int i = 0; i < q->pieces; i++) {
		uint32_t offset = q->piece[i].address % PAGE_SIZE, length = q->piece[i].length;
		mfn_t frame = MFN(q->piece[i].address >> PAGE_SHIFT);
		unsigned int before = p->pieces;

		if (length == 0 || length > PAGE_SIZE - offset || length > vif_longest(q) - p->length)
			return -EINVAL;
		if (frame_get(d, frame))
			return -EINVAL;
		add_piece(p, frame, offset, length);
		if (p->pieces == before)
			frame_put(frame);
	}
	return vif_plan(q, p);
}

static bool has_cap(const struct vif *v)
{
	return v->credit_bytes > 0 && v->credit_us > 0;
}

/* Takes one request, if there is one. It is judged when its turn comes. */
static bool load(struct vif *v)
{
	struct ring *r = tx_ring(v);
	struct vif_packet *p = &v->packet;
	struct vif_tx_request q;

	if (!r)
		return false;
	while (ring_take(r, &q) <= 0)
		if (!ring_more(r))
			return false;
	begin_packet(p, q.id);
	p->sum = q.flags & VIF_TX_CSUM;
	p->error = gather(v->domain, &q, p);
	if (!p->error && has_cap(v) && p->cost > v->credit_bytes)
		p->error = -ENOSPC;		/* it would wait for ever */
	v->loaded = true;
	return true;
}

/* @v has nothing loaded any more. */
static void answer(struct vif *v, int status)
{
	struct vif_tx_response a = { v->packet.id, status };

	drop_holds(v->packet.rest, v->packet.pieces);
	v->loaded = false;
	ring_respond(tx_ring(v), &a, 1);
}

/* ---- into a guest ---- */

int vif_post(struct vif *v, const struct vif_rx_request *request)
{
	struct frame *f = frame_record(MFN(request->frame));

	if (!f || f->owner != v->domain->id)
		return -EINVAL;
	/* The reservation's reference alone: no mapping, no use, and not posted before. */
	if (!f->reserved || f->refs != 1)
		return -EBUSY;
	f->refs++;
	v->posted[v->post++ % VIF_RX_SLOTS] = *request;
	return 0;
}

static void respond_error(struct ring *r, uint16_t id, int error, mfn_t frame)
{
	struct vif_rx_response a = { .id = id, .length = error, .frame = frame.n };

	ring_respond(r, &a, 1);
}

/*
 * The oldest posted frame that its domain has not got a hold on since: it is no longer posted.
 * MFN_NONE: there is none.
 */
static mfn_t take_posted(struct vif *v, uint16_t *id)
{
	while (v->take != v->post) {
		const struct vif_rx_request *q = &v->posted[v->take++ % VIF_RX_SLOTS];
		mfn_t frame = MFN(q->frame);

		*id = q->id;
		frame_put(frame);
		if (frame_record(frame)->refs == 1)
			return frame;
		respond_error(rx_ring(v), q->id, -EBUSY, frame);
	}
	return MFN_NONE;
}

/* A packet, or what was none, was written into a frame of the hypervisor's. */
static void note_packet(mfn_t frame, uint32_t length)
{
	struct frame *f = frame_record(frame);

	if (length > VIF_PACKET_MAX)
		f->packet_end = 0;
	else if (f->packet_end)
		f->packet_end = MAX(f->packet_end, MACHINE_WIRE_OFFSET + length);
}

/*
 * What the guest gets besides the packet is nothing, not what somebody else left there. A frame that only had
 * packets in it has zeros elsewhere.
 */
static void clear_around(mfn_t frame, uint32_t length)
{
	uint8_t *bytes = machine_map_frame(frame, WINDOW_DATA);
	struct frame *f = frame_record(frame);
	uint32_t end = MACHINE_WIRE_OFFSET + length;

	if (f->packet_end) {
		machine_clear(bytes + end, f->packet_end - end);
	} else {
		memset(bytes, 0, MACHINE_WIRE_OFFSET);
		machine_clear(bytes + end, PAGE_SIZE - end);
	}
	f->packet_end = end;
}

/* A guest that wants copies gets none by exchange: the requests that wait are all of one kind. */
static bool wants_copies(const struct vif *v)
{
	return v->take != v->post && (v->posted[v->take % VIF_RX_SLOTS].flags & VIF_RX_COPY);
}

static int post_copy(struct vif *v, const struct vif_rx_request *q)
{
	v->posted[v->post++ % VIF_RX_SLOTS] = *q;
	return 0;
}

static int post(struct vif *v, const struct vif_rx_request *q)
{
	bool copy = q->flags & VIF_RX_COPY;

	if ((q->flags & ~VIF_RX_COPY) || (v->take != v->post && copy != wants_copies(v)))
		return -EINVAL;
	return copy ? post_copy(v, q) : vif_post(v, q);
}

/* The oldest of those requests whose frame its domain may write now. NULL: there is none. */
static const struct vif_rx_request *take_copy(struct vif *v)
{
	while (v->take != v->post) {
		const struct vif_rx_request *q = &v->posted[v->take++ % VIF_RX_SLOTS];

		if (frame_is_writable(v->domain, MFN(q->frame)))
			return q;
		respond_error(rx_ring(v), q->id, -EBUSY, MFN(q->frame));
	}
	return NULL;
}

bool vif_copy_in(struct vif *v, mfn_t frame, uint32_t length, uint16_t flags)
{
	struct vif_rx_response a = { .offset = MACHINE_WIRE_OFFSET, .length = length, .flags = flags };
	const struct vif_rx_request *q;
	uint8_t *to;

	if (!wants_copies(v))
		return false;
	q = take_copy(v);
	if (!q) {
		v->rx_dropped++;
		return true;
	}
	a.id = q->id;
	a.frame = q->frame;
	to = (uint8_t *)machine_map_frame(MFN(q->frame), WINDOW_COPY) + MACHINE_WIRE_OFFSET;
	memcpy(to, (uint8_t *)machine_map_frame(frame, WINDOW_DATA) + MACHINE_WIRE_OFFSET, length);
	v->rx_packets++;
	v->rx_bytes += length;
	ring_respond(rx_ring(v), &a, 1);
	return true;
}

/* The packet in the hypervisor's @frame becomes @v's domain's. Returns the hypervisor's in its place. */
static mfn_t deliver(struct vif *v, mfn_t frame, uint32_t length, uint16_t flags)
{
	struct vif_rx_response a = { .offset = MACHINE_WIRE_OFFSET, .length = length, .flags = flags, .frame = frame.n };
	mfn_t posted;

	if (vif_copy_in(v, frame, length, flags))
		return frame;
	posted = take_posted(v, &a.id);
	if (mfn_equal(posted, MFN_NONE)) {
		v->rx_dropped++;
		return frame;
	}
	clear_around(frame, length);
	frame_pool_swap(posted, frame);
	v->rx_packets++;
	v->rx_bytes += length;
	ring_respond(rx_ring(v), &a, 1);
	return posted;
}

/* The same with a copy of @p's pieces, or one of each packet that it is cut into. */
static void deliver_copy(struct vif *v, const struct vif_packet *p)
{
	uint16_t flags = p->sum ? VIF_RX_CSUM_OK | VIF_RX_CSUM_BLANK : 0;
	uint32_t i = 0, length;
	uint8_t *to;

	do {
		if (v->take == v->post) {
			v->rx_dropped++;
			continue;
		}
		to = (uint8_t *)machine_map_frame(v->spare, WINDOW_COPY) + MACHINE_WIRE_OFFSET;
		length = segmentation_copy(&p->cut, i, p->header, p->have, p->rest, p->pieces, to);
		note_packet(v->spare, length);
		v->spare = deliver(v, v->spare, length, flags);
	} while (++i < p->cut.count);
}

/* ---- out of a guest ---- */

/* A sender says who it is twice, with ARP, and may say nothing else. */
static bool is_forged(const struct vif *v, const struct vfr_packet *h)
{
	return memcmp(h->from, v->mac, MAC_BYTES) != 0 ||
	       (h->is_arp && memcmp(h->arp_sender, v->mac, MAC_BYTES) != 0);
}

/* The holds go along, and the answer comes when they are no longer needed: vif_sent(). */
static void take_off(struct vif *v, struct machine_sum sum)
{
	struct vif_packet *p = &v->packet;
	uint32_t token = state.free_flights[--state.free_count];
	struct flight *f = &state.flights[token];

	f->domain = v->domain;
	f->number = v->number;
	f->id = p->id;
	f->pieces = p->pieces;
	for (unsigned int i = 0; i < p->pieces; i++)
		f->rest[i] = p->rest[i];
	v->loaded = false;
	sum.segment = p->cut.count > 0 ? p->cut.segment : 0;
	machine_wire_send(p->header, p->have, p->rest, p->pieces, token, sum);
}

static bool send_to(struct vif *v, struct vif *to, const struct vfr_packet *h)
{
	if (vfr_match(h, end_of(v), end_of(to)) != RULE_ACCEPT)
		return false;
	deliver_copy(to, &v->packet);
	return true;
}

/* To those on this machine that it is for; whether a rule let it pass to one of them. @to: who has its address. */
static bool send_inside(struct vif *v, struct vif *to, const struct vfr_packet *h)
{
	bool passed = false;

	if (!is_for_many(h->to))
		return to && send_to(v, to, h);
	for_each_vif(each)
		if (each != v && send_to(v, each, h))
			passed = true;
	return passed;
}

static void charge(struct vif *v)
{
	v->tx_packets += MAX(v->packet.cut.count, 1);
	v->tx_bytes += v->packet.cost;
	if (has_cap(v))
		v->credit -= v->packet.cost;
}

static void refuse(struct vif *v, int error)
{
	if (error == -EACCES)
		v->tx_refused++;
	else
		v->tx_dropped++;
	answer(v, error);
}

void vif_transmit(struct vif *v)
{
	struct vif_packet *p = &v->packet;
	bool inside, outside;
	struct vfr_packet h;
	struct vif *to;

	if (!p->error)
		p->error = vfr_parse(p->header, p->have, p->length, &h);
	if (!p->error && is_forged(v, &h))
		p->error = -EACCES;
	else if (!p->error && p->sum && !h.sum_at)
		p->error = -EINVAL;
	if (p->error) {
		refuse(v, p->error);
		return;
	}
	to = find_mac(h.to);
	inside = send_inside(v, to, &h);
	outside = !to && machine_wire_mac() && vfr_match(&h, end_of(v), wire) == RULE_ACCEPT;
	if (!inside && !outside) {
		refuse(v, -EACCES);
		return;
	}
	charge(v);
	if (outside)
		take_off(v, p->sum ? (struct machine_sum){ h.sum_start, h.sum_at, 0 } : (struct machine_sum){ 0, 0, 0 });
	else
		answer(v, 0);
}

/* ---- turns and credit ---- */

void vif_refill(struct vif *v, uint64_t now)
{
	uint64_t us = (now - v->refilled) / NS_PER_US, parts;

	if (us >= v->credit_us) {		/* more than a whole period: full, and no product that overflows */
		v->credit = v->credit_bytes;
		v->fraction = 0;
		v->refilled = now;
		return;
	}
	parts = us * v->credit_bytes + v->fraction;	/* below 2^64, for each factor is below 2^32 */
	v->refilled += us * NS_PER_US;
	v->fraction = parts % v->credit_us;
	parts = parts / v->credit_us + v->credit;
	if (parts >= v->credit_bytes) {
		parts = v->credit_bytes;
		v->fraction = 0;
	}
	v->credit = parts;
}

/* When @v will have earned @missing bytes. */
static uint64_t earned_at(const struct vif *v, uint32_t missing)
{
	uint64_t parts = (uint64_t)missing * v->credit_us - v->fraction;

	return v->refilled + DIV_ROUND_UP(parts, v->credit_bytes) * NS_PER_US;
}

/* Whether @v's loaded packet can go now, or be refused. */
static bool may_go(struct vif *v)
{
	const struct vif_packet *p = &v->packet;

	if (p->error || p->length < ETHERNET_BYTES)
		return true;
	if (has_cap(v)) {
		vif_refill(v, machine_now());
		if (p->cost > v->credit) {
			state.due = MIN(state.due, earned_at(v, p->cost - v->credit));
			return false;
		}
	}
	/* To nobody here, or to many: it is for the wire, among others. */
	return machine_wire_room() > 0 || !machine_wire_mac() || find_mac(p->header);
}

struct vif *vif_next(void)
{
	struct list *next;

	state.due = UINT64_MAX;
	for (struct list *at = state.row.next; at != &state.row; at = next) {
		struct vif *v = list_entry(at, struct vif, turn);

		next = at->next;
		if (!v->loaded && !load(v)) {
			list_remove(at);
		} else if (may_go(v)) {
			list_remove(at);
			list_insert(at, &state.row);
			return v;
		}
	}
	return NULL;
}

/* Whoever's call or interrupt this is: what lies between these two @d pays. */
static void begin_for(const struct domain *d)
{
	if (d != sched_current())
		sched_meter();
}

static void end_for(struct domain *d)
{
	if (d != sched_current())
		sched_bill(d);
}

/* Turn by turn, as long as nobody else needs the processor. */
static void run(void)
{
	unsigned int packets = 0, look = PACKETS_A_LOOK;
	struct vif *v;

	while ((v = vif_next()) != NULL) {
		packets += MAX(v->packet.cut.count, 1);
		begin_for(v->domain);
		vif_transmit(v);
		end_for(v->domain);
		if (packets >= PACKETS_A_RUN || (packets >= look && machine_interrupt_due())) {
			state.due = machine_now();
			break;
		}
		if (packets >= look)
			look = packets + PACKETS_A_LOOK;
	}
	if (state.due != UINT64_MAX)
		machine_wire_alarm(state.due);
}

void vif_alarm(void)
{
	run();
}

/* ---- the wire ---- */

void vif_sent(uint32_t token)
{
	struct flight *f = &state.flights[token];
	struct vif_tx_response a = { f->id, 0 };
	struct domain *d = f->domain;

	ASSERT(d);
	begin_for(d);
	f->domain = NULL;
	state.free_flights[state.free_count++] = token;
	drop_holds(f->rest, f->pieces);
	ring_respond(ring_find(d, RING_VIF_TX, f->number), &a, 1);
	end_for(d);
	if (!list_empty(&state.row))
		run();
}

static bool may_enter(const struct vif *v, const struct vfr_packet *h)
{
	return vfr_match(h, wire, end_of(v)) == RULE_ACCEPT;
}

/* A packet as it lies in a frame that the wire has filled. */
static void receive_many(mfn_t frame, uint32_t length, const struct vfr_packet *h)
{
	struct vif_packet p;

	begin_packet(&p, 0);
	add_piece(&p, frame, MACHINE_WIRE_OFFSET, length);
	for_each_vif(v)
		if (may_enter(v, h))
			deliver_copy(v, &p);
}

mfn_t vif_receive(mfn_t frame, uint32_t length, bool verified)
{
	const uint8_t *header = (uint8_t *)machine_map_frame(frame, WINDOW_DATA) + MACHINE_WIRE_OFFSET;
	struct vfr_packet h;
	struct vif *v;

	note_packet(frame, length);
	if (length > VIF_PACKET_MAX)
		return frame;
	/* The frame is ours, and the wire is done with it. Nobody out there has an address of ours. */
	if (vfr_parse(header, MIN(length, VFR_HEADER), length, &h) || find_mac(h.from))
		return frame;
	if (is_for_many(h.to)) {
		receive_many(frame, length, &h);
		return frame;
	}
	v = find_mac(h.to);
	if (!v)
		return frame;
	begin_for(v->domain);
	if (may_enter(v, &h))
		frame = deliver(v, frame, length, verified ? VIF_RX_CSUM_OK : 0);
	end_for(v->domain);
	return frame;
}

/* ---- the rings' side ---- */

static bool present(const struct domain *d, uint32_t device)
{
	return d->vifs.vifs[device] != NULL;
}

static void tell_mac(const struct domain *d, uint32_t device, struct ring_op *op)
{
	memcpy(&op->frame, d->vifs.vifs[device]->mac, sizeof(op->frame));
	op->port = 0;
	memcpy(&op->port, d->vifs.vifs[device]->mac + sizeof(op->frame), MAC_BYTES - sizeof(op->frame));
}

/* Requests to a VIF that is gone. */
static void refuse_tx(struct ring *r)
{
	struct vif_tx_request q;

	do {
		while (ring_take(r, &q) > 0)
			ring_respond(r, &(struct vif_tx_response){ q.id, -ENODEV }, 1);
	} while (ring_more(r));
}

static void tx_kick(struct ring *r)
{
	struct vif *v = vif_find(r->domain, r->device);

	if (!v) {
		refuse_tx(r);
		return;
	}
	if (list_empty(&v->turn))
		list_insert(&v->turn, &state.row);
	run();
}

static void tx_stopped(struct ring *r)
{
	struct vif *v = vif_find(r->domain, r->device);

	if (!v)
		return;
	list_remove(&v->turn);
	if (v->loaded)
		answer(v, -ENODEV);
}

static void rx_kick(struct ring *r)
{
	struct vif *v = vif_find(r->domain, r->device);
	struct vif_rx_request q;

	do {
		while (ring_take(r, &q) > 0) {
			int err = v ? post(v, &q) : -ENODEV;

			if (err)
				respond_error(r, q.id, err, MFN(q.frame));
		}
	} while (ring_more(r));
}

static void rx_stopped(struct ring *r)
{
	struct vif *v = vif_find(r->domain, r->device);

	while (v && v->take != v->post) {
		const struct vif_rx_request *q = &v->posted[v->take++ % VIF_RX_SLOTS];

		if (!(q->flags & VIF_RX_COPY))
			frame_put(MFN(q->frame));
		respond_error(r, q->id, -ENODEV, MFN(q->frame));
	}
}

/* ---- life and death ---- */

static bool mac_ok(const uint8_t *mac)
{
	static const uint8_t nobody[MAC_BYTES];

	return !is_for_many(mac) && memcmp(mac, nobody, MAC_BYTES) != 0;
}

static struct vif *free_vif(void)
{
	for (struct vif *v = state.vifs; v < state.vifs + VIFS; v++)
		if (!v->domain)
			return v;
	return NULL;
}

int vif_create(struct domain *d, const struct control_vif *want)
{
	struct vif *v = free_vif();
	mfn_t spare;

	if (want->number >= RING_DEVICES || want->reserved || !mac_ok(want->mac))
		return -EINVAL;
	if (vif_find(d, want->number) || find_mac(want->mac))
		return -EEXIST;
	spare = v ? frame_pool_alloc(NULL) : MFN_NONE;
	if (mfn_equal(spare, MFN_NONE))
		return -ENOSPC;

	*v = (struct vif){ .number = want->number, .spare = spare, .refilled = machine_now(),
			   .credit_bytes = want->credit_bytes, .credit_us = want->credit_us,
			   .credit = want->credit_bytes };
	memcpy(v->mac, want->mac, MAC_BYTES);
	list_init(&v->turn);
	v->domain = d;
	v->next_mac = *mac_chain(v->mac);
	*mac_chain(v->mac) = v;
	d->vifs.vifs[v->number] = v;
	return 0;
}

static void forget_mac(struct vif *v)
{
	struct vif **at = mac_chain(v->mac);

	while (*at != v)
		at = &(*at)->next_mac;
	*at = v->next_mac;
}

void vif_destroy(struct vif *v)
{
	struct domain *d = v->domain;
	struct ring *tx = tx_ring(v), *rx = rx_ring(v);

	if (tx)
		tx_stopped(tx);
	if (rx)
		rx_stopped(rx);
	vfr_forget(d->id, v->number);
	forget_mac(v);
	frame_put(v->spare);
	d->vifs.vifs[v->number] = NULL;
	v->domain = NULL;
}

void vifs_destroy(struct domain *d)
{
	for (uint32_t i = 0; i < RING_DEVICES; i++)
		if (d->vifs.vifs[i])
			vif_destroy(d->vifs.vifs[i]);
	vfr_forget(d->id, RULE_ANY);
}

void vif_info(const struct vif *v, struct control_vif *info)
{
	*info = (struct control_vif){
		.number = v->number,
		.credit_bytes = v->credit_bytes,
		.credit_us = v->credit_us,
		.tx_packets = v->tx_packets,
		.tx_bytes = v->tx_bytes,
		.tx_dropped = v->tx_dropped,
		.tx_refused = v->tx_refused,
		.rx_packets = v->rx_packets,
		.rx_bytes = v->rx_bytes,
		.rx_dropped = v->rx_dropped,
	};
	memcpy(info->mac, v->mac, MAC_BYTES);
}

uint32_t vif_count(const struct domain *d)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < RING_DEVICES; i++)
		n += d->vifs.vifs[i] != NULL;
	return n;
}

/* ---- auditing ---- */

static void each_hold(frame_see_fn *see)
{
	for_each_vif(v) {
		for (uint32_t i = v->take; i != v->post && !wants_copies(v); i++)
			see(MFN(v->posted[i % VIF_RX_SLOTS].frame), FRAME_NONE);
		for (unsigned int i = 0; v->loaded && i < v->packet.pieces; i++)
			see(v->packet.rest[i].frame, FRAME_NONE);
	}
	for (uint32_t token = 0; token < MACHINE_WIRE_PACKETS; token++) {
		const struct flight *f = &state.flights[token];

		for (unsigned int i = 0; f->domain && i < f->pieces; i++)
			see(f->rest[i].frame, FRAME_NONE);
	}
}

/* NULL, or what is wrong with it. */
static const char *fault_of(struct vif *v)
{
	if (vif_find(v->domain, v->number) != v)
		return "its domain does not know it";
	if (v->domain->life != LIFE_OPEN)
		return "its domain is dying";
	if (v->post - v->take > VIF_RX_SLOTS)
		return "more is posted than its ring has slots";
	if (has_cap(v) && (v->credit > v->credit_bytes || v->fraction >= v->credit_us))
		return "it has more credit than it may save up";
	if (frame_record(v->spare)->owner != OWNER_MACHINE)
		return "its spare frame is a domain's";
	for (uint32_t i = v->take; i != v->post && !wants_copies(v); i++)
		if (frame_record(MFN(v->posted[i % VIF_RX_SLOTS].frame))->owner != v->domain->id)
			return "a frame is posted that is not its domain's";
	return NULL;
}

bool vif_check(void)
{
	for_each_vif(v) {
		const char *fault = fault_of(v);

		if (!fault)
			continue;
		console_printf("vif_check: domain %u, VIF %u: %s\n", v->domain->id, v->number, fault);
		return false;
	}
	return true;
}

/* ---- start ---- */

static void let_pass(struct vfr_end from, struct vfr_end to)
{
	struct control_rule rule = { .rank = FIRST_RANK, .action = RULE_ACCEPT,
				     .from_domain = from.domain, .from_vif = from.vif,
				     .to_domain = to.domain, .to_vif = to.vif };

	vfr_add(&rule);
}

uint32_t vif_frames(void)
{
	return machine_wire_mac() ? machine_wire_buffers() + 1 : 0;
}

void vif_start(void)
{
	struct domain *d = domain_find(NULL, 0);
	struct control_vif first = { .number = 0 };
	struct vfr_end self = { 0, 0 };
	int err;

	if (!machine_wire_mac())
		return;
	memcpy(first.mac, machine_wire_mac(), MAC_BYTES);
	err = vif_create(d, &first);
	if (err) {
		console_printf("domain 0 has no network interface: error %d\n", err);
		return;
	}
	let_pass(self, wire);
	let_pass(wire, self);
	for (unsigned int i = 0; i < machine_wire_buffers(); i++) {
		mfn_t frame = frame_pool_alloc(NULL);

		if (!mfn_equal(frame, MFN_NONE))
			machine_wire_give(frame);
	}
}

void vif_init(void)
{
	static const struct ring_class tx = {
		.slots = VIF_TX_SLOTS,
		.request = sizeof(struct vif_tx_request),
		.response = sizeof(struct vif_tx_response),
		.present = present,
		.info = tell_mac,
		.kick = tx_kick,
		.stopped = tx_stopped,
	};
	static const struct ring_class rx = {
		.slots = VIF_RX_SLOTS,
		.request = sizeof(struct vif_rx_request),
		.response = sizeof(struct vif_rx_response),
		.present = present,
		.info = tell_mac,
		.kick = rx_kick,
		.stopped = rx_stopped,
	};

	memset(&state, 0, sizeof(state));
	list_init(&state.row);
	while (state.free_count < MACHINE_WIRE_PACKETS) {
		state.free_flights[state.free_count] = state.free_count;
		state.free_count++;
	}
	vfr_init();
	ring_register_class(RING_VIF_TX, &tx);
	ring_register_class(RING_VIF_RX, &rx);
	frame_register_holder(each_hold);
}
