/* SPDX-License-Identifier: MIT */
/*
 * The builder: from a boot module to a domain that can run. Used once a module at start; later
 * domains are built by domain 0.
 */
#ifndef ATELIER_BUILDER_H
#define ATELIER_BUILDER_H

#include "lib/types.h"
#include "machine.h"

struct domain;

struct build {
	struct machine_module image;
	struct machine_module initrd;	/* size 0: none */
	const char *cmdline;
	uint32_t frames;
	const uint8_t *seed;		/* START_SEED random bytes; NULL: none */
};

/*
 * Builds @d, which is open and has no memory. NULL, or in one line what is wrong with the image or
 * the sizes: then @d is to be killed.
 */
const char *builder_build(struct domain *d, const struct build *b);

#endif
