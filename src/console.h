/* SPDX-License-Identifier: MIT */
/*
 * The machine's console: what the hypervisor and the domains say, and what is typed.
 */
#ifndef ATELIER_CONSOLE_H
#define ATELIER_CONSOLE_H

#include "lib/types.h"

struct domain;

/*
 * Prints @n bytes for @d: domain 0's as they are, those of others with "(N) " in front of each
 * line unless somebody takes them, the hypervisor's own (NULL) with "(atelier) ".
 */
void console_emit(struct domain *d, const char *bytes, size_t n);

/* Keeps what @d printed in the log (console_log()) and shows it nowhere: for what nobody had room for. */
void console_note(struct domain *d, const char *bytes, size_t n);

/*
 * For the hypervisor itself. Limited in rate where a guest can cause it: see
 * console_guest_printf().
 */
void console_printf(const char *format, ...) PRINTF_LIKE(1, 2);

/*
 * The same for lines that a guest's behaviour causes: at most CONSOLE_GUEST_LINES in
 * CONSOLE_GUEST_PERIOD ns, the others are counted and the count is printed with the next one.
 */
#define CONSOLE_GUEST_LINES	16
#define CONSOLE_GUEST_PERIOD	1000000000ull
void console_guest_printf(const char *format, ...) PRINTF_LIKE(1, 2);

/*
 * A door for pc/: a byte was typed. Raises VIRQ_CONSOLE of domain 0 by console_notify; full: the
 * byte is lost.
 */
void console_input(char c);

/* event.c lies above this file: it says here how to tell domain 0 that there is input. */
void console_set_notify(void (*notify)(void));

/* So does a file above it that may take what a domain other than domain 0 prints: true, it has. */
void console_set_reader(bool (*take)(struct domain *d, const char *bytes, size_t n));

/*
 * Copies the last bytes, up to @size, of what the hypervisor and domains other than domain 0 printed
 * here: to @to, in the current domain's memory. How many; -EFAULT.
 */
int console_log(guest_addr_t to, uint32_t size);

/* Handler of HYPERCALL_console_read; contract there. */
int do_console_read(struct domain *d, guest_addr_t buffer, uint32_t size);

#endif
