// SPDX-License-Identifier: GPL-2.0
/*
 * Page tables: the processor walks them, Linux owns them, and the hypervisor writes what it has checked.
 *
 * A page is either a table (its bit in atelier_tables is set): the hypervisor keeps it valid, Linux maps it read-only and
 * changes it by calls; or it is ordinary memory. The kernel's tables are tables from the moment they are used. Those of a
 * process become so when its address space is first loaded, all at once, and stop being so when it dies. So fork() and exit()
 * fill and empty them with ordinary stores, and each is checked and given back once, whatever was done to it.
 *
 * One processor and no preemption inside the kernel: nothing here is locked. Interrupts may change entries (kmap()), but
 * never touch the queue: their requests go one at a time.
 */
#include <linux/init.h>
#include <linux/bug.h>
#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/preempt.h>
#include <linux/printk.h>
#include <linux/string.h>
#include <asm/atelier.h>
#include <asm/fixmap.h>
#include <asm/mmu_context.h>
#include <asm/pgalloc.h>
#include <asm/setup.h>
#include <asm/tlbflush.h>
#include <atelier/paging.h>
#include "../mm/mm_internal.h"
#include "internal.h"

u32 *atelier_p2m __ro_after_init;
u32 atelier_frames __ro_after_init;
EXPORT_SYMBOL(atelier_p2m);
EXPORT_SYMBOL(atelier_frames);

/* Tables lie in the direct map, which ends below the hypervisor. */
#define DIRECT_FRAMES	((ATELIER_LINE - PAGE_OFFSET) >> PAGE_SHIFT)
DECLARE_BITMAP(atelier_tables, DIRECT_FRAMES);
EXPORT_SYMBOL(atelier_tables);

/* Entries that Linux uses for what it maps itself. */
#define READ_ONLY	(_PAGE_PRESENT | _PAGE_ACCESSED | _PAGE_DIRTY)
#define WRITABLE	(READ_ONLY | _PAGE_RW)

#define QUEUE		256

bool atelier_lazy_mmu;
unsigned int atelier_queued;
EXPORT_SYMBOL(atelier_lazy_mmu);
EXPORT_SYMBOL(atelier_queued);

static struct mmu_request queue[QUEUE];
static bool direct_map_ready;
static bool leaving;		/* the new base goes along with what follows */

/* ---- requests ---- */

static noinline void refused(const struct mmu_request *r, int err)
{
	pr_emerg("atelier: page-table request %08x %08x was refused: %d\n", r->where, r->value, err);
	BUG();
}

static void execute_one(const struct mmu_request *r)
{
	int err = hypercall4(HYPERCALL_mmu_update, (unsigned long)r, 1, 0, DOMID_SELF);

	if (unlikely(err))
		refused(r, err);
}

static void execute(const struct mmu_request *list, unsigned int count)
{
	u32 done;
	int err;

	while (count > 1) {
		err = hypercall4(HYPERCALL_mmu_update, (unsigned long)list, count, (unsigned long)&done, DOMID_SELF);
		if (!err)
			return;
		list += done;
		count -= done;
		if (err != -EAGAIN)
			refused(list, err);
	}
	if (count)
		execute_one(list);
}

/* Whether what is in the queue is not ours: an interrupt's handlers make no calls but for themselves. */
static __always_inline bool interrupted_task(void)
{
	return preempt_count() & (NMI_MASK | HARDIRQ_MASK | SOFTIRQ_OFFSET);
}

void atelier_flush_queue(void)
{
	unsigned int count = atelier_queued;

	if (unlikely(interrupted_task()))
		return;
	atelier_queued = 0;
	execute(queue, count);
}
EXPORT_SYMBOL(atelier_flush_queue);

static void update_address(unsigned long addr, pteval_t value, unsigned int flush)
{
	int err = hypercall4(HYPERCALL_update_va_mapping, addr, value, flush, DOMID_SELF);

	if (unlikely(err))
		refused(&(struct mmu_request){ addr, value }, err);
}

static noinline void ask_alone(u32 where, u32 value)
{
	const struct mmu_request r = { where, value };

	execute_one(&r);
}

/* One more request for the next call. */
static __always_inline void ask(u32 where, u32 value)
{
	unsigned int n = atelier_queued;

	if (unlikely(interrupted_task())) {
		ask_alone(where, value);
		return;
	}
	queue[n].where = where;
	queue[n].value = value;
	atelier_queued = ++n;
	if (unlikely(n == QUEUE))
		atelier_flush_queue();
}

static void command(u32 operand, u32 code)
{
	ask(operand | MMU_COMMAND, code);
}

static void ask_now(u32 where, u32 value)
{
	ask(where, value);
	arch_flush_lazy_mmu_mode();
}

static __always_inline u32 machine_address(const void *at)
{
	return atelier_p2m[__pa(at) >> PAGE_SHIFT] << PAGE_SHIFT | offset_in_page(at);
}

u32 atelier_machine_address(const void *at)
{
	return machine_address(at);
}

/* ---- frames that come and go (the balloon) ---- */

u32 atelier_give_frame(struct page *page)
{
	unsigned long pfn = page_to_pfn(page);
	u32 frame = atelier_p2m[pfn];

	atelier_p2m[pfn] = ATELIER_NO_PFN;
	if (!PageHighMem(page))
		update_address((unsigned long)page_address(page), 0, UVM_INVLPG);
	return frame;
}

void atelier_take_frame(struct page *page, u32 frame, bool number)
{
	unsigned long pfn = page_to_pfn(page);

	atelier_p2m[pfn] = frame;
	if (number)
		ask_alone(frame << PAGE_SHIFT | MMU_M2P, pfn);
	if (!PageHighMem(page))
		update_address((unsigned long)page_address(page), frame << PAGE_SHIFT | WRITABLE, UVM_NONE);
}

/* The entry that maps a page of the direct map, in the kernel's own tables. */
static u32 direct_entry(unsigned long pfn)
{
	unsigned long va = (unsigned long)pfn_to_kaddr(pfn);

	return (native_pgd_val(swapper_pg_dir[pgd_index(va)]) & PAGE_MASK) + pte_index(va) * sizeof(pte_t);
}

/* ---- entries ---- */

/*
 * A frame that is not the domain's: there is none such to map. Zero makes the access fault, and what Linux does about that
 * (SIGBUS, or an oops) is what is right where memory is missing.
 */
pteval_t atelier_strange_entry(pteval_t value)
{
	return 0;
}
EXPORT_SYMBOL(atelier_strange_entry);

/* While Linux builds its direct map over the builder's, it asks for what is there already, and for tables writable. */
static bool settled(const pte_t *ptep, pteval_t *value)
{
	if ((*value & (_PAGE_PRESENT | _PAGE_RW)) == (_PAGE_PRESENT | _PAGE_RW)) {
		unsigned long pfn = atelier_from_machine(*value) >> PAGE_SHIFT;

		if (pfn < DIRECT_FRAMES && test_bit(pfn, atelier_tables))
			*value &= ~_PAGE_RW;
	}
	return ((*value ^ ptep->pte) & ~(_PAGE_ACCESSED | _PAGE_DIRTY)) == 0;
}

void atelier_set_pte(pte_t *ptep, pteval_t value)
{
	if (unlikely(!direct_map_ready) && settled(ptep, &value))
		return;
	ask(machine_address(ptep), value);
	if (!atelier_lazy_mmu)
		arch_flush_lazy_mmu_mode();
}
EXPORT_SYMBOL(atelier_set_pte);

static bool is_loaded(const struct mm_struct *mm)
{
	return this_cpu_read(cpu_tlbstate.loaded_mm) == mm;
}

void atelier_set_pte_at(struct mm_struct *mm, unsigned long addr, pte_t *ptep, pteval_t value)
{
	if (is_loaded(mm) && mm != &init_mm)
		update_address(addr, value, UVM_NONE);
	else
		atelier_set_pte(ptep, value);
}
EXPORT_SYMBOL(atelier_set_pte_at);

pte_t ptep_clear_flush(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep)
{
	struct mm_struct *mm = vma->vm_mm;
	pte_t pte = *ptep;

	if (is_loaded(mm) && !atelier_lazy_mmu && atelier_is_table(ptep)) {
		update_address(addr, 0, UVM_INVLPG);
		return pte;
	}
	pte_clear(mm, addr, ptep);
	if (pte_accessible(mm, pte))
		flush_tlb_page(vma, addr);
	return pte;
}

bool ptep_commit_and_flush(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep, pte_t new)
{
	if (vma->vm_end - vma->vm_start == PAGE_SIZE && is_loaded(vma->vm_mm)) {
		update_address(addr, native_pte_val(new), UVM_INVLPG);
		return true;
	}
	set_pte(ptep, new);
	return false;
}

void atelier_set_pmd(pmd_t *pmdp, pmdval_t value)
{
	ask_now(machine_address(pmdp), value);
}

/* ---- pages that become tables, and tables that become pages ---- */

static void ask_read_only(unsigned long pfn)
{
	__set_bit(pfn, atelier_tables);
	ask(direct_entry(pfn), atelier_p2m[pfn] << PAGE_SHIFT | READ_ONLY);
}

/* No flush: a processor that remembers the page as read-only faults and finds it is not (spurious_kernel_fault()). */
static void ask_writable(unsigned long pfn)
{
	__clear_bit(pfn, atelier_tables);
	ask(direct_entry(pfn), atelier_p2m[pfn] << PAGE_SHIFT | WRITABLE);
}

/* At start, before Linux's own directory is filled: by address, in the builder's tables. */
void __init atelier_protect(const void *page)
{
	if (hypercall4(HYPERCALL_update_va_mapping, (unsigned long)page, machine_address(page) | READ_ONLY,
		       UVM_INVLPG, DOMID_SELF))
		BUG();
	__set_bit(__pa(page) >> PAGE_SHIFT, atelier_tables);
}

/* A page joins a directory; if that one is in use, it becomes a table with the entry that names it, in one call. */
void paravirt_alloc_pte(struct mm_struct *mm, unsigned long pfn)
{
	if (atelier_is_table(mm->pgd))
		ask_read_only(pfn);
}

/* No directory names it any more. */
void paravirt_release_pte(unsigned long pfn)
{
	if (!test_bit(pfn, atelier_tables))
		return;
	ask_writable(pfn);
	arch_flush_lazy_mmu_mode();
}

/* ---- address spaces ---- */

/* The slots of a directory's process part that name tables: found once, walked several times. */
static u16 slots[KERNEL_PGD_BOUNDARY];

/* Most slots are empty: looks at eight at a time. */
static unsigned int find_tables(const pgd_t *pgd)
{
	unsigned int slot, i, n = 0;

	for (slot = 0; slot < KERNEL_PGD_BOUNDARY; slot += 8) {
		const pgd_t *p = &pgd[slot];

		if (!(p[0].pgd | p[1].pgd | p[2].pgd | p[3].pgd | p[4].pgd | p[5].pgd | p[6].pgd | p[7].pgd))
			continue;
		for (i = 0; i < 8; i++)
			if (p[i].pgd)
				slots[n++] = slot + i;
	}
	return n;
}

static unsigned long table_pfn(const pgd_t *pgd, unsigned int i)
{
	return pgd_val(pgd[slots[i]]) >> PAGE_SHIFT;
}

/*
 * One call checks or releases MMU_TABLES_A_CALL tables at most with a directory. What is more is pinned by itself, so that it
 * is checked before, or released after.
 */
static void command_excess(const pgd_t *pgd, unsigned int n, u32 code)
{
	while (n-- > MMU_TABLES_A_CALL)
		command(native_pgd_val(pgd[slots[n]]) & PAGE_MASK, code);
}

static void pin(pgd_t *pgd)
{
	unsigned int i, n = find_tables(pgd);

	for (i = 0; i < n; i++)
		ask_read_only(table_pfn(pgd, i));
	ask_read_only(__pa(pgd) >> PAGE_SHIFT);
	command_excess(pgd, n, MMU_PIN_TABLE);
	command(machine_address(pgd), MMU_PIN_DIRECTORY);
	command_excess(pgd, n, MMU_UNPIN);
}

static void unpin(pgd_t *pgd)
{
	unsigned int i, n = find_tables(pgd);

	command_excess(pgd, n, MMU_PIN_TABLE);
	command(machine_address(pgd), MMU_UNPIN);
	command_excess(pgd, n, MMU_UNPIN);
	for (i = 0; i < n; i++)
		ask_writable(table_pfn(pgd, i));
	ask_writable(__pa(pgd) >> PAGE_SHIFT);
	arch_flush_lazy_mmu_mode();
}

void write_cr3(unsigned long cr3)
{
	pgd_t *pgd = __va(cr3);

	atelier_registers.cr3 = cr3;
	if (!atelier_is_table(pgd))
		pin(pgd);
	command(machine_address(pgd), MMU_NEW_BASE);
	if (!leaving)
		arch_flush_lazy_mmu_mode();
}

/*
 * Nobody runs in this address space any more, but it may still be loaded, by a kernel thread or the task that exits. It is left
 * for the kernel's own before its tables are given back.
 */
void paravirt_arch_exit_mmap(struct mm_struct *mm)
{
	if (!atelier_is_table(mm->pgd))
		return;
	preempt_disable();
	if (is_loaded(mm)) {
		leaving = true;
		leave_mm(smp_processor_id());
		leaving = false;
	}
	unpin(mm->pgd);
	preempt_enable();
}

/* One that was loaded but never had a process. */
void paravirt_pgd_free(struct mm_struct *mm, pgd_t *pgd)
{
	if (atelier_is_table(pgd))
		unpin(pgd);
}

void __flush_tlb_local(void)
{
	command(0, MMU_FLUSH);
	arch_flush_lazy_mmu_mode();
}

void __flush_tlb_one_user(unsigned long addr)
{
	command(addr & PAGE_MASK, MMU_INVLPG);
	arch_flush_lazy_mmu_mode();
}

/* ---- start ---- */

/* Pages that the domain may once have get numbers, now that there is memory for a longer list. */
static void __init lengthen_p2m(u32 frames)
{
	u32 *longer = alloc_pages_exact(frames * sizeof(u32), GFP_KERNEL);

	if (!longer)
		return;
	memset32(longer, ATELIER_NO_PFN, frames);
	memcpy(longer, atelier_p2m, atelier_frames * sizeof(u32));
	atelier_p2m = longer;
	atelier_frames = frames;
}

static void __init direct_map_is_ready(void)
{
	direct_map_ready = true;
	if (atelier_frames_at_most() > atelier_frames)
		lengthen_p2m(atelier_frames_at_most());
}

/* Makes machine frames and pseudo-physical ones tell apart, and the builder's tables known. */
void __init atelier_init_tables(void)
{
	const struct start_info *si = atelier_start_info;

	atelier_p2m = (u32 *)si->p2m;
	atelier_frames = si->frames;
	bitmap_set(atelier_tables, __pa(si->directory) >> PAGE_SHIFT, si->tables);
}

/*
 * What Linux finds instead of what head_32.S makes: the kernel's part of the address space, up to the hypervisor.
 */
void __init atelier_init_memory(void)
{
	const struct start_info *si = atelier_start_info;
	const pgd_t *builders = (const pgd_t *)si->directory;

	reserve_top_address(-ATELIER_LINE);
	memcpy(&initial_page_table[KERNEL_PGD_BOUNDARY], &builders[KERNEL_PGD_BOUNDARY],
	       KERNEL_PGD_PTRS * sizeof(pgd_t));
	atelier_registers.cr3 = __pa(builders);
	max_pfn_mapped = si->mapped_frames;

	/* The hypervisor lets guests have neither of these bits. */
	__supported_pte_mask &= ~(_PAGE_PWT | _PAGE_PCD | _PAGE_PAT | _PAGE_GLOBAL);
	/* A call costs more than what a flush of everything loses. */
	tlb_single_page_flush_ceiling = 1;
	x86_init.hyper.init_after_bootmem = direct_map_is_ready;
}
