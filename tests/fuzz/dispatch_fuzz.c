// SPDX-License-Identifier: MIT
/*
 * The whole interface: every call with any registers, its structures in memory that comes from the input and may change between any two
 * reads, and every door through which the processor comes in. After each an audit. Only domain 0 may end the machine, and
 * no assertion may.
 */
#include <string.h>
#include "console.h"
#include "fuzz/reader.h"
#include "host/audit.h"
#include "host/domains.h"
#include "tls_fixup.h"
#include "vcpu.h"

#define FRAMES	12u
#define CALLS	64u

static struct guest guests[3], *running;
static struct reader *input;
static unsigned int rewrites;	/* how many reads from now on change the memory first */

/* The other processor that the guest does not have: it writes just before a read. */
static void rewrite(guest_addr_t src, size_t n)
{
	if (rewrites == 0 || n == 0)
		return;
	rewrites--;
	if (src.n - HOST_ARGS < HOST_ARGS_SIZE)
		((uint8_t *)host_arg_bytes(HOST_ARGS))[src.n - HOST_ARGS + take_of(input, n)] = take8(input);
}

static void start(void)
{
	host_start(48);
	for (unsigned int i = 0; i < 3; i++)
		guests[i] = host_domain(FRAMES);
	running = &guests[1];
	host_enter(running);
	memset(host_arg_bytes(HOST_ARGS), 0, 512);
	host.before_copy_in = rewrite;
	rewrites = 0;
}

/* A word that may mean something: small, near a border, a frame's address, an address of arguments or of a mapped page. */
static uint32_t take_word(struct reader *r)
{
	static const uint32_t borders[] = {
		ATELIER_LINE, ATELIER_FENCE, 0x80000000u, UINT32_MAX, 0x20000000u, 0x10000u, PAGE_SIZE, HOST_VA,
	};
	uint8_t b = take8(r);

	switch (b >> 5) {
	case 0:
		return b & 31;
	case 1:
		return borders[b % ARRAY_SIZE(borders)] + (int8_t)take8(r);
	case 2:
		return running->mfn[b % FRAMES] << PAGE_SHIFT | take8(r);
	case 3 ... 5:
		return HOST_ARGS + 8 * (b & 31);
	case 6:
		return host_va(b % (FRAMES + 1)) + take16(r) % PAGE_SIZE;
	}
	return take32(r);
}

/* Some bytes of the arguments, which calls will read. */
static void fill_arguments(struct reader *r)
{
	uint32_t at = take8(r), n = take_of(r, 64);
	uint8_t *bytes = host_arg_bytes(HOST_ARGS);

	for (uint32_t i = 0; i < n; i++)
		bytes[at + i] = take8(r);
}

/* Words of the arguments that may mean something. */
static void fill_words(struct reader *r)
{
	uint32_t at = take8(r) & ~3u, n = 1 + take_of(r, 8);

	for (uint32_t i = 0; i < n; i++)
		*(uint32_t *)((uint8_t *)host_arg_bytes(HOST_ARGS) + at + 4 * i) = take_word(r);
}

static void do_call(struct reader *r)
{
	uint32_t number = take8(r), args[5];

	for (unsigned int i = 0; i < 5; i++)
		args[i] = take_word(r);
	if (number >= 0xf0)
		number = take32(r);
	else
		number %= HYPERCALL_COUNT + 1;
	rewrites = take8(r) > 0x80 ? take_of(r, 4) : 0;
	host_call(running, number, args);
	rewrites = 0;
}

static void take_regs(struct reader *r)
{
	static const uint16_t selectors[] = { ATELIER_RING1_CODE, ATELIER_RING3_CODE, 0x000a, 0x0009, ATELIER_RING1_CODE };
	struct regs *regs = &running->d->vcpu.regs;

	regs->eip = take_word(r);
	regs->esp = take_word(r);
	regs->eflags = vcpu_safe_eflags(take32(r));
	regs->cs = selectors[take_of(r, ARRAY_SIZE(selectors))];
	regs->gs = take16(r);
}

/* S4: what would be loaded for the guest now. */
static void check_return(void)
{
	const struct regs *regs = &running->d->vcpu.regs;

	if ((regs->cs & 3) == 0 || (regs->eflags & (EFLAGS_IOPL | EFLAGS_VM | EFLAGS_NT)) || !(regs->eflags & EFLAGS_IF))
		host_panic("S4: a guest would run with cs 0x%x and eflags 0x%x", regs->cs, regs->eflags);
}

static void do_door(struct reader *r)
{
	struct domain *d = running->d;
	struct regs *regs = &d->vcpu.regs;
	uint32_t fault;

	switch (take_of(r, 8)) {
	case 0:
		upcall_deliver(d, regs);
		break;
	case 1:
		upcall_exception(d, regs, take_of(r, 32), take16(r), take_word(r));
		break;
	case 2:
		upcall_int_n(d, regs, take8(r));
		break;
	case 3:
		upcall_failsafe(d, regs);
		break;
	case 4:
		vcpu_fpu_fault(d);
		break;
	case 5:
		host.now += (uint64_t)take32(r) << take_of(r, 8);
		timer_tick();
		break;
	case 6:
		console_input(take8(r));
		break;
	case 7:
		regs->cs = ATELIER_RING3_CODE;
		tls_fixup(d, regs, &fault);
		break;
	}
	check_return();
}

/* The guest scribbles over what it may write: its shared page and its data. */
static void do_scribble(struct reader *r)
{
	uint32_t pfn = PFN_SHARED + take_of(r, FRAMES - PFN_SHARED);
	uint8_t *bytes = host_frame(running->mfn[pfn]);
	uint32_t word;

	if (host_walk(host_va(pfn), true).n != running->mfn[pfn])
		return;
	word = take_word(r);
	memcpy(bytes + 4 * take8(r), &word, sizeof(word));
}

static void next_guest(struct reader *r)
{
	unsigned int i = take8(r);

	for (unsigned int n = 0; n < 3; n++, i++)
		if (guests[i % 3].d->life == LIFE_OPEN) {
			running = &guests[i % 3];
			host_enter(running);
			return;
		}
}

static void steps(void *reader)
{
	struct reader *r = reader;

	for (unsigned int i = 0; i < CALLS && r->left > 0; i++) {
		switch (take_of(r, 16)) {
		case 0 ... 6:
			do_call(r);
			break;
		case 7:
			fill_arguments(r);
			break;
		case 8 ... 9:
			fill_words(r);
			break;
		case 10 ... 11:
			do_door(r);
			break;
		case 12:
			take_regs(r);
			break;
		case 13 ... 14:
			do_scribble(r);
			break;
		case 15:
			next_guest(r);
			break;
		}
		check(audit());
		if (running->d->life != LIFE_OPEN || running->d->sched.blocked)
			next_guest(r);
	}
	audit_all();
}

/* A machine that ended: by an assertion, or in the middle of another domain's work, is the bug that we look for. */
static void check_end(struct host_end end)
{
	if (end.stopped && strstr(host_output(NULL), "CRASH:"))
		host_panic("the hypervisor crashed");
	if (end.stopped && running != &guests[0])
		host_panic("a domain that is not domain 0 has stopped the machine");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct reader r = { bytes, size };

	input = &r;
	start();
	check_end(host_run(steps, &r));
	return 0;
}
