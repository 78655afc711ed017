/* SPDX-License-Identifier: MIT */
/* All that the domain can do in one step: every call with every small argument, and every store that its processor lets it make. */
#ifndef EXPLORE_ACTIONS_H
#define EXPLORE_ACTIONS_H

#include "lib/types.h"

enum action_kind {
	ACTION_STORE,		/* by the guest itself, through whatever its processor remembers: frame, word, value */
	ACTION_UPDATE,		/* mmu_update of an entry: frame, word, value */
	ACTION_COMMAND,		/* frame, command */
	ACTION_UPDATE_VA,	/* slot, index, value, flags */
	ACTION_SET_GDT,		/* one frame or two */
	ACTION_SET_LDT,		/* slot, index */
	ACTION_DESCRIPTOR,	/* frame, which descriptor */
	ACTION_MEMORY,		/* memory_op: one frame, or the same one twice; which operation */
};

struct action {
	uint8_t kind;
	uint8_t frame, second;	/* of the OWN, or FRAME_... */
	uint8_t word, index;
	uint32_t value;
};

#define FRAME_HOME	0xf0	/* the directory, or the GDT, that carries the domain */
#define FRAME_FOREIGN	0xf1
#define FRAME_ABSENT	0xf2	/* no such frame */

/* The table of them; built once, after tiny_start(). */
unsigned int actions_build(void);

/* The frame of the OWN that it stores to, without a look at what is there; NOTHING: none. */
unsigned int actions_stores_to(unsigned int i);

/* Does action @i; @result is what the call answered. False: it cannot be done in this state. */
bool actions_do(unsigned int i, int *result);

/* Lines for people. */
const char *actions_name(unsigned int i);
const char *actions_value_name(uint32_t value);

#endif
