// SPDX-License-Identifier: GPL-2.0
/*
 * Segments: the GDT and LDTs are read-only here, and the hypervisor looks at every descriptor.
 *
 * A segment register must not name a descriptor that is about to go: every call reloads the registers on its way out, and a failing load
 * costs the task its selector. So %gs, the one that keeps the user's value inside the kernel, is put aside
 * while descriptors change.
 */
#include <linux/init.h>
#include <linux/bug.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/set_memory.h>
#include <linux/vmalloc.h>
#include <asm/atelier.h>
#include <asm/desc.h>
#include <asm/processor.h>
#include <asm/switch_to.h>
#include <atelier/segment.h>
#include "internal.h"

static struct {
	u32 tls_at[GDT_ENTRY_TLS_ENTRIES];			/* machine addresses in the GDT */
	struct desc_struct tls[GDT_ENTRY_TLS_ENTRIES];		/* as last sent */
	const void *ldt;					/* as last loaded */
	unsigned int ldt_entries;
	bool switching;		/* between arch_start_ and arch_end_context_switch() */
	bool ldt_put_off;
	unsigned long sp0;
} segments;

static __always_inline bool same(const struct desc_struct *a, const struct desc_struct *b)
{
	const u32 *x = (const u32 *)a, *y = (const u32 *)b;

	return x[0] == y[0] && x[1] == y[1];
}

static int send(u32 at, const struct desc_struct *d)
{
	const u32 *halves = (const u32 *)d;

	return hypercall3(HYPERCALL_update_descriptor, at, halves[0], halves[1]);
}

/* ---- thread-local storage ---- */

/* A descriptor that a program may have, but not here (it reaches too far), is absent: the program faults when it uses it. */
static noinline void send_tls(const struct desc_struct *tls)
{
	const struct desc_struct none = {};
	unsigned int i, gs;

	savesegment(gs, gs);
	loadsegment(gs, 0);
	for (i = 0; i < GDT_ENTRY_TLS_ENTRIES; i++) {
		if (same(&tls[i], &segments.tls[i]))
			continue;
		segments.tls[i] = tls[i];
		if (send(segments.tls_at[i], &tls[i]) && send(segments.tls_at[i], &none))
			BUG();
	}
	if (!segments.switching)		/* else __switch_to() loads that of the new task */
		loadsegment(gs, gs);
}

/* Kernel threads have no use for these: what is there stays for the next program. */
void load_TLS(struct thread_struct *t, unsigned int cpu)
{
	const struct desc_struct *tls = t->tls_array;

	BUILD_BUG_ON(GDT_ENTRY_TLS_ENTRIES != 3);
	if (likely(same(&tls[0], &segments.tls[0]) && same(&tls[1], &segments.tls[1]) &&
		   same(&tls[2], &segments.tls[2])))
		return;
	if (!(container_of(t, struct task_struct, thread)->flags & PF_KTHREAD))
		send_tls(tls);
}

/* ---- local descriptor tables ---- */

static void load_ldt(void)
{
	unsigned int gs;

	savesegment(gs, gs);
	loadsegment(gs, 0);
	if (hypercall2(HYPERCALL_set_ldt, (unsigned long)segments.ldt, segments.ldt_entries))
		BUG();
	loadsegment(gs, gs);
}

void set_ldt(const void *entries, unsigned int count)
{
	if (!count && !segments.ldt_entries && !segments.ldt_put_off)
		return;
	segments.ldt = count ? entries : NULL;
	segments.ldt_entries = count;
	if (segments.switching)
		segments.ldt_put_off = true;	/* switch_mm() comes before the old task's %gs is saved */
	else
		load_ldt();
}

static u32 machine_address_of_ldt(const struct desc_struct *entry)
{
	if (!is_vmalloc_addr(entry))
		return atelier_machine_address(entry);
	return atelier_p2m[vmalloc_to_pfn(entry)] << PAGE_SHIFT | offset_in_page(entry);
}

/*
 * A new LDT, complete, that will be loaded. While it is ordinary memory, each descriptor is tried by sending it to where it
 * lies; what is refused becomes absent, so that the table as a whole will not be. From then on no page of
 * it is writable, under any address.
 */
void paravirt_alloc_ldt(struct desc_struct *ldt, unsigned int entries)
{
	unsigned int i;

	for (i = 0; i < entries; i++)
		if (ldt[i].p && send(machine_address_of_ldt(&ldt[i]), &ldt[i]))
			memset(&ldt[i], 0, sizeof(ldt[i]));
	if (set_memory_ro((unsigned long)ldt, DIV_ROUND_UP(entries * LDT_ENTRY_SIZE, PAGE_SIZE)))
		BUG();
}

void paravirt_free_ldt(struct desc_struct *ldt, unsigned int entries)
{
	if (set_memory_rw((unsigned long)ldt, DIV_ROUND_UP(entries * LDT_ENTRY_SIZE, PAGE_SIZE)))
		BUG();
}

/* ---- the GDT ---- */

/* System segments are the hypervisor's own. */
void write_gdt_entry(struct desc_struct *gdt, int n, const void *desc, int type)
{
	if (type == DESC_TSS || type == DESC_LDT)
		return;
	if (send(atelier_machine_address(&gdt[n]), desc))
		BUG();
}

/* Linux's own segments are made for ring 0. */
static void __init lower(struct desc_struct *d)
{
	if (!d->s)
		memset(d, 0, sizeof(*d));
	else if (d->dpl == 0)
		d->dpl = 1;
}

/* FS is Linux's per-CPU segment, GS nothing yet; %ss must be of ring 1, the data segments may be. */
static void __init reload(void)
{
	asm volatile("ljmp	%0, $1f\n"
		     "1:\n\t"
		     "movl	%1, %%ss\n\t"
		     "movl	%2, %%ds\n\t"
		     "movl	%2, %%es\n\t"
		     "movl	%3, %%fs\n\t"
		     "movl	%4, %%gs"
		     : : "i" (__KERNEL_CS | 1), "r" (__KERNEL_DS | 1), "r" (__USER_DS),
			 "r" (__KERNEL_PERCPU), "r" (0) : "memory");
}

void __init atelier_init_segments(void)
{
	struct desc_struct *gdt = get_cpu_gdt_rw(0);
	u32 frame = atelier_machine_address(gdt) >> PAGE_SHIFT;
	unsigned int i;

	for (i = 0; i < GDT_ENTRIES; i++)
		lower(&gdt[i]);
	for (i = 0; i < GDT_ENTRY_TLS_ENTRIES; i++)
		segments.tls_at[i] = atelier_machine_address(&gdt[GDT_ENTRY_TLS_MIN + i]);
	atelier_protect(gdt);
	if (hypercall2(HYPERCALL_set_gdt, (unsigned long)&frame, GDT_ENTRIES))
		BUG();
	reload();
}

/* ---- from task to task ---- */

void load_sp0(unsigned long sp0)
{
	segments.sp0 = sp0;
	hypercall2(HYPERCALL_stack_switch, __KERNEL_DS | 1, sp0);
}

void arch_start_context_switch(struct task_struct *prev)
{
	segments.switching = true;
}

/* Kernel threads are never entered from ring 3. */
void arch_end_context_switch(struct task_struct *next)
{
	if (unlikely(segments.ldt_put_off)) {
		segments.ldt_put_off = false;
		load_ldt();
	}
	segments.switching = false;
	if (!(next->flags & PF_KTHREAD) && next->thread.sp0 != segments.sp0)
		load_sp0(next->thread.sp0);
}
