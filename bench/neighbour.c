// SPDX-License-Identifier: MIT
/*
 * A guest of mini that lives beside others, well or ill: "mode=" on its command line says how. From "from="
 * to "to=" (milliseconds of the wall clock since EPOCH, so that all domains mean the same moments) it does as
 * much as it can, says how much that was, and sleeps for ever:
 *
 *	did UNITS in MICROSECONDS       the second is its virtual time, as the hypervisor counted it
 *
 * busy is the good neighbour; packets and disk are good ones as well where each has its share. The others
 * do what costs the hypervisor most.
 */
#include "console.h"
#include "event.h"
#include "lib/string.h"
#include "mini.h"
#include "net.h"
#include "paging.h"
#include "time.h"
#include "trap.h"

#define EPOCH		(1066521600ull * SECOND)	/* 2003-10-19 */
#define TURNS		1000u	/* of a unit of work: two instructions each */
#define LISTED		64u	/* calls in a list */
#define DESCRIPTORS	8u
#define DISK_PIECES	8u

static struct {
	uint64_t from, to;
	uint32_t units;
	struct net net;
	struct ring ring;
	uint8_t *page;
	uint32_t port, random;
} n;

static uint64_t wall(void)
{
	return time_read().wall - EPOCH;
}

/* ---- the modes: each does a little, and says how many units that was ---- */

static uint32_t busy(void)
{
	uint32_t turns = TURNS;

	asm volatile("1: dec %0\n"
		     "jnz 1b\n" : "+r" (turns));
	return 1;
}

/* For ever, with all events masked. */
static uint32_t loop(void)
{
	events_disable();
	while (true)
		busy();
	return 0;
}

/* Lists of what is long to check, by itself and in the hypervisor's hands. */
static uint32_t calls(void)
{
	static struct multicall_entry list[LISTED];
	static struct trap_entry traps[256];

	for (uint32_t i = 0; i < 256; i++)
		traps[i] = (struct trap_entry){ .vector = i, .cs = ATELIER_RING1_CODE, .address = 1 };
	traps[255].vector = 0;		/* twice: refused, but only at the end */
	for (uint32_t i = 0; i < LISTED; i++)
		list[i] = (struct multicall_entry){ .call = HYPERCALL_set_trap_table, .args = { (uint32_t)traps, 256 } };
	hypercall_multicall(list, LISTED);
	for (uint32_t i = 0; i < LISTED; i++)
		hypercall_version();
	return 2 * LISTED;
}

/* A channel to itself, an alarm that is over at once, and one that comes soon. */
static uint32_t events(void)
{
	for (uint32_t i = 0; i < LISTED; i++)
		event_send(n.port);
	time_alarm(1);
	time_alarm(time_now() + MICROSECOND);
	return LISTED;
}

/* Kicks without requests, a ring that comes and goes, and one with an impossible index. */
static uint32_t rings(void)
{
	if (ring_open(&n.ring, RING_CONSOLE, 0, NULL, NULL))
		panic("neighbour: no ring");
	for (uint32_t i = 0; i < LISTED; i++)
		ring_kick(&n.ring);
	n.ring.header->req_prod = n.ring.put + 1000;
	ring_kick(&n.ring);
	ring_close(&n.ring);
	return LISTED;
}

/* Directories and tables that are made, checked, loaded and taken back; every flush that there is. */
static uint32_t tables(void)
{
	uint32_t *before = directory_loaded(), *directory = directory_create();
	struct mmu_request flush[LISTED];

	if (!directory)
		panic("neighbour: no directory");
	for (uint32_t i = 0; i < LISTED; i++)
		flush[i] = (struct mmu_request){ MMU_COMMAND, MMU_FLUSH };
	page_update(flush, LISTED, NULL);
	directory_load(directory);
	directory_load(before);
	directory_destroy(directory);
	return 1;
}

/* Domain 0 hears of each line. */
static uint32_t prints(void)
{
	printf("a line of much that is said\n");
	return 1;
}

/* The smallest packets, to nobody. As many as there is room for are under way, and what is left of its share is used up. */
static uint32_t packets(void)
{
	struct vif_tx_response r;
	uint32_t done = 0;

	while (ring_get(&n.net.tx, &r))
		done += r.status == 0;
	while (ring_room(&n.net.tx) > 0)
		net_put(&n.net, 0, n.page, 60);
	ring_publish(&n.net.tx);
	if (done == 0)
		busy();
	return done;
}

/* The same with the largest requests, all over the disk. */
static uint32_t disk(void)
{
	struct vbd_response r;
	uint32_t done = 0;

	while (ring_get(&n.ring, &r))
		done += r.status == 0;
	while (ring_room(&n.ring) > 0) {
		struct vbd_request q = { .op = VBD_READ, .pieces = DISK_PIECES, .sector = random_below(32) * 64 };

		for (uint32_t i = 0; i < DISK_PIECES; i++) {
			q.piece[i].frame = page_mfn(n.page + i * PAGE_SIZE);
			q.piece[i].count = 8;
		}
		ring_put(&n.ring, &q);
	}
	ring_publish(&n.ring);
	if (done == 0)
		busy();
	return done;
}

/* ---- what they need ---- */

static void open_channel(void)
{
	int first = event_alloc_unbound(DOMID_SELF, NULL, NULL);
	int second = event_bind_interdomain(DOMID_SELF, first, NULL, NULL);

	if (second < 0)
		panic("neighbour: no channel");
	n.port = second;
}

static void open_net(void)
{
	if (net_open(&n.net, 0))
		panic("neighbour: no network");
	n.page = page_alloc();
	memset(n.page, 0x5e, 60);
	memcpy(n.page, "\x02\x5e\x5e\x5e\x5e\x5e", 6);
	memcpy(n.page + 6, n.net.mac, 6);
}

static void open_disk(void)
{
	if (ring_open(&n.ring, RING_VBD, 0, NULL, NULL))
		panic("neighbour: no disk");
	n.page = page_alloc_run(DISK_PIECES);
}

static const struct mode {
	const char *name;
	uint32_t (*act)(void);
	void (*open)(void);
} modes[] = {
	{ "busy", busy, NULL },
	{ "loop", loop, NULL },
	{ "calls", calls, NULL },
	{ "events", events, open_channel },
	{ "rings", rings, NULL },
	{ "tables", tables, NULL },
	{ "prints", prints, NULL },
	{ "packets", packets, open_net },
	{ "disk", disk, open_disk },
};

static const struct mode *find_mode(void)
{
	const char *name = argument("mode");

	for (uint32_t i = 0; i < ARRAY_SIZE(modes) && name; i++)
		if (strncmp(name, modes[i].name, strlen(modes[i].name)) == 0)
			return &modes[i];
	panic("neighbour: no such mode");
}

static void sleep_until(uint64_t when)
{
	while (wall() < when) {
		time_alarm(time_now() + when - wall());
		events_wait_until(wall() >= when);
	}
}

int test_main(const struct start_info *start)
{
	const struct mode *mode = find_mode();
	uint64_t before;

	if (trap_init() || event_init() || event_bind_virq(VIRQ_TIMER, NULL, NULL) < 0)
		panic("neighbour: no events");
	n.from = argument_number("from", 0) * MILLISECOND;
	n.to = argument_number("to", 0) * MILLISECOND;
	if (mode->open)
		mode->open();
	sleep_until(n.from);
	before = time_read().virtual;
	while (wall() < n.to)
		n.units += mode->act();
	printf("did %u in %u\n", n.units, (uint32_t)((time_read().virtual - before) / MICROSECOND));
	events_wait_until(false);
	return 0;
}
