/* SPDX-License-Identifier: MIT */
/*
 * Virtual interfaces: domains' network cards, between their rings (ring.h) and the wire (paper,
 * section 3.3.5; public/ring.h).
 *
 * Of what a guest sends, the first bytes are copied once. The copy is judged, and the copy is sent;
 * the rest goes from where it lies, in frames that are held until the wire is done with it, so that
 * nobody else gets them. What a guest receives arrives in a frame of the hypervisor's, and changes
 * places with one that the guest has posted and nobody holds; or is copied into one that the guest
 * has posted for that and may write itself. Nothing else in a guest's memory is written.
 *
 * Who is next: the VIFs with something to send stand in a row, and each sends one packet in its turn.
 * One whose packet has to wait, for credit or for room on the wire, is passed over meanwhile.
 *
 * Invariants (vif_check): V1 a packet leaves a VIF only with its sender's address and if a rule lets
 * it pass; V2 in any time t a VIF with a cap sends at most B + B * t / T bytes; V3 between two packets
 * of one VIF each other one that may send does; posted frames and frames under way are held.
 */
#ifndef ATELIER_VIF_H
#define ATELIER_VIF_H

#include "lib/list.h"
#include "lib/types.h"
#include "machine.h"
#include "public/control.h"
#include "public/ring.h"
#include "ring.h"
#include "segmentation.h"
#include "vfr.h"

struct domain;

#define VIFS	192	/* on the machine: one for each domain, and a few more */

/* What a guest has asked to be sent. */
struct vif_packet {
	uint16_t id;
	int16_t error;			/* what to answer instead of sending it; 0: nothing */
	bool sum;			/* its check sum is to be made by the wire */
	struct segmentation cut;	/* how a large one is cut into several; @cut.count 0: it is not */
	uint32_t length;		/* bytes, all together, ... */
	uint32_t cost;			/* ... and those of all packets that leave */
	uint32_t have;			/* of which so many are in @header, ... */
	uint8_t header[VFR_HEADER];
	unsigned int pieces;		/* ... and the others here, each in a frame that it holds */
	struct machine_piece rest[VIF_TX_PIECES];
};

struct vif {
	struct domain *domain;		/* NULL: this one is free */
	uint32_t number;
	uint8_t mac[MAC_BYTES];
	struct vif *next_mac;		/* of those whose address has the same hash */
	struct list turn;		/* in the row, while it may have something to send */
	bool loaded;			/* @packet is next */
	struct vif_packet packet;

	uint32_t credit_bytes, credit_us;	/* B and T; one of them 0: no cap */
	uint32_t credit;			/* bytes that it may send now, at most B, ... */
	uint32_t fraction;			/* ... and what there is of another one, in parts of T */
	uint64_t refilled;			/* when that was so */

	/* Posted frames, the oldest first; indices run freely. */
	struct vif_rx_request posted[VIF_RX_SLOTS];
	uint32_t post, take;
	mfn_t spare;			/* the hypervisor's: for a copy that is to be received */

	uint64_t tx_packets, tx_bytes, tx_dropped, tx_refused;
	uint64_t rx_packets, rx_bytes, rx_dropped;
};

/* A domain's share. */
struct vifs {
	struct vif *vifs[RING_DEVICES];
};

void vif_init(void);

/* How many frames vif_start() will take. */
uint32_t vif_frames(void);

/* At start: if there is a wire, domain 0 gets its address as VIF 0, and rules to use it. */
void vif_start(void);

/*
 * Gives @d a VIF. It is found by nobody before all of it is there.
 *   -EINVAL  no such number, or an address of nobody or of many
 *   -EEXIST  @d has that number, or somebody that address
 *   -ENOSPC  all VIFS are taken, or no frame is free
 */
int vif_create(struct domain *d, const struct control_vif *want);

/* NULL: @d has no such VIF. */
struct vif *vif_find(struct domain *d, uint32_t number);

/*
 * Takes a VIF away: what it has not sent, and what was posted, is answered with -ENODEV, and the
 * rules that name it go. What is under way on the wire gets there, and is answered then.
 */
void vif_destroy(struct vif *v);

/* All of a dying domain's. */
void vifs_destroy(struct domain *d);

void vif_info(const struct vif *v, struct control_vif *info);
uint32_t vif_count(const struct domain *d);

/*
 * The one whose turn it is, with a packet that can go or be refused now, and at the end of the row
 * from now on; NULL: there is none. One that has nothing to send leaves the row.
 */
struct vif *vif_next(void);

/* Adds to @v's credit what it has earned up to @now. */
void vif_refill(struct vif *v, uint64_t now);

/* Sends @v's loaded packet, or says in the answer why not. */
void vif_transmit(struct vif *v);

/* How many bytes a packet of this request may have. */
uint32_t vif_longest(const struct vif_tx_request *q);

/*
 * When all of @p is there: what will leave, @p->cut and @p->cost. -EINVAL: it is to be cut, which cannot be (segmentation.h),
 * or without a check sum.
 */
int vif_plan(const struct vif_tx_request *q, struct vif_packet *p);

/*
 * For a guest that has posted frames to be copied into: the packet at MACHINE_WIRE_OFFSET in the hypervisor's @frame
 * is copied, or dropped. False: @v has none such.
 */
bool vif_copy_in(struct vif *v, mfn_t frame, uint32_t length, uint16_t flags);

/* Takes a frame that is @v's domain's own, and held by nobody, to receive into by exchange. -EINVAL, -EBUSY. */
int vif_post(struct vif *v, const struct vif_rx_request *request);

/* Doors for pc/, with nothing else under way: the wire has sent the packet of machine_wire_send(). */
void vif_sent(uint32_t token);

/*
 * A packet came by wire into @frame, at MACHINE_WIRE_OFFSET, or something that is none and has a length
 * above VIF_PACKET_MAX; @verified: the wire found its check sums right. Returns the frame for the next
 * one, @frame itself or one in its place.
 */
mfn_t vif_receive(mfn_t frame, uint32_t length, bool verified);

/* machine_wire_alarm() has come. */
void vif_alarm(void);

bool vif_check(void);

#endif
