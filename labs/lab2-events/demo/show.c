// SPDX-License-Identifier: MIT
/*
 * What lab 2 has to show: a clock that sleeps between its ticks; two domains that play ping-pong over an event channel; and
 * system calls from ring 3 that the hypervisor has no part in. The emulator's processor does one instruction a nanosecond, so
 * its counter says how many there were, everybody's together.
 *
 * Domain 1 is the same program: it answers each ping.
 */
#include "console.h"
#include "event.h"
#include "hypercall.h"
#include "mini.h"
#include "sleep.h"
#include "time.h"
#include "trap.h"
#include "user.h"

#define ROUNDS		1000u
#define TRIES		5	/* one of which is not interrupted */
#define SECONDS		3

static volatile uint32_t answers;

/* ---- ping-pong ---- */

/* Domain 1's first port is the only one that it has. */
#define PARTNER		1u
#define PORT		1u

static void answer(uint32_t port, void *arg)
{
	event_send(port);
}

static void note(uint32_t port, void *arg)
{
	answers++;
}

static NORETURN void be_partner(void)
{
	if (event_alloc_unbound(0, answer, NULL) < 0)
		panic("the partner has no port");
	for (;;)
		hypercall_block();
}

/* The partner may not have its port yet. */
static int find_partner(void)
{
	int port;

	while ((port = event_bind_interdomain(PARTNER, PORT, note, NULL)) < 0)
		hypercall_yield();
	return port;
}

static void ping_pong(void)
{
	int port = find_partner();
	uint64_t before = read_tsc();

	for (uint32_t i = 0; i < ROUNDS; i++) {
		event_send(port);
		events_wait_until(answers > i);
	}
	printf("ping-pong: %u rounds, %u instructions each for both players and the hypervisor\n", ROUNDS,
	       (uint32_t)(read_tsc() - before) / ROUNDS);
}

/* ---- system calls ---- */

/* The smallest system call: the program is two instructions a round besides the call, the kernel one. */
USER_CODE(calls, "1: int $0x80\n"
		 "dec %ecx\n"
		 "jnz 1b\n"
		 "ud2\n");

asm(".pushsection .text\n"
    "do_nothing: iret\n"
    ".popsection");
extern const char do_nothing[];

/* A program's @ROUNDS system calls, in instructions; the least of some tries, for an interrupt costs some, too. */
static uint32_t count_calls(void)
{
	uint32_t least = UINT32_MAX, entry = USER_LOAD(calls);

	for (int i = 0; i < TRIES; i++) {
		struct frame regs = user_start(entry);
		uint64_t before = read_tsc();

		regs.ecx = ROUNDS;
		user_run(&regs);
		least = MIN(least, (uint32_t)(read_tsc() - before));
	}
	return least;
}

static void system_calls(void)
{
	struct trap_entry table[33];
	uint32_t slow, fast;

	for (uint32_t i = 0; i < 32; i++)
		table[i] = trap_row(i, 0);
	table[32] = (struct trap_entry){
		.vector = TRAP_SYSTEM_CALL, .flags = 3, .cs = ATELIER_RING1_CODE, .address = (uint32_t)do_nothing,
	};
	if (hypercall_set_trap_table(table, ARRAY_SIZE(table)))
		panic("no trap table");
	slow = count_calls();
	if (hypercall_set_fast_trap(TRAP_SYSTEM_CALL))
		panic("no fast system calls");
	fast = count_calls();
	printf("a system call by the trap table: %u.%03u instructions, with the hypervisor's\n", slow / ROUNDS, slow % ROUNDS);
	printf("a fast one:                      %u.%03u\n", fast / ROUNDS, fast % ROUNDS);
	printf("  int, iret, dec and jnz are 4; what is left over is the way there and back, once for all %u\n", ROUNDS);
}

/* ---- the clock ---- */

static void tick(void)
{
	uint64_t start = time_now();

	for (uint32_t i = 1; i <= SECONDS; i++) {
		struct time now;

		sleep_until(start + i * SECOND);
		now = time_read();
		printf("%02u:%02u:%02u UTC, %u us of my own time\n", (uint32_t)(now.wall / SECOND % 86400 / 3600),
		       (uint32_t)(now.wall / SECOND % 3600 / 60), (uint32_t)(now.wall / SECOND % 60),
		       (uint32_t)(now.virtual / MICROSECOND));
	}
}

int test_main(const struct start_info *start)
{
	if (trap_init() || event_init())
		panic("there are no events yet");
	events_enable();
	if (!(start->flags & START_PRIVILEGED))
		be_partner();
	if (sleep_open() < 0)
		panic("there is no alarm yet");
	tick();
	ping_pong();
	system_calls();
	return 0;
}
