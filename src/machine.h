/* SPDX-License-Identifier: MIT */
/*
 * The seam: what the deciding code asks of a machine, and all that it may.
 *
 * src/pc/ implements it on a PC, tests/host/ on the host, where unit tests, fuzzers and the
 * explorer run the same deciding code. There is one processor. The hypervisor runs with interrupts
 * off, on one stack, from an entry to the return to a guest: nothing of a call survives it, and no
 * other domain runs meanwhile.
 *
 * Invariant: these functions check nothing that a guest can influence. Whoever calls them has.
 */
#ifndef ATELIER_MACHINE_H
#define ATELIER_MACHINE_H

#include "lib/types.h"
#include "public/atelier.h"
#include "machine_disk.h"	/* lab 9 */
#include "machine_wire.h"	/* lab 8 */

/* The selectors of ring 0, in the reserved slots of every GDT. */
#define MACHINE_RING0_CODE	0xe008
#define MACHINE_RING0_DATA	0xe010

#define EFLAGS_TF	0x00000100u
#define EFLAGS_IF	0x00000200u
#define EFLAGS_IOPL	0x00003000u
#define EFLAGS_NT	0x00004000u
#define EFLAGS_RF	0x00010000u
#define EFLAGS_VM	0x00020000u
#define EFLAGS_VIF	0x00080000u
#define EFLAGS_VIP	0x00100000u

/* A guest's registers as the entry code saves them; the order is that of entry.S. */
struct regs {
	uint32_t gs, fs, es, ds;
	uint32_t edi, esi, ebp, unused, ebx, edx, ecx, eax;
	uint32_t vector, error;
	uint32_t eip, cs, eflags, esp, ss;
};

/* ---- memory ---- */

/*
 * Temporary mappings, one region of the hypervisor's space for each use, so that a pointer got for
 * one use survives a mapping made for another. A pointer is good until the next machine_map_frame()
 * of the same window.
 */
enum machine_window {
	WINDOW_DIRECTORY,	/* a page directory */
	WINDOW_TABLE,		/* a page table */
	WINDOW_DATA,		/* anything else */
	WINDOW_COPY,		/* the other end of a copy from frame to frame */
	WINDOW_COUNT,
};
void *machine_map_frame(mfn_t mfn, enum machine_window window);

/* Zeros, many at a time; @at is mapped. Faster than memset() where there are hundreds. */
void machine_clear(void *at, size_t n);

/*
 * Stores an entry of a page table or directory: one 32-bit store, which the processor may see at
 * once.
 */
void machine_write_entry(uint32_t *entry, uint32_t value);

/* Fills the hypervisor's slots (ATELIER_SLOT on) of a directory for @slot's domain. */
void machine_fill_directory(uint32_t *directory, unsigned int slot);

/*
 * Whether the hypervisor's slots of a directory are as machine_fill_directory() leaves them. For
 * auditors.
 */
bool machine_directory_ok(const uint32_t *directory, unsigned int slot);

/*
 * Loads a page directory, which flushes the TLB; MFN_NONE: the hypervisor's own, which maps no
 * guest.
 */
void machine_load_base(mfn_t directory);
mfn_t machine_loaded_base(void);
void machine_flush_tlb(void);
void machine_flush_page(guest_addr_t va);

/* The machine-to-physical table: all ATELIER_NO_PFN at first. @mfn is below machine_frame_count(). */
void machine_m2p_set(mfn_t mfn, uint32_t pfn);
void machine_m2p_fill(const uint32_t *mfns, uint32_t count, uint32_t pfn);	/* mfns[i] is to be pfn + i */
uint32_t machine_m2p_get(mfn_t mfn);

/* The number of frame numbers. */
uint32_t machine_frame_count(void);

/*
 * The first run of frames from number @from on that are RAM and not taken by the hypervisor for
 * itself; first == end: there is none.
 */
struct machine_range {
	uint32_t first, end;
};
struct machine_range machine_usable(uint32_t from);

/*
 * Memory for the frame table: machine_frame_count() records of @size bytes. Once, at start.
 */
void *machine_frame_table(size_t size);

/*
 * Makes a frame that belongs to a domain for ever visible to the hypervisor, as @slot's shared
 * page.
 */
struct shared_info *machine_map_shared(unsigned int slot, mfn_t mfn);

/* The hypervisor's per-domain page table (GDT and LDT windows), in a frame that @slot gives it. */
void machine_slot_open(unsigned int slot, mfn_t frame);

/* ---- copies ---- */

/*
 * Copies between the hypervisor and the loaded address space; return how many bytes were NOT
 * copied. The caller has checked that the range ends at or below ATELIER_LINE. The processor's
 * checks are those of ring 0 with CR0.WP: absent pages and read-only ones stop the copy.
 */
size_t machine_copy_in(void *dst, guest_addr_t src, size_t n);
size_t machine_copy_out(guest_addr_t dst, const void *src, size_t n);

/* Where those copies may fault, and where they go on then. */
struct machine_fixup {
	uint32_t fault, resume;
};
const struct machine_fixup *machine_fixups(size_t *count);

/* ---- the processor ---- */

enum machine_gate { GATE_NONE, GATE_INTERRUPT, GATE_TRAP };

/* Where the hypervisor's own entry for an `INT n` vector is. */
uint32_t machine_entry_point(unsigned int vector);

/* One gate of the IDT, stored so that no half of it is ever live. GATE_NONE: absent. */
void machine_set_gate(unsigned int vector, enum machine_gate kind, unsigned int dpl,
		      uint16_t selector, uint32_t offset);

/* The domain whose registers the next return loads and the next entry saves; its ring-1 stack. */
void machine_set_regs(struct regs *regs);
void machine_set_kernel_stack(uint32_t ss, uint32_t esp);

/*
 * The GDT and LDT windows of @slot: frame i of the table appears at page i; MFN_NONE: empty
 * descriptors (in the GDT's reserved frames: the hypervisor's own page). Takes effect at once if
 * the slot's domain is the loaded one.
 */
void machine_map_gdt(unsigned int slot, unsigned int index, mfn_t frame);
void machine_map_ldt(unsigned int slot, unsigned int index, mfn_t frame);
void machine_load_ldt(unsigned int entries);	/* 0: the null selector */

/*
 * The template of a reserved GDT frame (GDT_RESERVED_FRAME or the next one): GDT_RESERVED_SLOTS
 * descriptors.
 */
const uint64_t *machine_gdt_template(unsigned int index);

/* Floating point: @area has 512 bytes, 16-aligned (FXSAVE). */
void machine_fpu_save(void *area);
void machine_fpu_restore(const void *area);
void machine_fpu_init(void);
void machine_fpu_trap(bool on);		/* CR0.TS: the next use raises #NM */

void machine_load_debugregs(const uint32_t dr[8]);
uint32_t machine_debug_status(void);	/* DR6, which it clears */

/* ---- time and interrupts ---- */

struct machine_clock {
	uint64_t tsc;		/* now */
	uint64_t now;		/* nanoseconds since start, at that moment */
	uint32_t mul;
	int32_t shift;
	uint32_t khz;
};
uint64_t machine_now(void);
struct machine_clock machine_clock_read(void);
uint64_t machine_wall_offset(void);	/* nanoseconds since 1970 at machine_now() == 0 */

/* timer_tick() is called at or soon after @deadline; one at a time, the last one asked counts. */
void machine_timer_arm(uint64_t deadline);

/* Whether an interrupt waits: a long call should come to an end. Costs a few instructions. */
bool machine_interrupt_due(void);

/*
 * Lets interrupts in: those that wait now or, with @sleep, sleeps until one has been handled. Only the
 * scheduler calls it, with nothing held.
 */
void machine_idle(bool sleep);

/* ---- start and end ---- */

struct machine_module {
	uint32_t start, size;	/* real addresses; start is page-aligned */
	const char *string;
};
const char *machine_cmdline(void);
unsigned int machine_module_count(void);
struct machine_module machine_module(unsigned int i);

/* The frames of all modules become usable; their contents are lost. Calls @give for each. */
void machine_release_modules(void (*give)(mfn_t mfn));

void machine_console_write(const char *bytes, size_t n);

enum machine_end {
	END_POWEROFF,		/* with the status that domain 0 gave */
	END_REBOOT,
	END_CRASH,		/* of the hypervisor or of domain 0 */
};
NORETURN void machine_stop(enum machine_end end, unsigned int status);

/* Prints the hypervisor's own call chain, symbolised. */
void machine_backtrace(void);

#endif
