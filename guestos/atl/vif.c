// SPDX-License-Identifier: MIT
/* atl vif: domains' network interfaces. */
#include "vif.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "atl.h"
#include "hypervisor.h"
#include "net.h"

#define NUMBERS		4		/* of a domain's interfaces */
#define SLICE		100000		/* microseconds: how often credit comes */
#define PACKET		1518		/* bytes: the least credit that lets the longest packet go */

/* What a person wants of an interface. */
struct wish {
	uint8_t mac[6];
	bool has_mac;
	uint64_t rate;			/* KiB a second, 0: no cap */
	uint32_t ip;			/* network byte order; 0: any */
	bool closed;			/* no rules of our own making */
};

static bool read_mac(const char *text, uint8_t mac[6])
{
	unsigned int b[6];
	int end = 0;

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5], &end) != 6 || text[end])
		return false;
	for (unsigned int i = 0; i < 6; i++)
		mac[i] = b[i];
	return !(mac[0] & 1);		/* that would be a group's */
}

static bool read_word(char *word, struct wish *w)
{
	char *value = strchr(word, '=');

	if (value)
		*value++ = '\0';
	if (strcmp(word, "closed") == 0 && !value)
		return w->closed = true;
	if (strcmp(word, "mac") == 0 && value && read_mac(value, w->mac))
		return w->has_mac = true;
	if (strcmp(word, "rate") == 0 && value && parse_number(value, UINT32_MAX / 1024, &w->rate) && w->rate >= 15)
		return true;
	if (strcmp(word, "ip") == 0 && value && net_parse_address(value, &w->ip))
		return true;
	complain("vif: %s%s%s makes no sense: there are mac=02:00:00:00:00:01, ip=10.0.2.20, rate=KIB_A_SECOND (15 at least), closed",
		 word, value ? "=" : "", value ? value : "");
	return false;
}

static bool read_wish(const char *text, struct wish *w)
{
	char words[200], *rest = words, *word;

	*w = (struct wish){ .rate = 0 };
	snprintf(words, sizeof(words), "%s", text);
	while ((word = strsep(&rest, ",")))
		if (*word && !read_word(word, w))
			return false;
	return true;
}

/* An address that is nobody else's: of our own kind (bit 1 of the first byte), the domain, the number. */
static void make_mac(uint8_t mac[6], uint32_t domain, uint32_t number)
{
	const uint8_t own[6] = { 0x02, 0x61, 0x74, domain >> 8, domain, number };

	memcpy(mac, own, sizeof(own));
}

/* From it to everywhere and back; with an address, under that one alone. */
static int let_pass(uint32_t domain, uint32_t number, uint32_t ip)
{
	struct control_rule out = {
		.rank = NET_RANK, .action = RULE_ACCEPT, .from_domain = domain, .from_vif = number,
		.to_domain = RULE_ANY, .to_vif = RULE_ANY, .source = ip, .source_mask = ip ? UINT32_MAX : 0,
	};
	struct control_rule in = out;
	int err = net_add(&out);

	in.from_domain = in.from_vif = RULE_ANY;
	in.to_domain = domain;
	in.to_vif = number;
	in.source = in.source_mask = 0;
	in.destination = ip;
	in.destination_mask = ip ? UINT32_MAX : 0;
	return err ? err : net_add(&in);
}

int vif_attach(uint32_t domain, const char *text)
{
	struct control_op op = { .op = CONTROL_vif_create, .domain = domain };
	struct wish w;
	int err = -EEXIST;

	if (!read_wish(text, &w))
		return -EINVAL;
	for (uint32_t number = 0; number < NUMBERS && err == -EEXIST; number++) {
		op.u.vif = (struct control_vif){ .number = number };
		if (w.has_mac)
			memcpy(op.u.vif.mac, w.mac, sizeof(w.mac));
		else
			make_mac(op.u.vif.mac, domain, number);
		if (w.rate) {
			op.u.vif.credit_us = SLICE;
			op.u.vif.credit_bytes = MAX(w.rate * 1024 / (1000000 / SLICE), PACKET);
		}
		err = hv_control(&op);
	}
	if (!err && !w.closed)
		err = let_pass(domain, op.u.vif.number, w.ip);
	if (err)
		complain("vif %s: %s", text, err == -EEXIST ? "the domain has as many as it can have, or another one has that address"
							     : hv_error(err));
	return err;
}

/* ---- the command ---- */

static void print(uint32_t domain)
{
	for (uint32_t number = 0; number < NUMBERS; number++) {
		struct control_op op = { .op = CONTROL_vif_info, .domain = domain, .u.vif = { .number = number } };
		const struct control_vif *v = &op.u.vif;

		if (hv_control(&op))
			continue;
		printf("%3u.%u  %02x:%02x:%02x:%02x:%02x:%02x  %10llu %12llu %8llu %8llu  %10llu %12llu %8llu\n", domain, number,
		       v->mac[0], v->mac[1], v->mac[2], v->mac[3], v->mac[4], v->mac[5],
		       (unsigned long long)v->tx_packets, (unsigned long long)v->tx_bytes, (unsigned long long)v->tx_dropped,
		       (unsigned long long)v->tx_refused, (unsigned long long)v->rx_packets, (unsigned long long)v->rx_bytes,
		       (unsigned long long)v->rx_dropped);
	}
}

static int list(int argc, char **argv)
{
	printf("  VIF  ADDRESS                 SENT        BYTES  DROPPED  REFUSED    RECEIVED        BYTES  DROPPED\n");
	hv_each(argc > 2 ? argv[2] : NULL, print);
	return 0;
}

static int removal(const char *domain, const char *number)
{
	struct control_op op = { .op = CONTROL_vif_destroy, .domain = hv_find(domain) };
	uint64_t n;
	int err;

	if (!parse_number(number, NUMBERS - 1, &n))
		fail("%s: not the number of an interface", number);
	op.u.vif.number = n;
	while ((err = hv_control(&op)) == -EAGAIN)
		hv_rest();
	if (err)
		fail("vif %s.%s: %s", domain, number, hv_error(err));
	return 0;
}

int run_vif(int argc, char **argv)
{
	if (argc == 1 || (argc <= 3 && strcmp(argv[1], "list") == 0))
		return list(argc, argv);
	if ((argc == 3 || argc == 4) && strcmp(argv[1], "add") == 0)
		return vif_attach(hv_find(argv[2]), argc == 4 ? argv[3] : "") ? 1 : 0;
	if (argc == 4 && strcmp(argv[1], "remove") == 0)
		return removal(argv[2], argv[3]);
	complain("atl vif list [DOMAIN], add DOMAIN [WISHES], remove DOMAIN NUMBER");
	return USAGE;
}
