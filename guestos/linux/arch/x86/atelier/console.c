// SPDX-License-Identifier: GPL-2.0
/*
 * The machine's console: domain 0's, as hvc0, by the calls that write to and read from it. Other domains write to it what
 * they have to say before their own console is there (drivers/atelier/console.c).
 */
#include <linux/init.h>
#include <linux/console.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/interrupt.h>
#include <linux/printk.h>
#include <asm/atelier.h>
#include <asm/cmdline.h>
#include <asm/setup.h>
#include <atelier/event.h>
#include "../../../drivers/tty/hvc/hvc_console.h"
#include "internal.h"

void atelier_print(const char *s, unsigned int n)
{
	while (n > 0) {
		int written = hypercall2(HYPERCALL_console_write, (unsigned long)s, n);

		if (written <= 0)
			return;
		s += written;
		n -= written;
	}
}

static int put_chars(u32 terminal, const char *s, int n)
{
	atelier_print(s, n);
	return n;
}

static int get_chars(u32 terminal, char *s, int n)
{
	int got = hypercall2(HYPERCALL_console_read, (unsigned long)s, n);

	return max(got, 0);
}

/* Whoever reads other domains' consoles listens to the same interrupt. */
static int start_reading(struct hvc_struct *hp, int irq)
{
	hp->flags |= IRQF_SHARED;
	return notifier_add_irq(hp, irq);
}

static const struct hv_ops console_ops = {
	.get_chars = get_chars,
	.put_chars = put_chars,
	.notifier_add = start_reading,
	.notifier_del = notifier_del_irq,
	.notifier_hangup = notifier_hangup_irq,
};

static bool privileged(void)
{
	return atelier_start_info->flags & START_PRIVILEGED;
}

static int __init console_for_messages(void)
{
	if (!privileged())
		return 0;
	return hvc_instantiate(0, 0, &console_ops);
}
console_initcall(console_for_messages);

int atelier_console_irq(void)
{
	static int irq;

	if (!irq)
		irq = atelier_bind_virq(VIRQ_CONSOLE);
	return irq;
}

/* Interrupt 0 stands for none. */
static int __init terminal(void)
{
	if (!privileged())
		return 0;
	return PTR_ERR_OR_ZERO(hvc_alloc(0, max(atelier_console_irq(), 0), &console_ops, 256));
}
device_initcall(terminal);

static void boot_write(struct console *console, const char *s, unsigned int n)
{
	atelier_print(s, n);
}

static struct console boot_console = {
	.name = "atelier",
	.write = boot_write,
	.flags = CON_PRINTBUFFER | CON_BOOT | CON_ANYTIME,
	.index = -1,
};

/* For what goes wrong before there are messages. */
void __init atelier_init_console(void)
{
	early_console = &boot_console;
}

/* Linux itself looks at its command line later. */
void __init atelier_start_console(void)
{
	if (cmdline_find_option_bool(boot_command_line, "quiet"))
		console_loglevel = CONSOLE_LOGLEVEL_QUIET;
	register_console(&boot_console);
}
