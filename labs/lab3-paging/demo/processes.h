/* SPDX-License-Identifier: MIT */
/*
 * Processes: a directory each, in which the four user pages are its own. After a fork they are both processes', read-only; who
 * writes first gets a copy.
 */
#ifndef DEMO_PROCESSES_H
#define DEMO_PROCESSES_H

#include "user.h"

#define PROCESSES	8u

/* System calls: EAX says which. */
#define CALL_fork	1	/* answers the child's number, and 0 in the child */
#define CALL_number	2	/* answers the process's own */
#define CALL_say	3	/* EBX: a number */
#define CALL_exit	4

/* The first process, from the user pages as they are, at @eip. */
void process_start(uint32_t eip);

/* Lets the next process run to its next system call or write, and says what came of it; false: there is none left. */
bool process_step(void);

#endif
