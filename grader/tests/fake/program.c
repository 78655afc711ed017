// SPDX-License-Identifier: MIT
/*
 * A test that runs on the host, for the runner's own tests: what such a program has to do around its
 * test. "how=" on its command line says how it ends.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../../../guestos/mini/observe.h"

#ifdef COURSE
#include "first.h"
#endif

static uint8_t pages[4 * OBSERVE_PAGE] __attribute__((aligned(OBSERVE_PAGE)));
static uint8_t input[65536] __attribute__((aligned(4)));

static const char *argument(char **argv, const char *name)
{
	for (; *argv; argv++)
		if (!strncmp(*argv, name, strlen(name)))
			return *argv + strlen(name);
	return "";
}

int main(int argc, char **argv)
{
	const char *how = argument(argv, "how=");
	uint32_t count, length;
	const uint8_t *bytes;

	observe_open(pages, 4, argument(argv, "magic="), atoi(argument(argv, "domain=")));
	input_open(input, fread(input, 1, sizeof(input), stdin));
	count = input_word();
	for (uint32_t i = 0; i < count; i++) {
		uint32_t in = input_word();

#ifdef COURSE
		observe("triple in out:int", i, in, triple(in));
#else
		observe("triple in out:int", i, in, in * 3);
#endif
	}
	bytes = input_bytes(&length);
	observe_bytes("echo data:bytes", 0, bytes, length);
	observe("last word", 0, input_word());
	for (uint32_t i = 0; i < 2000 && !strcmp(how, "full"); i++)
		observe("more", i);
	if (!strcmp(how, "overrun"))
		input_word();
	if (strcmp(how, "unclosed"))
		observe_end();
	if (!strcmp(how, "crash")) {
		fprintf(stderr, "program.c:1: error: the program was told to\n");
		abort();
	}
	if (!strcmp(how, "babble"))
		printf("PASS\n");
	fwrite(pages, OBSERVE_PAGE, observe_pages(), stdout);
	return 0;
}
