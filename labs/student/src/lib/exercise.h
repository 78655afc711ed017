/* SPDX-License-Identifier: MIT */
/* What the functions that are yours to write are, until you write them. The build includes this by itself. */
#ifndef LIB_EXERCISE_H
#define LIB_EXERCISE_H

#ifndef __ASSEMBLER__		/* it is included into everything */

/*
 * Says on the console, once for each exercise, that it is not written yet. @number as in the handout:
 * "3.2". Always -ENOSYS, so that a call answers as if nobody had it.
 */
int exercise_missing(const char *number);

#endif
#endif
