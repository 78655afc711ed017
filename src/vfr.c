// SPDX-License-Identifier: MIT
#include "vfr.h"
#include "console.h"
#include "domain.h"
#include "lib/string.h"

static struct {
	struct control_rule rules[VFR_RULES];
	uint32_t count;
} vfr;

/* ---- packets (RFC 894, 826, 791) ---- */

#define TYPE_IP		0x0800
#define TYPE_ARP	0x0806
#define ARP_BYTES	28u
#define ARP_ETHERNET	1
#define IP_BYTES	20u		/* without options */
#define IP_OFFSET	0x1fff		/* of a fragment */
#define PROTOCOL_TCP	6
#define PROTOCOL_UDP	17
#define PORTS_BYTES	4u
#define TCP_SUM		16u		/* where the check sum lies in the header */
#define UDP_SUM		6u
#define IP_FRAGMENT	0x3fff		/* it is one, the first or another */

static uint16_t read_16(const uint8_t *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return __builtin_bswap16(value);
}

/* In network byte order: the bytes as they lie there. */
static uint32_t read_address(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static int parse_arp(const uint8_t *arp, uint32_t length, struct vfr_packet *p)
{
	if (length < ARP_BYTES || read_16(arp) != ARP_ETHERNET || read_16(arp + 2) != TYPE_IP ||
	    arp[4] != MAC_BYTES || arp[5] != sizeof(p->source))
		return -EINVAL;
	p->is_arp = true;
	memcpy(p->arp_sender, arp + 8, MAC_BYTES);
	p->source = read_address(arp + 14);
	p->destination = read_address(arp + 24);
	return 0;
}

/* Behind the options, and only where the packet says that it reaches so far. */
static void parse_ports(const uint8_t *ports, uint32_t length, struct vfr_packet *p)
{
	if (length < PORTS_BYTES || (p->protocol != PROTOCOL_TCP && p->protocol != PROTOCOL_UDP))
		return;
	p->has_ports = true;
	p->source_port = read_16(ports);
	p->destination_port = read_16(ports + 2);
}

/* Only a whole packet has a check sum that can be told from it. */
static void find_sum(uint32_t start, uint32_t length, struct vfr_packet *p)
{
	uint32_t at = p->protocol == PROTOCOL_TCP ? TCP_SUM : UDP_SUM;

	if (length < at + 2)
		return;
	p->sum_start = start;
	p->sum_at = start + at;
}

/* What follows the packet's own length fills a short frame up, and is none of it. */
static int parse_ip(const uint8_t *ip, uint32_t length, struct vfr_packet *p)
{
	uint32_t header, total;

	if (length < IP_BYTES || ip[0] >> 4 != 4)
		return -EINVAL;
	header = (ip[0] & 15) * 4;
	total = read_16(ip + 2);
	if (header < IP_BYTES || total < header || total > length)
		return -EINVAL;
	p->is_ip = true;
	p->protocol = ip[9];
	p->source = read_address(ip + 12);
	p->destination = read_address(ip + 16);
	if ((read_16(ip + 6) & IP_OFFSET) == 0)
		parse_ports(ip + header, total - header, p);
	if (p->has_ports && (read_16(ip + 6) & IP_FRAGMENT) == 0)
		find_sum(ETHERNET_BYTES + header, total - header, p);
	return 0;
}

int vfr_parse(const uint8_t *header, uint32_t have, uint32_t length, struct vfr_packet *p)
{
	p->is_arp = p->is_ip = p->has_ports = false;
	p->protocol = 0;
	p->sum_start = p->sum_at = 0;
	if (have < ETHERNET_BYTES)
		return -EINVAL;
	memcpy(p->to, header, MAC_BYTES);
	memcpy(p->from, header + MAC_BYTES, MAC_BYTES);
	switch (read_16(header + 2 * MAC_BYTES)) {
	case TYPE_ARP:
		return parse_arp(header + ETHERNET_BYTES, length - ETHERNET_BYTES, p);
	case TYPE_IP:
		return parse_ip(header + ETHERNET_BYTES, length - ETHERNET_BYTES, p);
	}
	return 0;
}

/* ---- matching ---- */

static bool end_fits(uint16_t domain, uint16_t vif, struct vfr_end end)
{
	if (domain == RULE_ANY)
		return true;
	return domain == end.domain && (domain == RULE_WIRE || vif == RULE_ANY || vif == end.vif);
}

static bool address_fits(uint32_t wanted, uint32_t mask, uint32_t address, const struct vfr_packet *p)
{
	if (mask == 0)
		return true;
	return (p->is_ip || p->is_arp) && (address & mask) == (wanted & mask);
}

static bool port_fits(uint16_t low, uint16_t high, uint16_t port, const struct vfr_packet *p)
{
	if (low == 0 && high == 0)
		return true;
	return p->has_ports && port >= low && port <= high;
}

static bool fits(const struct control_rule *r, const struct vfr_packet *p)
{
	return (r->protocol == 0 || (p->is_ip && p->protocol == r->protocol)) &&
	       address_fits(r->source, r->source_mask, p->source, p) &&
	       address_fits(r->destination, r->destination_mask, p->destination, p) &&
	       port_fits(r->source_port_low, r->source_port_high, p->source_port, p) &&
	       port_fits(r->destination_port_low, r->destination_port_high, p->destination_port, p);
}

unsigned int vfr_match(const struct vfr_packet *p, struct vfr_end from, struct vfr_end to)
{
	for (uint32_t i = 0; i < vfr.count; i++) {
		struct control_rule *r = &vfr.rules[i];

		if (end_fits(r->from_domain, r->from_vif, from) && end_fits(r->to_domain, r->to_vif, to) &&
		    fits(r, p)) {
			r->hits++;
			return r->action;
		}
	}
	return RULE_DROP;
}

/* ---- the table ---- */

static int end_ok(uint16_t domain, uint16_t vif)
{
	if (domain == RULE_ANY || domain == RULE_WIRE)
		return 0;
	if (vif != RULE_ANY && vif >= RING_DEVICES)
		return -EINVAL;
	return domain_find(NULL, domain) ? 0 : -ESRCH;
}

int vfr_add(const struct control_rule *rule)
{
	int err;
	uint32_t at;

	if (rule->action > RULE_DROP || rule->protocol > UINT8_MAX ||
	    rule->source_port_low > rule->source_port_high ||
	    rule->destination_port_low > rule->destination_port_high)
		return -EINVAL;
	err = end_ok(rule->from_domain, rule->from_vif);
	if (!err)
		err = end_ok(rule->to_domain, rule->to_vif);
	if (err)
		return err;
	if (vfr.count == VFR_RULES)
		return -ENOSPC;

	for (at = vfr.count; at > 0 && vfr.rules[at - 1].rank > rule->rank; at--)
		vfr.rules[at] = vfr.rules[at - 1];
	vfr.rules[at] = *rule;
	vfr.rules[at].hits = 0;
	vfr.count++;
	return 0;
}

static void remove(uint32_t at)
{
	vfr.count--;
	memmove(&vfr.rules[at], &vfr.rules[at + 1], (vfr.count - at) * sizeof(vfr.rules[0]));
}

/* Field by field: nobody says what lies between them. */
static bool same(const struct control_rule *a, const struct control_rule *b)
{
	return a->rank == b->rank && a->action == b->action && a->protocol == b->protocol &&
	       a->from_domain == b->from_domain && a->from_vif == b->from_vif &&
	       a->to_domain == b->to_domain && a->to_vif == b->to_vif &&
	       a->source == b->source && a->source_mask == b->source_mask &&
	       a->destination == b->destination && a->destination_mask == b->destination_mask &&
	       a->source_port_low == b->source_port_low && a->source_port_high == b->source_port_high &&
	       a->destination_port_low == b->destination_port_low &&
	       a->destination_port_high == b->destination_port_high;
}

int vfr_remove(const struct control_rule *rule)
{
	for (uint32_t i = 0; i < vfr.count; i++)
		if (same(&vfr.rules[i], rule)) {
			remove(i);
			return 0;
		}
	return -ENODEV;
}

int vfr_info(struct control_rule *rule)
{
	uint32_t index = rule->index;

	if (index >= vfr.count)
		return -ENODEV;
	*rule = vfr.rules[index];
	rule->index = index;
	return 0;
}

static bool names(uint16_t domain, uint16_t vif, domid_t whose, uint16_t which)
{
	return domain == whose && (which == RULE_ANY || vif == which);
}

void vfr_forget(domid_t domain, uint16_t vif)
{
	for (uint32_t i = vfr.count; i > 0; i--) {
		const struct control_rule *r = &vfr.rules[i - 1];

		if (names(r->from_domain, r->from_vif, domain, vif) || names(r->to_domain, r->to_vif, domain, vif))
			remove(i - 1);
	}
}

/* ---- auditing ---- */

bool vfr_check(void)
{
	for (uint32_t i = 0; i < vfr.count; i++) {
		const struct control_rule *r = &vfr.rules[i];
		const char *fault = NULL;

		if (i > 0 && vfr.rules[i - 1].rank > r->rank)
			fault = "it stands before one of a lower rank";
		else if (end_ok(r->from_domain, r->from_vif) || end_ok(r->to_domain, r->to_vif))
			fault = "it names a domain that is gone";
		if (!fault)
			continue;
		console_printf("vfr_check: rule %u: %s\n", i, fault);
		return false;
	}
	return true;
}

void vfr_init(void)
{
	vfr.count = 0;
}
