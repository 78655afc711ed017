// SPDX-License-Identifier: MIT
/*
 * What lab 1 has to show: a Mandelbrot set, by a call for each character, by a multicall for each row, and by a call for each
 * row. The emulator's processor does one instruction a nanosecond, so its counter says how many there were, the hypervisor's among them.
 */
#include "console.h"
#include "hypercall.h"
#include "mini.h"

#define COLUMNS		80
#define ROWS		20
#define ONE		(1 << 12)	/* fixed point */
#define STEPS		80

static const char shades[] = " .,:;-=+*oO8&%#@";
static char picture[ROWS][COLUMNS];

/* How many steps of z = z * z + c stay within 2. */
static int steps(int32_t cr, int32_t ci)
{
	int32_t r = 0, i = 0;
	int n;

	for (n = 0; n < STEPS && r * r + i * i < 4 * ONE * ONE; n++) {
		int32_t next = (r * r - i * i) / ONE + cr;

		i = 2 * (r * i / ONE) + ci;
		r = next;
	}
	return n;
}

static void compute(void)
{
	for (int y = 0; y < ROWS; y++) {
		for (int x = 0; x < COLUMNS - 2; x++) {
			int n = steps((x * 3 * ONE) / COLUMNS - 9 * ONE / 4, (2 * y + 1 - ROWS) * 6 * ONE / (5 * ROWS));

			picture[y][x] = shades[n == STEPS ? sizeof(shades) - 2 : n % (sizeof(shades) - 2)];
		}
		picture[y][COLUMNS - 2] = '\r';
		picture[y][COLUMNS - 1] = '\n';
	}
}

/* ---- a row in three ways: each answers how often it went into the hypervisor ---- */

static uint32_t by_calls(const char *row)
{
	for (int x = 0; x < COLUMNS; x++)
		hypercall_console_write(&row[x], 1);
	return COLUMNS;
}

/* The hypervisor may stop early when it has been interrupted: then the rest is asked for again. */
static uint32_t by_multicall(const char *row)
{
	static struct multicall_entry list[COLUMNS];
	uint32_t crossings = 0;
	int done = 0;

	for (int x = 0; x < COLUMNS; x++) {
		list[x].call = HYPERCALL_console_write;
		list[x].args[0] = (uint32_t)&row[x];
		list[x].args[1] = 1;
	}
	for (; done < COLUMNS; crossings++) {
		int n = hypercall_multicall(list + done, COLUMNS - done);

		if (n <= 0)
			panic("a multicall answers %d", n);
		done += n;
	}
	return crossings;
}

static uint32_t by_one_call(const char *row)
{
	hypercall_console_write(row, COLUMNS);
	return 1;
}

/* Of the cheapest row: a serial line that is not ready makes others dearer, and so does an interrupt. */
struct cost {
	uint32_t crossings, instructions;
};

static struct cost draw(uint32_t (*draw_row)(const char *row))
{
	struct cost cost = { 0, UINT32_MAX };

	for (int y = 0; y < ROWS; y++) {
		uint64_t before = read_tsc();
		uint32_t crossings = draw_row(picture[y]), instructions = read_tsc() - before;

		if (instructions < cost.instructions)
			cost = (struct cost){ crossings, instructions };
	}
	return cost;
}

static void say(const char *how, struct cost cost)
{
	printf("  %s  %u times into the hypervisor, %u instructions\n", how, cost.crossings * ROWS, cost.instructions * ROWS);
}

int test_main(const struct start_info *start)
{
	struct cost calls, multicalls, whole;

	compute();
	calls = draw(by_calls);
	multicalls = draw(by_multicall);
	whole = draw(by_one_call);
	printf("The same picture three times, and what it took:\n");
	say("1600 calls:    ", calls);
	say("20 multicalls: ", multicalls);
	say("20 calls:      ", whole);
	printf("An emulator counts `int 0x82` as one instruction; a processor needs a hundred cycles and more for it.\n");
	return 0;
}
