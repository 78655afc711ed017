// SPDX-License-Identifier: MIT
/*
 * What lab 3 has to show: mini with processes that fork, and F2, the frame map. The word "terminal" on the command line says
 * that somebody sits there: then it waits for keys, and the map is live.
 *
 * Domain 1 is the same program, for its letters on the map.
 */
#include "console.h"
#include "event.h"
#include "lib/string.h"
#include "map.h"
#include "mini.h"
#include "processes.h"
#include "sleep.h"
#include "trap.h"

#define STEP	(300 * MILLISECOND)

/* Two forks: four processes. Each writes its number where all wrote, and says what it reads there. */
USER_CODE(program,
	  "	call 1f\n"
	  "1:	pop %esi\n"
	  "	and $~0xfff, %esi\n"	/* the first user page */
	  "	mov $1, %eax\n"
	  "	int $0x80\n"
	  "	mov $1, %eax\n"
	  "	int $0x80\n"
	  "	mov $2, %eax\n"
	  "	int $0x80\n"
	  "	mov %eax, 0x1000(%esi)\n"
	  "	mov $3, %eax\n"
	  "	mov 0x1000(%esi), %ebx\n"
	  "	int $0x80\n"
	  "	mov $4, %eax\n"
	  "	int $0x80\n");

/* What terminals send for F2: xterm and its like, a Linux console, and vt220. */
static const char *const f2[] = { "\033OQ", "\033[[B", "\033[12~" };

static struct {
	bool terminal, map, over;
	char typed[8];			/* the last ones, and a NUL */
} show;

static bool f2_was_typed(void)
{
	const char *end = show.typed + sizeof(show.typed) - 1;

	for (uint32_t i = 0; i < ARRAY_SIZE(f2); i++)
		if (strcmp(end - strlen(f2[i]), f2[i]) == 0)
			return true;
	return false;
}

static void new_processes(void)
{
	process_start(USER_LOAD(program));
}

static void toggle_map(void)
{
	show.map = !show.map;
	if (show.map && show.terminal)
		printf("\033[2J");
	if (show.map)
		map_print(show.terminal);
}

static void take_key(char c)
{
	memmove(show.typed, show.typed + 1, sizeof(show.typed) - 2);
	show.typed[sizeof(show.typed) - 2] = c;
	if (f2_was_typed())
		toggle_map();
	else if (c == 'q')
		show.over = true;
}

static void take_keys(void)
{
	int c;

	while ((c = console_get()) >= 0)
		take_key(c);
}

int test_main(const struct start_info *start)
{
	if (trap_init() || event_init() || sleep_open() < 0)
		panic("lab 2 is not done yet");
	events_enable();
	while (!(start->flags & START_PRIVILEGED))
		hypercall_block();
	show.terminal = argument("terminal") != NULL;
	printf("Four processes by two forks. F2 is the frame map, q the end.\n");
	do {
		new_processes();
		while (!show.over && process_step()) {
			take_keys();
			if (show.map && show.terminal)
				map_print(true);
			sleep_for(STEP);
		}
	} while (show.terminal && !show.over);
	return 0;
}
