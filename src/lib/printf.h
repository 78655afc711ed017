/* SPDX-License-Identifier: MIT */
/*
 * Formatted text: %c %s %d %i %u %x %p %% with `l`, `ll`, `z`, a width, `-` and `0`; a precision
 * for %s. Nothing else.
 */
#ifndef ATELIER_LIB_PRINTF_H
#define ATELIER_LIB_PRINTF_H

#include <stdarg.h>
#include "lib/types.h"

/* Gives each character of the text to @put, with @to. */
void format_text(void (*put)(void *to, char c), void *to, const char *format, va_list args);

/*
 * As in the C standard: at most @size - 1 characters and a NUL; returns what the whole would take.
 */
int format_string(char *buffer, size_t size, const char *format, ...) PRINTF_LIKE(3, 4);

#endif
