/* SPDX-License-Identifier: MIT */
/*
 * A machine in which two domains share what the interface lets them: domain 0 and domain 1, PLAY frames that may belong to either or be
 * free, and the page directory and shared page that carry each. Tables have one entry for the guest.
 *
 * A state is the hypervisor's variables, the frames and what the processor remembers. It is kept as what differs from the first state,
 * word by word, so that nothing is left out by mistake; two states are taken for one if they differ only in what pair_key() names.
 */
#ifndef EXPLORE_PAIR_H
#define EXPLORE_PAIR_H

#include "domain.h"
#include "lib/types.h"

#ifndef PLAY
#define PLAY	2u
#endif
#define PAIR_FRAMES	(PLAY + 6u)	/* and for each domain a window frame, a directory and a shared page */
#define PAIR_ARGS	0x80000000u	/* where the guests' arguments lie, whatever their tables say */

extern struct pair_machine {
	struct domain *d[2];
	uint32_t home[2], shared[2], play[PLAY];	/* frame numbers */
	unsigned int running;				/* whose tables are loaded */
} pair;

/* What differs from the first state. */
struct pair_state {
	uint64_t *words;	/* a place, and what is there */
	unsigned int count, pages, walks;
	unsigned int running;
};

/* Two fingerprints of a state, of 128 bits together: with what the processor remembers, and of what a refused call must leave alone. */
struct pair_key {
	uint64_t a, b;
	uint64_t observable;
};

/* Starts the machine: domain 1 runs, has the first frame of the PLAY and domain 0 the others. */
void pair_start(void);

void pair_save(struct pair_state *s);
void pair_restore(const struct pair_state *s);
struct pair_key pair_key(void);

/* NULL, or what of the machine is wrong. */
const char *pair_wrong(void);

#endif
