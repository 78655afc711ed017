// SPDX-License-Identifier: MIT
/*
 * src/machine.h for the host. Read host.h first. In builds with the address sanitizer each window is a view of its own on the
 * memory, all of it poisoned but the frame mapped last: a pointer that is used for too long is caught.
 */
#define _GNU_SOURCE
#include "host/host.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "host/disk.h"		/* lab 9 */
#include "host/tlb_model.h"
#include "host/wire.h"		/* lab 8 */
#include "paging.h"
#include "timer.h"

#if defined(__SANITIZE_ADDRESS__)
#define STRICT_WINDOWS	1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define STRICT_WINDOWS	1
#endif
#endif

#ifdef STRICT_WINDOWS
#include <sanitizer/asan_interface.h>
#endif

#define OUTPUT_MAX	(256u << 10)
#define START_OF_TIME	1000000u

struct host_machine host;

static struct {
	uint8_t *memory;
	uint8_t *views[WINDOW_COUNT];
	uint32_t shown[WINDOW_COUNT];	/* the frame that the window shows */
	uint32_t m2p[HOST_FRAMES];
	void *frame_table;
	char output[OUTPUT_MAX + 1];
	size_t output_size;
	bool echo;
	jmp_buf *catcher;
	struct host_end end;
} machine;

/* ---- memory ---- */

static uint8_t *map_memory(int fd)
{
	void *p = mmap(NULL, HOST_FRAMES * PAGE_SIZE, PROT_READ | PROT_WRITE,
		       MAP_SHARED | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);

	if (p == MAP_FAILED)
		host_panic("no memory for the pretend machine");
	return p;
}

#ifdef STRICT_WINDOWS
static void make_memory(void)
{
	int fd = memfd_create("memory", 0);

	if (fd < 0 || ftruncate(fd, HOST_FRAMES * PAGE_SIZE))
		host_panic("no memory for the pretend machine");
	machine.memory = map_memory(fd);
	for (int w = 0; w < WINDOW_COUNT; w++)
		machine.views[w] = map_memory(fd);
}

static void close_windows(void)
{
	for (int w = 0; w < WINDOW_COUNT; w++) {
		__asan_poison_memory_region(machine.views[w], HOST_FRAMES * PAGE_SIZE);
		machine.shown[w] = UINT32_MAX;
	}
}

static void show(uint32_t mfn, enum machine_window w)
{
	if (machine.shown[w] == mfn)
		return;
	if (machine.shown[w] != UINT32_MAX)
		__asan_poison_memory_region(machine.views[w] + machine.shown[w] * PAGE_SIZE, PAGE_SIZE);
	__asan_unpoison_memory_region(machine.views[w] + mfn * PAGE_SIZE, PAGE_SIZE);
	machine.shown[w] = mfn;
}
#else
static void make_memory(void)
{
	machine.memory = map_memory(-1);
	for (int w = 0; w < WINDOW_COUNT; w++)
		machine.views[w] = machine.memory;
}

static void close_windows(void)
{
}

static void show(uint32_t mfn, enum machine_window w)
{
}
#endif

void host_setup(uint32_t frames)
{
	if (!machine.memory)
		make_memory();
	if (frames > HOST_FRAMES)
		host_panic("%u frames asked for, HOST_FRAMES is %u", frames, HOST_FRAMES);
	memset(&host, 0, sizeof(host));
	host.frames = frames;
	memset(host.usable, true, frames);
	memset(machine.memory, 0, frames * PAGE_SIZE);
	memset(machine.m2p, 0xff, sizeof(machine.m2p));
	host.base = MFN_NONE;
	host.deadline = UINT64_MAX;
	host.now = START_OF_TIME;
	host.cmdline = "";
	for (unsigned int s = 0; s < HOST_SLOTS; s++) {
		host.slots[s].window_frame = host.slots[s].shared = MFN_NONE;
		for (unsigned int i = 0; i < 16; i++)
			host.slots[s].gdt[i] = host.slots[s].ldt[i] = MFN_NONE;
	}
	close_windows();
	host_disks_clear();	/* lab 9 */
	host_wire_reset();	/* lab 8 */
	host_output_clear();
	tlb_model_flush();
	tlb_model_enable(true);
}

void *host_frame(uint32_t mfn)
{
	if (mfn >= host.frames)
		host_panic("frame 0x%x does not exist", mfn);
	return machine.memory + mfn * PAGE_SIZE;
}

/* ---- each seam call ---- */

static void seam(const char *call)
{
	if (host.at_seam)
		host.at_seam(call);
}

static struct host_slot *slot_of(unsigned int slot)
{
	if (slot >= HOST_SLOTS)
		host_panic("slot %u: HOST_SLOTS is %u", slot, HOST_SLOTS);
	return &host.slots[slot];
}

void *machine_map_frame(mfn_t mfn, enum machine_window window)
{
	seam(__func__);
	if (mfn.n >= host.frames)
		host_panic("machine_map_frame: frame 0x%x does not exist", mfn.n);
	show(mfn.n, window);
	host.mapped |= 1u << mfn.n % 32;
	return machine.views[window] + mfn.n * PAGE_SIZE;
}

void machine_clear(void *at, size_t n)
{
	memset(at, 0, n);
}

void machine_write_entry(uint32_t *entry, uint32_t value)
{
	seam(__func__);
	tlb_model_fill();
	*(volatile uint32_t *)entry = value;
	host.entry_writes++;
	tlb_model_fill();
}

#ifndef HOST_EMPTY_TEMPLATE
#define HOST_EMPTY_TEMPLATE	0
#endif
#define HYPERVISOR_FRAMES	0xff000u	/* no guest can name them: they lie beyond the machine's memory */

bool host_is_hypervisor_frame(uint32_t mfn)
{
	return mfn >= HYPERVISOR_FRAMES;
}

/* A tiny machine has absent ones, so that a frame that was a directory is like any other. */
static uint32_t template_entry(unsigned int slot, uint32_t i)
{
	if (HOST_EMPTY_TEMPLATE)
		return 0;
	return (HYPERVISOR_FRAMES + slot * 64 + i % 64) << PAGE_SHIFT | PTE_P | PTE_RW;
}

void machine_fill_directory(uint32_t *directory, unsigned int slot)
{
	seam(__func__);
	for (uint32_t i = GUEST_SLOTS; i < TABLE_ENTRIES; i++)
		directory[i] = template_entry(slot, i);
}

bool machine_directory_ok(const uint32_t *directory, unsigned int slot)
{
	for (uint32_t i = GUEST_SLOTS; i < TABLE_ENTRIES; i++)
		if ((directory[i] & ~(PTE_A | PTE_D)) != template_entry(slot, i))
			return false;
	return true;
}

void machine_load_base(mfn_t directory)
{
	seam(__func__);
	if (directory.n != MFN_NONE.n && directory.n >= host.frames)
		host_panic("machine_load_base: frame 0x%x does not exist", directory.n);
	host.base = directory;
	host.base_loads++;
	tlb_model_flush();
	tlb_model_fill();
}

mfn_t machine_loaded_base(void)
{
	return host.base;
}

void machine_flush_tlb(void)
{
	seam(__func__);
	host.flushes++;
	tlb_model_flush();
	tlb_model_fill();
}

void machine_flush_page(guest_addr_t va)
{
	seam(__func__);
	host.page_flushes++;
	host.last_flushed_page = va.n;
	tlb_model_flush_page(va.n);
	tlb_model_fill();
}

static void check_m2p(mfn_t mfn)
{
	if (mfn.n >= host.frames)
		host_panic("the M2P has no entry 0x%x", mfn.n);
}

void machine_m2p_set(mfn_t mfn, uint32_t pfn)
{
	seam(__func__);
	check_m2p(mfn);
	machine.m2p[mfn.n] = pfn;
}

void machine_m2p_fill(const uint32_t *mfns, uint32_t count, uint32_t pfn)
{
	for (uint32_t i = 0; i < count; i++)
		machine_m2p_set(MFN(mfns[i]), pfn + i);
}

uint32_t machine_m2p_get(mfn_t mfn)
{
	check_m2p(mfn);
	return machine.m2p[mfn.n];
}

uint32_t machine_frame_count(void)
{
	return host.frames;
}

struct machine_range machine_usable(uint32_t from)
{
	struct machine_range r = { from, from };

	while (r.first < host.frames && !host.usable[r.first])
		r.first++;
	for (r.end = r.first; r.end < host.frames && host.usable[r.end];)
		r.end++;
	return r;
}

void *machine_frame_table(size_t size)
{
	static size_t allocated;

	if (size > allocated) {
		free(machine.frame_table);
		machine.frame_table = malloc(HOST_FRAMES * size);
		allocated = size;
	}
	memset(machine.frame_table, 0, host.frames * size);
	return machine.frame_table;
}

struct shared_info *machine_map_shared(unsigned int slot, mfn_t mfn)
{
	seam(__func__);
	slot_of(slot)->shared = mfn;
	return host_frame(mfn.n);
}

void machine_slot_open(unsigned int slot, mfn_t frame)
{
	seam(__func__);
	host_frame(frame.n);
	slot_of(slot)->open = true;
	slot_of(slot)->window_frame = frame;
}

/* ---- the guest's view ---- */

static uint32_t *entry_of(uint32_t mfn, uint32_t i)
{
	/* A processor does not stop where memory ends; this one does, because then the hypervisor has failed. */
	if (mfn >= host.frames)
		host_panic("the loaded tables name frame 0x%x, which does not exist", mfn);
	return (uint32_t *)host_frame(mfn) + i;
}

mfn_t host_walk(uint32_t va, bool write)
{
	uint32_t *pde, *pte, slot = va >> 22, i = va >> PAGE_SHIFT & 1023;

	if (host.base.n == MFN_NONE.n || slot >= GUEST_SLOTS || i >= TABLE_ENTRIES)
		return MFN_NONE;
	pde = entry_of(host.base.n, slot);
	if (!(*pde & PTE_P) || (write && !(*pde & PTE_RW)))
		return MFN_NONE;
	if (*pde & PTE_PS)
		host_panic("the loaded tables have a 4 MiB page at 0x%x", va);
	pte = entry_of(*pde >> PAGE_SHIFT, i);
	if (!(*pte & PTE_P) || (write && !(*pte & PTE_RW)))
		return MFN_NONE;
	if (host.sets_accessed) {
		*pde |= PTE_A;
		*pte |= PTE_A | (write ? PTE_D : 0);
	}
	return MFN(*pte >> PAGE_SHIFT);
}

static uint8_t *guest_byte(uint32_t va, bool write)
{
	mfn_t mfn;

	if (host.direct && va - host.direct_va < host.direct_size)
		return host.direct + (va - host.direct_va);
	mfn = host_walk(va, write);
	return mfn.n == MFN_NONE.n ? NULL : (uint8_t *)entry_of(mfn.n, 0) + va % PAGE_SIZE;
}

/* Copies piece by piece, up to a page's end each, to or from the hypervisor's side; how much was not copied. */
static size_t copy(uint32_t va, uint8_t *ours, size_t n, bool write)
{
	while (n > 0) {
		size_t piece = MIN(n, PAGE_SIZE - va % PAGE_SIZE);
		uint8_t *theirs = guest_byte(va, write);

		if (!theirs)
			break;
		if (write)
			memcpy(theirs, ours, piece);
		else
			memcpy(ours, theirs, piece);
		va += piece;
		ours += piece;
		n -= piece;
	}
	return n;
}

bool host_load(uint32_t va, void *to, size_t n)
{
	uint8_t *old = malloc(n);
	bool ok = va <= ATELIER_LINE - n && copy(va, old, n, false) == 0;

	if (ok)
		memcpy(to, old, n);
	free(old);
	return ok;
}

bool host_store(uint32_t va, const void *from, size_t n)
{
	tlb_model_fill();
	if (va > ATELIER_LINE - n)
		return false;
	for (uint32_t at = va & PAGE_MASK; at < va + n; at += PAGE_SIZE)
		if (!guest_byte(MAX(at, va), true))
			return false;
	return copy(va, (void *)(uintptr_t)from, n, true) == 0;
}

static void check_range(const char *call, guest_addr_t addr, size_t n)
{
	if (addr.n > ATELIER_LINE || n > ATELIER_LINE - addr.n)
		host_panic("%s: 0x%x and %zu bytes reach above the line", call, addr.n, n);
}

size_t machine_copy_in(void *dst, guest_addr_t src, size_t n)
{
	seam(__func__);
	check_range(__func__, src, n);
	if (host.before_copy_in)
		host.before_copy_in(src, n);
	tlb_model_fill();
	return copy(src.n, dst, n, false);
}

size_t machine_copy_out(guest_addr_t dst, const void *src, size_t n)
{
	seam(__func__);
	check_range(__func__, dst, n);
	tlb_model_fill();
	return copy(dst.n, (void *)(uintptr_t)src, n, true);
}

const struct machine_fixup *machine_fixups(size_t *count)
{
	/* As on the PC: the loop's and the tail's, of both directions. */
	static const struct machine_fixup rows[] = {
		{ 0xfc500010, 0xfc500020 }, { 0xfc500014, 0xfc500024 },
		{ 0xfc500030, 0xfc500040 }, { 0xfc500034, 0xfc500044 },
	};

	*count = ARRAY_SIZE(rows);
	return rows;
}

/* ---- the processor ---- */

uint32_t machine_entry_point(unsigned int vector)
{
	return 0xfc600000 + 16 * vector;
}

void machine_set_gate(unsigned int vector, enum machine_gate kind, unsigned int dpl,
		      uint16_t selector, uint32_t offset)
{
	seam(__func__);
	if (vector > 255)
		host_panic("machine_set_gate: vector %u", vector);
	host.gates[vector] = (struct host_gate){ kind, dpl, selector, offset };
}

void machine_set_regs(struct regs *regs)
{
	seam(__func__);
	host.regs = regs;
}

void machine_set_kernel_stack(uint32_t ss, uint32_t esp)
{
	seam(__func__);
	host.kernel_ss = ss;
	host.kernel_esp = esp;
}

static void map_segment(mfn_t *table, unsigned int index, mfn_t frame)
{
	if (index > 15)
		host_panic("no frame %u in a descriptor table", index);
	if (frame.n != MFN_NONE.n)
		host_frame(frame.n);
	table[index] = frame;
}

void machine_map_gdt(unsigned int slot, unsigned int index, mfn_t frame)
{
	seam(__func__);
	map_segment(slot_of(slot)->gdt, index, frame);
}

void machine_map_ldt(unsigned int slot, unsigned int index, mfn_t frame)
{
	seam(__func__);
	map_segment(slot_of(slot)->ldt, index, frame);
}

void machine_load_ldt(unsigned int entries)
{
	seam(__func__);
	host.ldt_entries = entries;
}

const uint64_t *machine_gdt_template(unsigned int index)
{
	static uint64_t templates[2][16];

	/* Not those of the PC, only as dangerous: ring 0, all of memory. */
	for (unsigned int i = 0; i < 16; i++) {
		templates[0][i] = i ? 0x00cf9a000000ffffull + ((uint64_t)i << 16) : 0;
		templates[1][i] = 0x00cf92000000ffffull + ((uint64_t)i << 16);
	}
	if (index != 14 && index != 15)
		host_panic("frame %u of a GDT has no reserved slots", index);
	return templates[index - 14];
}

const uint64_t *host_descriptor(unsigned int slot, uint16_t selector)
{
	const mfn_t *table = selector & 4 ? slot_of(slot)->ldt : slot_of(slot)->gdt;
	unsigned int index = selector >> 3;
	mfn_t mfn = table[index / 512];

	if ((selector & 4) && index >= host.ldt_entries)
		return NULL;
	return mfn.n == MFN_NONE.n ? NULL : (uint64_t *)host_frame(mfn.n) + index % 512;
}

void machine_fpu_save(void *area)
{
	seam(__func__);
	if (host.fpu_trap)
		host_panic("machine_fpu_save: the instruction would trap");
	memcpy(area, host.fpu, sizeof(host.fpu));
}

void machine_fpu_restore(const void *area)
{
	seam(__func__);
	if (host.fpu_trap)
		host_panic("machine_fpu_restore: the instruction would trap");
	memcpy(host.fpu, area, sizeof(host.fpu));
}

void machine_fpu_init(void)
{
	seam(__func__);
	if (host.fpu_trap)
		host_panic("machine_fpu_init: the instruction would trap");
	memset(host.fpu, 0, sizeof(host.fpu));
}

void machine_fpu_trap(bool on)
{
	seam(__func__);
	host.fpu_trap = on;
}

void machine_load_debugregs(const uint32_t dr[8])
{
	seam(__func__);
	memcpy(host.dr, dr, sizeof(host.dr));
}

uint32_t machine_debug_status(void)
{
	uint32_t status = host.dr[6];

	host.dr[6] = 0xffff0ff0;
	return status;
}

/* ---- time and interrupts ---- */

uint64_t machine_now(void)
{
	return host.now += host.tick;
}

struct machine_clock machine_clock_read(void)
{
	uint64_t now = machine_now();

	/* A time stamp counter of 2 GHz. */
	return (struct machine_clock){ now * 2, now, 0x80000000u, 0, 2000000 };
}

uint64_t machine_wall_offset(void)
{
	return host.wall;
}

void machine_timer_arm(uint64_t deadline)
{
	seam(__func__);
	host.deadline = deadline;
}

static bool interrupt_comes(void)
{
	if (host.interrupt_after > 0 && --host.interrupt_after == 0)
		host.interrupt = true;
	return host.interrupt;
}

bool machine_interrupt_due(void)
{
	seam(__func__);
	return interrupt_comes();
}

void machine_idle(bool sleep)
{
	seam(__func__);
	if (!sleep && !interrupt_comes())
		return;
	if (host.idle) {
		host.idle();
		return;
	}
	if (host.deadline == UINT64_MAX)
		host_panic("machine_idle: nothing will ever happen");
	host.now = MAX(host.now, host.deadline);
	host.deadline = UINT64_MAX;
	timer_tick();
}

/* ---- start and end ---- */

const char *machine_cmdline(void)
{
	return host.cmdline;
}

unsigned int machine_module_count(void)
{
	return host.module_count;
}

struct machine_module machine_module(unsigned int i)
{
	if (i >= host.module_count)
		host_panic("machine_module: no module %u", i);
	return host.modules[i];
}

void machine_release_modules(void (*give)(mfn_t mfn))
{
	for (unsigned int i = 0; i < host.module_count; i++)
		for (uint32_t at = 0; at < host.modules[i].size; at += PAGE_SIZE) {
			uint32_t mfn = (host.modules[i].start + at) >> PAGE_SHIFT;

			host.usable[mfn] = true;
			give(MFN(mfn));
		}
	host.module_count = 0;
}

void machine_console_write(const char *bytes, size_t n)
{
	size_t room = OUTPUT_MAX - machine.output_size;

	if (machine.echo)
		fwrite(bytes, 1, n, stderr);
	memcpy(machine.output + machine.output_size, bytes, MIN(n, room));
	machine.output_size += MIN(n, room);
	machine.output[machine.output_size] = '\0';
}

const char *host_output(size_t *size)
{
	if (size)
		*size = machine.output_size;
	return machine.output;
}

void host_output_clear(void)
{
	machine.output_size = 0;
	machine.output[0] = '\0';
}

void host_output_echo(bool on)
{
	machine.echo = on;
}

void machine_backtrace(void)
{
}

static NORETURN void fail(void)
{
	size_t tail = MIN(machine.output_size, 2000u);

	fprintf(stderr, "last on the console:\n%s\n", machine.output + machine.output_size - tail);
	abort();
}

void host_panic(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "pretend machine: ");
	vfprintf(stderr, format, args);
	fprintf(stderr, "\n");
	va_end(args);
	fail();
}

void machine_stop(enum machine_end end, unsigned int status)
{
	machine.end = (struct host_end){ true, end, status };
	if (machine.catcher)
		longjmp(*machine.catcher, 1);
	fprintf(stderr, "pretend machine: stopped, which nobody expected\n");
	fail();
}

struct host_end host_run(void (*what)(void *arg), void *arg)
{
	jmp_buf here, *outer = machine.catcher;

	machine.end = (struct host_end){ false };
	if (setjmp(here) == 0) {
		machine.catcher = &here;
		what(arg);
	}
	machine.catcher = outer;
	return machine.end;
}
