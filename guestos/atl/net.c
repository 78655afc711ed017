// SPDX-License-Identifier: MIT
/* atl net: the rules of the firewall-router. */
#include "net.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "atl.h"
#include "hypervisor.h"

static const struct {
	const char *name;
	uint8_t number;
} protocols[] = { { "icmp", 1 }, { "tcp", 6 }, { "udp", 17 } };

bool net_parse_address(const char *text, uint32_t *address)
{
	struct in_addr a;

	if (inet_pton(AF_INET, text, &a) != 1)
		return false;
	*address = a.s_addr;
	return true;
}

int net_add(const struct control_rule *rule)
{
	struct control_op op = { .op = CONTROL_rule_add, .u.rule = *rule };

	return hv_control(&op);
}

/* ---- reading ---- */

/* "10.0.2.0/24", or a single address. */
static bool read_network(const char *text, uint32_t *address, uint32_t *mask)
{
	char words[40], *slash;
	uint64_t bits = 32;

	snprintf(words, sizeof(words), "%s", text);
	slash = strchr(words, '/');
	if (slash)
		*slash++ = '\0';
	if (!net_parse_address(words, address) || (slash && !parse_number(slash, 32, &bits)))
		return false;
	*mask = bits ? htonl(UINT32_MAX << (32 - bits)) : 0;
	*address &= *mask;
	return true;
}

/* "80", or "1024-65535". */
static bool read_ports(const char *text, uint16_t *low, uint16_t *high)
{
	char words[16], *dash;
	uint64_t from, to;

	snprintf(words, sizeof(words), "%s", text);
	dash = strchr(words, '-');
	if (dash)
		*dash++ = '\0';
	if (!parse_number(words, UINT16_MAX, &from) || !parse_number(dash ? dash : words, UINT16_MAX, &to) || to < from)
		return false;
	*low = from;
	*high = to;
	return true;
}

/* "wire", "any", a domain, or a domain's interface: "web.0". */
static bool read_end(const char *text, uint16_t *domain, uint16_t *vif)
{
	char words[64], *dot;
	uint64_t number = RULE_ANY;

	*vif = RULE_ANY;
	if (strcmp(text, "any") == 0)
		*domain = RULE_ANY;
	else if (strcmp(text, "wire") == 0)
		*domain = RULE_WIRE;
	else {
		snprintf(words, sizeof(words), "%s", text);
		dot = strrchr(words, '.');
		if (dot && parse_number(dot + 1, UINT8_MAX, &number))
			*dot = '\0';
		*domain = hv_find(words);
		*vif = number;
	}
	return true;
}

static bool read_protocol(const char *text, uint16_t *protocol)
{
	uint64_t number;

	for (unsigned int i = 0; i < ARRAY_SIZE(protocols); i++)
		if (strcmp(text, protocols[i].name) == 0) {
			*protocol = protocols[i].number;
			return true;
		}
	if (!parse_number(text, UINT8_MAX, &number))
		return false;
	*protocol = number;
	return true;
}

static bool read_rank(const char *text, uint32_t *rank)
{
	uint64_t number;
	bool ok = parse_number(text, UINT32_MAX, &number);

	*rank = number;
	return ok;
}

/* One pair of words. */
static bool read_pair(struct control_rule *r, const char *key, const char *value)
{
	if (strcmp(key, "from") == 0)
		return read_end(value, &r->from_domain, &r->from_vif);
	if (strcmp(key, "to") == 0)
		return read_end(value, &r->to_domain, &r->to_vif);
	if (strcmp(key, "src") == 0)
		return read_network(value, &r->source, &r->source_mask);
	if (strcmp(key, "dst") == 0)
		return read_network(value, &r->destination, &r->destination_mask);
	if (strcmp(key, "proto") == 0)
		return read_protocol(value, &r->protocol);
	if (strcmp(key, "sport") == 0)
		return read_ports(value, &r->source_port_low, &r->source_port_high);
	if (strcmp(key, "dport") == 0)
		return read_ports(value, &r->destination_port_low, &r->destination_port_high);
	if (strcmp(key, "rank") == 0)
		return read_rank(value, &r->rank);
	return false;
}

static int add(int argc, char **argv)
{
	struct control_rule r = {
		.rank = NET_RANK, .from_domain = RULE_ANY, .from_vif = RULE_ANY, .to_domain = RULE_ANY, .to_vif = RULE_ANY,
	};
	int err;

	if (argc < 1 || argc % 2 == 0 || (strcmp(argv[0], "accept") && strcmp(argv[0], "drop"))) {
		complain("atl net add accept|drop [from END] [to END] [proto P] [src NET] [dst NET] [sport N[-N]] [dport N[-N]] [rank N]");
		return USAGE;
	}
	r.action = strcmp(argv[0], "accept") == 0 ? RULE_ACCEPT : RULE_DROP;
	for (int i = 1; i + 1 < argc; i += 2)
		if (!read_pair(&r, argv[i], argv[i + 1])) {
			complain("%s %s makes no sense: `atl help net`", argv[i], argv[i + 1]);
			return USAGE;
		}
	err = net_add(&r);
	if (err)
		fail("net add: %s", hv_error(err));
	return 0;
}

/* ---- printing ---- */

static void print_end(const char *what, uint16_t domain, uint16_t vif)
{
	if (domain == RULE_ANY)
		printf(" %s any", what);
	else if (domain == RULE_WIRE)
		printf(" %s wire", what);
	else if (vif == RULE_ANY)
		printf(" %s %u", what, domain);
	else
		printf(" %s %u.%u", what, domain, vif);
}

static void print_network(const char *what, uint32_t address, uint32_t mask)
{
	char text[INET_ADDRSTRLEN];

	if (mask)
		printf(" %s %s/%d", what, inet_ntop(AF_INET, &address, text, sizeof(text)), __builtin_popcount(mask));
}

static void print_ports(const char *what, uint16_t low, uint16_t high)
{
	if (high > 0)		/* else ports do not matter, nor whether there are any */
		printf(" %s %u-%u", what, low, high);
}

static void print(uint32_t index, const struct control_rule *r)
{
	printf("%3u  %s", index, r->action == RULE_ACCEPT ? "accept" : "drop");
	print_end("from", r->from_domain, r->from_vif);
	print_end("to", r->to_domain, r->to_vif);
	if (r->protocol)
		printf(" proto %u", r->protocol);
	print_network("src", r->source, r->source_mask);
	print_network("dst", r->destination, r->destination_mask);
	print_ports("sport", r->source_port_low, r->source_port_high);
	print_ports("dport", r->destination_port_low, r->destination_port_high);
	printf(" rank %u  (%llu hits)\n", r->rank, (unsigned long long)r->hits);
}

static bool at(uint32_t index, struct control_op *op)
{
	*op = (struct control_op){ .op = CONTROL_rule_info, .u.rule = { .index = index } };
	return hv_control(op) == 0;
}

static int list(void)
{
	struct control_op op;

	for (uint32_t i = 0; at(i, &op); i++)
		print(i, &op.u.rule);
	return 0;
}

static int removal(const char *word)
{
	struct control_op op;
	uint64_t index;
	int err;

	if (!parse_number(word, UINT32_MAX, &index) || !at(index, &op))
		fail("%s: not the number of a rule, as `atl net` lists them", word);
	op.op = CONTROL_rule_remove;
	err = hv_control(&op);
	if (err)
		fail("net remove: %s", hv_error(err));
	return 0;
}

int run_net(int argc, char **argv)
{
	if (argc == 1 || (argc == 2 && strcmp(argv[1], "list") == 0))
		return list();
	if (strcmp(argv[1], "add") == 0)
		return add(argc - 2, argv + 2);
	if (argc == 3 && strcmp(argv[1], "remove") == 0)
		return removal(argv[2]);
	complain("atl net list, add RULE, remove NUMBER");
	return USAGE;
}
