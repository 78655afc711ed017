/* SPDX-License-Identifier: MIT */
/*
 * Building a domain: from files to one that runs. The hypervisor's own image reader (src/image.h) judges the image, which
 * may be anything, before a domain is created; whatever fails after that takes the domain back whole.
 */
#ifndef ATL_BUILD_H
#define ATL_BUILD_H

#include "lib/types.h"

struct plan {
	const char *name;
	const char *kernel;	/* file */
	const char *initrd;	/* file, or NULL */
	const char *cmdline;
	uint64_t memory;	/* bytes */
	uint64_t limit;		/* bytes; at least @memory */
	bool (*equip)(const struct plan *p, uint32_t domain);	/* before it starts; false: it has complained */
	void *equipment;	/* for @equip */
	bool paused;
};

/* The new domain's number, or -1 after a complaint, and then there is none. */
int build_domain(const struct plan *p);

#endif
