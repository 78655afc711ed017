/* SPDX-License-Identifier: MIT */
/*
 * Rings of descriptors: how requests and responses travel (paper, section 3.2.2; Figure 2).
 *
 * A ring is one frame of the domain: this header, then slots of the class's size. Indices run
 * freely through 32 bits; index i lives in slot i mod size. The guest writes requests and
 * @req_prod; the hypervisor copies each request once and writes responses, in any order and each
 * naming its request's @id, and @rsp_prod. A response takes the slot of a request that was
 * consumed. If req_prod runs ahead of rsp_prod by more than the size, the ring stops (RING_STOPPED)
 * and one last event says so.
 *
 * Suppression: whoever sleeps writes the index at which to be woken into its event field, and looks
 * once more. The guest kicks (RING_kick) when req_prod passes req_event; the hypervisor raises the
 * port when rsp_prod passes rsp_event.
 */
#ifndef ATELIER_PUBLIC_RING_H
#define ATELIER_PUBLIC_RING_H

#include "atelier.h"

#define RING_CONSOLE	0	/* a domain's console, both ways; domain 0 is at the other end */
#define RING_VIF_TX	1	/* device: number of the VIF */
#define RING_VIF_RX	2
#define RING_VBD	3	/* one for all virtual block devices of the domain */
#define RING_CLASSES	4

#define RING_STOPPED	1	/* the hypervisor found an impossible index */

/* ring_op(struct ring_op *) */
#define RING_register	0	/* in class, device, frame, port. The frame is held as writable until
				   the end. -EEXIST, -ENODEV, -EBUSY, -EINVAL (port not open) */
#define RING_unregister	1	/* in class, device. -ENODEV; -EAGAIN: requests are under way */
#define RING_kick	2	/* in class, device: there are requests */
#define RING_info	3	/* in class, device, which needs no ring; out frame and port: the six bytes of a
				   VIF's address, as they lie in memory. -ENODEV; -ENOSYS: another class */

#ifndef __ASSEMBLY__
struct ring_op {
	uint32_t op;
	uint32_t ring_class;
	uint32_t device;
	uint32_t frame;
	uint32_t port;
	uint32_t reserved;
};

struct ring_header {
	uint32_t req_prod;	/* guest */
	uint32_t req_event;	/* hypervisor */
	uint32_t rsp_prod;	/* hypervisor */
	uint32_t rsp_event;	/* guest */
	uint32_t flags;		/* hypervisor: RING_STOPPED */
	uint32_t reserved[11];
};

/*
 * RING_CONSOLE: 32 slots of 64 bytes. A request with @count 0 asks for input and is answered when
 * there is some; one with bytes is output, answered with how many were taken, when domain 0 has
 * them.
 */
#define CONSOLE_SLOTS		32
struct console_slot {
	uint16_t id;
	uint16_t count;		/* bytes of @data */
	uint8_t data[60];
};

/*
 * RING_VIF_TX: a packet is 14 to 1,514 bytes, in pieces of the domain's own frames (machine
 * addresses), none empty and none across a page's end. Its first 80 bytes are copied when the
 * request is taken, and are what rules look at and what is sent; from the rest the device reads
 * until the answer. The source address, and with ARP the sender's, must be the VIF's.
 *
 * With VIF_TX_CSUM it is TCP or UDP over IPv4, no fragment, and the field of its check sum holds only the sum of the
 * pseudo-header: the wire adds what follows, up to the packet's end. A domain that receives it gets it as it is.
 *
 * With VIF_TX_SEGMENTS as well it is TCP, of up to VIF_LARGE_MAX bytes, and leaves as several packets with the same
 * headers, which lie in the first 80 bytes, and @segment bytes of payload each, at least 80, the last one with what is
 * left: VIF_SEGMENTS at most, and each no longer than another packet. Their numbers follow on each other; FIN and PSH are in
 * the last one. They are one packet's turn, judged once, and cost as much credit as all of them have bytes.
 */
#define VIF_TX_SLOTS		64
#define VIF_TX_PIECES		4
#define VIF_PACKET_MAX		1514
#define VIF_DEVICES		4	/* VIFs that a domain can have: numbers from 0 on */
#define VIF_LARGE_MAX		16384
#define VIF_SEGMENTS		40
#define VIF_TX_CSUM		1
#define VIF_TX_SEGMENTS		2
struct vif_tx_request {
	uint16_t id;
	uint16_t pieces;
	uint16_t flags;		/* VIF_TX_CSUM, VIF_TX_SEGMENTS; another one is malformed */
	uint16_t segment;	/* VIF_TX_SEGMENTS */
	struct { uint32_t address; uint16_t length, reserved; } piece[VIF_TX_PIECES];
};
struct vif_tx_response {
	uint16_t id;
	int16_t status;		/* 0 sent (or dropped by who receives); -EINVAL malformed; -EACCES no rule
				   lets it pass, or a false sender; -ENOSPC larger than the VIF's credit;
				   -ENODEV the VIF or the ring is gone */
};

/*
 * RING_VIF_RX: an unused frame, mapped nowhere, for each packet; another one comes back with the
 * packet in it and zeros around it. The new frame has the other's entry in the machine-to-physical
 * table. Frames are filled in the order in which they were posted. Errors: -EINVAL not the domain's,
 * -EBUSY in use, when it was posted or when it was its turn; -ENODEV the VIF or the ring is gone.
 *
 * With VIF_RX_COPY the frame stays the domain's, which has it mapped writable when it is its turn (else -EBUSY): the
 * packet is copied into it, all else in it stays as it was, and it comes back itself. Those that wait are all of one kind,
 * with the flag or without: -EINVAL.
 */
#define VIF_RX_SLOTS		128
#define VIF_RX_COPY		1
struct vif_rx_request {
	uint16_t id;
	uint16_t flags;		/* VIF_RX_COPY; another one is malformed: -EINVAL */
	uint32_t frame;
};
struct vif_rx_response {
	uint16_t id;
	uint16_t offset;	/* of the packet in the frame */
	int16_t length;		/* of the packet, or a negative error: then @frame is the one that was given */
	uint16_t flags;
	uint32_t frame;
};
#define VIF_RX_CSUM_OK		1	/* the check sums were verified by the wire, or come from no wire: see VIF_TX_CSUM */
#define VIF_RX_CSUM_BLANK	2	/* the field holds only the pseudo-header's sum: it was sent with VIF_TX_CSUM */

/*
 * RING_VBD: pieces are runs of whole sectors (512 bytes) inside one frame, together the request's
 * sectors in their order. Their frames are the domain's own and held until the answer; what is read
 * into is held as writable. Reserved words are 0.
 */
#define VBD_SLOTS		32
#define VBD_PIECES		16
#define VBD_READ		0
#define VBD_WRITE		1
#define VBD_FLUSH		2	/* no pieces; answered when all that was answered before is on the disk */
#define VBD_INFO		3	/* one piece of one sector: filled with struct vbd_info and zeros */
#define VBD_BARRIER		4	/* flag on VBD_WRITE: nothing of this domain passes it, either way */
#define VBD_DEVICES		8	/* VBDs that a domain can have: numbers from 0 on */
struct vbd_request {
	uint16_t id;
	uint8_t op;
	uint8_t pieces;
	uint32_t device;	/* number of the VBD in this domain */
	uint64_t sector;	/* the first one, as the guest counts */
	struct vbd_piece {
		uint32_t frame : 20, first : 4, count : 4, reserved : 4;
	} piece[VBD_PIECES];
};
struct vbd_info {
	uint64_t sectors;	/* where its last extent ends */
	uint32_t rights;	/* EXTENT_READ, EXTENT_WRITE (control.h): what all of its extents allow */
	uint32_t reserved;
};
struct vbd_response {
	uint16_t id;
	int16_t status;		/* 0; -EINVAL malformed, or a frame that is not to be had so; -ENODEV no such
				   VBD; -ENXIO sectors that it has not; -EACCES not allowed; -EIO of the disk */
};
#endif

#endif
