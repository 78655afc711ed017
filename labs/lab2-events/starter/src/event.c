// SPDX-License-Identifier: MIT
#include "event.h"

/*
 * Exercise 2.1. Raises @port of @d: its bit in pending[], then its word's bit in selector. If the port is not masked,
 * also upcall_pending; and a domain that sleeps is woken (sched_wake()). A masked port's bit is set and no more. @port is
 * in range. A domain that has no shared page, yet or any more, hears nothing. Many raises may become one upcall, never none.
 *
 * The other side may be changing the same words between any two of its instructions: it does not run meanwhile, but
 * each of yours finds what it left. What it wrote there is its own affair: no decision that concerns
 * another domain, or your own tables, is taken from the shared page.
 *
 * Invariant (E2, E3): nothing that is raised is lost; who raises and who goes to sleep cannot miss one another.
 * Handout: "Raise, deliverable, block".
 */
void event_raise(struct domain *d, uint32_t port)
{
	exercise_missing("2.1");
}

/*
 * Exercise 2.1. Whether an upcall is due as soon as the master mask (upcall_mask) allows one; the mask itself is
 * not looked at. A domain without a shared page is due none. Handout: "Raise, deliverable, block".
 */
bool event_deliverable(const struct domain *d)
{
	exercise_missing("2.1");
	return false;
}

/*
 * Exercise 2.1. block(): clears @d's master mask, and lets it sleep (sched_sleep()) until an event can be
 * delivered; if one can be already, it goes on at once. Always 0.
 *
 * Invariant (E3): there is no moment at which an event can come and neither keep the domain awake nor wake it.
 * Handout: "Raise, deliverable, block".
 */
int do_block(struct domain *d)
{
	return exercise_missing("2.1");
}

/*
 * Exercise 2.2. event_channel_op(@arg): one operation on ports, as public/event.h has it: what goes in, what comes out, and
 * which error is whose. The struct event_channel_op is copied once; results are written back into it. -EFAULT if
 * it cannot be read or not be written: then nothing has been done. -EINVAL for an operation that there is not.
 * Where several errors fit, they come in this order:
 *
 *   alloc_unbound      -ESRCH, -ENOSPC
 *   bind_interdomain   -ESRCH, -EINVAL, -EPERM, -ENOSPC
 *   bind_virq          -EINVAL; -EPERM: VIRQ_CONSOLE and VIRQ_DOMAIN are domain 0's; -EEXIST, -ENOSPC
 *   close, send        -EINVAL
 *   status             -EINVAL: port 0, or no port of that number. A closed port has a status
 *
 * A remote domain may be the caller itself, and then a port may be bound to one of its own. A dying domain is none.
 * Port 0 is never used. What is closed is no longer pending; its peer is unbound again, for the one that closed.
 * A new port may be any closed one.
 *
 * State lives in struct events (event.h), and struct shared_info says nothing about it.
 *
 * Invariant (E1, E4): both ends of a channel name each other, or neither does; a VIRQ is bound by a domain at
 * most once. event_check() goes through all of it. Handout: "Channels".
 */
int do_event_channel_op(struct domain *d, guest_addr_t arg)
{
	return exercise_missing("2.2");
}

/*
 * Exercise 2.2. The hypervisor's own way to a channel between @d and @peer, which may be the same: as if @d had made
 * alloc_unbound for @peer, and @peer had bound to it. 0, with each one's port in *@port and *@peer_port; -ENOSPC: one of
 * them has no port left, and then neither has one more than before. Nobody calls it before lab 6. Handout: "Channels".
 */
int event_bind_pair(struct domain *d, struct domain *peer, uint32_t *port, uint32_t *peer_port)
{
	return exercise_missing("2.2");
}

/*
 * Exercise 2.2. @d is dying: closes all its ports. The peers' ports become unbound, for DOMID_NONE: nobody can
 * ever bind to them. @d may have lost its shared page.
 *
 * Invariant (E1): nobody names a port of the dead, whose slot is another domain's soon. Handout: "Channels".
 */
void events_destroy(struct domain *d)
{
	exercise_missing("2.2");
}
