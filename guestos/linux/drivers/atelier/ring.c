// SPDX-License-Identifier: GPL-2.0
#include <linux/bug.h>
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/interrupt.h>
#include <asm/atelier.h>
#include <asm/barrier.h>
#include <atelier/event.h>
#include "ring.h"

static int ring_call(const struct atelier_ring *r, u32 op, u32 frame, u32 port)
{
	const struct ring_op call = {
		.op = op,
		.ring_class = r->class,
		.device = r->device,
		.frame = frame,
		.port = port,
	};

	return hypercall1(HYPERCALL_ring_op, (unsigned long)&call);
}

int atelier_ring_open(struct atelier_ring *r, u32 class, u32 device, u32 slots, u32 size, int irq)
{
	struct ring_header *h = (struct ring_header *)get_zeroed_page(GFP_KERNEL);
	int err;

	if (!h)
		return -ENOMEM;
	BUG_ON(sizeof(*h) + slots * size > PAGE_SIZE);
	*r = (struct atelier_ring){ .header = h, .class = class, .device = device, .slots = slots, .size = size };
	h->rsp_event = 1;
	err = ring_call(r, RING_register, atelier_machine_address(h) >> PAGE_SHIFT, atelier_port_of(irq));
	if (err) {
		r->header = NULL;
		free_page((unsigned long)h);
	}
	return err;
}

void atelier_ring_close(struct atelier_ring *r)
{
	while (ring_call(r, RING_unregister, 0, 0) == -EAGAIN)
		msleep(10);
	free_page((unsigned long)r->header);
	r->header = NULL;
}

static void *slot(const struct atelier_ring *r, u32 index)
{
	return (void *)(r->header + 1) + index % r->slots * r->size;
}

void *atelier_ring_request(struct atelier_ring *r)
{
	return slot(r, r->written++);
}

void atelier_ring_send(struct atelier_ring *r)
{
	u32 count = r->written - r->sent;

	if (!count)
		return;
	r->sent = r->written;
	virt_wmb();			/* the requests, then their number, ... */
	WRITE_ONCE(r->header->req_prod, r->sent);
	virt_mb();			/* ... then whether somebody waits for it */
	if (r->sent - READ_ONCE(r->header->req_event) < count)
		ring_call(r, RING_kick, 0, 0);
}

const void *atelier_ring_response(struct atelier_ring *r)
{
	if (READ_ONCE(r->header->rsp_prod) == r->taken)
		return NULL;
	virt_rmb();
	return slot(r, r->taken++);
}

bool atelier_ring_more(struct atelier_ring *r)
{
	WRITE_ONCE(r->header->rsp_event, r->taken + 1);
	virt_mb();
	return READ_ONCE(r->header->rsp_prod) != r->taken;
}

/* ---- devices that come and go ---- */

static struct work_struct *lookers[2];

static irqreturn_t devices_changed(int irq, void *unused)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lookers) && lookers[i]; i++)
		schedule_work(lookers[i]);
	return IRQ_HANDLED;
}

int atelier_watch_devices(struct work_struct *look)
{
	bool first = !lookers[0];
	int irq;

	lookers[!first] = look;
	if (!first)
		return 0;
	irq = atelier_bind_virq(VIRQ_DEVICES);
	return irq < 0 ? irq : request_irq(irq, devices_changed, 0, "devices", NULL);
}
