/* SPDX-License-Identifier: MIT */
/*
 * A lab's test as a program of the host: labs/.../tests/X.c that includes this and has a run(). It reads what its judge drew with
 * input_word() and input_bytes(), drives the hypervisor's files in the pretend machine, and observes; its standard output
 * is the pages of observations and nothing else. (The runner: grader/atelier_grader/trial.py.)
 */
#ifndef HOST_PROGRAM_H
#define HOST_PROGRAM_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "guestos/mini/observe.h"

#define PROGRAM_PAGES	256
#define PROGRAM_INPUT	(1u << 20)

static void run(void);

/* What follows "@name=" in the arguments; NULL: not there. */
static const char *program_argument(char **argv, const char *name)
{
	size_t n = strlen(name);

	for (; *argv; argv++)
		if (strncmp(*argv, name, n) == 0 && (*argv)[n] == '=')
			return *argv + n + 1;
	return NULL;
}

int main(int argc, char **argv)
{
	static uint8_t pages[PROGRAM_PAGES][OBSERVE_PAGE] __attribute__((aligned(OBSERVE_PAGE)));
	static uint8_t input[PROGRAM_INPUT] __attribute__((aligned(4)));

	observe_open(pages, PROGRAM_PAGES, program_argument(argv, "magic"), 0);
	input_open(input, fread(input, 1, sizeof(input), stdin));
	run();
	observe_end();
	fwrite(pages, OBSERVE_PAGE, observe_pages(), stdout);
	return 0;
}

#endif
