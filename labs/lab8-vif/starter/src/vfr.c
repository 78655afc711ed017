// SPDX-License-Identifier: MIT
#include "vfr.h"

/*
 * Exercise 8.1. Reads the first @have bytes of a packet that is @length bytes long into @p; @have is
 * the less of @length and VFR_HEADER. @header is a private copy, but each length in it is a claim of the
 * sender's, and no byte beyond @have may be read. -EINVAL: not even an Ethernet header, or lengths that
 * contradict each other or the packet's own. All fields of @p that do not apply are false or 0; then:
 *   ARP   for IPv4 on Ethernet and nothing else: @arp_sender, @source and @destination
 *   IPv4  @protocol, @source, @destination. What follows the length that it claims only fills a short
 *         frame up. TCP and UDP have ports, if they lie within that length, and in a first fragment
 *         only; @sum_start and @sum_at are set where the packet is no fragment and its header reaches
 *         to the end of the check sum (16 bytes into TCP's, 6 into UDP's)
 *   else  a sender and a receiver, and that is all
 * Addresses of IPv4 stay in network byte order, ports do not. Keeps V1. Handout, part 8.1.
 */
int vfr_parse(const uint8_t *header, uint32_t have, uint32_t length, struct vfr_packet *p)
{
	return exercise_missing("8.1");
}

/*
 * Exercise 8.1. RULE_ACCEPT or RULE_DROP for a packet on its way @from here @to there: what the first
 * rule says that both ends fit and the packet as well, which then counts a hit. RULE_DROP if there is
 * none, whoever sends. A rule that asks for something that the packet has not, ports or addresses, is
 * none that it fits; public/control.h says what a rule does not ask for. An end of RULE_WIRE has no
 * number. Keeps V1. Handout, part 8.1.
 */
unsigned int vfr_match(const struct vfr_packet *p, struct vfr_end from, struct vfr_end to)
{
	exercise_missing("8.1");
	return RULE_DROP;
}

/*
 * Exercise 8.1. Adds a rule behind those of its rank and of lower ones, with no hits:
 *   -EINVAL  not an action, no protocol of IP, a range of ports that ends before it begins, or (end_ok())
 *            no such number of a VIF
 *   -ESRCH   names a domain that does not live
 *   -ENOSPC  there are VFR_RULES already
 * Keeps what vfr_check() looks at. Handout, part 8.1.
 */
int vfr_add(const struct control_rule *rule)
{
	return exercise_missing("8.1");
}

/*
 * Exercise 8.1. Removes the first rule that is equal to @rule, @index and @hits aside: field by field, for
 * nobody says what lies between fields. -ENODEV: there is none. Handout, part 8.1.
 */
int vfr_remove(const struct control_rule *rule)
{
	return exercise_missing("8.1");
}
