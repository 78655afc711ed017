/* SPDX-License-Identifier: MIT */
/* The console: printf, and for domain 0 what was typed. */
#ifndef MINI_CONSOLE_H
#define MINI_CONSOLE_H

#include <stdarg.h>
#include "lib/types.h"

/* As lib/printf.h has it. "\n" becomes "\r\n": the other end may be a raw terminal. */
void printf(const char *format, ...) PRINTF_LIKE(1, 2);
void vprintf(const char *format, va_list args);

/* The next typed character, or -1: none. Domain 0's; VIRQ_CONSOLE says when to look. */
int console_get(void);

#endif
