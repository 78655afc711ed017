// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "host/watch.h"
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>
#include "host/host.h"
#include "public/atelier.h"

#define TRAP_FLAG	0x100	/* of EFLAGS: a trap after the next instruction */
#define FAULT_WRITE	2	/* of a page fault's error code */

static struct {
	uint8_t *page;
	void (*after)(void);
	struct watched seen[WATCH_MOST];
	unsigned int count;
	struct sigaction old_fault, old_trap;
} watch;

static void on_access(int signal, siginfo_t *info, void *context)
{
	ucontext_t *c = context;
	uint32_t offset = (uint8_t *)info->si_addr - watch.page;

	if (offset >= PAGE_SIZE)
		host_panic("a fault at %p", info->si_addr);
	if (watch.count < WATCH_MOST)
		watch.seen[watch.count] = (struct watched){ offset, c->uc_mcontext.gregs[REG_ERR] & FAULT_WRITE };
	watch.count++;
	mprotect(watch.page, PAGE_SIZE, PROT_READ | PROT_WRITE);
	c->uc_mcontext.gregs[REG_EFL] |= TRAP_FLAG;
}

static void after_access(int signal, siginfo_t *info, void *context)
{
	ucontext_t *c = context;

	c->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
	if (watch.after)
		watch.after();
	mprotect(watch.page, PAGE_SIZE, PROT_NONE);
}

void host_watch(mfn_t mfn, void (*after)(void))
{
	struct sigaction access = { .sa_sigaction = on_access, .sa_flags = SA_SIGINFO };
	struct sigaction step = { .sa_sigaction = after_access, .sa_flags = SA_SIGINFO };

	sigaction(SIGSEGV, &access, &watch.old_fault);
	sigaction(SIGTRAP, &step, &watch.old_trap);
	watch.page = machine_map_frame(mfn, WINDOW_DATA);
	watch.count = 0;
	watch.after = after;
	mprotect(watch.page, PAGE_SIZE, PROT_NONE);
}

unsigned int host_watch_end(void)
{
	mprotect(watch.page, PAGE_SIZE, PROT_READ | PROT_WRITE);
	sigaction(SIGSEGV, &watch.old_fault, NULL);
	sigaction(SIGTRAP, &watch.old_trap, NULL);
	return watch.count;
}

/* ---- what there was ---- */

struct watched host_watched(unsigned int i)
{
	if (i >= MIN(watch.count, WATCH_MOST))
		host_panic("there was no access %u", i);
	return watch.seen[i];
}

unsigned int host_watch_accesses(uint32_t offset, uint32_t bytes)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < MIN(watch.count, WATCH_MOST); i++)
		n += watch.seen[i].offset - offset < bytes;
	return n;
}

unsigned int host_watch_reads(uint32_t offset, uint32_t bytes)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < MIN(watch.count, WATCH_MOST); i++)
		n += watch.seen[i].offset - offset < bytes && !watch.seen[i].write;
	return n;
}

unsigned int host_watch_when(uint32_t offset)
{
	unsigned int i = 0;

	while (i < MIN(watch.count, WATCH_MOST) && watch.seen[i].offset != offset)
		i++;
	return i;
}
