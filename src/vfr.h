/* SPDX-License-Identifier: MIT */
/*
 * The firewall-router: which packets may go from whom to whom (paper, section 3.3.5).
 *
 * A packet is judged by a private copy of its first bytes, which then are the bytes that travel:
 * whatever the sender does to its own memory meanwhile, what was judged is what is sent. Each
 * length in it is a claim of the sender's; what does not hold together is no packet at all.
 *
 * Rules are domain 0's (public/control.h). They are tried in the order of their ranks, and the first
 * one that a packet matches, on its way from here to there, acts. No rule, no passage: not for
 * domain 0 either, whose packets are as good as anybody's.
 *
 * Invariant (vfr_check): the rules stand in the order of their ranks, and each names living domains
 * only.
 */
#ifndef ATELIER_VFR_H
#define ATELIER_VFR_H

#include "lib/types.h"
#include "public/control.h"

#define VFR_RULES	512

/* What is copied of a packet: Ethernet, the longest header of IPv4, two ports. */
#define VFR_HEADER	80u

#define MAC_BYTES	6u
#define ETHERNET_BYTES	14u	/* two addresses and a type: the least that a packet has */

/* What rules look at. IPv4 addresses are in network byte order, as in the rules; ports are not. */
struct vfr_packet {
	uint8_t to[MAC_BYTES], from[MAC_BYTES];
	uint8_t arp_sender[MAC_BYTES];		/* its hardware address; ARP */
	bool is_arp, is_ip;			/* one or none: without one there are no @source and @destination */
	bool has_ports;				/* without: no @source_port and @destination_port */
	uint8_t protocol;			/* IP */
	uint32_t source, destination;		/* ARP: of the protocol, sender and target */
	uint16_t source_port, destination_port;
	uint16_t sum_start, sum_at;		/* offsets of TCP's or UDP's header and check sum; 0: it has none whole */
};

/* One end of a packet's way: a VIF, or domain RULE_WIRE. */
struct vfr_end {
	uint16_t domain, vif;
};

void vfr_init(void);

/*
 * Reads the first @have bytes of a packet that is @length bytes long; @have is the less of @length
 * and VFR_HEADER. -EINVAL: not even a header, or lengths that contradict each other. What is neither
 * ARP nor IPv4 has a sender and a receiver, and that is all. Only the first fragment of a packet has
 * ports.
 */
int vfr_parse(const uint8_t *header, uint32_t have, uint32_t length, struct vfr_packet *p);

/* RULE_ACCEPT or RULE_DROP; the rule that said so counts a hit. */
unsigned int vfr_match(const struct vfr_packet *p, struct vfr_end from, struct vfr_end to);

/* Adds a rule behind those of its rank:
 *   -EINVAL  not an action, a range of ports that ends before it begins, or no such number of a VIF
 *   -ESRCH   names a domain that does not live
 *   -ENOSPC  there are VFR_RULES already
 */
int vfr_add(const struct control_rule *rule);

/* Removes the first one that is equal, @index and @hits aside. -ENODEV: there is none. */
int vfr_remove(const struct control_rule *rule);

/* The rule at @rule->index in the order in which they are tried. -ENODEV: no more. */
int vfr_info(struct control_rule *rule);

/* A VIF is gone, or (RULE_ANY) a domain: and so are the rules that name it. */
void vfr_forget(domid_t domain, uint16_t vif);

bool vfr_check(void);

#endif
