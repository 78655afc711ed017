// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/atelier: domain 0's programs and the hypervisor (<uapi/linux/atelier.h> says what they can ask).
 *
 * Frames of other domains get into a program's page tables by the hypervisor's hand alone, and Linux must never take them
 * for its own: their entries are special, their mappings VM_PFNMAP, and what would translate their numbers
 * (mprotect(), mremap(), fork()) is kept away. Such entries exist only in tables that the hypervisor keeps, which those of
 * the address space that runs are.
 */
#include <linux/capability.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/init.h>
#include <linux/interrupt.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/pagevec.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>
#include <linux/wait.h>
#include <asm/atelier.h>
#include <asm/tlbflush.h>
#include <atelier/control.h>
#include <atelier/event.h>
#include <atelier/paging.h>
#include <uapi/linux/atelier.h>

#define BATCH	(PAGE_SIZE / sizeof(struct mmu_request))

/* ---- control ---- */

/* The buffer that an operation names, if it does. */
struct buffer {
	u32 *address;		/* in the operation */
	u32 *count;		/* of units: asked for; when it comes back, there */
	u32 *size;		/* of units, where that is another word */
	size_t unit;
	bool in, out;
};

static bool find_buffer(struct control_op *op, struct buffer *b)
{
	struct control_bytes *bytes = op->op == CONTROL_log ? &op->u.log : &op->u.console;
	struct control_frames *frames = &op->u.frames;

	switch (op->op) {
	case CONTROL_frame_list:
		*b = (struct buffer){ &frames->list, &frames->count, &frames->count, sizeof(u32), false, true };
		return true;
	case CONTROL_log:
		*b = (struct buffer){ &bytes->buffer, &bytes->count, &bytes->size, 1, false, true };
		return true;
	case CONTROL_console:
		*b = (struct buffer){ &bytes->buffer, &bytes->count, &bytes->size, 1, bytes->flags, !bytes->flags };
		return true;
	}
	return false;
}

static int call(struct control_op *op)
{
	return hypercall1(HYPERCALL_control_op, (unsigned long)op);
}

/* The program's memory may be absent: the hypervisor gets the kernel's. */
static int call_with_buffer(struct control_op *op, const struct buffer *b)
{
	u32 asked = min_t(u32, *b->size, ATELIER_BUFFER_MAX / b->unit), size = *b->size;
	void __user *theirs = (void __user *)*b->address;
	void *ours = kvzalloc(max_t(size_t, asked * b->unit, 1), GFP_KERNEL);
	int err = -EFAULT;

	if (!ours)
		return -ENOMEM;
	if (b->in && copy_from_user(ours, theirs, asked * b->unit))
		goto out;
	*b->address = (unsigned long)ours;
	*b->size = asked;
	err = call(op);
	if (b->size != b->count)
		*b->size = size;
	*b->address = (unsigned long)theirs;
	if (!err && b->out && copy_to_user(theirs, ours, min(*b->count, asked) * b->unit))
		err = -EFAULT;
out:
	kvfree(ours);
	return err;
}

static int control(void __user *at)
{
	struct control_op op;
	struct buffer b;
	int err;

	if (copy_from_user(&op, at, sizeof(op)))
		return -EFAULT;
	if (op.op == CONTROL_fill)	/* it names frames of ours */
		return -EINVAL;
	err = find_buffer(&op, &b) ? call_with_buffer(&op, &b) : call(&op);
	if (copy_to_user(at, &op, sizeof(op)))
		return -EFAULT;
	return err;
}

/* ---- requests in another domain's name ---- */

static int rest_a_while(void)
{
	cond_resched();
	return signal_pending(current) ? -EINTR : 0;
}

/* Until all are done or one is refused. An interrupt ends a call early, but never before its first request. */
static int execute(struct mmu_request *list, u32 count, u32 domain, u32 *done)
{
	u32 now;
	int err;

	*done = 0;
	do {
		now = 0;
		err = hypercall4(HYPERCALL_mmu_update, (unsigned long)(list + *done), count - *done,
				 (unsigned long)&now, domain);
		*done += now;
	} while (err == -EAGAIN && now > 0);
	return err;
}

static int mmu_batch(struct atelier_mmu *op, struct mmu_request *list)
{
	u32 n = min_t(u32, op->count - op->done, BATCH), done;
	const struct mmu_request __user *theirs = (void __user *)op->requests;
	int err;

	if (copy_from_user(list, theirs + op->done, n * sizeof(*list)))
		return -EFAULT;
	err = execute(list, n, op->domain, &done);
	op->done += done;
	return err;
}

static int mmu(void __user *at)
{
	struct mmu_request *list;
	struct atelier_mmu op;
	int err = 0;

	if (copy_from_user(&op, at, sizeof(op)))
		return -EFAULT;
	if (op.domain == DOMID_SELF || op.domain == atelier_start_info->domid)
		return -EINVAL;
	list = (struct mmu_request *)__get_free_page(GFP_KERNEL);
	if (!list)
		return -ENOMEM;
	op.done = 0;
	while (!err && op.done < op.count)
		err = mmu_batch(&op, list) ?: op.done < op.count ? rest_a_while() : 0;
	free_page((unsigned long)list);
	return copy_to_user(at, &op, sizeof(op)) ? -EFAULT : err;
}

/* ---- other domains' frames, filled from a file ---- */

#define FILL_BATCHES	4
#define FILL_PAGES	(FILL_BATCHES * PAGEVEC_SIZE)

/* Pages of the page cache that lie in a row, their frames, and those of the domain that their bytes go to. */
struct filling {
	struct folio_batch pages[FILL_BATCHES];
	u32 from[FILL_PAGES], to[FILL_PAGES + 1];
	u32 count;
};

/* There are none of several pages. */
static_assert(!IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE));

/* As many as are there and whole, from @index on up to @last. */
static void find_pages(struct address_space *mapping, pgoff_t index, pgoff_t last, struct filling *f)
{
	f->count = 0;
	for (u32 i = 0; i < FILL_BATCHES; i++) {
		struct folio_batch *b = &f->pages[i];

		folio_batch_init(b);
		if (f->count == i * PAGEVEC_SIZE && index <= last)
			filemap_get_folios_contig(mapping, &index, last, b);
		for (u32 j = 0; j < folio_batch_count(b) && folio_test_uptodate(b->folios[j]); j++)
			f->from[f->count++] = atelier_p2m[folio_pfn(b->folios[j])];
	}
}

static void release_pages_found(struct filling *f)
{
	for (u32 i = 0; i < FILL_BATCHES; i++)
		folio_batch_release(&f->pages[i]);
}

/* To be found the next time. */
static int read_page(struct file *file, pgoff_t index)
{
	struct address_space *mapping = file->f_mapping;
	struct page *page;

	page = shmem_mapping(mapping) ? shmem_read_mapping_page(mapping, index) : read_mapping_page(mapping, index, file);
	if (IS_ERR(page))
		return PTR_ERR(page);
	put_page(page);
	return 0;
}

/* Until all are copied or one is refused. */
static int copy_pages(struct filling *f, u32 from, u32 to, u32 size, struct atelier_fill *op)
{
	u32 done = 0;
	int err = 0;

	while (!err && done < size) {
		struct control_op fill;

		fill.interface = ATELIER_INTERFACE;
		fill.op = CONTROL_fill;
		fill.domain = op->domain;
		fill.u.fill = (struct control_fill){
			(unsigned long)f->from, (unsigned long)f->to, from + done, to + done, size - done,
		};
		err = call(&fill);
		if (!err)
			done += fill.u.fill.done;
	}
	op->done += done;
	return err;
}

static int fill_batch(struct file *file, struct atelier_fill *op, struct filling *f, u32 size)
{
	u32 from = op->offset + op->done, to = op->at + op->done, n;
	const u32 __user *theirs = (void __user *)op->frames;
	int err;

	size = min_t(u32, size, FILL_PAGES * PAGE_SIZE - offset_in_page(from));
	n = (offset_in_page(to) + size + PAGE_SIZE - 1) >> PAGE_SHIFT;
	if (copy_from_user(f->to, theirs + (to >> PAGE_SHIFT), n * sizeof(u32)))
		return -EFAULT;
	find_pages(file->f_mapping, from >> PAGE_SHIFT, (from + size - 1) >> PAGE_SHIFT, f);
	size = min_t(u32, size, f->count * PAGE_SIZE - offset_in_page(from));
	if (f->count)
		err = copy_pages(f, offset_in_page(from), offset_in_page(to), size, op);
	release_pages_found(f);
	return f->count ? err : read_page(file, from >> PAGE_SHIFT);
}

/* How much of what was asked for is left, as long as the file is now. */
static u32 left_to_fill(const struct file *file, const struct atelier_fill *op)
{
	loff_t left = i_size_read(file_inode(file)) - op->offset - op->done;

	return clamp_t(loff_t, left, 0, op->size - op->done);
}

static int fill_from(struct file *file, struct atelier_fill *op)
{
	const struct address_space *mapping = file->f_mapping;
	struct filling *f;
	u32 left;
	int err = 0;

	if (!(file->f_mode & FMODE_READ))
		return -EBADF;
	if (!S_ISREG(file_inode(file)->i_mode) || IS_DAX(file_inode(file)) ||
	    (!mapping->a_ops->read_folio && !shmem_mapping(file->f_mapping)))
		return -EOPNOTSUPP;
	f = kmalloc(sizeof(*f), GFP_KERNEL);
	if (!f)
		return -ENOMEM;
	while (!err && (left = left_to_fill(file, op)) > 0)
		err = fill_batch(file, op, f, left) ?: rest_a_while();
	kfree(f);
	return err;
}

static int fill(void __user *at)
{
	struct atelier_fill op;
	struct fd fd;
	int err = -EBADF;

	if (copy_from_user(&op, at, sizeof(op)))
		return -EFAULT;
	if (op.size > U32_MAX - op.offset || op.size > U32_MAX - op.at)
		return -EINVAL;
	op.done = 0;
	fd = fdget(op.file);
	if (fd.file)
		err = fill_from(fd.file, &op);
	fdput(fd);
	return copy_to_user(at, &op, sizeof(op)) ? -EFAULT : err;
}

/* ---- other domains' frames in a program ---- */

struct batch {
	struct mmu_request *list;
	u32 *frames;
	u32 count;
	pgprotval_t prot;
};

/* Turns the next frame number into the request for its entry. */
static int ask_for_entry(pte_t *pte, unsigned long addr, void *data)
{
	struct batch *b = data;

	b->list[b->count] = (struct mmu_request){
		.where = atelier_machine_address(pte) | MMU_WRITE,
		.value = b->frames[b->count] << PAGE_SHIFT | b->prot,
	};
	b->count++;
	return 0;
}

static const struct vm_operations_struct frames_ops;

static struct vm_area_struct *find_mapping(const struct file *file, unsigned long addr, u32 count)
{
	struct vm_area_struct *vma = vma_lookup(current->mm, addr);

	if (!vma || vma->vm_ops != &frames_ops || vma->vm_file != file)
		return NULL;
	return count <= (vma->vm_end - addr) >> PAGE_SHIFT ? vma : NULL;
}

static int map_in(struct vm_area_struct *vma, struct atelier_map *op, struct batch *b, u32 count)
{
	unsigned long addr = op->address + op->done * PAGE_SIZE;
	u32 done;
	int err;

	b->count = 0;
	b->prot = pgprot_val(vma->vm_page_prot) | _PAGE_SPECIAL;
	err = apply_to_page_range(vma->vm_mm, addr, count * PAGE_SIZE, ask_for_entry, b);
	if (err)
		return err;
	err = execute(b->list, count, op->domain, &done);
	flush_tlb_range(vma, addr, addr + count * PAGE_SIZE);
	op->done += done;
	return err;
}

/* The mapping is looked for each time: meanwhile another thread may have unmapped it. */
static int map_batch(const struct file *file, struct atelier_map *op, struct batch *b)
{
	u32 n = min_t(u32, op->count - op->done, BATCH);
	const u32 __user *theirs = (void __user *)op->frames;
	struct vm_area_struct *vma;
	int err = -EINVAL;

	if (copy_from_user(b->frames, theirs + op->done, n * sizeof(u32)))
		return -EFAULT;
	if (mmap_write_lock_killable(current->mm))
		return -EINTR;
	vma = find_mapping(file, op->address + op->done * PAGE_SIZE, n);
	if (vma)
		err = map_in(vma, op, b, n);
	mmap_write_unlock(current->mm);
	return err;
}

static int map(const struct file *file, void __user *at)
{
	struct atelier_map op;
	struct batch b = {};
	int err = -ENOMEM;

	if (copy_from_user(&op, at, sizeof(op)))
		return -EFAULT;
	if (!PAGE_ALIGNED(op.address) || op.count > (TASK_SIZE - op.address) >> PAGE_SHIFT)
		return -EINVAL;
	op.done = 0;
	b.list = (struct mmu_request *)__get_free_page(GFP_KERNEL);
	b.frames = (u32 *)__get_free_page(GFP_KERNEL);
	if (b.list && b.frames)
		err = 0;
	while (!err && op.done < op.count)
		err = map_batch(file, &op, &b) ?: op.done < op.count ? rest_a_while() : 0;
	free_page((unsigned long)b.frames);
	free_page((unsigned long)b.list);
	return copy_to_user(at, &op, sizeof(op)) ? -EFAULT : err;
}

static int refuse_mprotect(struct vm_area_struct *vma, unsigned long start, unsigned long end, unsigned long flags)
{
	return -EACCES;
}

static const struct vm_operations_struct frames_ops = {
	.mprotect = refuse_mprotect,
};

static int reserve_addresses(struct file *file, struct vm_area_struct *vma)
{
	if (!(vma->vm_flags & VM_SHARED) || vma->vm_pgoff)
		return -EINVAL;
	vma->vm_flags |= VM_IO | VM_PFNMAP | VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP;
	vma->vm_ops = &frames_ops;
	return 0;
}

/* ---- news ---- */

/* One open file. */
struct watcher {
	struct list_head list;
	u32 seen;		/* bits of virtual interrupts */
};

static LIST_HEAD(watchers);
static DEFINE_SPINLOCK(watchers_lock);
static DECLARE_WAIT_QUEUE_HEAD(news);

static irqreturn_t virq_raised(int irq, void *bit)
{
	struct watcher *w;

	spin_lock(&watchers_lock);
	list_for_each_entry(w, &watchers, list)
		w->seen |= (unsigned long)bit;
	spin_unlock(&watchers_lock);
	wake_up_interruptible(&news);
	return IRQ_HANDLED;
}

static u32 take_news(struct watcher *w)
{
	u32 seen;

	spin_lock_irq(&watchers_lock);
	seen = w->seen;
	w->seen = 0;
	spin_unlock_irq(&watchers_lock);
	return seen;
}

static ssize_t read_news(struct file *file, char __user *at, size_t size, loff_t *unused)
{
	struct watcher *w = file->private_data;
	u32 seen;

	if (size < sizeof(seen))
		return -EINVAL;
	while ((seen = take_news(w)) == 0) {
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		if (wait_event_interruptible(news, READ_ONCE(w->seen)))
			return -ERESTARTSYS;
	}
	return put_user(seen, (u32 __user *)at) ? -EFAULT : sizeof(seen);
}

static __poll_t poll_news(struct file *file, poll_table *wait)
{
	struct watcher *w = file->private_data;

	poll_wait(file, &news, wait);
	return READ_ONCE(w->seen) ? EPOLLIN | EPOLLRDNORM : 0;
}

/* ---- the device ---- */

static int open(struct inode *inode, struct file *file)
{
	struct watcher *w;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	w = kzalloc(sizeof(*w), GFP_KERNEL);
	if (!w)
		return -ENOMEM;
	file->private_data = w;
	spin_lock_irq(&watchers_lock);
	list_add(&w->list, &watchers);
	spin_unlock_irq(&watchers_lock);
	return stream_open(inode, file);
}

static int release(struct inode *inode, struct file *file)
{
	struct watcher *w = file->private_data;

	spin_lock_irq(&watchers_lock);
	list_del(&w->list);
	spin_unlock_irq(&watchers_lock);
	kfree(w);
	return 0;
}

static long ioctl(struct file *file, unsigned int command, unsigned long at)
{
	switch (command) {
	case ATELIER_CONTROL:
		return control((void __user *)at);
	case ATELIER_MAP:
		return map(file, (void __user *)at);
	case ATELIER_MMU:
		return mmu((void __user *)at);
	case ATELIER_FILL:
		return fill((void __user *)at);
	}
	return -ENOTTY;
}

static const struct file_operations operations = {
	.owner = THIS_MODULE,
	.open = open,
	.release = release,
	.read = read_news,
	.poll = poll_news,
	.unlocked_ioctl = ioctl,
	.mmap = reserve_addresses,
	.llseek = no_llseek,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "atelier",
	.fops = &operations,
	.mode = 0600,
};

static int __init watch(int irq, unsigned int virq, unsigned long flags)
{
	if (irq < 0)
		return irq;
	return request_irq(irq, virq_raised, flags, "atelier", (void *)BIT(virq));
}

static int __init control_init(void)
{
	int err;

	if (!(atelier_start_info->flags & START_PRIVILEGED))
		return 0;
	err = watch(atelier_bind_virq(VIRQ_DOMAIN), VIRQ_DOMAIN, 0);
	if (!err)
		err = watch(atelier_console_irq(), VIRQ_CONSOLE, IRQF_SHARED);
	return err ?: misc_register(&device);
}
device_initcall(control_init);
