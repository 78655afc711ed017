// SPDX-License-Identifier: MIT
#include "ring.h"

/*
 * Exercise 6.1. For a dying domain: stops all of its rings, which tells their devices (class->stopped), and
 * releases those with nothing under way: the hold on the frame goes, and the ring is free for another. May
 * be called again and again. False: some have requests under way, and the domain's death goes on when these
 * are answered. Keeps R5. Handout, part 6.1.
 */
bool ring_destroy(struct domain *d)
{
	exercise_missing("6.1");
	return true;		/* nobody can have registered one */
}

/*
 * Exercise 6.2. Copies the next request, all of the class's @request bytes of it, to @request and counts it
 * as taken:
 *   1     there was one
 *   0     there is none
 *   -EIO  the ring is stopped, now or before: the guest's index was more than the slots that can hold
 *         requests. The guest gets RING_STOPPED in @flags and one event, the device is told
 *         (class->stopped), and from then on the guest's memory is left alone.
 * A slot can hold a request if no answer is due any more that would take its place. Indices run freely
 * and wrap. The guest may change any word between any two looks at it: each shared word is read once, and
 * what was read from the page is never read there again. Keeps R1, R3, R4, R6. Handout, part 6.2.
 */
int ring_take(struct ring *r, void *request)
{
	return exercise_missing("6.2");
}

/*
 * Exercise 6.3. Publishes @count responses, one after another in @responses, each of the class's @response
 * bytes, to requests that were taken (no more than these: our own bug else). They take the next slots, in the
 * order of the answers; which request a response answers is in it. Whoever sees @rsp_prod sees the bodies
 * before it, and the guest's port is raised once if its threshold @rsp_event lies among what was published:
 * whatever the order in which both sides write and look, one that sleeps is woken. On a stopped ring they are
 * only counted, and if it was the last one under way of a dying domain, its death goes on
 * (sched_want_chore()). Keeps R2, R7. Handout, part 6.3.
 */
void ring_respond(struct ring *r, const void *responses, unsigned int count)
{
	exercise_missing("6.3");
}

/*
 * Exercise 6.3. Whether there are requests; before it says no, the guest has been asked, by @req_event, to
 * kick at the next one. None can come in between, on any processor, that is neither seen here nor kicked
 * for. False on a stopped ring. Keeps R7. Handout, part 6.3.
 */
bool ring_more(struct ring *r)
{
	exercise_missing("6.3");
	return false;
}

/*
 * Exercise 6.1. Handler of HYPERCALL_ring_op; public/ring.h says what each operation does. The structure at
 * @arg is copied once: -EFAULT; no such operation, or @reserved: -EINVAL. Then, in this order:
 *   register    -ENODEV  no such class, or device (RING_DEVICES, class->present)
 *               -EEXIST  it has a ring
 *               -EINVAL  the port is not open
 *               -EBUSY   we write into that frame for another reason: it is another ring's, or the shared page
 *               and as frame_get_type() as FRAME_WRITABLE, which holds the frame until the end. Both private
 *               indices begin at RING_START, @rsp_prod as well, @flags is 0, and the guest kicks at its first
 *               request. After an error nothing is held.
 *   unregister  -ENODEV  there is no ring. The device is told (class->stopped); -EAGAIN: requests are under
 *               way, and the ring goes on. Else the hold goes, and the ring is free.
 *   kick        -ENODEV  there is no ring. The device looks (class->kick), if it is not stopped
 *   info        -ENODEV  as register; -ENOSYS: the class has nothing to say (class->info); -EFAULT
 * Keeps R5. Handout, part 6.1.
 */
int do_ring_op(struct domain *d, guest_addr_t arg)
{
	return exercise_missing("6.1");
}
