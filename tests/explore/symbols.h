/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor's variables, all of them: their place in memory is known from the linker, their names from this program's own file.
 */
#ifndef EXPLORE_SYMBOLS_H
#define EXPLORE_SYMBOLS_H

#include "lib/types.h"

struct symbols_part {
	void *start;
	size_t size;
};

/* Where one of them lies. */
struct symbols_part symbols_find(const char *name);

/*
 * Remembers all as they are now. The variables of @names (NULL-terminated) and the @n parts may change; symbols_changed() looks at
 * all the rest.
 */
void symbols_remember(const char *const *names, const struct symbols_part *parts, unsigned int n);

/* Puts back what was remembered: what may change; everything; one variable of @names. */
void symbols_restore(void);
void symbols_restore_all(void);
void symbols_restore_one(const char *name);

/* NULL, or where something differs that may not change. Good until the next call. */
const char *symbols_changed(void);

#endif
