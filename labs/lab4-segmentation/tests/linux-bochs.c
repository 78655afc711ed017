// SPDX-License-Identifier: MIT
/* Linux test */
/*
 * Where limits are checked: threads whose variables lie below their blocks (%gs), the same of a segment of one's own (%fs),
 * and steps over the fence. This program and its C library are linked dynamically, as Debian's are.
 */
#include <asm/ldt.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/ucontext.h>
#include "linux_script.h"

#define THREADS_MAX	8
#define OWN		0x30000000u	/* two pages that %fs points into: no i386 program lies there */
#define OWN_PAGES	2
#define OWN_SIZE	(OWN_PAGES * OBSERVE_PAGE)
#define NOTHING		0xffffffffu

/* ---- threads ---- */

struct worker {
	pthread_t thread;
	uint32_t value, rounds;
	uint32_t self_wrong;	/* how often %gs:0 did not hold the block's own address */
};

static __thread uint32_t below[2];	/* at negative offsets from %gs:0 */

static uint32_t block_address(void)
{
	uint32_t address;

	asm volatile("mov %%gs:0, %0" : "=r" (address));
	return address;
}

/* In turn below the block and in it; other threads, with other blocks, come in between. */
static void *work(void *pointer)
{
	struct worker *w = pointer;
	uint32_t block = block_address();

	below[0] = w->value;
	for (uint32_t i = 0; i < w->rounds; i++) {
		below[i & 1] = (below[0] ^ below[1]) * 1664525 + 1013904223;
		w->self_wrong += block_address() != block;
		if (i % 8 == 0)
			sched_yield();
	}
	w->value = below[0] ^ below[1];
	return NULL;
}

/* [rounds, [what each begins with]] */
static void do_threads(void)
{
	struct worker workers[THREADS_MAX] = { 0 };
	uint32_t rounds = input_word(), count = input_word();

	for (uint32_t i = 0; i < count; i++) {
		workers[i].value = input_word();
		workers[i].rounds = rounds;
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			give_up("pthread_create");
	}
	for (uint32_t i = 0; i < count; i++) {
		pthread_join(workers[i].thread, NULL);
		observe("thread value wrong", i, workers[i].value, workers[i].self_wrong);
	}
}

/* ---- one access ---- */

enum { READ, WRITE, CALL, READ_FS, WRITE_FS, LOAD_FS };

struct trap {
	uint32_t vector, error, address;
};

static struct trap trap;
static volatile int trying;

/*
 * An access has the address behind itself in EDX and the stack that it needs there in ESI: the handler makes it go on there.
 * A call beyond the fence may fault at either end.
 */
#define ACCESS(instruction, value, at)							\
	asm volatile("mov %%esp, %%esi\n\t"						\
		     "call 0f\n"							\
		     "0:\tpop %%edx\n\t"						\
		     "add $1f - 0b, %%edx\n\t" instruction "\n"			\
		     "1:"								\
		     : "+a" (value) : "c" (at) : "esi", "edx", "memory")

static void on_fault(int number, siginfo_t *info, void *context)
{
	ucontext_t *there = context;
	greg_t *regs = there->uc_mcontext.gregs;

	if (!trying)
		give_up("a fault of the test itself");
	trap.vector = regs[REG_TRAPNO];
	trap.error = regs[REG_ERR];
	trap.address = there->uc_mcontext.cr2;
	regs[REG_EIP] = regs[REG_EDX];
	regs[REG_ESP] = regs[REG_ESI];
}

static uint32_t perform(uint32_t kind, uint32_t at, uint32_t value)
{
	switch (kind) {
	case READ:
		ACCESS("mov (%%ecx), %%eax", value, at);
		break;
	case WRITE:
		ACCESS("mov %%eax, (%%ecx)", value, at);
		break;
	case CALL:
		ACCESS("call *%%ecx", value, at);
		break;
	case READ_FS:
		ACCESS("mov %%fs:(%%ecx), %%eax", value, at);
		break;
	case WRITE_FS:
		ACCESS("mov %%eax, %%fs:(%%ecx)", value, at);
		break;
	case LOAD_FS:
		ACCESS("mov %%ecx, %%fs", value, at);
		break;
	}
	return value;
}

static uint32_t try_kind(uint32_t kind, uint32_t at, uint32_t value)
{
	trap = (struct trap){ NOTHING, 0, 0 };
	trying = 1;
	value = perform(kind, at, value);
	trying = 0;
	return value;
}

/* [kind, offset, value] */
static void do_access(uint32_t key)
{
	uint32_t kind = input_word(), at = input_word(), value = input_word();

	value = try_kind(kind, at, value);
	observe("access vector error address value", key, trap.vector, trap.error, trap.address, value);
}

/* ---- a segment of one's own ---- */

/* A writable data segment in the LDT (1), or in the thread's part of the GDT (0); its selector. */
static uint32_t make_segment(uint32_t in_ldt, uint32_t base, uint32_t pages)
{
	static uint32_t free_entry = -1;	/* the kernel says which, the first time */
	struct user_desc segment = {
		.entry_number = in_ldt ? 0 : free_entry,
		.base_addr = base,
		.limit = pages,
		.seg_32bit = 1,
		.limit_in_pages = 1,
		.useable = 1,
	};

	if (in_ldt ? syscall(SYS_modify_ldt, 0x11, &segment, sizeof(segment)) : syscall(SYS_set_thread_area, &segment))
		give_up("a segment");
	if (!in_ldt)
		free_entry = segment.entry_number;
	return segment.entry_number << 3 | (in_ldt ? 7 : 3);
}

/* [in LDT?, base, last page, [access]] */
static void do_segment(uint32_t key, uint32_t *accesses)
{
	uint32_t in_ldt = input_word(), base = input_word(), pages = input_word(), count;

	try_kind(LOAD_FS, make_segment(in_ldt, base, pages), 0);
	observe("loaded vector", key, trap.vector);
	count = input_word();
	while (count-- > 0)
		do_access((*accesses)++);
	try_kind(LOAD_FS, 0, 0);
}

static void do_segments(void)
{
	uint32_t seed = input_word(), count = input_word(), accesses = 0;
	uint32_t *own = mmap((void *)OWN, OWN_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };

	sigaction(SIGSEGV, &action, NULL);
	for (uint32_t i = 0; i < OWN_SIZE / sizeof(*own); i++)
		own[i] = seed + i * 2654435761u;
	for (uint32_t i = 0; i < count; i++)
		do_segment(i, &accesses);
	observe_bytes("own bytes:bytes", 0, own, OWN_SIZE);
}

static void test_main(void)
{
	do_scripts();
	do_threads();
	do_segments();
}
