// SPDX-License-Identifier: GPL-2.0
/*
 * The end: each way in which Linux stops is one reason for which a domain ends. For domain 0 that is the end of the machine.
 */
#include <linux/init.h>
#include <linux/console.h>
#include <linux/interrupt.h>
#include <linux/moduleparam.h>
#include <linux/panic_notifier.h>
#include <linux/pm.h>
#include <linux/reboot.h>
#include <asm/atelier.h>
#include <asm/reboot.h>
#include <atelier/event.h>
#include <atelier/vcpu.h>
#include "internal.h"

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "atelier."

/* What the machine's power-off reports to whoever started it. */
static unsigned char exit_status;
module_param(exit_status, byte, 0644);

/* Which domain this is. */
static unsigned int domain;
module_param(domain, uint, 0444);

void (*atelier_last_words)(void);

void __noreturn atelier_end(unsigned int reason, unsigned int status)
{
	if (atelier_last_words)
		atelier_last_words();
	hypercall2(HYPERCALL_shutdown, reason, status);
	BUG();
}

static void power_off(void)
{
	atelier_end(SHUTDOWN_poweroff, exit_status);
}

static void restart(char *command)
{
	atelier_end(SHUTDOWN_reboot, 0);
}

static void emergency_restart_now(void)
{
	atelier_end(SHUTDOWN_reboot, 0);
}

static void nothing_to_stop(void)
{
}

/* After the message. Whoever set panic= wants a restart instead, which panic() does. */
static int panicking(struct notifier_block *block, unsigned long event, void *message)
{
	if (panic_timeout == 0) {
		console_flush_on_panic(CONSOLE_FLUSH_PENDING);
		atelier_end(SHUTDOWN_crash, 0);
	}
	return NOTIFY_DONE;
}

static struct notifier_block panic_block = {
	.notifier_call = panicking,
	.priority = INT_MIN,		/* others may want to say something first */
};

/* ---- domain 0 asks for the end ---- */

static irqreturn_t asked_to_end(int irq, void *unused)
{
	orderly_poweroff(true);
	return IRQ_HANDLED;
}

static int __init listen_for_the_end(void)
{
	int irq = atelier_bind_virq(VIRQ_SHUTDOWN);

	return irq < 0 ? 0 : request_irq(irq, asked_to_end, 0, "shutdown", NULL);
}
device_initcall(listen_for_the_end);

void __init atelier_init_reboot(void)
{
	domain = atelier_start_info->domid;
	machine_ops = (struct machine_ops){
		.restart = restart,
		.halt = power_off,
		.power_off = power_off,
		.shutdown = nothing_to_stop,
		.emergency_restart = emergency_restart_now,
	};
	pm_power_off = power_off;
	atomic_notifier_chain_register(&panic_notifier_list, &panic_block);
}
