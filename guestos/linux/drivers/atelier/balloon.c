// SPDX-License-Identifier: GPL-2.0
/*
 * The balloon: pages that Linux has reserved and whose frames the hypervisor has back, until they are wanted again.
 *
 * The domain follows its limit, which domain 0 sets (VIRQ_LIMIT), or what is written to
 * /sys/kernel/atelier/balloon/target_kb. It gives what is free or easily freed, as much as there is, and tries for the rest
 * every second; no program loses its memory. A domain whose limit is above what it started with has pages without frames
 * from the start, and grows into them.
 */
#include <linux/init.h>
#include <linux/highmem.h>
#include <linux/interrupt.h>
#include <linux/kobject.h>
#include <linux/list.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/sizes.h>
#include <linux/sysfs.h>
#include <linux/workqueue.h>
#include <asm/atelier.h>
#include <atelier/event.h>
#include <atelier/memory.h>

#define BATCH		64
#define RETRY		HZ
#define SPARE_PAGES	(SZ_16M >> PAGE_SHIFT)	/* of what programs could have, Linux keeps so much */

static LIST_HEAD(hollow);		/* the pages without frames */
static unsigned long target;		/* frames that the domain is to have */
static u32 frames[BATCH];

static void balloon_work(struct work_struct *unused);
static DECLARE_DELAYED_WORK(work, balloon_work);

static int memory_call(u32 op, u32 count)
{
	const struct memory_op call = { .op = op, .list = (unsigned long)frames, .count = count };

	return hypercall1(HYPERCALL_memory_op, (unsigned long)&call);
}

static int query(unsigned long *owned, unsigned long *limit)
{
	struct memory_op call = { .op = MEMORY_query };
	int err = hypercall1(HYPERCALL_memory_op, (unsigned long)&call);

	*owned = call.count;
	*limit = call.list;
	return err;
}

static void hollow_out(struct page *page)
{
	list_add(&page->lru, &hollow);
	adjust_managed_page_count(page, -1);
}

static void fill(u32 frame)
{
	struct page *page = list_first_entry(&hollow, struct page, lru);

	list_del(&page->lru);
	atelier_take_frame(page, frame, true);
	adjust_managed_page_count(page, 1);
	__free_page(page);
}

/* How many frames the domain has more; 0: it gets none now. */
static unsigned int grow(unsigned long count)
{
	unsigned int i, n = 0;
	struct list_head *at;
	int got;

	list_for_each(at, &hollow)
		if (++n == min_t(unsigned long, count, BATCH))
			break;
	got = n ? memory_call(MEMORY_increase, n) : 0;
	for (i = 0; (int)i < got; i++)
		fill(frames[i]);
	return max(got, 0);
}

static struct page *free_page_for_good(void)
{
	if (si_mem_available() < SPARE_PAGES)
		return NULL;
	return alloc_page(GFP_HIGHUSER | __GFP_NORETRY | __GFP_NOWARN | __GFP_NOMEMALLOC);
}

/* Frames that are refused go back to their pages: somebody maps them still. */
static unsigned int shrink(unsigned long count)
{
	static struct page *pages[BATCH];
	unsigned int i, n;
	int gone;

	for (n = 0; n < min_t(unsigned long, count, BATCH); n++) {
		pages[n] = free_page_for_good();
		if (!pages[n])
			break;
	}
	kmap_flush_unused();
	for (i = 0; i < n; i++)
		frames[i] = atelier_give_frame(pages[i]);
	gone = n ? max(memory_call(MEMORY_decrease, n), 0) : 0;
	for (i = 0; i < n; i++) {
		if ((int)i < gone) {
			hollow_out(pages[i]);
			continue;
		}
		atelier_take_frame(pages[i], frames[i], false);
		__free_page(pages[i]);
	}
	return gone;
}

static void balloon_work(struct work_struct *unused)
{
	unsigned long owned, limit, want;
	unsigned int moved = 1;

	while (moved && !query(&owned, &limit)) {
		want = READ_ONCE(target);
		if (owned == want || (owned < want && (owned >= limit || list_empty(&hollow))))
			return;
		moved = owned < want ? grow(min(want, limit) - owned) : shrink(owned - want);
		cond_resched();
	}
	schedule_delayed_work(&work, RETRY);
}

static void set_target(unsigned long want)
{
	WRITE_ONCE(target, want);
	mod_delayed_work(system_wq, &work, 0);
}

static irqreturn_t limit_was_set(int irq, void *unused)
{
	unsigned long owned, limit;

	if (!query(&owned, &limit))
		set_target(limit);
	return IRQ_HANDLED;
}

/* ---- /sys/kernel/atelier/balloon ---- */

static ssize_t show_kb(char *buffer, unsigned long pages)
{
	return sysfs_emit(buffer, "%lu\n", pages << (PAGE_SHIFT - 10));
}

static ssize_t target_kb_show(struct kobject *kobj, struct kobj_attribute *attr, char *buffer)
{
	return show_kb(buffer, READ_ONCE(target));
}

static ssize_t target_kb_store(struct kobject *kobj, struct kobj_attribute *attr, const char *text, size_t size)
{
	unsigned long kb;
	int err = kstrtoul(text, 0, &kb);

	if (err)
		return err;
	set_target(kb >> (PAGE_SHIFT - 10));
	return size;
}

static ssize_t current_kb_show(struct kobject *kobj, struct kobj_attribute *attr, char *buffer)
{
	unsigned long owned, limit;

	return query(&owned, &limit) ?: show_kb(buffer, owned);
}

static ssize_t limit_kb_show(struct kobject *kobj, struct kobj_attribute *attr, char *buffer)
{
	unsigned long owned, limit;

	return query(&owned, &limit) ?: show_kb(buffer, limit);
}

static struct kobj_attribute target_kb = __ATTR_RW(target_kb);
static struct kobj_attribute current_kb = __ATTR_RO(current_kb);
static struct kobj_attribute limit_kb = __ATTR_RO(limit_kb);

static struct attribute *attributes[] = { &target_kb.attr, &current_kb.attr, &limit_kb.attr, NULL };
static const struct attribute_group group = { .name = "balloon", .attrs = attributes };

/* ---- start ---- */

/* They were reserved, and now are as if they had been given back. */
static void __init take_pages_without_frames(void)
{
	unsigned long pfn, end = min_t(unsigned long, atelier_frames, max_pfn);

	for (pfn = atelier_start_info->frames; pfn < end; pfn++) {
		struct page *page = pfn_to_page(pfn);

		__ClearPageReserved(page);
		init_page_count(page);
		list_add_tail(&page->lru, &hollow);
	}
}

static int __init balloon_init(void)
{
	unsigned long owned, limit;
	struct kobject *folder;
	int irq;

	if (query(&owned, &limit))
		return 0;		/* this hypervisor has no balloon */
	take_pages_without_frames();
	folder = kobject_create_and_add("atelier", kernel_kobj);
	if (!folder || sysfs_create_group(folder, &group))
		return -ENOMEM;
	set_target(min(owned, limit));
	irq = atelier_bind_virq(VIRQ_LIMIT);
	return irq < 0 ? 0 : request_irq(irq, limit_was_set, 0, "limit", NULL);
}
device_initcall(balloon_init);
