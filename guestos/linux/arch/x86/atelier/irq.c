// SPDX-License-Identifier: GPL-2.0
/*
 * Events: each port in use is an interrupt. The shared page says which ports have news; masking a port is a bit there.
 */
#include <linux/init.h>
#include <linux/bug.h>
#include <linux/export.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/kernel.h>
#include <linux/printk.h>
#include <linux/sched/debug.h>
#include <asm/atelier.h>
#include <asm/idtentry.h>
#include <asm/irq_regs.h>
#include <asm/page.h>
#include <asm/sync_bitops.h>
#include <atelier/event.h>
#include "internal.h"

/* Events are masked when the domain starts; ports are, until somebody takes their interrupt. */
struct shared_info atelier_shared __page_aligned_data = {
	.upcall_mask = 1,
	.mask = { [0 ... EVENT_WORDS - 1] = ~0u },
};
EXPORT_SYMBOL(atelier_shared);

static int irq_of_port[EVENT_PORTS];

/* The hypervisor changes the same words: LOCK, though there is one processor. */
static unsigned long *bits(u32 *words)
{
	return (unsigned long *)words;
}

static unsigned int port_of(struct irq_data *d)
{
	return (unsigned long)irq_data_get_irq_chip_data(d);
}

static void mask_port(struct irq_data *d)
{
	sync_set_bit(port_of(d), bits(atelier_shared.mask));
}

/* What was raised meanwhile set its bit and no more. Linux unmasks events after this, and then looks. */
static void unmask_port(struct irq_data *d)
{
	unsigned int port = port_of(d);

	sync_clear_bit(port, bits(atelier_shared.mask));
	if (!test_bit(port, bits(atelier_shared.pending)))
		return;
	sync_set_bit(port / 32, bits(&atelier_shared.selector));
	WRITE_ONCE(atelier_shared.upcall_pending, 1);
}

/* The bit is cleared before the handlers run, so that an event that comes while they do is not lost. */
static void ack_port(struct irq_data *d)
{
	sync_clear_bit(port_of(d), bits(atelier_shared.pending));
}

static struct irq_chip event_chip = {
	.name = "atelier",
	.irq_ack = ack_port,
	.irq_mask = mask_port,
	.irq_unmask = unmask_port,
};

/* handle_edge_irq() acknowledges, or masks and acknowledges: either way the bit is gone from what is looked at. */
static void handle_word(unsigned int word)
{
	u32 news;

	while ((news = READ_ONCE(atelier_shared.pending[word]) & ~READ_ONCE(atelier_shared.mask[word])) != 0)
		generic_handle_irq(irq_of_port[word * 32 + __ffs(news)]);
}

DEFINE_IDTENTRY_SYSVEC(sysvec_atelier_events)
{
	struct pt_regs *old = set_irq_regs(regs);
	u32 words;

	do {
		WRITE_ONCE(atelier_shared.upcall_pending, 0);
		words = xchg(&atelier_shared.selector, 0);
		while (words) {
			handle_word(__ffs(words));
			words &= words - 1;
		}
	} while (READ_ONCE(atelier_shared.upcall_pending));
	set_irq_regs(old);
}

static int bind_port(unsigned int port)
{
	int irq = irq_alloc_desc_from(1, 0);

	if (irq < 0)
		return irq;
	irq_of_port[port] = irq;
	irq_set_chip_data(irq, (void *)(unsigned long)port);
	irq_set_chip_and_handler_name(irq, &event_chip, handle_edge_irq, "event");
	return irq;
}

int atelier_bind_virq(unsigned int virq)
{
	struct event_channel_op op = { .op = EVENT_bind_virq, .virq = virq };
	int err = hypercall1(HYPERCALL_event_channel_op, (unsigned long)&op);

	return err ? err : bind_port(op.port);
}
EXPORT_SYMBOL_GPL(atelier_bind_virq);

int atelier_open_port(void)
{
	struct event_channel_op op = { .op = EVENT_alloc_unbound, .remote = DOMID_SELF };
	int err = hypercall1(HYPERCALL_event_channel_op, (unsigned long)&op);

	return err ? err : bind_port(op.port);
}

unsigned int atelier_port_of(int irq)
{
	return port_of(irq_get_irq_data(irq));
}

/* Nobody may have the interrupt any more: then the port is masked. */
void atelier_close_port(int irq)
{
	struct event_channel_op op = { .op = EVENT_close, .port = atelier_port_of(irq) };

	if (hypercall1(HYPERCALL_event_channel_op, (unsigned long)&op))
		BUG();
	irq_free_desc(irq);
}

/* ---- somebody at the machine's console asks what this guest is doing ---- */

static irqreturn_t show_state_now(int irq, void *unused)
{
	int level = console_loglevel;

	console_loglevel = CONSOLE_LOGLEVEL_DEFAULT;
	pr_info("atelier: asked for the state\n");
	show_regs(get_irq_regs());
	show_state_filter(TASK_UNINTERRUPTIBLE);
	console_loglevel = level;
	return IRQ_HANDLED;
}

static int __init watch_for_questions(void)
{
	int irq = atelier_bind_virq(VIRQ_DEBUG);

	if (irq < 0)
		return irq;
	return request_irq(irq, show_state_now, IRQF_NO_THREAD, "debug", NULL);
}
device_initcall(watch_for_questions);
