// SPDX-License-Identifier: MIT
#include "host/domains.h"
#include <stdlib.h>
#include <string.h>
#include "frame.h"
#include "hypercall.h"
#include "paging.h"
#include "start.h"
#include "vcpu.h"

static struct {
	uint8_t args[HOST_ARGS_SIZE];
	uint32_t args_used;
	struct guest *running;
	uint32_t allocations_left;
} domains = { .allocations_left = UINT32_MAX };

void (*host_after_call)(struct guest *g, uint32_t number, int result);

/* ---- arguments ---- */

void host_args_clear(void)
{
	domains.args_used = 0;
}

uint32_t host_arg(const void *bytes, size_t n)
{
	uint32_t at = (domains.args_used + 15) & ~15u;

	if (n > HOST_ARGS_SIZE)
		host_panic("%zu bytes of arguments", n);
	if (at + n > HOST_ARGS_SIZE)
		at = 0;
	memcpy(domains.args + at, bytes, n);
	domains.args_used = at + n;
	return HOST_ARGS + at;
}

void *host_arg_bytes(uint32_t va)
{
	return domains.args + (va - HOST_ARGS);
}

/* ---- allocation that fails: the linker sends all callers of the pool here ---- */

mfn_t __real_frame_pool_alloc(struct domain *d);
mfn_t __wrap_frame_pool_alloc(struct domain *d);
uint32_t __real_frame_pool_take(struct domain *d, uint32_t *mfns, uint32_t count);
uint32_t __wrap_frame_pool_take(struct domain *d, uint32_t *mfns, uint32_t count);

mfn_t __wrap_frame_pool_alloc(struct domain *d)
{
	if (domains.allocations_left == 0)
		return MFN_NONE;
	if (domains.allocations_left != UINT32_MAX)
		domains.allocations_left--;
	return __real_frame_pool_alloc(d);
}

uint32_t __wrap_frame_pool_take(struct domain *d, uint32_t *mfns, uint32_t count)
{
	count = MIN(count, domains.allocations_left);
	if (domains.allocations_left != UINT32_MAX)
		domains.allocations_left -= count;
	return __real_frame_pool_take(d, mfns, count);
}

void host_fail_allocations_after(uint32_t n)
{
	domains.allocations_left = n;
}

/* ---- systems ---- */

void host_start(uint32_t frames)
{
	host_setup(frames);
	host.direct = domains.args;
	host.direct_va = HOST_ARGS;
	host.direct_size = HOST_ARGS_SIZE;
	domains.args_used = 0;
	domains.running = NULL;
	domains.allocations_left = UINT32_MAX;
	host_after_call = NULL;
	start_subsystems();
}

static void map_row(const struct guest *g)
{
	uint32_t *directory = host_frame(g->mfn[PFN_DIRECTORY]), *table = host_frame(g->mfn[PFN_TABLE]);

	directory[HOST_VA >> 22] = g->mfn[PFN_TABLE] << PAGE_SHIFT | PTE_P | PTE_RW | PTE_US | PTE_A;
	for (uint32_t pfn = 0; pfn < g->frames; pfn++)
		table[pfn] = g->mfn[pfn] << PAGE_SHIFT | PTE_P | PTE_US | PTE_A | PTE_D |
			     (pfn <= PFN_TABLE ? 0 : PTE_RW);
}

struct guest host_domain(uint32_t frames)
{
	struct guest g = { domain_open("guest", frames), frames, { 0 } };

	if (!g.d)
		host_panic("host_domain: no slot or no frame is left");
	for (uint32_t pfn = 0; pfn < frames; pfn++) {
		mfn_t mfn = frame_pool_alloc(g.d);

		if (mfn.n == MFN_NONE.n)
			host_panic("host_domain: no frame is left");
		memset(host_frame(mfn.n), 0, PAGE_SIZE);
		machine_m2p_set(mfn, pfn);
		g.mfn[pfn] = mfn.n;
	}
	map_row(&g);
	paging_adopt(g.d, MFN(g.mfn[PFN_DIRECTORY]));
	paging_adopt_use(MFN(g.mfn[PFN_SHARED]), FRAME_WRITABLE);
	domain_set_shared(g.d, MFN(g.mfn[PFN_SHARED]));
	vcpu_open(g.d, host_va(PFN_DATA), 0);
	g.d->vcpu.regs.esp = host_va(PFN_DATA) + PAGE_SIZE;
	return g;
}

void host_enter(struct guest *g)
{
	for (struct domain *d = domain_next(0); d; d = domain_next(d->id + 1u))
		if (d->life == LIFE_OPEN && d != g->d && d->sched.paused == 0)
			sched_pause(d);
	while (g->d->sched.paused > 0)
		sched_unpause(g->d);
	sched_wake(g->d);
	if (sched_return() != g->d)
		host_panic("the scheduler runs another domain than the only one that can run");
}

static void expect_same(const struct regs *before, const struct regs *after, uint32_t number)
{
	struct regs now = *after;

	now.eax = before->eax;
	if (number != HYPERCALL_iret && memcmp(&now, before, sizeof(now)) != 0)
		host_panic("call %u changed another register than EAX", number);
}

int host_call(struct guest *g, uint32_t number, const uint32_t args[5])
{
	struct regs *regs = &g->d->vcpu.regs, before;
	int result;

	regs->eax = number;
	regs->ebx = args[0];
	regs->ecx = args[1];
	regs->edx = args[2];
	regs->esi = args[3];
	regs->edi = args[4];
	before = *regs;
	hypercall_dispatch(g->d, regs);
	result = regs->eax;
	expect_same(&before, regs, number);
	if (host_after_call)
		host_after_call(g, number, result);
	return result;
}
