// SPDX-License-Identifier: MIT
/*
 * Time: the time stamp counter, measured once against the PIT, and the wall clock, read once from
 * the CMOS.
 *
 * now = ((tsc - start) << shift) * mul >> 32, with mul in the upper half of its range; guests go on
 * from a point of it by the same formula (public/atelier.h), which never gets ahead of ours as each
 * rounds down.
 */
#include "pc/io.h"
#include "pc/pc.h"

#define CHANNEL2	0x42
#define CONTROL		0x43
#define CHANNEL2_MODE0	0xb0
#define CHANNEL2_LATCH	0x80
#define SPEAKER		0x61
#define SPEAKER_GATE	0x01		/* lets channel 2 count */
#define SPEAKER_OUT	0x20		/* channel 2 has come to its end */
#define MEASURE_COUNTS	(PIT_HZ / 50)	/* 20 ms */

#define CMOS_INDEX	0x70
#define CMOS_DATA	0x71
#define CMOS_STATUS_A	10
#define CMOS_STATUS_B	11
#define CMOS_UPDATING	0x80
#define CMOS_24_HOURS	0x02
#define CMOS_BINARY	0x04

#define NS_PER_S	1000000000ull

static struct {
	uint64_t start;
	uint32_t mul;
	int32_t shift;
	uint32_t khz;
	uint64_t wall_offset;
} cl;

/* ---- the counter ---- */

/* By hand: it is asked for many times on each way through a guest, and a shift is less than 32, which no compiler knows. */
static uint64_t scale(uint64_t ticks)
{
	uint32_t low = ticks, high = ticks >> 32;

	if (cl.shift >= 0)
		asm("shldl %%cl, %0, %1; shll %%cl, %0" : "+r"(low), "+r"(high) : "c"(cl.shift) : "cc");
	else
		asm("shrdl %%cl, %1, %0; shrl %%cl, %1" : "+r"(low), "+r"(high) : "c"(-cl.shift) : "cc");
	return (uint64_t)high * cl.mul + (uint32_t)((uint64_t)low * cl.mul >> 32);
}

uint64_t machine_now(void)
{
	return scale(read_tsc() - cl.start);
}

struct machine_clock machine_clock_read(void)
{
	uint64_t tsc = read_tsc();

	return (struct machine_clock){ tsc, scale(tsc - cl.start), cl.mul, cl.shift, cl.khz };
}

struct sample {
	uint64_t tsc;
	uint32_t count;
};

static uint32_t read_count(void)
{
	uint32_t low;

	outb(CONTROL, CHANNEL2_LATCH);
	low = inb(CHANNEL2);
	return low | inb(CHANNEL2) << 8;
}

/* Both counters at the moment when channel 2 counts on: the one is much finer than the other. */
static struct sample sample(void)
{
	uint32_t before = read_count();
	struct sample s;

	do {
		s.count = read_count();
		s.tsc = read_tsc();
	} while (s.count == before);
	return s;
}

/* Channel 2 has wrapped: nobody let this machine run for 55 ms. Nothing is armed then that would wake us again. */
static bool overslept(void)
{
	return inb(SPEAKER) & SPEAKER_OUT;
}

/*
 * Ticks of the time stamp counter a second. Channel 0 is only there to sleep by: under an emulator
 * that counts instructions 20 ms of polling would be 20 million of them.
 */
static uint64_t measure(void)
{
	struct sample from, to;

	do {
		outb(SPEAKER, SPEAKER_GATE);
		outb(CONTROL, CHANNEL2_MODE0);
		outb(CHANNEL2, PIT_MAX & 0xff);
		outb(CHANNEL2, PIT_MAX >> 8);
		from = sample();
		pit_arm(MEASURE_COUNTS);
		do
			machine_idle(true);
		while (from.count - read_count() < MEASURE_COUNTS / 2 && !overslept());
		to = sample();
	} while (overslept());
	return (to.tsc - from.tsc) * PIT_HZ / (from.count - to.count);
}

static void set_scale(uint64_t hz)
{
	uint64_t ns = NS_PER_S;

	/* Makes 2^31 <= 2^32 * ns / hz < 2^32. */
	for (; ns >= hz; hz <<= 1)
		cl.shift++;
	for (; ns < hz >> 1; ns <<= 1)
		cl.shift--;
	cl.mul = (ns << 32) / hz;
}

/* ---- the wall clock ---- */

struct date {
	unsigned int second, minute, hour, day, month, year;
};

static uint8_t cmos(uint8_t index)
{
	outb(CMOS_INDEX, index);
	return inb(CMOS_DATA);
}

static struct date read_date(void)
{
	return (struct date){ cmos(0), cmos(2), cmos(4), cmos(7), cmos(8), cmos(9) };
}

static bool same_date(struct date a, struct date b)
{
	return a.second == b.second && a.minute == b.minute && a.hour == b.hour &&
	       a.day == b.day && a.month == b.month && a.year == b.year;
}

/*
 * Twice the same while no update is under way. A clock that never gets there is believed as it is.
 */
static struct date read_stable_date(void)
{
	struct date first, second = read_date();
	unsigned int tries = 1000000;

	do {
		while (cmos(CMOS_STATUS_A) & CMOS_UPDATING && --tries > 0)
			;
		first = second;
		second = read_date();
	} while (!same_date(first, second) && --tries > 0);
	return second;
}

static unsigned int from_bcd(unsigned int n)
{
	return (n >> 4) * 10 + (n & 15);
}

static struct date decode_date(struct date d, uint8_t status)
{
	bool afternoon = d.hour & 0x80;

	d.hour &= 0x7f;
	if (!(status & CMOS_BINARY))
		d = (struct date){ from_bcd(d.second), from_bcd(d.minute), from_bcd(d.hour),
				   from_bcd(d.day), from_bcd(d.month), from_bcd(d.year) };
	if (!(status & CMOS_24_HOURS))
		d.hour = d.hour % 12 + (afternoon ? 12 : 0);
	d.year += d.year < 70 ? 2000 : 1900;
	return d;
}

/* Days since 1970-01-01 in the Gregorian calendar, years counted from March. */
static uint32_t days_since_1970(struct date d)
{
	unsigned int year = d.month > 2 ? d.year : d.year - 1;
	unsigned int month = d.month > 2 ? d.month - 3 : d.month + 9;

	return year * 365 + year / 4 - year / 100 + year / 400 +
	       (month * 153 + 2) / 5 + d.day - 1 - 719468;
}

static uint64_t wall_clock(void)
{
	struct date d = decode_date(read_stable_date(), cmos(CMOS_STATUS_B));
	uint64_t seconds = days_since_1970(d) * 86400ull + d.hour * 3600 + d.minute * 60 + d.second;

	return seconds * NS_PER_S;
}

uint64_t machine_wall_offset(void)
{
	return cl.wall_offset;
}

void clock_init(void)
{
	uint64_t hz = measure();

	if (hz < 1000000)
		unsuitable("the processor's time stamp counter does not count");
	cl.khz = hz / 1000;
	set_scale(hz);
	cl.start = read_tsc();
	cl.wall_offset = wall_clock() - machine_now();
}
