// SPDX-License-Identifier: MIT
/*
 * The processor's own tables and registers: IDT, the task state segments, floating point, debug
 * registers.
 */
#include "lib/string.h"
#include "pc/io.h"
#include "pc/pc.h"
#include "public/hypercall.h"

#define CR0_MP		0x00000002u
#define CR0_EM		0x00000004u
#define CR0_TS		0x00000008u
#define CR0_NE		0x00000020u
#define CR0_WP		0x00010000u
#define CR0_AM		0x00040000u
#define CR0_PG_PE	0x80000001u
#define CR4_OSFXSR	0x00000200u
#define CR4_OSXMMEXCPT	0x00000400u

#define CPUID_SEP	(1u << 11)
#define CPUID_SSE	(1u << 25)

#define MSR_SYSENTER_CS	0x174

#define VECTORS		256
#define GATE_PRESENT	0x8000u
#define GATE_TASK	0x0500u

#define CLEAR_BLOCK	16u		/* bytes of an SSE register */

#define FPU_CONTROL	0x037fu		/* after FNINIT */
#define FPU_MXCSR	0x1f80u		/* after a reset */

/* SDM 3A, 8.2.1. */
struct tss {
	uint32_t link;
	uint32_t esp0, ss0, esp1, ss1, esp2, ss2;
	uint32_t cr3, eip, eflags, eax, ecx, edx, ebx, esp, ebp, esi, edi;
	uint32_t es, cs, ss, ds, fs, gs, ldt;
	uint16_t trap, io_map;		/* none: behind the limit */
};
_Static_assert(sizeof(struct tss) == 104, "the processor's layout");
_Static_assert(offsetof(struct tss, eip) == TSS_EIP && offsetof(struct tss, ebp) == TSS_EBP, "entry.S");

struct gate {
	uint32_t low, high;
};

/* What FXRSTOR takes for a processor that has just been reset (SDM 1, 10.5.1). */
struct fpu_image {
	uint16_t control, status, tag, opcode;
	uint32_t pointers[4];
	uint32_t mxcsr, mxcsr_mask;
	uint8_t registers[480];
} ALIGNED(16);
_Static_assert(sizeof(struct fpu_image) == 512, "the processor's layout");

static const struct fpu_image fpu_clean = { .control = FPU_CONTROL, .mxcsr = FPU_MXCSR };

struct tss cpu_tss;			/* entry.S reads it after a double fault */

static struct {
	struct gate idt[VECTORS] ALIGNED(8);
	struct tss double_fault_tss;
	char double_fault_stack[2048];
	bool ts;
	bool sse;
} cpu;

/* ---- gates ---- */

uint32_t machine_entry_point(unsigned int vector)
{
	if (vector == HYPERCALL_VECTOR)
		return (uint32_t)entry_hypercall;
	if (vector < 32)
		return entry_points[vector];
	if (vector >= IRQ_VECTOR && vector < IRQ_VECTOR + IRQ_COUNT)
		return entry_points[32 + vector - IRQ_VECTOR];
	return 0;
}

static void store_gate(unsigned int vector, uint32_t low, uint32_t high)
{
	volatile struct gate *g = &cpu.idt[vector];

	g->high = 0;
	g->low = low;
	g->high = high;
}

void machine_set_gate(unsigned int vector, enum machine_gate kind, unsigned int dpl,
		      uint16_t selector, uint32_t offset)
{
	uint32_t type = kind == GATE_TRAP ? 0x0f00 : 0x0e00;

	/* An absent gate is one of ring 0, so that INT n is #GP, never #NP. */
	if (kind == GATE_NONE)
		store_gate(vector, 0, type);
	else
		store_gate(vector, (uint32_t)selector << 16 | (offset & 0xffff),
			   (offset & 0xffff0000) | GATE_PRESENT | dpl << 13 | type);
}

static void fill_idt(void)
{
	for (unsigned int vector = 0; vector < VECTORS; vector++) {
		uint32_t entry = vector == HYPERCALL_VECTOR ? 0 : machine_entry_point(vector);
		bool open = vector == 3 || vector == 4;		/* INT3 and INTO are everybody's */

		machine_set_gate(vector, entry ? GATE_INTERRUPT : GATE_NONE, open ? 3 : 0,
				 MACHINE_RING0_CODE, entry);
	}
	store_gate(8, SELECTOR_DOUBLE_FAULT << 16, GATE_PRESENT | GATE_TASK);
}

static void load_idt(void)
{
	struct {
		uint16_t limit;
		uint32_t base;
	} PACKED idtr = { sizeof(cpu.idt) - 1, (uint32_t)cpu.idt };

	asm volatile("lidt %0" : : "m" (idtr));
}

/* ---- task state ---- */

static void init_tss(void)
{
	cpu_tss = (struct tss){ .ss0 = MACHINE_RING0_DATA, .io_map = sizeof(struct tss) };
	cpu.double_fault_tss = (struct tss){
		.cr3 = image_real(hypervisor_directory),
		.eip = (uint32_t)entry_double_fault,
		.eflags = 2,
		.esp = (uint32_t)(cpu.double_fault_stack + sizeof(cpu.double_fault_stack)),
		.cs = MACHINE_RING0_CODE,
		.es = MACHINE_RING0_DATA, .ss = MACHINE_RING0_DATA, .ds = MACHINE_RING0_DATA,
		.io_map = sizeof(struct tss),
	};
	mmu_set_tss(SELECTOR_TSS, &cpu_tss, sizeof(cpu_tss));
	mmu_set_tss(SELECTOR_DOUBLE_FAULT, &cpu.double_fault_tss, sizeof(cpu.double_fault_tss));
	asm volatile("ltr %0" : : "r" ((uint16_t)SELECTOR_TSS));
}

void machine_set_regs(struct regs *regs)
{
	cpu_tss.esp0 = (uint32_t)(regs + 1);
}

void machine_set_kernel_stack(uint32_t ss, uint32_t esp)
{
	cpu_tss.ss1 = ss;
	cpu_tss.esp1 = esp;
}

void cpu_double_fault_regs(struct regs *regs)
{
	const struct tss *t = &cpu_tss;

	*regs = (struct regs){
		.gs = t->gs, .fs = t->fs, .es = t->es, .ds = t->ds,
		.edi = t->edi, .esi = t->esi, .ebp = t->ebp,
		.ebx = t->ebx, .edx = t->edx, .ecx = t->ecx, .eax = t->eax,
		.vector = 8, .eip = t->eip, .cs = t->cs, .eflags = t->eflags,
		.esp = t->esp, .ss = t->ss,
	};
}

/* ---- floating point and debug registers ---- */

static void set_ts(bool on)
{
	if (on)
		asm volatile("mov %0, %%cr0" : : "r" (CR0_PG_PE | CR0_WP | CR0_AM | CR0_NE | CR0_MP | CR0_TS));
	else
		asm volatile("clts");
}

void machine_fpu_trap(bool on)
{
	cpu.ts = on;
	set_ts(on);
}

void machine_fpu_save(void *area)
{
	set_ts(false);
	asm volatile("fxsave %0" : "=m" (*(struct fpu_image *)area));
	if (cpu.ts)
		set_ts(true);
}

void machine_fpu_restore(const void *area)
{
	set_ts(false);
	asm volatile("fxrstor %0" : : "m" (*(const struct fpu_image *)area));
	if (cpu.ts)
		set_ts(true);
}

void machine_fpu_init(void)
{
	machine_fpu_restore(&fpu_clean);
}

#define CLEAR(offset)		"movaps %%xmm0, " #offset "(%0);"
#define CLEAR_4(a, b, c, d)	CLEAR(a) CLEAR(b) CLEAR(c) CLEAR(d)
#define CLEAR_8			CLEAR_4(0, 16, 32, 48) CLEAR_4(64, 80, 96, 112)
#define CLEAR_16		CLEAR_8 CLEAR_4(128, 144, 160, 176) CLEAR_4(192, 208, 224, 240)

/* The first and the last block may overlap others. XMM0 is a guest's, or will be: it is put back. */
static void clear_blocks(uint8_t *at, uint8_t *end)
{
	uint8_t saved[CLEAR_BLOCK];

	set_ts(false);
	asm volatile("movups %%xmm0, %0; xorps %%xmm0, %%xmm0; movups %%xmm0, (%1)" : "=m" (saved) : "r" (at) : "memory");
	at += CLEAR_BLOCK - (uintptr_t)at % CLEAR_BLOCK;
	for (; end - at >= 16 * (int)CLEAR_BLOCK; at += 16 * CLEAR_BLOCK)
		asm volatile(CLEAR_16 : : "r" (at) : "memory");
	for (; end - at >= 2 * (int)CLEAR_BLOCK; at += 2 * CLEAR_BLOCK)
		asm volatile(CLEAR(0) CLEAR(16) : : "r" (at) : "memory");
	for (; end - at >= (int)CLEAR_BLOCK; at += CLEAR_BLOCK)
		asm volatile(CLEAR(0) : : "r" (at) : "memory");
	asm volatile("movups %%xmm0, (%1); movups %0, %%xmm0" : : "m" (saved), "r" (end - CLEAR_BLOCK) : "memory");
	if (cpu.ts)
		set_ts(true);
}

void machine_clear(void *at, size_t n)
{
	if (cpu.sse && n >= CLEAR_BLOCK)
		clear_blocks(at, (uint8_t *)at + n);
	else
		memset(at, 0, n);
}

void machine_load_debugregs(const uint32_t dr[8])
{
	asm volatile("mov %0, %%dr7" : : "r" (0x400));	/* none of the old ones fires meanwhile */
	asm volatile("mov %0, %%dr0" : : "r" (dr[0]));
	asm volatile("mov %0, %%dr1" : : "r" (dr[1]));
	asm volatile("mov %0, %%dr2" : : "r" (dr[2]));
	asm volatile("mov %0, %%dr3" : : "r" (dr[3]));
	asm volatile("mov %0, %%dr6" : : "r" (dr[6]));
	asm volatile("mov %0, %%dr7" : : "r" (dr[7]));
}

uint32_t machine_debug_status(void)
{
	uint32_t status;

	asm volatile("mov %%dr6, %0" : "=r" (status));
	asm volatile("mov %0, %%dr6" : : "r" (0xffff0ff0));
	return status;
}

/* ---- copies ---- */

const struct machine_fixup *machine_fixups(size_t *count)
{
	static const struct machine_fixup fixups[] = {
		{ (uint32_t)copy_in_words, (uint32_t)copy_in_words_failed },
		{ (uint32_t)copy_in_bytes, (uint32_t)copy_in_bytes_failed },
		{ (uint32_t)copy_out_words, (uint32_t)copy_out_words_failed },
		{ (uint32_t)copy_out_bytes, (uint32_t)copy_out_bytes_failed },
	};

	*count = ARRAY_SIZE(fixups);
	return fixups;
}

/* ---- start ---- */

static uint32_t cpuid_features(void)
{
	uint32_t eax = 1, ebx, ecx, edx;

	asm("cpuid" : "+a" (eax), "=b" (ebx), "=c" (ecx), "=d" (edx));
	return edx;
}

/* boot.S has looked whether this processor has what must be there. */
void cpu_init(void)
{
	uint32_t features = cpuid_features();
	uint32_t cr4 = CR4_OSFXSR | (features & CPUID_SSE ? CR4_OSXMMEXCPT : 0);

	/* No code segment, no SYSENTER (SDM 2B): there is one way in. */
	if (features & CPUID_SEP)
		asm volatile("wrmsr" : : "c" (MSR_SYSENTER_CS), "a" (0), "d" (0));
	fill_idt();
	load_idt();
	init_tss();
	machine_load_ldt(0);		/* after a reset there is one, at address 0 (SDM 3A, 9.1.1) */
	asm volatile("mov %0, %%cr4" : : "r" (cr4));
	cpu.sse = features & CPUID_SSE;
	machine_fpu_trap(true);
}
