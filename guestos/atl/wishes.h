/* SPDX-License-Identifier: MIT */
/*
 * What is wished of a new domain, from words or from a file of KEY = VALUE; and such a file for each domain that there is,
 * which the daemon makes it again from when it asks for that.
 */
#ifndef ATL_WISHES_H
#define ATL_WISHES_H

#include "lib/types.h"

#define WISHES_DEVICES	4	/* of a kind */

/* Which of its ends makes a domain anew. */
enum restart { RESTART_REBOOT, RESTART_ALWAYS, RESTART_NEVER };

struct wishes {
	char *name, *kernel, *initrd, *cmdline;
	uint64_t memory, limit, weight;
	char *vbds[WISHES_DEVICES], *vifs[WISHES_DEVICES];
	enum restart restart;
	bool paused, console;
};

/* Reads `create`'s words, and the files that they name. False: it has complained. */
bool wishes_read(struct wishes *w, int argc, char **argv);

void wishes_free(struct wishes *w);

/* Keeps them as those of a domain, with files by their whole names. False: it has complained. */
bool wishes_keep(const struct wishes *w, uint32_t domain);

/* Those kept for a domain of that number and name, and forgets them. False: there are none. */
bool wishes_take(struct wishes *w, uint32_t domain, const char *name);

#endif
