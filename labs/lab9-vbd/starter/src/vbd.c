// SPDX-License-Identifier: MIT
#include "vbd.h"

/*
 * Exercise 9.5. Gives @d a VBD of that number, with no extents: a free one of the pool, all of it as
 * new. Refusals, in this order:
 *   -EINVAL  not below VBD_DEVICES
 *   -EEXIST  @d has one of that number
 *   -ENOSPC  the pool is empty
 * Keeps what fault_of() looks at. Handout, part 9.5.
 */
int vbd_create(struct domain *d, uint32_t number)
{
	return exercise_missing("9.5");
}

/*
 * Exercise 9.5. Takes no more requests for a VBD, and takes it away when none is under way: then no
 * device will touch its sectors on its behalf any more. -ENODEV: @d has none of that number; -EAGAIN:
 * requests are under way, so ask again; from the first time on no new ones are taken. Keeps D2, M13.
 * Handout, part 9.5.
 */
int vbd_destroy(struct domain *d, uint32_t number)
{
	return exercise_missing("9.5");
}

/*
 * Exercise 9.4. @d may have requests: it joins the round at its end, if it is not in it. Handout,
 * part 9.4.
 */
void vbd_wake(struct domain *d)
{
	struct ring *r = ring_find(d, RING_VBD, 0);
	struct vbd_response refusal = { .status = exercise_missing("9.4") };
	struct vbd_request asked;

	/* Who looks for disks, one request at a time, is not to wait for ever. */
	if (ring_take(r, &asked) > 0) {
		refusal.id = asked.id;
		ring_respond(r, &refusal, 1);
	}
	ring_more(r);
}

/*
 * Exercise 9.4. Takes requests, turn by turn, until the round is empty or there is no room for a whole
 * turn (room_for()). In its turn the first domain of the round has up to VBD_BATCH requests taken from
 * its ring, RING_VBD of device 0, and handed to vbd_request(), as long as there is room for one; who
 * may have requests left joins the round again, at its end, and who has none is woken by its next kick:
 * ring_more() says which. Called at each kick, and by disk_done() when a good part of the room is free
 * again. Keeps R7; at most VBD_BATCH requests between two turns of anybody else's. Handout, part 9.4.
 */
void vbd_poll(void)
{
	exercise_missing("9.4");
}

/*
 * Exercise 9.5. Takes up one request of @r's domain; @request is our own copy, and there is room for it
 * (room_for(1)). public/ring.h says what is asked. Either it is answered at once by one response, and
 * nothing is left of it:
 *   -ENODEV  no such VBD, or one that is being destroyed
 *   -EINVAL  no such operation, or pieces that are malformed or whose frames are not to be had: for a
 *            flush any; for an info all but one of one sector; for read and write none, more than
 *            VBD_PIECES, one with reserved bits, of no sector or over its frame's end
 *   -ENXIO, -EACCES, -E2BIG  as extent_resolve() has it; -ENXIO as well if the sectors end beyond 2^32
 *   0        an info, which is filled in by then; a flush if no disk of the VBD caches
 * or it is under way: every frame of its pieces is held (FRAME_WRITABLE, if the disk writes there), a
 * struct vbd_io has the copy, and a job for each run is in the disks' queues, with how many sectors of
 * the request come before it. What a barrier keeps apart must be apart when the power fails as well: so
 * all disks of the domain that cache are flushed before and after it, by jobs of the same request.
 * @reads and @writes count what got under way. Keeps D2, D4, M13. Handout, part 9.5.
 */
void vbd_request(struct ring *r, const struct vbd_request *request)
{
	/* Without an answer the ring would be kept for ever. */
	struct vbd_response refusal = { request->id, exercise_missing("9.5") };

	ring_respond(r, &refusal, 1);
}

/*
 * Exercise 9.5. @job, which vbd_request() made, has ended, with 0 or a negative error, and is free from
 * now on. The jobs of a request may end in any order; after the last one, and not before, the holds are
 * dropped and the answer is out, with the first error that one of them had, or 0. @errors counts
 * requests with an error. Keeps D2, D4. Handout, part 9.5.
 */
void vbd_done(struct disk_job *job, int error)
{
	exercise_missing("9.5");
}
