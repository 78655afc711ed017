/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What asm/paravirt.h is to a kernel that finds out at start which hypervisor it is on: the operations that ring 1 may not
 * do for itself.
 *
 * This kernel knows. So there is no table of functions and no patching of calls at start: what is short is in line here, and
 * the names are those that the rest of arch/x86 uses wherever CONFIG_PARAVIRT_XXL is set. Nothing is left of
 * the instructions that these replace.
 */
#ifndef _ASM_X86_ATELIER_PARAVIRT_H
#define _ASM_X86_ATELIER_PARAVIRT_H

#include <atelier/hypercall.h>

#ifndef __ASSEMBLY__
#include <linux/types.h>
#include <asm/asm.h>
#include <asm/desc_defs.h>
#include <asm/page_types.h>
#include <asm/pgtable_types.h>
#include <asm/processor-flags.h>
#include <asm/segment.h>

struct mm_struct;
struct task_struct;
struct thread_struct;
struct vm_area_struct;

/* ---- the interrupt flag: a byte of the shared page, the other way round ---- */

extern struct shared_info atelier_shared;

static __always_inline unsigned long arch_local_save_flags(void)
{
	unsigned long masked;

	asm volatile("movzbl %1, %0" : "=r" (masked) : "m" (atelier_shared.upcall_mask) : "memory");
	return (masked ^ 1) << X86_EFLAGS_IF_BIT;
}

static __always_inline void arch_local_irq_disable(void)
{
	asm volatile("movb $1, %0" : "=m" (atelier_shared.upcall_mask) : : "memory");
}

/* An event that came while the mask was set is delivered on the way out of any call. */
static __always_inline void arch_local_irq_enable(void)
{
	unsigned long answer;

	asm volatile("movb $0, %0" : "=m" (atelier_shared.upcall_mask) : : "memory");
	asm goto("cmpb $0, %0; jne %l[pending]"
		 : : "m" (atelier_shared.upcall_pending) : "cc", "memory" : pending);
	return;
pending:
	asm volatile("int %1" : "=a" (answer) : "i" (HYPERCALL_VECTOR), "0" (HYPERCALL_version) : "memory");
}

static __always_inline unsigned long arch_local_irq_save(void)
{
	unsigned long flags = arch_local_save_flags();

	arch_local_irq_disable();
	return flags;
}

/* Unmasks and sleeps in one step. */
static __always_inline void arch_safe_halt(void)
{
	unsigned long answer;

	asm volatile("int %1" : "=a" (answer) : "i" (HYPERCALL_VECTOR), "0" (HYPERCALL_block) : "memory");
}

void halt(void);

/* ---- control registers: what Linux last wrote ---- */

extern struct atelier_registers {
	unsigned long cr0, cr2, cr3, cr4;
} atelier_registers;

static __always_inline unsigned long read_cr0(void)
{
	return atelier_registers.cr0;
}

static __always_inline void write_cr0(unsigned long value)
{
	atelier_registers.cr0 = value;
}

/* The page-fault stub of entry.S has put the faulting address there. */
static __always_inline unsigned long read_cr2(void)
{
	return atelier_registers.cr2;
}

static __always_inline void write_cr2(unsigned long value)
{
	atelier_registers.cr2 = value;
}

static __always_inline unsigned long __read_cr3(void)
{
	return atelier_registers.cr3;
}

void write_cr3(unsigned long value);

static __always_inline unsigned long __read_cr4(void)
{
	return atelier_registers.cr4;
}

static __always_inline void __write_cr4(unsigned long value)
{
	atelier_registers.cr4 = value;
}

/* All memory is cached the usual way, and a guest cannot make it otherwise. */
static __always_inline void wbinvd(void)
{
}

/* ---- the processor ---- */

void __cpuid(unsigned int *eax, unsigned int *ebx, unsigned int *ecx, unsigned int *edx);

unsigned long atelier_get_debugreg(int reg);
void set_debugreg(unsigned long value, int reg);
#define get_debugreg(var, reg)	((var) = atelier_get_debugreg(reg))

/* There are no model-specific registers: they read as 0, or say that they are absent. */
#define rdmsr(msr, low, high)	((void)(msr), (void)((low) = 0), (void)((high) = 0))
#define rdmsrl(msr, value)	((void)(msr), (void)((value) = 0))
#define rdpmc(counter, low, high)	rdmsr(counter, low, high)
#define rdpmcl(counter, value)	rdmsrl(counter, value)
#define rdmsr_safe(msr, low, high)	((void)(msr), *(low) = 0, *(high) = 0, -EIO)

static inline void wrmsr(unsigned int msr, u32 low, u32 high)
{
}

static inline void wrmsrl(unsigned int msr, u64 value)
{
}

static inline int wrmsr_safe(unsigned int msr, u32 low, u32 high)
{
	return -EIO;
}

static inline int rdmsrl_safe(unsigned int msr, unsigned long long *value)
{
	*value = 0;
	return -EIO;
}

/* ---- stacks, segments, gates ---- */

void load_sp0(unsigned long sp0);
void load_TLS(struct thread_struct *t, unsigned int cpu);
void load_idt(const struct desc_ptr *idt);
void write_idt_entry(gate_desc *idt, int vector, const gate_desc *gate);
void write_gdt_entry(struct desc_struct *gdt, int n, const void *desc, int type);
void set_ldt(const void *entries, unsigned int count);
void paravirt_alloc_ldt(struct desc_struct *ldt, unsigned int entries);
void paravirt_free_ldt(struct desc_struct *ldt, unsigned int entries);

/* The GDT is given to the hypervisor once; what Linux loads later is the same page at another address. */
static inline void load_gdt(const struct desc_ptr *gdt)
{
}

/* The task state segment is the hypervisor's. */
static inline void load_TR_desc(void)
{
}

#define store_tr(tr)		((tr) = GDT_ENTRY_TSS * 8)
#define load_gs_index(selector)	loadsegment(gs, selector)

#define __HAVE_ARCH_START_CONTEXT_SWITCH
void arch_start_context_switch(struct task_struct *prev);
void arch_end_context_switch(struct task_struct *next);

/* ---- page tables (mmu.c) ---- */

extern u32 *atelier_p2m;
extern u32 atelier_frames;
extern unsigned long atelier_tables[];

pteval_t atelier_strange_entry(pteval_t value);

/* A present entry names a machine frame; any other is Linux's own and kept as it is. */
static __always_inline pteval_t atelier_to_machine(pteval_t value)
{
	if (!(value & _PAGE_PRESENT))
		return value;
	if (unlikely(value >> PAGE_SHIFT >= atelier_frames))
		return atelier_strange_entry(value);
	return atelier_p2m[value >> PAGE_SHIFT] << PAGE_SHIFT | (value & ~PAGE_MASK);
}

static __always_inline pteval_t atelier_from_machine(pteval_t value)
{
	if (!(value & _PAGE_PRESENT))
		return value;
	return ((const u32 *)ATELIER_M2P)[value >> PAGE_SHIFT] << PAGE_SHIFT | (value & ~PAGE_MASK);
}

static __always_inline pte_t __pte(pteval_t value)
{
	return native_make_pte(atelier_to_machine(value));
}

static __always_inline pteval_t pte_val(pte_t pte)
{
	return atelier_from_machine(native_pte_val(pte));
}

static __always_inline pgd_t __pgd(pgdval_t value)
{
	return native_make_pgd(atelier_to_machine(value));
}

static __always_inline pgdval_t pgd_val(pgd_t pgd)
{
	return atelier_from_machine(native_pgd_val(pgd));
}

/*
 * Whether the page that @entry lies in is a table that the hypervisor keeps: read-only here, changed by calls alone. All
 * others are ordinary memory.
 */
static __always_inline bool atelier_is_table(const void *entry)
{
	bool table;

	asm volatile("btl %2, %1" CC_SET(c)
		     : CC_OUT(c) (table)
		     : "m" (*(unsigned long (*)[])atelier_tables),
		       "r" (((unsigned long)entry - PAGE_OFFSET) >> PAGE_SHIFT));
	return table;
}

extern bool atelier_lazy_mmu;
extern unsigned int atelier_queued;
void atelier_flush_queue(void);

void atelier_set_pte(pte_t *ptep, pteval_t value);
void atelier_set_pte_at(struct mm_struct *mm, unsigned long addr, pte_t *ptep, pteval_t value);
void atelier_set_pmd(pmd_t *pmdp, pmdval_t value);

static __always_inline void set_pte(pte_t *ptep, pte_t pte)
{
	if (atelier_is_table(ptep))
		atelier_set_pte(ptep, native_pte_val(pte));
	else
		WRITE_ONCE(ptep->pte, native_pte_val(pte));
}

/* Where the address is known, one entry of the address space that is loaded is a shorter call. */
static __always_inline void paravirt_set_pte_at(struct mm_struct *mm, unsigned long addr, pte_t *ptep, pte_t pte)
{
	if (!atelier_is_table(ptep))
		WRITE_ONCE(ptep->pte, native_pte_val(pte));
	else if (atelier_lazy_mmu)
		atelier_set_pte(ptep, native_pte_val(pte));
	else
		atelier_set_pte_at(mm, addr, ptep, native_pte_val(pte));
}

static __always_inline void set_pmd(pmd_t *pmdp, pmd_t pmd)
{
	if (atelier_is_table(pmdp))
		atelier_set_pmd(pmdp, native_pmd_val(pmd));
	else
		WRITE_ONCE(*(pmdval_t *)pmdp, native_pmd_val(pmd));
}

#define set_pte_atomic(ptep, pte)	set_pte(ptep, pte)
#define pte_clear(mm, addr, ptep)	set_pte(ptep, native_make_pte(0))
#define pmd_clear(pmdp)			set_pmd(pmdp, native_make_pmd(0))

/* One processor, and the table's lock is held: nothing changes the entry between these two. */
#define __HAVE_ARCH_PTEP_MODIFY_PROT_TRANSACTION
static inline pte_t ptep_modify_prot_start(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep)
{
	return *ptep;
}

static inline void ptep_modify_prot_commit(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep,
					   pte_t old, pte_t new)
{
	set_pte(ptep, new);
}

/* The same for mprotect(), where one page's change and its flush are one call. True: the TLB knows. */
bool ptep_commit_and_flush(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep, pte_t new);

/* Takes an entry away and its address out of the TLB: one call. */
#define __HAVE_ARCH_PTEP_CLEAR_FLUSH
pte_t ptep_clear_flush(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep);

/* Between these two, changes of entries are collected. */
#define __HAVE_ARCH_ENTER_LAZY_MMU_MODE
static inline void arch_enter_lazy_mmu_mode(void)
{
	WRITE_ONCE(atelier_lazy_mmu, true);
}

static inline void arch_flush_lazy_mmu_mode(void)
{
	if (atelier_queued)
		atelier_flush_queue();
}

static inline void arch_leave_lazy_mmu_mode(void)
{
	arch_flush_lazy_mmu_mode();
	WRITE_ONCE(atelier_lazy_mmu, false);
}

/* The life of an address space: its tables become the hypervisor's when it is first loaded, and ours again when it dies. */
void paravirt_arch_exit_mmap(struct mm_struct *mm);
void paravirt_pgd_free(struct mm_struct *mm, pgd_t *pgd);
void paravirt_alloc_pte(struct mm_struct *mm, unsigned long pfn);
void paravirt_release_pte(unsigned long pfn);

static inline int paravirt_pgd_alloc(struct mm_struct *mm)
{
	return 0;
}

static inline void paravirt_activate_mm(struct mm_struct *prev, struct mm_struct *next)
{
}

static inline void paravirt_arch_dup_mmap(struct mm_struct *oldmm, struct mm_struct *mm)
{
}

static inline void paravirt_alloc_pmd(struct mm_struct *mm, unsigned long pfn)
{
}

static inline void paravirt_release_pmd(unsigned long pfn)
{
}

void __flush_tlb_local(void);
void __flush_tlb_one_user(unsigned long addr);
#define __flush_tlb_global()		__flush_tlb_local()
#define __flush_tlb_multi(cpus, info)	native_flush_tlb_multi(cpus, info)

#define __set_fixmap(idx, phys, flags)	native_set_fixmap(idx, phys, flags)

/* ---- what else asm/paravirt.h defines ---- */

#define default_banner	x86_init_noop

static inline void paravirt_set_cap(void)
{
}

#endif /* __ASSEMBLY__ */
#endif
