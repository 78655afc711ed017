/* SPDX-License-Identifier: MIT */
/* What the compiler and we need of <string.h>; as in the C standard. */
#ifndef ATELIER_LIB_STRING_H
#define ATELIER_LIB_STRING_H

#include "lib/types.h"

void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);

/* A few bytes, of a number that is known when this is compiled, need no call. */
#ifndef HOST_BUILD
#define STRING_FEW(n)		(__builtin_constant_p(n) && (n) <= 64)
#define memcpy(dst, src, n)	(STRING_FEW(n) ? __builtin_memcpy(dst, src, n) : (memcpy)(dst, src, n))
#define memset(dst, c, n)	(STRING_FEW(n) ? __builtin_memset(dst, c, n) : (memset)(dst, c, n))
#define memcmp(a, b, n)		(STRING_FEW(n) ? __builtin_memcmp(a, b, n) : (memcmp)(a, b, n))
#endif

/* Copies at most @size - 1 characters and always ends with NUL; @size > 0. */
void string_copy(char *dst, const char *src, size_t size);

/*
 * A decimal or (after 0x) hexadecimal number at *@s, which moves behind it; a K, M or G multiplies
 * by 2^10, 2^20, 2^30. False, and nothing moved, if there is none or it does not fit 32 bits.
 */
bool string_number(const char **s, uint32_t *value);

/*
 * @n bytes, each from two hexadecimal digits at @s, behind which the word ends. False if something else is there:
 * then @bytes are undefined.
 */
bool string_bytes(const char *s, uint8_t *bytes, size_t n);

/*
 * Whether the first word of a boot module's string is @word. Only what follows its last slash counts:
 * loaders put the file's path there.
 */
bool string_keyword(const char *string, const char *word);

/*
 * The value of word "@name=value" in a command line, up to the next blank; NULL if it is not there.
 */
const char *string_option(const char *cmdline, const char *name);

#endif
