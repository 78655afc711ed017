// SPDX-License-Identifier: MIT
/*
 * How long can a call keep others waiting? Domain 0 asks for the most that one call may do, with page tables that are
 * full, and sets an alarm before each batch: from the alarm to the answer, or during a single request, nobody else is served.
 * Then domain 1 ("rounds=": how many times it lets domain 0 run before) dies with more tables than one step can release, and
 * domain 0 looks for gaps in its own time.
 */
#include "event.h"
#include "lib/string.h"
#include "mini.h"
#include "paging.h"
#include "time.h"

#define ARENA		0x40000000u	/* in each directory: tables from here on */
#define A_CALL		MMU_TABLES_A_CALL
#define MANY		64u		/* more than one call may do */
#define REQUESTS	64u
#define ALARM		(2 * MICROSECOND)	/* after a call has begun */

static uint32_t *tables[MANY];
static struct mmu_request list[REQUESTS];

/* Full of writable entries for one page of ours. */
static uint32_t *full_table(void)
{
	uint32_t *table = page_alloc(), entry = page_mfn(page_alloc()) << PAGE_SHIFT | PTE_P | PTE_RW;

	for (uint32_t i = 0; i < TABLE_ENTRIES; i++)
		table[i] = entry;
	if (page_protect(table, PTE_P))
		panic("a page cannot be made read-only");
	return table;
}

/* A page that would be a directory over ours and @count tables from the @first on. */
static uint32_t *wide_directory(uint32_t first, uint32_t count)
{
	uint32_t *directory = page_alloc();

	memcpy(directory, directory_loaded(), ATELIER_SLOT * sizeof(*directory));
	for (uint32_t i = 0; i < count; i++)
		directory[(ARENA >> 22) + i] = page_mfn(tables[first + i]) << PAGE_SHIFT | PTE_P | PTE_RW;
	if (page_protect(directory, PTE_P))
		panic("a page cannot be made read-only");
	return directory;
}

static struct mmu_request command(uint32_t code, const void *page)
{
	return (struct mmu_request){ page_mfn(page) << PAGE_SHIFT | MMU_COMMAND, code };
}

/* One call; how long there was nobody else's turn. */
static void measure(uint32_t key, const struct mmu_request *list, uint32_t count)
{
	uint64_t begun, alarm, end;
	uint32_t done = 0;
	int answer;

	begun = time_now();
	alarm = begun + ALARM;
	time_alarm(alarm);
	answer = hypercall_mmu_update(list, count, &done, DOMID_SELF);
	end = time_now();
	time_alarm(TIMER_OFF);
	observe("call answer:int done ns", key, answer, done, (uint32_t)(end - (count > 1 ? MIN(alarm, end) : begun)));
}

static void measure_one(uint32_t key, struct mmu_request r)
{
	measure(key, &r, 1);
}

/* Each table first, then the directory that names them, which then holds them alone. */
static void pin_in_pieces(uint32_t *directory)
{
	for (uint32_t i = 0; i < MANY; i++)
		list[i] = command(MMU_PIN_TABLE, tables[i]);
	page_update(list, MANY, NULL);
	list[0] = command(MMU_PIN_DIRECTORY, directory);
	page_update(list, 1, NULL);
	for (uint32_t i = 0; i < MANY; i++)
		list[i] = command(MMU_UNPIN, tables[i]);
	page_update(list, MANY, NULL);
}

/* Entry @i of the arena's part of a directory. */
static struct mmu_request entry(const uint32_t *directory, uint32_t i, uint32_t value)
{
	return (struct mmu_request){ machine_address(&directory[(ARENA >> 22) + i]) | MMU_WRITE, value };
}

static void do_pins(void)
{
	uint32_t *first = directory_loaded(), *fitting = wide_directory(0, A_CALL), *wide = wide_directory(0, MANY);

	measure_one(0, command(MMU_PIN_DIRECTORY, fitting));
	measure_one(1, command(MMU_UNPIN, fitting));
	measure_one(2, command(MMU_PIN_DIRECTORY, wide));
	pin_in_pieces(wide);
	measure_one(3, command(MMU_UNPIN, wide));
	measure_one(4, command(MMU_NEW_BASE, wide));
	measure_one(5, command(MMU_UNPIN, wide));
	measure_one(6, command(MMU_NEW_BASE, first));
	for (uint32_t i = 0; i < MANY - A_CALL; i++)
		list[i] = entry(wide, A_CALL + i, 0);
	measure(7, list, MANY - A_CALL);
	page_update(list, MANY - A_CALL, NULL);
	measure_one(8, command(MMU_NEW_BASE, first));
}

/* Requests that each take full tables and release others, two directories and two entries in turn. */
static void do_batches(void)
{
	uint32_t *first = directory_loaded(), *one = wide_directory(0, A_CALL), *other = wide_directory(A_CALL, A_CALL);

	for (uint32_t i = 0; i < REQUESTS; i++)
		list[i] = command(MMU_NEW_BASE, i % 2 ? other : one);
	measure(9, list, REQUESTS);
	page_update(&list[0], 1, NULL);
	measure_one(10, list[1]);
	list[0] = command(MMU_NEW_BASE, first);
	page_update(list, 1, NULL);
	for (uint32_t i = 0; i < REQUESTS; i++)
		list[i] = entry(first, 0, page_mfn(tables[i % 2]) << PAGE_SHIFT | PTE_P | PTE_RW);
	measure(11, list, REQUESTS);
}

/* The longest that one yield() takes while the other domain dies. */
static void watch_death(uint32_t before, uint32_t rounds)
{
	uint64_t longest = 0, last, now;

	while (before-- > 0)
		hypercall_yield();
	last = time_now();
	while (rounds-- > 0) {
		hypercall_yield();
		now = time_now();
		longest = MAX(longest, now - last);
		last = now;
	}
	observe("death gone ns", 0, event_alloc_unbound(1, NULL, NULL) < 0, (uint32_t)longest);
}

static NORETURN void be_wide(uint32_t rounds)
{
	uint32_t *wide = wide_directory(0, MANY);
	int port;

	pin_in_pieces(wide);
	while ((port = event_alloc_unbound(DOMID_SELF, NULL, NULL)) > 0)
		event_bind_interdomain(DOMID_SELF, port, NULL, NULL);
	while (rounds-- > 0)
		hypercall_yield();
	for (;;)
		hypercall_shutdown(SHUTDOWN_poweroff, 0);
}

int test_main(const struct start_info *start)
{
	uint32_t rounds = argument_number("rounds", 0);

	event_init();
	event_bind_virq(VIRQ_TIMER, NULL, NULL);
	for (uint32_t i = 0; i < MANY; i++)
		tables[i] = full_table();
	if (rounds > 0)
		be_wide(rounds);
	do_pins();
	do_batches();
	watch_death(50, 1000);
	return 0;
}
