// SPDX-License-Identifier: MIT
#include "lib/string.h"

#undef memcpy
#undef memset
#undef memcmp

#ifndef HOST_BUILD
void *memcpy(void *dst, const void *src, size_t n)
{
	void *d = dst;
	size_t words = n / 4, bytes = n % 4;

	asm volatile("rep movsl" : "+D" (d), "+S" (src), "+c" (words) : : "memory");
	asm volatile("rep movsb" : "+D" (d), "+S" (src), "+c" (bytes) : : "memory");
	return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
	char *d = dst;
	const char *s = src;

	if (d <= s || d >= s + n)
		return memcpy(dst, src, n);
	while (n-- > 0)
		d[n] = s[n];
	return dst;
}

void *memset(void *dst, int c, size_t n)
{
	void *d = dst;
	size_t words = n / 4, bytes = n % 4;
	uint32_t fill = 0x01010101u * (uint8_t)c;

	asm volatile("rep stosl" : "+D" (d), "+c" (words) : "a" (fill) : "memory");
	asm volatile("rep stosb" : "+D" (d), "+c" (bytes) : "a" (fill) : "memory");
	return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;

	for (; n > 0; n--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return (uint8_t)*a - (uint8_t)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n > 0; n--, a++, b++)
		if (*a != *b || !*a)
			return (uint8_t)*a - (uint8_t)*b;
	return 0;
}
#endif

void string_copy(char *dst, const char *src, size_t size)
{
	size_t i;

	for (i = 0; i + 1 < size && src[i]; i++)
		dst[i] = src[i];
	dst[i] = '\0';
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c | 32) >= 'a' && (c | 32) <= 'f')
		return (c | 32) - 'a' + 10;
	return 99;
}

static unsigned int unit_shift(char c)
{
	switch (c | 32) {
	case 'k':
		return 10;
	case 'm':
		return 20;
	case 'g':
		return 30;
	}
	return 0;
}

bool string_number(const char **s, uint32_t *value)
{
	const char *p = *s;
	int base = 10;
	uint64_t n = 0;

	if (p[0] == '0' && (p[1] | 32) == 'x') {
		base = 16;
		p += 2;
	}
	if (digit(*p) >= base)
		return false;
	for (; digit(*p) < base; p++) {
		n = n * base + digit(*p);
		if (n > UINT32_MAX)
			return false;
	}
	n <<= unit_shift(*p);
	if (n > UINT32_MAX)
		return false;
	if (unit_shift(*p))
		p++;
	*s = p;
	*value = n;
	return true;
}

bool string_bytes(const char *s, uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++, s += 2) {
		if (digit(s[0]) > 15 || digit(s[1]) > 15)
			return false;
		bytes[i] = digit(s[0]) << 4 | digit(s[1]);
	}
	return *s == '\0' || *s == ' ';
}

bool string_keyword(const char *string, const char *word)
{
	size_t n = strlen(word);
	const char *name = string;

	for (; *string && *string != ' '; string++)
		if (*string == '/')
			name = string + 1;
	return strncmp(name, word, n) == 0 && (name[n] == ' ' || name[n] == '\0');
}

const char *string_option(const char *cmdline, const char *name)
{
	size_t n = strlen(name);
	const char *p = cmdline;

	while (*p) {
		if (strncmp(p, name, n) == 0 && p[n] == '=')
			return p + n + 1;
		while (*p && *p != ' ')
			p++;
		while (*p == ' ')
			p++;
	}
	return NULL;
}
