// SPDX-License-Identifier: MIT
/*
 * Intel's 82540EM, as QEMU and Bochs have it (PCI/PCI-X Family of Gigabit Ethernet Controllers,
 * Software Developer's Manual, 317453: chapters 3, 13 and 14).
 *
 * Two circles of descriptors in memory. We write behind the tail, the device at the head; it sets DD
 * in a descriptor that it is done with, and interrupts. It hears all packets: whose they are is
 * decided above.
 */
#include "console.h"
#include "lib/string.h"
#include "pc/pc.h"
#include "pc/pci.h"
#include "pc/wire.h"
#include "segmentation.h"
#include "vfr.h"
#include "vif.h"

#define VENDOR		0x8086
#define DEVICE		0x100e
#define PAGES		32u		/* of registers */

enum {
	CTRL = 0x0000, EERD = 0x0014, ICR = 0x00c0, ITR = 0x00c4, ICS = 0x00c8, IMS = 0x00d0, IMC = 0x00d8,
	RCTL = 0x0100, TCTL = 0x0400, TIPG = 0x0410,
	RDBAL = 0x2800, RDBAH = 0x2804, RDLEN = 0x2808, RDH = 0x2810, RDT = 0x2818, RDTR = 0x2820,
	TDBAL = 0x3800, TDBAH = 0x3804, TDLEN = 0x3808, TDH = 0x3810, TDT = 0x3818,
	RXCSUM = 0x5000, MTA = 0x5200, RAL = 0x5400, RAH = 0x5404,
};

#define MTA_WORDS	128u
#define CTRL_LINK_UP	0x00000040u
#define CTRL_RESET	0x04000000u
#define EERD_START	0x1u
#define EERD_DONE	0x10u
#define RAH_VALID	0x80000000u
#define CAUSE_SENT	0x01u
#define CAUSE_FEW	0x10u
#define CAUSE_OVERRUN	0x40u
#define CAUSE_RECEIVED	0x80u
#define CAUSES		(CAUSE_SENT | CAUSE_FEW | CAUSE_OVERRUN | CAUSE_RECEIVED)
#define INTERVAL	488u		/* of 256 ns, between interrupts at least: 125 us */
#define RCTL_ON		0x04008018u	/* everybody's packets, 2,048 bytes, no frame check sequence, ... */
#define RCTL_ENABLE	0x2u
#define RXCSUM_ON	0x300u		/* IP, and TCP or UDP */
#define TCTL_ON		0x000400fau	/* short packets are filled up; collisions as in 13.4.33 */
#define TIPG_COPPER	0x0060200au

#define STATUS_DONE	0x01u
#define STATUS_END	0x02u
#define STATUS_UNSUMMED	0x04u		/* not looked at; nor if the next one is not set */
#define STATUS_SUMMED	0x20u
#define ERRORS_SUMS	0x60u
#define COMMAND_END	0x01u
#define COMMAND_SUM	0x02u
#define COMMAND_REPORT	0x08u
#define COMMAND_LONG	0x20u		/* a context (3.3.6), or with KIND_DATA data that has one (3.3.7) */
#define KIND_DATA	0x10u
#define OPTION_SUM	0x02u

#define TX		256u		/* descriptors */
#define BUFFERS		256u		/* a full window of small packets, while nobody looks */
#define RX		512u		/* more than buffers: head and tail never meet */
#define MOST_PIECES	(2 * VIF_SEGMENTS + VIF_TX_PIECES + 1)	/* of a cut one: with headers, where it was cut, and a context */
#define NO_PACKET	UINT32_MAX	/* its length */
#define A_TURN		16u		/* packets received, before others get the processor */
#define PATIENCE	100000u		/* looks at a register that should change at once */

struct receive_descriptor {
	uint64_t address;
	uint16_t length, sum;
	uint8_t status, errors;
	uint16_t special;
};

struct transmit_descriptor {
	uint64_t address;
	uint16_t length;
	uint8_t kind, command, status, options;
	uint16_t special;
};

static struct {
	volatile uint32_t *registers;
	uint8_t mac[MAC_BYTES];
	uint32_t rx_head, rx_tail;	/* of what the device has to receive into */
	mfn_t frames[RX];
	uint32_t tx_head, tx_tail;	/* of what the device has to send */
	uint32_t flying;		/* packets among that */
	struct machine_sum context;	/* the last one that the device was told */
	uint32_t tokens[TX];		/* where a packet ends */
} nic;

/* What the device reads and writes by itself. Headers by the descriptor that names them. */
static volatile struct receive_descriptor rx_ring[RX] ALIGNED(16);
static volatile struct transmit_descriptor tx_ring[TX] ALIGNED(16);
static uint8_t headers[TX][VFR_HEADER];

static uint32_t read(unsigned int reg)
{
	return nic.registers[reg / 4];
}

static void write(unsigned int reg, uint32_t value)
{
	/* What the device is to find in memory is there before it is told. */
	asm volatile("" : : : "memory");
	nic.registers[reg / 4] = value;
}

/* ---- sending ---- */

static unsigned int room(void)
{
	uint32_t used = (nic.tx_tail - nic.tx_head) % TX;

	return MIN((TX - 1 - used) / MOST_PIECES, MACHINE_WIRE_PACKETS - nic.flying);
}

static void add(struct transmit_descriptor d)
{
	tx_ring[nic.tx_tail] = d;
	nic.tx_tail = (nic.tx_tail + 1) % TX;
}

/* What it is to sum up in the packets that ask for it, up to their ends, until it is told another thing. */
static void set_context(struct machine_sum sum)
{
	if (nic.context.start == sum.start && nic.context.at == sum.at)
		return;
	nic.context = sum;
	add((struct transmit_descriptor){ .address = (uint64_t)(sum.start | sum.at << 8) << 32, .command = COMMAND_LONG });
}

/* One packet. @report: what the device is to do besides when it is done with it. */
static void put(const void *header, uint32_t n, const struct machine_piece *pieces, unsigned int count, struct machine_sum sum,
		uint8_t report)
{
	struct transmit_descriptor d = { .length = n, .command = COMMAND_SUM };
	uint8_t *copy;

	if (sum.at) {
		set_context(sum);
		d.kind = KIND_DATA;
		d.command |= COMMAND_LONG;
		d.options = OPTION_SUM;
	}
	copy = headers[nic.tx_tail];
	memcpy(copy, header, n);
	d.address = image_real(copy);
	for (unsigned int i = 0; i < count; i++) {
		add(d);
		d.address = ((uint64_t)pieces[i].frame.n << PAGE_SHIFT) + pieces[i].offset;
		d.length = pieces[i].length;
	}
	d.command |= COMMAND_END | report;
	add(d);
}

/* A large one, cut into several, the last of which is reported. What the first bytes have of the payload goes with the first. */
static void put_cut(const uint8_t *header, uint32_t n, const struct machine_piece *pieces, unsigned int count,
		    struct machine_sum sum)
{
	struct machine_piece left[VIF_TX_PIECES], now[VIF_TX_PIECES], *next = left;
	uint32_t length = n, have = n;
	struct segmentation s;
	uint8_t first[VFR_HEADER];

	for (unsigned int i = 0; i < count; i++) {
		left[i] = pieces[i];
		length += pieces[i].length;
	}
	segmentation_plan(&s, header, n, length, sum.segment);
	memcpy(first, header, n);
	for (uint32_t i = 0; i < s.count; i++, have = s.payload) {
		unsigned int parts = segmentation_take(&next, s.payload + segmentation_size(&s, i) - have, now);

		segmentation_header(&s, i, header, first);
		put(first, have, now, parts, sum, i + 1u < s.count ? 0 : COMMAND_REPORT);
	}
}

static void send(const void *header, uint32_t n, const struct machine_piece *pieces, unsigned int count, uint32_t token,
		 struct machine_sum sum)
{
	if (sum.segment)
		put_cut(header, n, pieces, count, sum);
	else
		put(header, n, pieces, count, sum, COMMAND_REPORT);
	nic.tokens[(nic.tx_tail + TX - 1) % TX] = token;
	nic.flying++;
	write(TDT, nic.tx_tail);
}

/* vif_sent() may send more meanwhile. Only a packet's last descriptor is reported, and of a cut one's packets the last. */
static void take_sent(void)
{
	for (uint32_t i = nic.tx_head; i != nic.tx_tail; i = (i + 1) % TX) {
		if (!(tx_ring[i].command & COMMAND_REPORT))
			continue;
		if (!(tx_ring[i].status & STATUS_DONE))
			break;
		nic.tx_head = (i + 1) % TX;
		nic.flying--;
		vif_sent(nic.tokens[i]);
	}
}

/* ---- receiving ---- */

static void give(mfn_t frame)
{
	nic.frames[nic.rx_tail] = frame;
	rx_ring[nic.rx_tail] = (struct receive_descriptor){
		.address = ((uint64_t)frame.n << PAGE_SHIFT) + MACHINE_WIRE_OFFSET,
	};
	nic.rx_tail = (nic.rx_tail + 1) % RX;
	write(RDT, nic.rx_tail);
}

/* One in several descriptors is longer than any packet: its parts are dropped. */
static bool is_whole(const struct receive_descriptor *d)
{
	return (d->status & STATUS_END) && (d->errors & ~ERRORS_SUMS) == 0;
}

static bool is_verified(const struct receive_descriptor *d)
{
	return (d->status & (STATUS_SUMMED | STATUS_UNSUMMED)) == STATUS_SUMMED && (d->errors & ERRORS_SUMS) == 0;
}

static void take_received(void)
{
	static bool in_parts;

	for (unsigned int n = 0; nic.rx_head != nic.rx_tail && (rx_ring[nic.rx_head].status & STATUS_DONE); n++) {
		struct receive_descriptor d = rx_ring[nic.rx_head];
		mfn_t frame = nic.frames[nic.rx_head];
		bool whole = is_whole(&d) && !in_parts;

		if (n == A_TURN) {
			write(ICS, CAUSE_RECEIVED);	/* and back here when it is our turn again */
			return;
		}
		in_parts = !(d.status & STATUS_END);
		nic.rx_head = (nic.rx_head + 1) % RX;
		give(vif_receive(frame, whole ? d.length : NO_PACKET, is_verified(&d)));
	}
}

static void interrupt(void)
{
	uint32_t causes = read(ICR);	/* which clears them */

	if (causes & CAUSE_SENT)
		take_sent();
	if (causes & (CAUSES & ~CAUSE_SENT))
		take_received();
}

/* ---- start ---- */

static uint16_t read_eeprom(unsigned int word)
{
	unsigned int tries = PATIENCE;
	uint32_t value;

	write(EERD, EERD_START | word << 8);
	do
		value = read(EERD);
	while (!(value & EERD_DONE) && --tries > 0);
	return value >> 16;
}

/* From the receive address, where the device has loaded it from its EEPROM, or else from there. */
static void read_mac(void)
{
	uint32_t low = read(RAL), high = read(RAH);

	if (!(high & RAH_VALID)) {
		low = read_eeprom(0) | (uint32_t)read_eeprom(1) << 16;
		high = read_eeprom(2);
	}
	memcpy(nic.mac, &low, 4);
	memcpy(nic.mac + 4, &high, 2);
}

static void reset(void)
{
	unsigned int tries = PATIENCE;

	write(IMC, UINT32_MAX);
	write(CTRL, read(CTRL) | CTRL_RESET);
	while ((read(CTRL) & CTRL_RESET) && --tries > 0)
		;
	write(IMC, UINT32_MAX);
	read(ICR);
	write(CTRL, read(CTRL) | CTRL_LINK_UP);
	for (unsigned int i = 0; i < MTA_WORDS; i++)
		write(MTA + 4 * i, 0);
}

static void start_rings(void)
{
	write(RDBAL, image_real((void *)rx_ring));
	write(RDBAH, 0);
	write(RDLEN, sizeof(rx_ring));
	write(RDH, 0);
	write(RDT, 0);
	write(RDTR, 0);
	write(TDBAL, image_real((void *)tx_ring));
	write(TDBAH, 0);
	write(TDLEN, sizeof(tx_ring));
	write(TDH, 0);
	write(TDT, 0);
	write(ITR, INTERVAL);
	write(TIPG, TIPG_COPPER);
	write(TCTL, TCTL_ON);
	write(RXCSUM, RXCSUM_ON);
	write(RCTL, RCTL_ON | RCTL_ENABLE);
	write(IMS, CAUSES);
}

const struct wire_driver *e1000_find(void)
{
	static const struct wire_driver driver = { nic.mac, BUFFERS, give, room, send };
	struct pci_device d;
	struct pci_area area;

	if (!pci_find_device(VENDOR, DEVICE, &d))
		return NULL;
	area = pci_area(&d, 0);
	if (area.base == 0 || area.io || d.irq >= IRQ_COUNT) {
		console_printf("the network card has no place or no interrupt: it is not used\n");
		return NULL;
	}
	pci_enable_master(&d);
	nic.registers = mmu_map_device(area.base, PAGES);
	reset();
	read_mac();
	pic_enable(d.irq, interrupt);
	start_rings();
	return &driver;
}
