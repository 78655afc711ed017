// SPDX-License-Identifier: MIT
#include "map.h"
#include "console.h"
#include "frame_map.h"
#include "hypercall.h"
#include "mini.h"

#define A_ROW	64u
#define ROWS	256u			/* of a machine with 64 MiB */

/* By FRAMES_TYPE, then three that have none. Other domains' letters are upper-case. */
enum { UNUSED, WRITABLE, TABLE, DIRECTORY, GDT, LDT, NOBODYS, HYPERVISORS, KINDS };

static const struct {
	char letter;
	uint8_t colour;			/* ANSI: 30 and so on */
	const char *what;
} kinds[KINDS] = {
	[UNUSED] = { '-', 37, "not in use as anything" },
	[WRITABLE] = { 'w', 32, "writable" },
	[TABLE] = { 't', 33, "page table" },
	[DIRECTORY] = { 'd', 31, "page directory" },
	[GDT] = { 'g', 35, "GDT" },
	[LDT] = { 'l', 36, "LDT" },
	[NOBODYS] = { '.', 90, "nobody's" },
	[HYPERVISORS] = { 'h', 34, "the hypervisor's" },
};

static struct {
	uint32_t words[A_ROW];
	uint32_t counts[KINDS];
	char last;			/* the letter of all of the row before; 0: it had several */
	uint32_t folded;		/* rows like that one that were left out */
	bool live;
} map;

static uint32_t kind(uint32_t word)
{
	if (FRAMES_OWNER(word) == DOMID_NONE)
		return NOBODYS;
	if (FRAMES_OWNER(word) == FRAMES_HYPERVISOR)
		return HYPERVISORS;
	return word & FRAMES_USED ? FRAMES_TYPE(word) : UNUSED;
}

static char letter(uint32_t word)
{
	char c = kinds[kind(word)].letter;

	return FRAMES_OWNER(word) != 0 && kind(word) >= WRITABLE && kind(word) <= LDT ? c - 'a' + 'A' : c;
}

/* Runs of a letter go in one colour. */
static void print_row(uint32_t first, uint32_t n)
{
	uint32_t colour = 0;

	printf("%5x ", first);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t wanted = kinds[kind(map.words[i])].colour;

		if (map.live && wanted != colour)
			printf("\033[%um", wanted);
		colour = wanted;
		printf("%c", letter(map.words[i]));
	}
	printf(map.live ? "\033[0m\033[K\n" : "\n");
}

static void end_fold(void)
{
	if (map.folded > 0)
		printf("      %u rows more like that%s\n", map.folded, map.live ? "\033[K" : "");
	map.folded = 0;
}

static void take_row(uint32_t first, uint32_t n)
{
	char uniform = letter(map.words[0]);

	for (uint32_t i = 0; i < n; i++) {
		map.counts[kind(map.words[i])]++;
		if (letter(map.words[i]) != uniform)
			uniform = 0;
	}
	if (uniform && uniform == map.last) {
		map.folded++;
		return;
	}
	end_fold();
	print_row(first, n);
	map.last = uniform;
}

static void print_legend(void)
{
	for (uint32_t k = 0; k < KINDS; k++)
		printf("  %c %s: %u%s", kinds[k].letter, kinds[k].what, map.counts[k],
		       k % 4 != 3 ? "" : map.live ? "\033[K\n"
						  : "\n");
	printf("  capitals: another domain's%s\n", map.live ? "\033[K\033[J" : "");
}

void map_print(bool live)
{
	map = (typeof(map)){ .live = live };
	if (live)
		printf("\033[H");
	for (uint32_t row = 0; row < ROWS; row++) {
		int n = hypercall_debug_op(DEBUG_frames, row * A_ROW, (uint32_t)map.words, A_ROW);

		if (n < 0)
			printf("There is no frame map: this hypervisor is no debug build (%d).\n", n);
		if (n <= 0)
			break;
		take_row(row * A_ROW, n);
	}
	end_fold();
	print_legend();
}
