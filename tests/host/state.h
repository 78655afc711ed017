/* SPDX-License-Identifier: MIT */
/*
 * What a refused call must leave as it was (M12): every frame's record and contents, every domain. Not part of it: A and D bits of
 * live tables, what is remembered about flushes, the type of a frame without uses, the order of the lists of frames, counters of calls,
 * registers.
 */
#ifndef HOST_STATE_H
#define HOST_STATE_H

#include "lib/types.h"

struct state;

/* For the machine as host_start() made it. Of each frame the first @frame_bytes count: 4,096 for all. */
struct state *state_new(size_t frame_bytes);
void state_free(struct state *s);

/* What it is now. */
void state_take(struct state *s);

/* NULL, or the first difference between two, in a line that is good until the next call. */
const char *state_differs(const struct state *a, const struct state *b);

#endif
