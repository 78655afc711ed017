/* SPDX-License-Identifier: MIT */
/*
 * Events: the hypervisor's and other domains' way to interrupt a guest (paper, section 3.2).
 *
 * A domain has EVENT_PORTS ports; port 0 is never used. A port is closed, unbound (waits for a
 * named domain), bound to a port of another domain, or bound to a virtual interrupt. The bits of
 * the shared page say what is pending; what a port is bound to, only the hypervisor knows.
 */
#ifndef ATELIER_PUBLIC_EVENT_H
#define ATELIER_PUBLIC_EVENT_H

#include "atelier.h"

/* Virtual interrupts. Each is bound by a domain at most once; raised while unbound, it is lost. */
#define VIRQ_TIMER	0	/* set_timer's real-time deadline has come */
#define VIRQ_CONSOLE	1	/* domain 0: console_read has something, or a domain's console ring */
#define VIRQ_DEBUG	2	/* somebody at the console asked for the guest's state */
#define VIRQ_VTIMER	3	/* set_timer's virtual-time deadline has come */
#define VIRQ_DOMAIN	4	/* domain 0: a domain has died or changed state */
#define VIRQ_LIMIT	5	/* domain 0 has set the domain's limit (MEMORY_query says which) */
#define VIRQ_SHUTDOWN	6	/* domain 0 asks the domain to come to an orderly end */
#define VIRQ_DEVICES	7	/* domain 0 has given the domain a VIF or VBD, taken one away, or changed a VBD's extents */
#define VIRQ_COUNT	8

/*
 * event_channel_op(struct event_channel_op *). Results are written into the struct where it says
 * "out".
 */
#define EVENT_alloc_unbound	0	/* in remote; out port: that domain alone may bind to it. -ENOSPC, -ESRCH */
#define EVENT_bind_interdomain	1	/* in remote, remote_port; out port. -ESRCH; -EINVAL: no port of that
					   number; -EPERM: not unbound, or reserved for another; -ENOSPC */
#define EVENT_bind_virq		2	/* in virq; out port. -EINVAL, -EEXIST, -ENOSPC, -EPERM (domain 0's) */
#define EVENT_close		3	/* in port: the peer becomes unbound, for us. -EINVAL: not open */
#define EVENT_send		4	/* in port: raises the peer's. -EINVAL: not bound to a domain. A port
					   whose peer was closed is unbound: -EINVAL too */
#define EVENT_status		5	/* in port; out status, remote, remote_port, virq. -EINVAL: no such port */

#define EVENT_CLOSED		0
#define EVENT_UNBOUND		1	/* remote: who may bind */
#define EVENT_INTERDOMAIN	2	/* remote, remote_port: the peer */
#define EVENT_VIRQ		3	/* virq */

#ifndef __ASSEMBLY__
struct event_channel_op {
	uint32_t op;
	uint32_t port;
	uint32_t remote;	/* a domain, or DOMID_SELF */
	uint32_t remote_port;
	uint32_t virq;
	uint32_t status;
};
#endif

/*
 * block(): clears upcall_mask and sleeps until an event can be delivered; returns at once if one
 * can. 0. yield(): lets others run first, once. 0.
 */

#endif
