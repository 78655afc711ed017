// SPDX-License-Identifier: MIT
#include "console.h"
#include "hypercall.h"
#include "lib/printf.h"

/* What is to be printed, a call for each piece of it. */
struct text {
	char bytes[128];
	uint32_t used;
};

static void flush(struct text *t)
{
	hypercall_console_write(t->bytes, t->used);
	t->used = 0;
}

static void put(void *to, char c)
{
	struct text *t = to;

	if (c == '\n')
		put(to, '\r');
	if (t->used == sizeof(t->bytes))
		flush(t);
	t->bytes[t->used++] = c;
}

void vprintf(const char *format, va_list args)
{
	struct text t = { .used = 0 };

	format_text(put, &t, format, args);
	flush(&t);
}

void printf(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
}

int console_get(void)
{
	char c;

	return hypercall_console_read(&c, 1) == 1 ? (uint8_t)c : -1;
}
