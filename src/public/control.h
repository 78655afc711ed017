/* SPDX-License-Identifier: MIT */
/*
 * Control: what domain 0 asks of other domains (paper, section 3.1: mechanism here, policy there).
 *
 * control_op(struct control_op *): domain 0. The structure's size never changes; each operation
 * names what it reads (in) and writes (out). -EPERM; -EINVAL (interface, operation, reserved
 * fields); -ESRCH (no such domain, or dying); -EFAULT. Strings end in NUL.
 *
 * Building a domain: create; frame_list; fill the frames (what lies in the builder's memory already
 * is copied by fill; what is made for them is written where mmu_update, naming the domain, maps them);
 * pin its directory by mmu_update; start. Until start it does not run; destroy works in every state.
 * Frames are full of zeros when they are handed out, and numbered in the M2P in their order.
 */
#ifndef ATELIER_PUBLIC_CONTROL_H
#define ATELIER_PUBLIC_CONTROL_H

#include "atelier.h"

#define CONTROL_create		1	/* in create; out domain. -EINVAL; -ENOMEM: so much is not free; -ENOSPC */
#define CONTROL_destroy		2	/* in domain. -EAGAIN: work is left, ask again; 0: it is gone */
#define CONTROL_pause		3	/* in domain */
#define CONTROL_unpause		4	/* in domain */
#define CONTROL_start		5	/* in domain, start. -EEXIST: once; as MMU_PIN_DIRECTORY; -EBUSY, -EPERM,
				   -EINVAL for the shared frame */
#define CONTROL_info		6	/* in domain: the first one from this number on; out domain, info. -ESRCH: none */
#define CONTROL_machine		7	/* out machine */
#define CONTROL_frame_list	8	/* in domain, frames: up to @count more of its reservation, in the order in
				   which they are its own; @first says how many it has got. out
				   frames.count, fewer than asked if an interrupt was due. -EEXIST */
#define CONTROL_sched		9	/* in domain, sched; SCHED_GET: out sched */
#define CONTROL_limit		10	/* in domain, limit.frames. Raises VIRQ_LIMIT: the domain may give frames back */
#define CONTROL_log		11	/* in log; out log.count: the last bytes of what the hypervisor and others
				   than domain 0 printed on the machine's console */
#define CONTROL_console		12	/* in domain, console; out console.count */
#define CONTROL_vif_create	13	/* in domain, vif. -EEXIST (the number, or the address), -ENOSPC */
#define CONTROL_vif_destroy	14	/* in domain, vif.number. -ENODEV */
#define CONTROL_vif_info	15	/* in domain, vif.number; out vif, its counters */
#define CONTROL_rule_add	16	/* in rule: tried in order of @rank, then of adding. -ENOSPC */
#define CONTROL_rule_remove	17	/* in rule: one that is equal to it. -ENODEV */
#define CONTROL_rule_info	18	/* in rule.index; out rule. -ENODEV: no more */
#define CONTROL_vbd_create	19	/* in domain, vbd. -EEXIST, -ENOSPC */
#define CONTROL_vbd_destroy	20	/* in domain, vbd.number. -ENODEV; -EAGAIN */
#define CONTROL_extent_add	21	/* in domain, vbd.number, extent: appended. -ENODEV, -EINVAL, -EEXIST, -ENOSPC */
#define CONTROL_extent_remove	22	/* in domain, vbd.number: the last one. -ENODEV */
#define CONTROL_extent_info	23	/* in domain, vbd.number, extent.index; out extent. -ENODEV */
#define CONTROL_event_bind	24	/* in domain, event: a channel between any two. -ENOSPC */
#define CONTROL_vbd_info	25	/* in domain, vbd.number: the first VBD from this number on; out vbd. -ENODEV: none */
#define CONTROL_shutdown	26	/* in domain. Raises VIRQ_SHUTDOWN: whether and when it ends is its own affair */
#define CONTROL_ended		27	/* in domain: the first number from this one on whose last domain is dying or gone,
				   until another one gets the number; out domain, ended. -ESRCH: none */
#define CONTROL_find		28	/* in info.name; out domain, info. -ESRCH: no living domain is called so */
#define CONTROL_unread		29	/* in domain: the first living domain from this number on that printed what nobody has
				   taken by CONTROL_console yet; out domain. -ESRCH: none */
#define CONTROL_fill		30	/* in domain, fill: copies @size bytes, in order. out fill.done, less than @size if an
				   interrupt was due or the next frame is refused; an error, with nothing done, is
				   the first one's: -EINVAL (no such frame), -EPERM (whose it is), -EBUSY (its, but
				   in use and not to be written). -EINVAL: 4 GiB and more; -EEXIST: it was started */

#define DOMAIN_NAME		32

/* States, as info has them. */
#define DOMAIN_BUILDING		1
#define DOMAIN_RUNNABLE		2
#define DOMAIN_BLOCKED		3
#define DOMAIN_PAUSED		4
#define DOMAIN_DYING		5

#define SCHED_GET		1	/* flag of struct control_sched: read, do not set */

/*
 * What a packet must match; a mask of 0 matches everything, and so does the range of ports 0 to 0.
 * Addresses in network byte order. A packet that lacks what a rule asks for (ports: a later fragment,
 * ARP; addresses: neither IP nor ARP) does not match it. The first rule that matches acts; without
 * one the packet is dropped. Rules that name a VIF or a domain go when that does.
 */
#define RULE_ACCEPT		0
#define RULE_DROP		1
#define RULE_ANY		0xffff	/* domain: from or to anywhere */
#define RULE_WIRE		0xfffe	/* domain: the machine's own network interface */

#define EXTENT_READ		1
#define EXTENT_WRITE		2
#define EXTENT_SHARED		4	/* others may have the same sectors writable */

#ifndef __ASSEMBLY__
struct control_create {
	uint32_t frames;		/* the reservation: nobody else gets them from now on */
	uint32_t limit;			/* at least @frames */
	char name[DOMAIN_NAME];
};

struct control_start {
	uint32_t directory;		/* frame: validated here */
	uint32_t shared;		/* frame: held writable from here on */
	uint32_t eip;
	uint32_t esi;			/* address of the start info, to the guest */
};

struct control_info {
	char name[DOMAIN_NAME];
	uint32_t state;			/* DOMAIN_... */
	uint32_t reason;		/* dying: SHUTDOWN_... */
	uint32_t frames, limit;
	uint64_t run_time;		/* nanoseconds */
	uint32_t weight, warp;
	uint32_t vifs, vbds;
};

struct control_ended {
	char name[DOMAIN_NAME];
	uint32_t reason;		/* SHUTDOWN_... */
	uint32_t status;		/* as the domain gave it, 0 to 255 */
	uint64_t at;			/* nanoseconds of up_time */
};

struct control_machine {
	uint32_t interface;
	uint32_t total_kib, free_kib;
	uint32_t tsc_khz;
	uint32_t domains;
	uint32_t reserved;
	uint64_t up_time;		/* nanoseconds */
	char build[64];
};

struct control_frames {
	uint32_t first;
	uint32_t count;
	uint32_t list;			/* address of uint32_t[count] */
};

struct control_fill {
	uint32_t from_list, to_list;	/* addresses of uint32_t[]: frames of the caller's; of the domain's */
	uint32_t from, to;		/* the first byte, of all that these frames hold in a row */
	uint32_t size;			/* bytes */
	uint32_t done;
};

struct control_sched {
	uint32_t flags;
	uint32_t weight;		/* 1 to 65,535; a domain without a wish has 256 */
	uint32_t warp;			/* nanoseconds of virtual time borrowed; 0: none */
	uint32_t warp_limit;		/* nanoseconds of real time warped at most, ... */
	uint32_t unwarp;		/* ... then unwarped at least */
	uint32_t allowance;		/* of the whole machine, nanoseconds; 0: as it is */
};

struct control_bytes {
	uint32_t buffer;		/* address */
	uint32_t size;
	uint32_t count;
	uint32_t flags;			/* console: 0 read what it wrote, 1 type into it */
};

struct control_vif {
	uint32_t number;
	uint8_t mac[6];
	uint16_t reserved;
	uint32_t credit_bytes, credit_us;	/* 0: no cap */
	uint64_t tx_packets, tx_bytes, tx_dropped, tx_refused;
	uint64_t rx_packets, rx_bytes, rx_dropped;
};

struct control_rule {
	uint32_t index;
	uint32_t rank;
	uint16_t action;			/* RULE_ACCEPT, RULE_DROP */
	uint16_t protocol;			/* of IP; 0: any */
	uint16_t from_domain, to_domain;	/* RULE_... or a domain */
	uint16_t from_vif, to_vif;
	uint32_t source, source_mask, destination, destination_mask;
	uint16_t source_port_low, source_port_high;
	uint16_t destination_port_low, destination_port_high;
	uint64_t hits;
};

struct control_vbd {
	uint32_t number;
	uint32_t extents;
	uint64_t sectors;
	uint64_t reads, writes, errors;
};

struct control_extent {
	uint32_t index;
	uint32_t disk;			/* of the machine */
	uint32_t rights;		/* EXTENT_... */
	uint32_t reserved;
	uint64_t first, count;		/* sectors of the disk */
};

struct control_event {
	uint32_t port;			/* out: of @domain */
	uint32_t peer, peer_port;	/* in, out */
};

struct control_op {
	uint32_t interface;		/* ATELIER_INTERFACE */
	uint32_t op;			/* CONTROL_... */
	uint32_t domain;
	uint32_t vbd_number;		/* extent operations */
	union {
		struct control_create create;
		struct control_start start;
		struct control_info info;
		struct control_ended ended;
		struct control_machine machine;
		struct control_frames frames;
		struct control_fill fill;
		struct control_sched sched;
		struct { uint32_t frames; } limit;
		struct control_bytes log, console;
		struct control_vif vif;
		struct control_rule rule;
		struct control_vbd vbd;
		struct control_extent extent;
		struct control_event event;
		uint8_t size[240];
	} u;
};
#endif

#endif
