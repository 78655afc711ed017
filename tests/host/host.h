/* SPDX-License-Identifier: MIT */
/*
 * The pretend machine: src/machine.h on the host, for unit tests, fuzzers, the explorer and the host tests of the labs.
 *
 * Memory is an array. Copies walk the loaded page tables in it, as a processor in ring 0 with CR0.WP would. A guest is
 * whatever the test does: it reads and writes through those tables too, or through what the processor
 * may still remember of older ones (tlb_model.h), may act at each seam call and before each copy from guest memory, and decides when an
 * interrupt is due. Every call that the PC could not survive ends the test at once with a line that says why.
 *
 * Invariant: nothing here looks at the hypervisor's own data structures; what it knows, it knows from raw memory and from seam calls.
 */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include <setjmp.h>
#include "lib/types.h"
#include "machine.h"

#ifndef HOST_FRAMES
#define HOST_FRAMES	1024u		/* the most that host_setup() can be asked for */
#endif
#ifndef HOST_SLOTS
#define HOST_SLOTS	8u		/* domains that the windows are kept for: at least MAX_DOMAINS */
#endif

struct host_gate {
	enum machine_gate kind;
	unsigned int dpl;
	uint16_t selector;
	uint32_t offset;
};

struct host_slot {
	bool open;
	mfn_t window_frame;
	mfn_t shared;
	mfn_t gdt[16], ldt[16];
};

/* What the machine is, and what a test may set. All of it is 0 after host_setup() unless it says otherwise. */
struct host_machine {
	uint32_t frames;
	bool usable[HOST_FRAMES];
	uint64_t now;			/* nanoseconds; starts at 1,000,000 */
	uint64_t tick;			/* added at each look at the clock */
	uint64_t wall;
	const char *cmdline;		/* "" */
	struct machine_module modules[4];
	unsigned int module_count;

	/* What was asked of it. */
	mfn_t base;			/* MFN_NONE */
	struct host_gate gates[256];
	struct host_slot slots[HOST_SLOTS];
	unsigned int ldt_entries;
	struct regs *regs;
	uint32_t kernel_ss, kernel_esp;
	uint64_t deadline;		/* UINT64_MAX: none */
	uint32_t dr[8];
	bool fpu_trap;
	uint8_t fpu[512];
	unsigned int flushes, page_flushes, base_loads, entry_writes;
	uint32_t last_flushed_page;
	uint32_t mapped;		/* bit n: frame n % 32 has been looked at through a window */

	/* The guest's part. */
	void (*at_seam)(const char *call);		/* before each seam call */
	void (*before_copy_in)(guest_addr_t src, size_t n);
	void (*idle)(void);				/* NULL: time goes on to the deadline */
	unsigned int interrupt_after;			/* looks until one is due; 0: never */
	bool interrupt;					/* one is due now */
	bool sets_accessed;				/* the processor's A and D bits */

	/* Guest addresses from @direct_va on lie in @direct, whatever the tables say: for lists of arguments. */
	uint32_t direct_va, direct_size;
	uint8_t *direct;
};
extern struct host_machine host;

/* A machine of @frames frames of zeros, all usable, with nothing loaded. */
void host_setup(uint32_t frames);

/* The bytes of a frame, for the test's own eyes and hands. */
void *host_frame(uint32_t mfn);

/* ---- what was printed ---- */

const char *host_output(size_t *size);	/* NUL-terminated */
void host_output_clear(void);
void host_output_echo(bool on);		/* also to standard error */

/* ---- the end ---- */

struct host_end {
	bool stopped;
	enum machine_end how;
	unsigned int status;
};

/*
 * Runs @what(@arg) and says whether, and how, machine_stop() ended it. Outside of this machine_stop() is a failure of the
 * test: the console's last lines go to standard error and the process aborts.
 */
struct host_end host_run(void (*what)(void *arg), void *arg);

/* The test cannot go on: says why, and aborts. */
NORETURN void host_panic(const char *format, ...) PRINTF_LIKE(1, 2);

/* ---- the guest ---- */

/*
 * Accesses of ring 1 at @va through the loaded tables; false, and nothing done, if one byte faults. Accesses above the
 * line are not for a guest.
 */
bool host_load(uint32_t va, void *to, size_t n);
bool host_store(uint32_t va, const void *from, size_t n);

/*
 * Whether a frame number is one that only the hypervisor's own directory entries name. A guest can read such frames through a linear
 * page table, and never write them.
 */
bool host_is_hypervisor_frame(uint32_t mfn);

/* The frame that the loaded tables map at @va for this access, or MFN_NONE. */
mfn_t host_walk(uint32_t va, bool write);

/* The descriptor that a processor would load for @selector in @slot, or NULL if it lies in no frame. */
const uint64_t *host_descriptor(unsigned int slot, uint16_t selector);

#endif
