/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of this folder tell each other.
 */
#ifndef ARCH_X86_ATELIER_INTERNAL_H
#define ARCH_X86_ATELIER_INTERNAL_H

#include <linux/init.h>
#include <linux/types.h>
#include <asm/atelier.h>

/* Ends the domain; see <atelier/vcpu.h>. */
void __noreturn atelier_end(unsigned int reason, unsigned int status);

/* Linux's clock: nanoseconds of real time, as the hypervisor counts them. */
u64 atelier_real_time(void);

/* Makes a page read-only, in the builder's tables. Before setup_arch(). */
void __init atelier_protect(const void *page);

/* Messages from here on. In setup_arch(). */
void __init atelier_start_console(void);

/* The start of day, in this order. */
void __init atelier_init_console(void);
void __init atelier_init_tables(void);
void __init atelier_init_segments(void);
void __init atelier_init_traps(void);
void __init atelier_init_memory(void);
void __init atelier_init_reboot(void);
void __init atelier_init_time(void);

#endif
