// SPDX-License-Identifier: MIT
#include "console_ring.h"

/*
 * Exercise 6.4. There may be requests on @r: takes them as long as there is a place in the queue of output.
 * One without bytes asks for input and waits in @readers, in order; one with bytes is output, and queued
 * (queue()), to be answered when domain 0 has it; one with more bytes than a slot has is answered at once, with
 * none taken. Before it rests the ring has been asked to kick again (ring_more()), unless there is no place:
 * then console_ring_drain() looks again. Readers get what was typed ahead. Nothing grows: all there is of a
 * domain is its struct console_ring. Keeps R6. Handout, part 6.4.
 */
static void console_ring_kick(struct ring *r)
{
	exercise_missing("6.4");
}

/*
 * Exercise 6.4. Domain 0 reads what @d wrote: copies from the oldest output on to the current domain's @buffer,
 * @size bytes at most, and a part of a slot if no more fits, so that the next call goes on behind it. From the
 * first call on the console is watched. What was read needs no place any more: its writers are answered
 * (accept()), and the ring, if there is one that is not stopped, is looked at again. Returns how many bytes
 * went, 0 if there are none, or -EFAULT if not one could be written; none is lost. Keeps R6. Handout,
 * part 6.4.
 */
int console_ring_drain(struct domain *d, guest_addr_t buffer, uint32_t size)
{
	return exercise_missing("6.4");
}

/*
 * Exercise 6.4. Domain 0 types: @count bytes at the current domain's @bytes, as many of them as there is room
 * for in @input. Requests for input are answered in their order, each with as many bytes as there are and fit;
 * a byte is in one answer only. Returns how many bytes were taken, 0 if none could, or -EFAULT if they cannot
 * be read, and then none was. Handout, part 6.4.
 */
int console_ring_input(struct domain *d, guest_addr_t bytes, uint32_t count)
{
	return exercise_missing("6.4");
}
