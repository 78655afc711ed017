/* SPDX-License-Identifier: MIT */
/*
 * Small systems on the pretend machine: the subsystems as src/start.c brings them up, and domains of a few frames.
 *
 * A domain of host_domain() has its pseudo-physical frames mapped in a row from HOST_VA on. The first three are its page
 * directory and its only page table, both mapped read-only, and its shared page; the others are plain writable memory.
 */
#ifndef HOST_DOMAINS_H
#define HOST_DOMAINS_H

#include "domain.h"
#include "host/host.h"

#ifndef HOST_VA
#define HOST_VA		0x40000000u
#endif
#define HOST_ARGS	0x80000000u	/* addresses of host_arg() */
#define HOST_ARGS_SIZE	16384u

enum { PFN_DIRECTORY, PFN_TABLE, PFN_SHARED, PFN_DATA };

struct guest {
	struct domain *d;
	uint32_t frames;
	uint32_t mfn[64];	/* by pseudo-physical frame */
};

/* A machine of @frames frames, the subsystems up, no domain. */
void host_start(uint32_t frames);

/* Opens the next domain, the first one being domain 0, with @frames (4 to 64) frames; paused. */
struct guest host_domain(uint32_t frames);

/* Makes @g the domain that runs: the scheduler switches to it, all others are paused. */
void host_enter(struct guest *g);

/* The address at which frame @pfn of a domain is mapped. */
static inline uint32_t host_va(uint32_t pfn)
{
	return HOST_VA + pfn * PAGE_SIZE;
}

/*
 * One hypercall of @g through hypercall_dispatch(), with its arguments. Fails the test if another register than EAX changed (those
 * of iret excepted). If host_auditing() is on, the auditors run after it.
 */
int host_call(struct guest *g, uint32_t number, const uint32_t args[5]);
#define CALL(g, number, ...)	host_call(g, HYPERCALL_##number, (const uint32_t[5]){ __VA_ARGS__ })

/* Called after each host_call(): NULL: nothing is. host_start() sets it to NULL. */
extern void (*host_after_call)(struct guest *g, uint32_t number, int result);

/* Puts @n bytes where the guest's arguments are read from, behind those of earlier calls; its guest address. */
uint32_t host_arg(const void *bytes, size_t n);
void host_args_clear(void);
void *host_arg_bytes(uint32_t va);	/* what lies there now */
#define ARG(x)	host_arg(&(x), sizeof(x))

/* The next allocations of frames but @n fail; UINT32_MAX: none does. */
void host_fail_allocations_after(uint32_t n);

#endif
