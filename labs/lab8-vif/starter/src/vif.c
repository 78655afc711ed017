// SPDX-License-Identifier: MIT
#include "vif.h"

/*
 * Exercise 8.2. Makes a packet of the pieces that a guest's request names: the first VFR_HEADER bytes are
 * copied to @p->header, once, and are the only ones that anybody looks at from then on; the rest stays
 * where it is, and each frame that there is still something to read from is held (frame_get()) for an
 * entry of @p->rest. @p is empty at first. Nothing in the guest's memory is written, whatever its frames
 * are used for. -EINVAL: no pieces or more than VIF_TX_PIECES, another flag than
 * VIF_TX_CSUM and VIF_TX_SEGMENTS; a piece that is empty, leaves its frame, makes the packet longer than
 * vif_longest(@q), or is not of @d's own frames. Then @p still says what is held: the answer drops that. When all
 * of the packet is there, what vif_plan() says of it is the answer. Keeps V1. Handout, part 8.2.
 */
static int gather(struct domain *d, const struct vif_tx_request *q, struct vif_packet *p)
{
	return exercise_missing("8.2");
}

/*
 * Exercise 8.2. Sends @v's loaded packet, or says in the answer why not; in any case nothing is loaded
 * afterwards. In this order:
 *   @v->packet.error, as it stands; what vfr_parse() says
 *   -EACCES  not sent by @v's address, the sender's with ARP included
 *   -EINVAL  a check sum is wanted (@v->packet.sum) and the packet has no place for one
 *   -EACCES  no rule lets it pass to anybody
 * It goes to the VIF with its receiver's address, or if it is for many to all others, as a copy that is
 * delivered as a packet from the wire would be (exercise 8.3: deliver() with the receiver's spare frame),
 * with VIF_RX_CSUM_OK and VIF_RX_CSUM_BLANK if its check sum was wanted; and to the wire, if there is one
 * and the address is nobody's here. (A large packet, with @cut.count, is @cut.count deliveries, which
 * segmentation_copy() makes; the wire is told its @segment.) Rules are asked for each way. Who takes none or
 * drops it is no concern of the sender's. Sent by wire, it is answered when the wire is done with it, and until then
 * its frames are held: a struct flight has them, of which there is one if machine_wire_room() says that
 * there is room. Its @cost is counted in bytes, and paid for by @v's credit, if it leaves; @tx_refused counts
 * what was answered -EACCES, @tx_dropped the other refusals. Keeps V1, D2. Handout, part 8.2.
 */
void vif_transmit(struct vif *v)
{
	answer(v, exercise_missing("8.2"));
}

/*
 * Exercise 8.2. A door for pc/, with nothing else under way: the wire has sent the packet of
 * machine_wire_send(@token). Its holds are dropped, its flight is free, its request is answered with 0,
 * also if its VIF is gone meanwhile; the processor's time for it is its domain's (sched_bill()); and
 * where somebody waits for room on the wire, run() goes on. Keeps D2. Handout, part 8.2.
 */
void vif_sent(uint32_t token)
{
	exercise_missing("8.2");
}

/*
 * Exercise 8.3. Takes a frame that is @v's domain's own, and held by nobody but its reservation, to receive
 * into: it is held once more, and waits behind those that were posted before. -EINVAL: no frame of the
 * domain's; -EBUSY: somebody holds it, and be it that it was posted before. The ring has no more slots than
 * @posted has places. Keeps B2. Handout, part 8.3.
 */
int vif_post(struct vif *v, const struct vif_rx_request *request)
{
	return exercise_missing("8.3");
}

/*
 * Exercise 8.3. The oldest posted frame, which is no longer posted, nor held for that; *@id is its
 * request's. One that its domain has got another hold on since is answered with -EBUSY, and the next one
 * is looked at. MFN_NONE: there is none. Keeps B2, R2. Handout, part 8.3.
 */
static mfn_t take_posted(struct vif *v, uint16_t *id)
{
	exercise_missing("8.3");
	return MFN_NONE;
}

/*
 * Exercise 8.3. The packet of @length bytes at MACHINE_WIRE_OFFSET in @frame, which is the hypervisor's,
 * becomes @v's domain's: the frame changes places (frame_pool_swap()) with the oldest one that was posted,
 * which is returned; the guest is answered with it, the packet's place, and @flags. All bytes of the
 * frame but the packet's are zero by then: what else was there is somebody else's. First of all vif_copy_in() is
 * asked: if it says true, it has seen to the packet, and @frame is returned. Without a posted frame the
 * packet is dropped, @rx_dropped counts it, and @frame is returned. Keeps B2, R2. Handout, part 8.3.
 */
static mfn_t deliver(struct vif *v, mfn_t frame, uint32_t length, uint16_t flags)
{
	exercise_missing("8.3");
	return frame;
}

/*
 * Exercise 8.3. A door for pc/: a packet came by wire into @frame, at MACHINE_WIRE_OFFSET, or something that
 * is none and has a length above VIF_PACKET_MAX; @verified: the wire found its check sums right. It goes to
 * the VIF with its receiver's address or, as copies, to all if it is for many, where a rule lets it enter;
 * not if vfr_parse() refuses it, or it says to come from an address of a VIF here. Time spent for one VIF is
 * its domain's (sched_bill()). Returns the frame for the next packet, @frame itself or the one in its place.
 * Keeps V1, B2. Handout, part 8.3.
 */
mfn_t vif_receive(mfn_t frame, uint32_t length, bool verified)
{
	exercise_missing("8.3");
	return frame;
}

/*
 * Exercise 8.4. Adds to @v's credit what it has earned from @v->refilled up to @now, in nanoseconds: B bytes
 * in T microseconds, parts of a byte included (@fraction), and never more than B. No product overflows,
 * whatever B and T are, and time that is less than a microsecond is not lost. @v has a cap. Keeps V2.
 * Handout, part 8.4.
 */
void vif_refill(struct vif *v, uint64_t now)
{
	exercise_missing("8.4");
}

/*
 * Exercise 8.4. The one whose turn it is, with a packet loaded that can go or be refused now; it stands at
 * the end of the row from now on. NULL: there is none. On the way the next request is taken off the ring
 * (ring_take(), and ring_more() before one is given up) for each that has none loaded: gather()'s answer is
 * its @error, and -ENOSPC if its @cost is more than the credit can ever be. One that has nothing to send leaves
 * the row. One that waits keeps its place and is passed over: for credit (has_cap(); state.due becomes the
 * first moment when one of these will have earned what is missing, UINT64_MAX if nobody waits for that), or
 * for room on the wire, if its packet may be for the wire. What will be refused waits for neither. Keeps V2,
 * V3. Handout, part 8.4.
 */
struct vif *vif_next(void)
{
	exercise_missing("8.4");
	state.due = UINT64_MAX;
	return NULL;
}

/*
 * Exercise 8.5. Gives @d a VIF. It is found by nobody, by number, by address or in the row, before all of it
 * is there: a spare frame of the hypervisor's (frame_pool_alloc()), credit for B bytes at once, empty lists.
 * Refusals, in this order, after which nothing has changed:
 *   -EINVAL  no such number, @want->reserved, or an address of nobody or of many
 *   -EEXIST  @d has that number, or somebody that address
 *   -ENOSPC  all VIFS are taken, or no frame is free
 * Keeps what fault_of() looks at. Handout, part 8.5.
 */
int vif_create(struct domain *d, const struct control_vif *want)
{
	return exercise_missing("8.5");
}

/*
 * Exercise 8.5. Takes a VIF away: what it has not sent, and what was posted, is answered with -ENODEV, if
 * there are rings (tx_stopped(), rx_stopped()); the rules that name it go, its spare frame is free, and
 * nobody finds it any more. What is under way on the wire gets there, and is answered then: so a flight
 * must not need its VIF. Keeps M13. Handout, part 8.5.
 */
void vif_destroy(struct vif *v)
{
	exercise_missing("8.5");
}
