// SPDX-License-Identifier: MIT
/* Words in and out: sizes, numbers, complaints, JSON. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "atl.h"

static void say(const char *format, va_list args)
{
	fflush(stdout);
	fputs("atl: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

void complain(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
}

void fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
	exit(1);
}

static bool number(const char *text, const char **end, uint64_t max, uint64_t *value)
{
	char *behind;

	if (*text < '0' || *text > '9')		/* strtoull() takes blanks and signs */
		return false;
	errno = 0;
	*value = strtoull(text, &behind, 0);
	*end = behind;
	return errno == 0 && *value <= max;
}

bool parse_number(const char *text, uint64_t max, uint64_t *value)
{
	const char *end;

	return number(text, &end, max, value) && *end == '\0';
}

bool parse_size(const char *text, uint64_t *bytes)
{
	const char *end;
	unsigned int shift = 20;

	if (!number(text, &end, UINT32_MAX, bytes))
		return false;
	switch (*end) {
	case 'K':
		shift = 10;
		break;
	case 'G':
		shift = 30;
		break;
	case 'M':
	case '\0':
		break;
	default:
		return false;
	}
	*bytes <<= shift;
	return (*end == '\0' || end[1] == '\0') && *bytes <= UINT32_MAX;
}

void print_json_string(const char *s)
{
	putchar('"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			printf("\\%c", *s);
		else if ((unsigned char)*s < ' ')
			printf("\\u%04x", *s);
		else
			putchar(*s);
	}
	putchar('"');
}
