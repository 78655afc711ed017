// SPDX-License-Identifier: MIT
#include "pc/ramwire.h"
#include "lib/string.h"
#include "pc/pc.h"
#include "pc/wire.h"
#include "segmentation.h"
#include "timer.h"
#include "vfr.h"
#include "vif.h"

#define BUFFERS		32u
#define A_TICK		16u	/* packets either way, before others get the processor */
#define BYTES_MAX	2048u	/* of a packet that comes in: more than any interface takes */

struct leaving {
	uint8_t header[VFR_HEADER];
	uint32_t n, count, token;
	struct machine_sum sum;
	struct machine_piece pieces[VIF_TX_PIECES];
	uint64_t when;
};

static struct {
	uint32_t start, size;		/* the module: real addresses */
	struct ramwire head;
	bool started;
	uint64_t clock;			/* machine_now() when it was 0 */
	struct alarm alarm;		/* for the next packet, in or out */
	mfn_t frames[BUFFERS];
	uint32_t given, next;
	struct leaving leaving[MACHINE_WIRE_PACKETS];
	uint32_t in, out;		/* of these; they run freely */
	uint8_t packet[BYTES_MAX], large[VIF_LARGE_MAX];
} rw;

/* ---- the module's memory ---- */

/* @n bytes of it, which all lie in one page, for now. */
static uint8_t *at(uint32_t offset)
{
	uint32_t real = rw.start + offset;

	return (uint8_t *)machine_map_frame(MFN(real >> PAGE_SHIFT), WINDOW_DATA) + real % PAGE_SIZE;
}

static void copy(uint32_t offset, void *ours, uint32_t n, bool out)
{
	for (uint8_t *p = ours; n > 0;) {
		uint32_t piece = MIN(n, PAGE_SIZE - (rw.start + offset) % PAGE_SIZE);

		if (out)
			memcpy(at(offset), p, piece);
		else
			memcpy(p, at(offset), piece);
		offset += piece;
		p += piece;
		n -= piece;
	}
}

static void read(uint32_t offset, void *to, uint32_t n)
{
	copy(offset, to, n, false);
}

static void write(uint32_t offset, const void *from, uint32_t n)
{
	copy(offset, (void *)(uintptr_t)from, n, true);
}

static void write_counts(void)
{
	write(offsetof(struct ramwire, left), &rw.head.left, sizeof(rw.head) - offsetof(struct ramwire, left));
}

/* ---- out ---- */

static uint64_t clock(void)
{
	return machine_now() - rw.clock;
}

static uint64_t next_arrival(void)
{
	struct ramwire_arrival a;

	if (!rw.started || rw.head.came == rw.head.arrival_count)
		return TIMER_NEVER;
	read(rw.head.arrivals + rw.head.came * sizeof(a), &a, sizeof(a));
	return a.when;
}

static uint64_t next_departure(void)
{
	return rw.out == rw.in ? TIMER_NEVER : rw.leaving[rw.out % MACHINE_WIRE_PACKETS].when;
}

static void set_alarm(void)
{
	uint64_t next = MIN(next_arrival(), next_departure());

	alarm_set(&rw.alarm, next == TIMER_NEVER ? TIMER_NEVER : rw.clock + next);
}

static unsigned int room(void)
{
	return rw.head.slots - (rw.in - rw.out);
}

/* One after the other: each begins to leave when the one before it has. */
static void send(const void *header, uint32_t n, const struct machine_piece *pieces, unsigned int count, uint32_t token,
		 struct machine_sum sum)
{
	struct leaving *l = &rw.leaving[rw.in % MACHINE_WIRE_PACKETS];
	uint64_t begin;
	uint32_t delay;

	if (!rw.started) {
		rw.started = true;
		rw.clock = machine_now();
	}
	begin = clock();
	if (rw.in != rw.out)
		begin = MAX(begin, rw.leaving[(rw.in - 1) % MACHINE_WIRE_PACKETS].when);
	read(rw.head.delays + rw.in % rw.head.delay_count * sizeof(delay), &delay, sizeof(delay));
	*l = (struct leaving){ .n = n, .count = count, .token = token, .sum = sum, .when = begin + delay };
	memcpy(l->header, header, n);
	memcpy(l->pieces, pieces, count * sizeof(*pieces));
	rw.in++;
	set_alarm();
}

/* Its bytes are read now, as a device would: whoever had their frames meanwhile is seen. */
static uint32_t collect(const struct leaving *l, uint8_t *to)
{
	uint32_t n = l->n;

	memcpy(to, l->header, n);
	for (uint32_t i = 0; i < l->count; i++) {
		const struct machine_piece *p = &l->pieces[i];

		memcpy(to + n, (uint8_t *)machine_map_frame(p->frame, WINDOW_DATA) + p->offset, p->length);
		n += p->length;
	}
	return n;
}

static void add_sum(struct machine_sum sum, uint32_t length)
{
	uint32_t total = 0;

	for (uint32_t i = sum.start; i < length; i++)
		total += rw.packet[i] << ((i - sum.start) % 2 ? 0 : 8);
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	rw.packet[sum.at] = ~total >> 8;
	rw.packet[sum.at + 1] = ~total;
}

static void log(const struct leaving *l, uint32_t length)
{
	struct ramwire_departure d = { l->when, length, 0 };
	uint32_t padded = (length + 7) & ~7u;

	if (sizeof(d) + padded > rw.head.log_size - rw.head.logged)
		return;
	memset(rw.packet + length, 0, padded - length);
	write(rw.head.log + rw.head.logged, &d, sizeof(d));
	write(rw.head.log + rw.head.logged + sizeof(d), rw.packet, padded);
	rw.head.logged += sizeof(d) + padded;
}

static void leave_whole(const struct leaving *l)
{
	uint32_t length = collect(l, rw.packet);

	if (l->sum.at)
		add_sum(l->sum, length);
	log(l, length);
}

/* In as many packets as it is to be. */
static void leave_cut(const struct leaving *l)
{
	uint32_t length = collect(l, rw.large);
	struct segmentation s;

	segmentation_plan(&s, l->header, l->n, length, l->sum.segment);
	for (uint32_t i = 0; i < s.count; i++) {
		segmentation_header(&s, i, l->header, rw.packet);
		memcpy(rw.packet + s.payload, rw.large + segmentation_from(&s, i), segmentation_size(&s, i));
		length = s.payload + segmentation_size(&s, i);
		add_sum(l->sum, length);
		log(l, length);
	}
}

static void depart(void)
{
	const struct leaving *l = &rw.leaving[rw.out % MACHINE_WIRE_PACKETS];
	uint32_t token = l->token;

	if (l->sum.segment)
		leave_cut(l);
	else
		leave_whole(l);
	rw.out++;
	rw.head.left++;
	write_counts();
	vif_sent(token);
}

/* ---- in ---- */

static void give(mfn_t frame)
{
	rw.frames[rw.given++] = frame;
}

static void arrive(void)
{
	mfn_t *frame = &rw.frames[rw.next];
	struct ramwire_arrival a;

	read(rw.head.arrivals + rw.head.came++ * sizeof(a), &a, sizeof(a));
	if (rw.given == 0) {
		rw.head.lost++;
		write_counts();
		return;
	}
	read(a.offset, rw.packet, a.length);
	memcpy((uint8_t *)machine_map_frame(*frame, WINDOW_DATA) + MACHINE_WIRE_OFFSET, rw.packet, a.length);
	*frame = vif_receive(*frame, a.length, false);
	rw.next = (rw.next + 1) % rw.given;
	write_counts();
}

static void tick(struct alarm *alarm)
{
	for (unsigned int i = 0; i < A_TICK; i++) {
		uint64_t in = next_arrival(), out = next_departure();

		if (MIN(in, out) > clock())
			break;
		if (in <= out)
			arrive();
		else
			depart();
	}
	set_alarm();
}

/* ---- start ---- */

static void inside(uint32_t offset, uint32_t count, uint32_t size)
{
	if (offset > rw.size || count > (rw.size - offset) / size)
		unsuitable("the boot module with the wire is shorter than it says");
}

static void check(void)
{
	const struct ramwire *h = &rw.head;
	struct ramwire_arrival a;

	inside(h->arrivals, h->arrival_count, sizeof(a));
	inside(h->delays, h->delay_count, sizeof(uint32_t));
	inside(h->log, h->log_size, 1);
	for (uint32_t i = 0; i < h->arrival_count; i++) {
		read(h->arrivals + i * sizeof(a), &a, sizeof(a));
		inside(a.offset, a.length, 1);
		if (a.length > BYTES_MAX)
			unsuitable("a packet of the wire has more than %u bytes", BYTES_MAX);
	}
	if (h->slots == 0 || h->slots > MACHINE_WIRE_PACKETS || h->delay_count == 0)
		unsuitable("the wire takes 1 to %u packets at a time, and each takes some time", MACHINE_WIRE_PACKETS);
}

static bool is_wire(unsigned int i)
{
	struct machine_module m = machine_module(i);

	if (m.size < sizeof(rw.head))
		return false;
	rw.start = m.start;
	rw.size = m.size;
	read(0, &rw.head, sizeof(rw.head));
	return memcmp(rw.head.magic, RAMWIRE_MAGIC, sizeof(rw.head.magic)) == 0;
}

const struct wire_driver *ramwire_find(void)
{
	static const struct wire_driver driver = { rw.head.mac, BUFFERS, give, room, send };

	for (unsigned int i = 0; i < machine_module_count(); i++)
		if (is_wire(i)) {
			check();
			multiboot_keep_module(i);
			alarm_open(&rw.alarm, tick);
			return &driver;
		}
	return NULL;
}
