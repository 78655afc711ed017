// SPDX-License-Identifier: GPL-2.0
/*
 * The console of a domain that is not domain 0: hvc0, over a ring whose other end is in domain 0's hands.
 *
 * Perhaps nobody is there. When the ring is full, others get the processor for a while, in case one of them reads; then
 * programs wait, but the kernel's own messages are dropped (dmesg has them), those of a kernel that fails excepted: for these
 * there is the machine's console. The domain's end waits for a reader in the same way.
 */
#include <linux/console.h>
#include <linux/err.h>
#include <linux/init.h>
#include <linux/printk.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <asm/atelier.h>
#include "../tty/hvc/hvc_console.h"
#include "ring.h"

enum { OUTPUT, INPUT };		/* ids of requests */

#define YIELDS	100		/* until nobody is believed to read */

static struct {
	struct atelier_ring ring;	/* not open: there is the machine's console alone, and no input */
	spinlock_t lock;
	int irq;
	bool unread;			/* nobody has read for so long that it is not waited for */
	bool asked;			/* for input */
	struct console_slot input;	/* the last that came, ... */
	unsigned int read;		/* ... of which so much was read */
} console = {
	.lock = __SPIN_LOCK_UNLOCKED(console.lock),
};

static void take_responses(void)
{
	const struct console_slot *s;

	do {
		while ((s = atelier_ring_response(&console.ring)) != NULL) {
			if (s->id != INPUT) {
				console.unread = false;
				continue;
			}
			console.input = *s;
			console.read = 0;
			console.asked = false;
		}
	} while (atelier_ring_more(&console.ring));
}

/* Until there is more room than @before. */
static bool wait_for_reader(u32 before)
{
	unsigned int i;

	atelier_ring_send(&console.ring);
	for (i = 0; i < YIELDS && !console.unread; i++) {
		hypercall0(HYPERCALL_yield);
		take_responses();
		if (atelier_ring_room(&console.ring) > before)
			return true;
	}
	console.unread = true;
	return false;
}

static void wait_until_all_is_read(void)
{
	const struct atelier_ring *r = &console.ring;

	take_responses();
	while (atelier_ring_room(r) + console.asked < r->slots && wait_for_reader(atelier_ring_room(r)))
		;
}

/* One slot is kept for the next request for input. */
static bool room_for_output(void)
{
	take_responses();
	return atelier_ring_room(&console.ring) > 1 || wait_for_reader(1);
}

static int put_chars(u32 terminal, const char *s, int n)
{
	unsigned long flags;
	int done = 0;

	if (!console.ring.header) {
		atelier_print(s, n);
		return n;
	}
	spin_lock_irqsave(&console.lock, flags);
	while (done < n && room_for_output()) {
		struct console_slot *slot = atelier_ring_request(&console.ring);

		slot->id = OUTPUT;
		slot->count = min_t(int, n - done, sizeof(slot->data));
		memcpy(slot->data, s + done, slot->count);
		done += slot->count;
	}
	atelier_ring_send(&console.ring);
	spin_unlock_irqrestore(&console.lock, flags);
	if (done < n && oops_in_progress) {
		atelier_print(s + done, n - done);
		done = n;
	}
	return done;
}

static void ask_for_input(void)
{
	struct console_slot *slot = atelier_ring_request(&console.ring);

	slot->id = INPUT;
	slot->count = 0;
	console.asked = true;
	atelier_ring_send(&console.ring);
}

static int get_chars(u32 terminal, char *s, int n)
{
	unsigned long flags;
	int done;

	if (!console.ring.header)
		return 0;
	spin_lock_irqsave(&console.lock, flags);
	take_responses();
	done = min_t(int, n, console.input.count - console.read);
	memcpy(s, console.input.data + console.read, done);
	console.read += done;
	if (console.read == console.input.count && !console.asked)
		ask_for_input();
	spin_unlock_irqrestore(&console.lock, flags);
	return done;
}

static const struct hv_ops console_ops = {
	.get_chars = get_chars,
	.put_chars = put_chars,
	.notifier_add = notifier_add_irq,
	.notifier_del = notifier_del_irq,
	.notifier_hangup = notifier_hangup_irq,
};

static bool ours(void)
{
	return !(atelier_start_info->flags & START_PRIVILEGED);
}

static int __init console_for_messages(void)
{
	int irq;

	if (!ours())
		return 0;
	irq = atelier_open_port();
	if (irq >= 0 && atelier_ring_open(&console.ring, RING_CONSOLE, 0, CONSOLE_SLOTS,
					  sizeof(struct console_slot), irq) == 0) {
		console.irq = irq;
		atelier_last_words = wait_until_all_is_read;
	} else if (irq >= 0) {
		atelier_close_port(irq);
	}
	return hvc_instantiate(0, 0, &console_ops);
}
console_initcall(console_for_messages);

static int __init terminal(void)
{
	return ours() ? PTR_ERR_OR_ZERO(hvc_alloc(0, console.irq, &console_ops, 256)) : 0;
}
device_initcall(terminal);
