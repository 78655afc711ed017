// SPDX-License-Identifier: MIT
/*
 * For tests/boot/network.py, no graded test: talks with 10.0.2.2 over the machine's own network card. Asks who has that address, and
 * sends echo requests of growing lengths. Says what came back.
 */
#include "console.h"
#include "lib/string.h"
#include "mini.h"
#include "net.h"
#include "paging.h"
#include "trap.h"

#define POSTED		8u
#define ECHOES		24u
#define LONGEST		1514u
#define ETHERNET	14u
#define HEADERS		(ETHERNET + 20 + 8)

static const uint8_t us[4] = { 10, 0, 2, 15 }, them[4] = { 10, 0, 2, 2 };

static struct net net;
static uint8_t their_mac[6];
static uint8_t *packet;			/* in a run of pages: echo requests cross from one to the next */

static void put_16(uint8_t *at, uint32_t value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static uint16_t check_sum(const uint8_t *at, uint32_t n)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < n; i++)
		sum += i % 2 ? at[i] : at[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static void ethernet(const uint8_t *to, uint32_t type)
{
	memcpy(packet, to, 6);
	memcpy(packet + 6, net.mac, 6);
	put_16(packet + 12, type);
}

static void arp_request(void)
{
	ethernet((const uint8_t *)"\xff\xff\xff\xff\xff\xff", 0x0806);
	memcpy(packet + 14, "\0\x01\x08\0\x06\x04\0\x01", 8);
	memcpy(packet + 22, net.mac, 6);
	memcpy(packet + 28, us, 4);
	memset(packet + 32, 0, 6);
	memcpy(packet + 38, them, 4);
}

static void echo_request(uint32_t number, uint32_t length)
{
	ethernet(their_mac, 0x0800);
	memset(packet + ETHERNET, 0, 28);
	memcpy(packet + 14, "\x45\0", 2);
	put_16(packet + 16, length - ETHERNET);
	memcpy(packet + 22, "\x40\x01", 2);
	memcpy(packet + 26, us, 4);
	memcpy(packet + 30, them, 4);
	put_16(packet + 24, check_sum(packet + ETHERNET, 20));
	packet[34] = 8;
	put_16(packet + 40, number);
	for (uint32_t i = HEADERS; i < length; i++)
		packet[i] = number + i;
	put_16(packet + 36, check_sum(packet + 34, length - 34));
}

static void post(void *page)
{
	if (net_post(&net, page))
		panic("card: a page cannot be unmapped");
	net_publish(&net);
}

/* The next packet that comes; its page is the caller's to post again. */
static struct net_received next(void)
{
	struct net_received r;

	events_wait_until(ring_answered(&net.rx));
	if (!net_receive(&net, &r) || r.length < 0)
		panic("card: a posted page was refused (%d)", r.length);
	return r;
}

static void learn_mac(void)
{
	bool answered = false;

	arp_request();
	if (net_send(&net, 1, packet, 60))
		panic("card: the request was refused");
	while (!answered) {
		struct net_received r = next();

		answered = memcmp(r.bytes + 12, "\x08\x06", 2) == 0 && memcmp(r.bytes + 20, "\0\x02", 2) == 0;
		memcpy(their_mac, r.bytes + 22, 6);
		post(r.page);
	}
}

static bool echo(uint32_t number, uint32_t length)
{
	struct net_received r;
	bool same;

	echo_request(number, length);
	if (net_send(&net, number, packet, length))
		panic("card: an echo request was refused");
	r = next();
	same = r.length >= (int)length && r.bytes[34] == 0 && memcmp(r.bytes + 38, packet + 38, length - 38) == 0;
	post(r.page);
	return same;
}

int test_main(const struct start_info *start)
{
	uint32_t good = 0;

	if (trap_init() || event_init())
		panic("card: this hypervisor has no events");
	if (net_open(&net, 0)) {
		printf("there is no network\n");
		return 1;
	}
	packet = (uint8_t *)page_alloc_run(2) + PAGE_SIZE - 700;
	for (uint32_t i = 0; i < POSTED; i++)
		post(page_alloc());
	learn_mac();
	printf("10.0.2.2 is at %02x:%02x:%02x:%02x:%02x:%02x\n", their_mac[0], their_mac[1], their_mac[2], their_mac[3],
	       their_mac[4], their_mac[5]);
	for (uint32_t i = 0; i < ECHOES; i++)
		good += echo(i, HEADERS + 1 + (LONGEST - HEADERS - 1) * i / (ECHOES - 1));
	printf("%u of %u echoes came back as they were sent\n", good, ECHOES);
	return good != ECHOES;
}
