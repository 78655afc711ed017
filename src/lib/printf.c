// SPDX-License-Identifier: MIT
#include "lib/printf.h"

struct spec {
	bool left, zero;
	int width, precision;
	int longs;
};

static const char *parse_spec(const char *f, struct spec *s)
{
	*s = (struct spec){ .precision = -1 };
	for (;; f++) {
		if (*f == '-')
			s->left = true;
		else if (*f == '0')
			s->zero = true;
		else
			break;
	}
	for (; *f >= '0' && *f <= '9'; f++)
		s->width = s->width * 10 + *f - '0';
	if (*f == '.') {
		s->precision = 0;
		for (f++; *f >= '0' && *f <= '9'; f++)
			s->precision = s->precision * 10 + *f - '0';
	}
	for (; *f == 'l' || *f == 'z'; f++)
		s->longs += *f == 'l';
	return f;
}

static void pad(void (*put)(void *, char), void *to, char c, int n)
{
	while (n-- > 0)
		put(to, c);
}

static void put_field(void (*put)(void *, char), void *to, const struct spec *s,
		      const char *text, int length)
{
	if (!s->left)
		pad(put, to, s->zero ? '0' : ' ', s->width - length);
	for (int i = 0; i < length; i++)
		put(to, text[i]);
	if (s->left)
		pad(put, to, ' ', s->width - length);
}

static void put_number(void (*put)(void *, char), void *to, const struct spec *s,
		       uint64_t n, unsigned int base, bool negative)
{
	char digits[24];
	int i = sizeof(digits);

	do {
		digits[--i] = "0123456789abcdef"[n % base];
		n /= base;
	} while (n > 0);
	if (negative)
		digits[--i] = '-';
	put_field(put, to, s, digits + i, sizeof(digits) - i);
}

static void put_signed(void (*put)(void *, char), void *to, const struct spec *s, int64_t n)
{
	put_number(put, to, s, n < 0 ? -(uint64_t)n : (uint64_t)n, 10, n < 0);
}

static void put_string(void (*put)(void *, char), void *to, const struct spec *s, const char *text)
{
	int n = 0;

	if (!text)
		text = "(null)";
	while (n != s->precision && text[n])
		n++;
	put_field(put, to, s, text, n);
}

void format_text(void (*put)(void *, char), void *to, const char *f, va_list args)
{
	struct spec s;
	char c;

	for (; *f; f++) {
		if (*f != '%') {
			put(to, *f);
			continue;
		}
		f = parse_spec(f + 1, &s);
		switch (*f) {
		case 'd':
		case 'i':
			put_signed(put, to, &s, s.longs > 1 ? va_arg(args, int64_t) : va_arg(args, int));
			break;
		case 'u':
		case 'x':
			put_number(put, to, &s,
				   s.longs > 1 ? va_arg(args, uint64_t) : va_arg(args, uint32_t),
				   *f == 'x' ? 16 : 10, false);
			break;
		case 'p':
			put_number(put, to, &s, (uintptr_t)va_arg(args, void *), 16, false);
			break;
		case 's':
			put_string(put, to, &s, va_arg(args, const char *));
			break;
		case 'c':
			c = va_arg(args, int);
			put_field(put, to, &s, &c, 1);
			break;
		case '\0':
			return;
		default:
			put(to, *f);
		}
	}
}

struct bounded {
	char *buffer;
	size_t size, used;
};

static void put_bounded(void *to, char c)
{
	struct bounded *b = to;

	if (b->used + 1 < b->size)
		b->buffer[b->used] = c;
	b->used++;
}

int format_string(char *buffer, size_t size, const char *format, ...)
{
	struct bounded b = { buffer, size, 0 };
	va_list args;

	va_start(args, format);
	format_text(put_bounded, &b, format, args);
	va_end(args);
	if (size > 0)
		buffer[MIN(b.used, size - 1)] = '\0';
	return b.used;
}
