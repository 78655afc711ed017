// SPDX-License-Identifier: MIT
#include "console.h"
#include "domain.h"
#include "guest_copy.h"
#include "lib/printf.h"
#include "machine.h"

#define INPUT	1024	/* bytes typed ahead */
#define LOG	16384u	/* bytes of others' output that are kept; divides 2^32 */

static struct {
	const struct domain *speaker;	/* of the line that is not finished yet */
	bool middle;			/* there is such a line */
	bool hidden;			/* what is put now is for the log alone */
	char input[INPUT];
	uint32_t put, got;
	void (*notify)(void);
	bool (*take)(struct domain *d, const char *bytes, size_t n);
	char log[LOG];
	uint32_t logged;
	uint64_t period;		/* console_guest_printf(): when this one began */
	uint32_t lines, dropped;
} console;

/* To the machine's console and, if it is not domain 0's, whose terminal this is, to the log. */
static void put(const struct domain *d, const char *bytes, size_t n)
{
	if (!console.hidden)
		machine_console_write(bytes, n);
	for (size_t i = 0; i < n && !(d && d->privileged); i++)
		console.log[console.logged++ % LOG] = bytes[i];
}

static void put_prefix(const struct domain *d)
{
	char prefix[16];
	int n;

	if (d)
		n = format_string(prefix, sizeof(prefix), "(%u) ", d->id);
	else
		n = format_string(prefix, sizeof(prefix), "(atelier) ");
	put(d, prefix, n);
}

/* Somebody else may be in the middle of a line. */
static void take_line(const struct domain *d)
{
	if (console.middle && console.speaker != d) {
		put(console.speaker, "\r\n", 2);
		console.middle = false;
	}
	console.speaker = d;
}

static void emit(const struct domain *d, const char *bytes, size_t n)
{
	bool plain = d && d->privileged;
	size_t start = 0;

	take_line(d);
	while (start < n) {
		size_t end = start;

		while (end < n && bytes[end] != '\n')
			end++;
		if (end < n)
			end++;
		if (!plain && !console.middle)
			put_prefix(d);
		put(d, bytes + start, end - start);
		console.middle = bytes[end - 1] != '\n';
		start = end;
	}
}

void console_emit(struct domain *d, const char *bytes, size_t n)
{
	if (n == 0 || (d && !d->privileged && console.take && console.take(d, bytes, n)))
		return;
	emit(d, bytes, n);
}

void console_note(struct domain *d, const char *bytes, size_t n)
{
	console.hidden = true;
	emit(d, bytes, n);
	console.hidden = false;
}

static void put_own(void *to, char c)
{
	if (c == '\n')
		emit(NULL, "\r\n", 2);
	else
		emit(NULL, &c, 1);
}

static void print(const char *format, va_list args)
{
	format_text(put_own, NULL, format, args);
}

void console_printf(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print(format, args);
	va_end(args);
}

/* Whether a line that a guest caused may be printed now. */
static bool within_rate(void)
{
	uint64_t now = machine_now();

	if (now - console.period >= CONSOLE_GUEST_PERIOD) {
		console.period = now;
		console.lines = 0;
	}
	return console.lines++ < CONSOLE_GUEST_LINES;
}

void console_guest_printf(const char *format, ...)
{
	va_list args;

	if (!within_rate()) {
		console.dropped++;
		return;
	}
	if (console.dropped) {
		console_printf("%u lines about guests were left out\n", console.dropped);
		console.dropped = 0;
	}
	va_start(args, format);
	print(format, args);
	va_end(args);
}

int console_log(guest_addr_t to, uint32_t size)
{
	uint32_t n = MIN(size, MIN(console.logged, LOG)), first = (console.logged - n) % LOG;
	uint32_t head = MIN(n, LOG - first);

	if (copy_to_guest(to, console.log + first, head) ||
	    copy_to_guest(guest_add(to, head), console.log, n - head))
		return -EFAULT;
	return n;
}

void console_set_notify(void (*notify)(void))
{
	console.notify = notify;
}

void console_set_reader(bool (*take)(struct domain *d, const char *bytes, size_t n))
{
	console.take = take;
}

void console_input(char c)
{
	if (console.put - console.got == INPUT)
		return;
	console.input[console.put++ % INPUT] = c;
	if (console.notify)
		console.notify();
}

int do_console_read(struct domain *d, guest_addr_t buffer, uint32_t size)
{
	uint32_t n = MIN(size, console.put - console.got);
	char bytes[64];

	if (!d->privileged)
		return -EPERM;
	n = MIN(n, sizeof(bytes));
	for (uint32_t i = 0; i < n; i++)
		bytes[i] = console.input[(console.got + i) % INPUT];
	if (copy_to_guest(buffer, bytes, n))
		return -EFAULT;
	console.got += n;
	return n;
}
