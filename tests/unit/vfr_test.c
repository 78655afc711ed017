// SPDX-License-Identifier: MIT
#include "vfr.h"
#include <string.h>
#include "host/domains.h"
#include "host/net.h"
#include "unit/test.h"

/* ---- packets ---- */

static const uint8_t us[6] = { 2, 0, 0, 0, 1, 0 }, them[6] = { 2, 0, 0, 0, 2, 0 };
static uint8_t bytes[2048];
static struct vfr_packet p;

static int parse(uint32_t length)
{
	return vfr_parse(bytes, MIN(length, VFR_HEADER), length, &p);
}

/* A UDP packet from 10.0.0.1:1000 to 10.0.0.2:2000. */
static void udp(uint32_t length)
{
	net_packet(bytes, length, &(struct net_flow){ us, them, 0x0a000001, 0x0a000002, 1000, 2000 }, 0);
}

static void arp(void)
{
	memset(bytes, 0, sizeof(bytes));
	memcpy(bytes, them, 6);
	memcpy(bytes + 6, us, 6);
	memcpy(bytes + 12, "\x08\x06\0\x01\x08\0\x06\x04\0\x01", 10);
	memcpy(bytes + 22, "\x11\x12\x13\x14\x15\x16", 6);
	memcpy(bytes + 28, "\x0a\0\0\x01", 4);
	memcpy(bytes + 38, "\x0a\0\0\x02", 4);
}

TEST(a_packet_of_udp_is_read_to_its_ports)
{
	udp(60);
	EXPECT_EQ(parse(60), 0);
	EXPECT(p.is_ip && !p.is_arp && p.has_ports);
	EXPECT(memcmp(p.from, us, 6) == 0 && memcmp(p.to, them, 6) == 0);
	EXPECT_EQ(p.protocol, 17);
	EXPECT(memcmp(&p.source, "\x0a\0\0\x01", 4) == 0);
	EXPECT(memcmp(&p.destination, "\x0a\0\0\x02", 4) == 0);
	EXPECT_EQ(p.source_port, 1000);
	EXPECT_EQ(p.destination_port, 2000);
}

TEST(options_move_the_ports_and_never_past_what_was_copied)
{
	for (uint32_t words = 5; words <= 15; words++) {
		udp(300);
		bytes[14] = 0x40 | words;
		memset(bytes + 34, 1, 200);
		memcpy(bytes + 14 + 4 * words, "\x12\x34\x56\x78", 4);
		EXPECT_EQ(parse(300), 0, "%u words", words);
		EXPECT_EQ(p.source_port, 0x1234, "%u words", words);
		EXPECT_EQ(p.destination_port, 0x5678, "%u words", words);
	}
}

TEST(lengths_that_contradict_each_other_make_no_packet)
{
	static const struct {
		uint32_t at, value, length;
		const char *why;
	} bad[] = {
		{ 14, 0x45, 13, "not even two addresses and a type" },
		{ 14, 0x45, 33, "half a header" },
		{ 14, 0x55, 60, "version 5" },
		{ 14, 0x44, 60, "a header of four words" },
		{ 14, 0x40, 60, "a header of no words" },
		{ 17, 47, 60, "longer than what came" },
		{ 16, 0xff, 60, "much longer" },
		{ 17, 19, 60, "shorter than its header" },
		{ 14, 0x4f, 60, "options beyond its end" },
	};

	for (uint32_t i = 0; i < ARRAY_SIZE(bad); i++) {
		udp(60);
		bytes[bad[i].at] = bad[i].value;
		EXPECT_EQ(parse(bad[i].length), -EINVAL, "%s", bad[i].why);
	}
	EXPECT_EQ(parse(0), -EINVAL);
}

TEST(ports_are_read_only_where_they_are)
{
	static const struct {
		uint32_t at, value;
		bool ports;
		const char *what;
	} rows[] = {
		{ 20, 0x20, true, "a first fragment" },
		{ 20, 0x01, false, "a later fragment, far" },
		{ 21, 0x01, false, "a later fragment, near" },
		{ 20, 0x40, true, "not to be fragmented" },
		{ 23, 6, true, "TCP" },
		{ 23, 1, false, "ICMP" },
		{ 17, 23, false, "too short for two ports" },
		{ 17, 24, true, "just long enough" },
	};

	for (uint32_t i = 0; i < ARRAY_SIZE(rows); i++) {
		udp(60);
		bytes[rows[i].at] = rows[i].value;
		EXPECT_EQ(parse(60), 0, "%s", rows[i].what);
		EXPECT_EQ(p.has_ports, rows[i].ports, "%s", rows[i].what);
	}
}

TEST(arp_says_who_asks_and_for_whom)
{
	arp();
	EXPECT_EQ(parse(42), 0);
	EXPECT(p.is_arp && !p.is_ip && !p.has_ports);
	EXPECT(memcmp(p.arp_sender, "\x11\x12\x13\x14\x15\x16", 6) == 0);
	EXPECT(memcmp(&p.source, "\x0a\0\0\x01", 4) == 0);
	EXPECT(memcmp(&p.destination, "\x0a\0\0\x02", 4) == 0);
	EXPECT_EQ(parse(41), -EINVAL);
	for (uint32_t at = 14; at < 20; at++) {
		arp();
		bytes[at] ^= 0x40;
		EXPECT_EQ(parse(60), -EINVAL, "byte %u", at);
	}
}

TEST(other_packets_have_addresses_of_ethernet_and_no_more)
{
	udp(60);
	bytes[12] = 0x86;
	bytes[13] = 0xdd;
	EXPECT_EQ(parse(60), 0);
	EXPECT(!p.is_ip && !p.is_arp && !p.has_ports);
	EXPECT_EQ(parse(14), 0);
}

/* ---- rules ---- */

static struct guest zero, one, two;

static void start(void)
{
	host_start(64);
	zero = host_domain(4);
	one = host_domain(4);
	two = host_domain(4);
	udp(60);
	EXPECT_EQ(parse(60), 0);
}

/* One that lets everything pass. */
static struct control_rule any(uint32_t rank)
{
	return (struct control_rule){ .rank = rank, .action = RULE_ACCEPT, .from_domain = RULE_ANY, .to_domain = RULE_ANY,
				      .from_vif = RULE_ANY, .to_vif = RULE_ANY };
}

static uint32_t network(uint32_t address)
{
	return __builtin_bswap32(address);
}

static unsigned int match(struct vfr_end from, struct vfr_end to)
{
	return vfr_match(&p, from, to);
}

static const struct vfr_end one_0 = { 1, 0 }, two_0 = { 2, 0 }, two_1 = { 2, 1 }, wire = { RULE_WIRE, RULE_ANY };

TEST(without_a_rule_nothing_passes)
{
	start();
	EXPECT_EQ(match(one_0, two_0), RULE_DROP);
	EXPECT_EQ(match((struct vfr_end){ 0, 0 }, wire), RULE_DROP);
	EXPECT_EQ(match(wire, (struct vfr_end){ 0, 0 }), RULE_DROP);
}

TEST(a_rule_is_for_the_ends_that_it_names)
{
	struct control_rule r = any(1);

	start();
	r.from_domain = 1;
	r.to_domain = 2;
	r.to_vif = 0;
	EXPECT_EQ(vfr_add(&r), 0);
	EXPECT_EQ(match(one_0, two_0), RULE_ACCEPT);
	EXPECT_EQ(match(one_0, two_1), RULE_DROP);
	EXPECT_EQ(match(two_0, one_0), RULE_DROP);
	EXPECT_EQ(match(one_0, wire), RULE_DROP);
	EXPECT_EQ(match(wire, two_0), RULE_DROP);
	r.from_domain = RULE_WIRE;
	r.from_vif = 3;
	EXPECT_EQ(vfr_add(&r), 0);
	EXPECT_EQ(match(wire, two_0), RULE_ACCEPT);
	r = any(2);
	EXPECT_EQ(vfr_add(&r), 0);
	EXPECT_EQ(match(two_0, wire), RULE_ACCEPT);
}

TEST(a_rule_is_for_the_packets_that_fit_all_of_it)
{
	static const struct {
		uint32_t source, source_mask, destination, destination_mask;
		uint16_t protocol, from_port, to_port, at_port, end_port;
		unsigned int answer;
		const char *what;
	} rows[] = {
		{ 0x0a000001, 0xffffffff, 0, 0, 0, 0, 0, 0, 0, RULE_ACCEPT, "its source" },
		{ 0x0a000003, 0xffffffff, 0, 0, 0, 0, 0, 0, 0, RULE_DROP, "another source" },
		{ 0x0a000003, 0xffffff00, 0, 0, 0, 0, 0, 0, 0, RULE_ACCEPT, "its network, a bit beyond the mask" },
		{ 0, 0, 0x0a000002, 0xffffffff, 0, 0, 0, 0, 0, RULE_ACCEPT, "its destination" },
		{ 0, 0, 0x0a000001, 0xffffffff, 0, 0, 0, 0, 0, RULE_DROP, "another destination" },
		{ 0, 0, 0, 0, 17, 0, 0, 0, 0, RULE_ACCEPT, "its protocol" },
		{ 0, 0, 0, 0, 6, 0, 0, 0, 0, RULE_DROP, "another protocol" },
		{ 0, 0, 0, 0, 0, 1000, 1000, 0, 0, RULE_ACCEPT, "its source port" },
		{ 0, 0, 0, 0, 0, 1001, 65535, 0, 0, RULE_DROP, "higher source ports" },
		{ 0, 0, 0, 0, 0, 0, 999, 0, 0, RULE_DROP, "lower source ports" },
		{ 0, 0, 0, 0, 0, 0, 0, 2000, 2000, RULE_ACCEPT, "its port" },
		{ 0, 0, 0, 0, 0, 0, 0, 1, 1999, RULE_DROP, "lower ports" },
		{ 0, 0, 0, 0, 0, 0, 0, 2001, 2001, RULE_DROP, "higher ports" },
	};

	for (uint32_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct control_rule r = any(1);

		start();
		r.source = network(rows[i].source);
		r.source_mask = network(rows[i].source_mask);
		r.destination = network(rows[i].destination);
		r.destination_mask = network(rows[i].destination_mask);
		r.protocol = rows[i].protocol;
		r.source_port_low = rows[i].from_port;
		r.source_port_high = rows[i].to_port;
		r.destination_port_low = rows[i].at_port;
		r.destination_port_high = rows[i].end_port;
		EXPECT_EQ(vfr_add(&r), 0, "%s", rows[i].what);
		EXPECT_EQ(match(one_0, two_0), rows[i].answer, "%s", rows[i].what);
	}
}

TEST(what_a_packet_does_not_have_fits_no_rule_that_asks_for_it)
{
	struct control_rule address = any(1), protocol = any(1), port = any(1);

	start();
	address.source_mask = 1;
	protocol.protocol = 17;
	port.destination_port_high = 65535;
	bytes[12] = 0x86;
	EXPECT_EQ(parse(60), 0);
	vfr_add(&address);
	vfr_add(&protocol);
	vfr_add(&port);
	EXPECT_EQ(match(one_0, two_0), RULE_DROP);
	udp(60);
	bytes[21] = 1;		/* a later fragment */
	EXPECT_EQ(parse(60), 0);
	vfr_remove(&address);
	vfr_remove(&protocol);
	EXPECT_EQ(match(one_0, two_0), RULE_DROP);
}

TEST(the_first_rule_by_rank_and_then_by_age_acts_and_counts)
{
	struct control_rule r = any(20), i;

	start();
	vfr_add(&r);
	r.rank = 10;
	r.action = RULE_DROP;
	vfr_add(&r);
	EXPECT_EQ(match(one_0, two_0), RULE_DROP);
	r.action = RULE_ACCEPT;
	vfr_add(&r);
	EXPECT_EQ(match(one_0, two_0), RULE_DROP);
	r.rank = 0;
	r.hits = 7;
	vfr_add(&r);
	EXPECT_EQ(match(one_0, two_0), RULE_ACCEPT);
	i.index = 0;
	EXPECT_EQ(vfr_info(&i), 0);
	EXPECT_EQ(i.rank, 0);
	EXPECT_EQ(i.hits, 1);
	i.index = 1;
	EXPECT_EQ(vfr_info(&i), 0);
	EXPECT_EQ(i.action, RULE_DROP);
	EXPECT_EQ(i.hits, 2);
	EXPECT_EQ(i.index, 1);
	i.index = 4;
	EXPECT_EQ(vfr_info(&i), -ENODEV);
	EXPECT(vfr_check());
}

TEST(a_rule_goes_when_one_that_is_equal_in_all_is_named)
{
	struct control_rule r = any(5), other;

	start();
	vfr_add(&r);
	other = r;
	other.destination_port_high = 1;
	EXPECT_EQ(vfr_remove(&other), -ENODEV);
	other = r;
	other.action = RULE_DROP;
	EXPECT_EQ(vfr_remove(&other), -ENODEV);
	r.index = 77;
	r.hits = 99;
	EXPECT_EQ(vfr_remove(&r), 0);
	EXPECT_EQ(vfr_remove(&r), -ENODEV);
	EXPECT_EQ(match(one_0, two_0), RULE_DROP);
}

TEST(rules_that_mean_nothing_are_refused)
{
	start();
	const struct {
		struct control_rule rule;
		int error;
		const char *why;
	} bad[] = {
		{ { .action = 2, .from_domain = RULE_ANY, .to_domain = RULE_ANY }, -EINVAL, "no such action" },
		{ { .protocol = 256, .from_domain = RULE_ANY, .to_domain = RULE_ANY }, -EINVAL, "no such protocol" },
		{ { .from_domain = 3, .to_domain = RULE_ANY }, -ESRCH, "no such domain" },
		{ { .from_domain = RULE_ANY, .to_domain = DOMID_SELF }, -ESRCH, "itself" },
		{ { .from_domain = RULE_ANY, .to_domain = 1, .to_vif = 4 }, -EINVAL, "no such VIF" },
		{ { .from_domain = RULE_ANY, .to_domain = RULE_ANY, .source_port_low = 2, .source_port_high = 1 }, -EINVAL, "from 2 to 1" },
		{ { .from_domain = RULE_ANY, .to_domain = RULE_ANY, .destination_port_low = 9 }, -EINVAL, "from 9 to 0" },
	};
	struct control_rule i = { .index = 0 }, r = any(1);

	for (uint32_t n = 0; n < ARRAY_SIZE(bad); n++)
		EXPECT_EQ(vfr_add(&bad[n].rule), bad[n].error, "%s", bad[n].why);
	EXPECT_EQ(vfr_info(&i), -ENODEV);
	for (uint32_t n = 0; n < VFR_RULES; n++)
		EXPECT_EQ(vfr_add(&r), 0);
	EXPECT_EQ(vfr_add(&r), -ENOSPC);
}

TEST(with_a_domain_its_rules_go_and_no_others)
{
	struct control_rule r = any(1), i = { .index = 1 };

	start();
	vfr_add(&r);
	r.from_domain = 1;
	vfr_add(&r);
	r.from_domain = 2;
	r.from_vif = 1;
	vfr_add(&r);
	r.from_vif = 2;
	vfr_add(&r);
	domain_kill(one.d, SHUTDOWN_crash, 0);
	EXPECT(vfr_check());
	EXPECT_EQ(vfr_info(&i), 0);
	EXPECT_EQ(i.from_domain, 2);
	vfr_forget(2, 1);
	i.index = 1;
	EXPECT_EQ(vfr_info(&i), 0);
	EXPECT_EQ(i.from_vif, 2);
	i.index = 2;
	EXPECT_EQ(vfr_info(&i), -ENODEV);
}
