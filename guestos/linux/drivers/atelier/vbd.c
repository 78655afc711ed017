// SPDX-License-Identifier: GPL-2.0
/*
 * Virtual block devices: /dev/vbda to /dev/vbdh, over one ring.
 *
 * A request's number on the ring is its tag, and the disks share one set of tags, as many as the ring has slots: so there is
 * always room; one more is for the question what there is, which can be asked at any time. What must be on the disk before something else is flushed; a barrier would flush more than Linux asks for.
 */
#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/completion.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/interrupt.h>
#include <linux/printk.h>
#include <linux/spinlock.h>
#include <asm/atelier.h>
#include <atelier/control.h>
#include "ring.h"

#define PARTITIONS	16
#define QUESTION	(VBD_SLOTS - 1)	/* the number that no tag has */

static struct {
	struct atelier_ring ring;
	spinlock_t lock;
	int major;
	struct blk_mq_tag_set tags;
	struct request *under_way[QUESTION];
	struct gendisk *disks[VBD_DEVICES];
	struct vbd_info *info;			/* a page for the question's answer */
	int status;				/* of that answer */
	struct completion answer;
} block = {
	.lock = __SPIN_LOCK_UNLOCKED(block.lock),
	.answer = COMPLETION_INITIALIZER(block.answer),
};

static int operation(const struct request *rq)
{
	switch (req_op(rq)) {
	case REQ_OP_READ:
		return VBD_READ;
	case REQ_OP_WRITE:
		return VBD_WRITE;
	case REQ_OP_FLUSH:
		return VBD_FLUSH;
	default:
		return -EOPNOTSUPP;
	}
}

/*
 * Each segment lies in one page and is made of whole sectors: the queue's limits say so. What lies behind the last piece
 * nobody reads.
 */
static void fill(struct vbd_request *r, struct request *rq, int op)
{
	struct req_iterator it;
	struct bio_vec v;
	u8 n = 0;

	r->id = rq->tag;
	r->op = op;
	r->device = (unsigned long)rq->q->queuedata;
	r->sector = op == VBD_FLUSH ? 0 : blk_rq_pos(rq);
	if (op != VBD_FLUSH)
		rq_for_each_segment(v, rq, it) {
			r->piece[n++] = (struct vbd_piece){
				.frame = atelier_p2m[page_to_pfn(v.bv_page)],
				.first = v.bv_offset >> SECTOR_SHIFT,
				.count = v.bv_len >> SECTOR_SHIFT,
			};
		}
	r->pieces = n;
}

static blk_status_t queue_rq(struct blk_mq_hw_ctx *hctx, const struct blk_mq_queue_data *data)
{
	struct request *rq = data->rq;
	int op = operation(rq);
	unsigned long flags;

	if (op < 0)
		return BLK_STS_NOTSUPP;
	blk_mq_start_request(rq);
	spin_lock_irqsave(&block.lock, flags);
	block.under_way[rq->tag] = rq;
	fill(atelier_ring_request(&block.ring), rq, op);
	if (data->last)
		atelier_ring_send(&block.ring);
	spin_unlock_irqrestore(&block.lock, flags);
	return BLK_STS_OK;
}

/* What was queued before the last one, if that one did not come. */
static void commit_rqs(struct blk_mq_hw_ctx *hctx)
{
	unsigned long flags;

	spin_lock_irqsave(&block.lock, flags);
	atelier_ring_send(&block.ring);
	spin_unlock_irqrestore(&block.lock, flags);
}

static bool take_response(struct vbd_response *r)
{
	const struct vbd_response *next;
	bool got = false;

	spin_lock(&block.lock);
	do {
		next = atelier_ring_response(&block.ring);
		if (next) {
			*r = *next;
			got = true;
		}
	} while (!got && atelier_ring_more(&block.ring));
	spin_unlock(&block.lock);
	return got;
}

static irqreturn_t answered(int irq, void *unused)
{
	struct vbd_response r;

	while (take_response(&r)) {
		if (r.id == QUESTION) {
			block.status = r.status;
			complete(&block.answer);
		} else {
			blk_mq_end_request(block.under_way[r.id], errno_to_blk_status(r.status));
		}
	}
	return IRQ_HANDLED;
}

static const struct blk_mq_ops queue_operations = {
	.queue_rq = queue_rq,
	.commit_rqs = commit_rqs,
};

static const struct block_device_operations disk_operations = {
	.owner = THIS_MODULE,
};

/* ---- disks that come and go ---- */

/* What there is under that number: 0, and in *block.info what it is, or what the hypervisor says. */
static int ask_for_vbd(u32 number)
{
	u32 frame = atelier_machine_address(block.info) >> PAGE_SHIFT;

	spin_lock_irq(&block.lock);
	*(struct vbd_request *)atelier_ring_request(&block.ring) = (struct vbd_request){
		.id = QUESTION, .op = VBD_INFO, .pieces = 1, .device = number, .piece = { { frame, 0, 1 } },
	};
	atelier_ring_send(&block.ring);
	spin_unlock_irq(&block.lock);
	wait_for_completion(&block.answer);
	return block.status;
}

static struct gendisk *add_vbd(u32 number)
{
	struct gendisk *disk = blk_mq_alloc_disk(&block.tags, (void *)(unsigned long)number);

	if (IS_ERR(disk))
		return NULL;
	disk->major = block.major;
	disk->first_minor = number * PARTITIONS;
	disk->minors = PARTITIONS;
	disk->fops = &disk_operations;
	snprintf(disk->disk_name, sizeof(disk->disk_name), "vbd%c", 'a' + number);
	blk_queue_max_segments(disk->queue, VBD_PIECES);
	blk_queue_max_segment_size(disk->queue, PAGE_SIZE);
	blk_queue_segment_boundary(disk->queue, PAGE_SIZE - 1);
	blk_queue_max_hw_sectors(disk->queue, VBD_PIECES * PAGE_SECTORS);
	blk_queue_dma_alignment(disk->queue, SECTOR_SIZE - 1);
	blk_queue_write_cache(disk->queue, true, false);
	set_capacity(disk, block.info->sectors);
	set_disk_ro(disk, !(block.info->rights & EXTENT_WRITE));
	if (add_disk(disk) == 0)
		return disk;
	put_disk(disk);
	return NULL;
}

static void remove_vbd(u32 number)
{
	struct gendisk *disk = block.disks[number];

	block.disks[number] = NULL;
	blk_mark_disk_dead(disk);
	del_gendisk(disk);
	put_disk(disk);
}

/* A VBD is without a sector until it has its first extent, and grows with the others. */
static void look_for_vbds(struct work_struct *unused)
{
	u32 i;

	for (i = 0; i < VBD_DEVICES; i++) {
		bool there = ask_for_vbd(i) == 0 && block.info->sectors > 0;

		if (there && block.disks[i])
			set_capacity_and_notify(block.disks[i], block.info->sectors);
		else if (there)
			block.disks[i] = add_vbd(i);
		else if (block.disks[i])
			remove_vbd(i);
	}
}

static DECLARE_WORK(look, look_for_vbds);

static int __init start_disks(int irq)
{
	int err;

	block.major = register_blkdev(0, "vbd");
	if (block.major < 0)
		return block.major;
	err = blk_mq_alloc_sq_tag_set(&block.tags, &queue_operations, QUESTION, BLK_MQ_F_SHOULD_MERGE);
	if (!err)
		err = request_irq(irq, answered, 0, "vbd", NULL);
	if (err)
		return err;
	look_for_vbds(NULL);
	return atelier_watch_devices(&look);
}

static int __init block_init(void)
{
	int irq = atelier_open_port(), err;

	block.info = (struct vbd_info *)get_zeroed_page(GFP_KERNEL);
	if (irq < 0 || !block.info)
		return -ENOMEM;
	err = atelier_ring_open(&block.ring, RING_VBD, 0, VBD_SLOTS, sizeof(struct vbd_request), irq);
	if (!err)
		return start_disks(irq);
	atelier_close_port(irq);
	free_page((unsigned long)block.info);
	return err == -ENODEV || err == -ENOSYS ? 0 : err;
}
device_initcall(block_init);
