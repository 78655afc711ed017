/* SPDX-License-Identifier: MIT */
/*
 * What the files of this folder ask of each other. To the rest of the house they are machine.h and
 * nothing else.
 */
#ifndef ATELIER_PC_PC_H
#define ATELIER_PC_PC_H

#include "lib/types.h"
#include "machine.h"
#include "pc/layout.h"

struct domain;

/* ---- the image: link.lds, boot.S ---- */

extern char image_start[], text_end[], rodata_end[], image_end[];
extern uint32_t hypervisor_directory[1024];
extern char stack_guard[], stack_bottom[], stack_top[];
extern uint32_t stack_canary;

/* The real address of something in the image. */
static inline uint32_t image_real(const void *p)
{
	return (uintptr_t)p - IMAGE_BASE;
}

/* ---- init.c ---- */

/* Says in one line why this machine will not do, and stops. */
NORETURN void unsuitable(const char *format, ...) PRINTF_LIKE(1, 2);

/* ---- multiboot.c ---- */

/* Copies all that is needed of the loader's information at real address @info. */
void multiboot_read(uint32_t magic, uint32_t info);

/* A module's frames stay as they are: machine_release_modules() leaves them out. */
void multiboot_keep_module(unsigned int i);

/* Takes the highest frame that is left for the hypervisor itself, as it is. At start only. */
mfn_t memory_take(void);

/* ---- mmu.c ---- */

/* Replaces the mappings of boot.S by the final ones; lgdt comes next. */
void mmu_init(void);

/* The machine-to-physical table: wants the memory map. */
void mmu_init_m2p(void);

/*
 * Maps @pages pages of a device at real address @real, uncached unless it is memory. At start only.
 */
void *mmu_map_device(uint32_t real, unsigned int pages);

/* Fills the descriptors of the TSSs into the templates. */
void mmu_set_tss(unsigned int selector, const void *tss, uint32_t size);

/* ---- cpu.c, trap.c, entry.S, copy.S ---- */

void cpu_init(void);

/* After a double fault: the registers as they were. */
void cpu_double_fault_regs(struct regs *regs);

/* The registers to go back to a guest with: whoever is to run, with what is due to it. */
struct regs *trap_leave(void);

#define VECTOR_DEBUG		1
#define VECTOR_NO_FPU		7
#define VECTOR_PROTECTION	13
#define VECTOR_PAGE_FAULT	14

/* Serves a #GP that may be an access at a negative offset; false: it is none. */
bool negative_offset(struct domain *d, struct regs *regs);	/* lab 4 */

extern const uint32_t entry_points[];		/* 0 to 31, then IRQ_VECTOR on */
extern char entry_hypercall[], entry_double_fault[];
extern char exit_segments[], exit_segments_end[], exit_iret[];
extern char copy_in_words[], copy_in_words_failed[], copy_in_bytes[], copy_in_bytes_failed[];
extern char copy_out_words[], copy_out_words_failed[], copy_out_bytes[], copy_out_bytes_failed[];
extern uint32_t entry_nmi_count;

/* ---- interrupts and time ---- */

void pic_init(void);

/* Lets an interrupt in; @handler runs with interrupts off. */
void pic_enable(unsigned int irq, void (*handler)(void));
void pic_handle(unsigned int irq);

#define PIT_HZ		1193182u	/* 105/88 MHz */
#define PIT_MAX		0xffffu

/* Calls timer_tick() by machine_timer_arm(), and the others' doors, from pit_init() on. */
void pit_init(void);

/* IRQ 0 comes in @counts/PIT_HZ seconds, once. */
void pit_arm(uint32_t counts);

/*
 * A driver's alarm: @ring is called at or soon after the time that was set last, with interrupts off,
 * once. TIMER_NEVER: it is not set.
 */
struct alarm {
	uint64_t when;
	void (*ring)(struct alarm *a);
	struct alarm *next;
};
void alarm_open(struct alarm *a, void (*ring)(struct alarm *a));	/* for good */
void alarm_set(struct alarm *a, uint64_t when);

void clock_init(void);

/* ---- consoles ---- */

void serial_init(void);
void serial_enable_input(void);
void serial_put(char c);

/* Before the machine stops: until the last byte has left. */
void serial_flush(void);

void vga_init(void);
void vga_put(char c);

#endif
