// SPDX-License-Identifier: MIT
/*
 * What measurements of several domains need in Linux:
 *
 *	worker now                  prints the wall clock: milliseconds since EPOCH
 *	worker work FROM TO         is busy between two such moments, and prints `did UNITS`: neighbour.c's units
 *	worker time NAME TIMES COMMAND...
 *	                            runs a command TIMES times, each % in its words being the number of the turn, and prints
 *	                            what micro.c would: row NAME 1 TICKS...; each turn is inside marks
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mark.h"

#define EPOCH		1066521600ll	/* 2003-10-19 */
#define TURNS		1000u
#define TIMES_MOST	200
#define WORDS_MOST	32

static void fail(const char *what)
{
	fprintf(stderr, "bench: %s\n", what);
	exit(1);
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (t.tv_sec - EPOCH) * 1000ull + t.tv_nsec / 1000000;
}

static uint64_t ticks(void)
{
	uint64_t tsc;

	__asm__ volatile("rdtsc" : "=A"(tsc));
	return tsc;
}

static void unit(void)
{
	uint32_t turns = TURNS;

	__asm__ volatile("1: dec %0\n"
			 "jnz 1b\n" : "+r"(turns));
}

static void work(uint64_t from, uint64_t to)
{
	unsigned long units = 0;

	if (now() < from)
		usleep((from - now()) * 1000);
	/* A look at the clock is a system call here: not after each unit. */
	for (; now() < to; units += 16)
		for (int i = 0; i < 16; i++)
			unit();
	printf("did %lu\n", units);
}

/* @word with the number in place of its %. */
static char *number(const char *word, int turn)
{
	const char *place = strchr(word, '%');
	char *whole;

	if (!place)
		return strdup(word);
	if (asprintf(&whole, "%.*s%d%s", (int)(place - word), word, turn, place + 1) < 0)
		fail("no memory");
	return whole;
}

static uint64_t run(char **words)
{
	uint64_t start;
	int status;

	MARK(MARK_OPEN);
	start = ticks();
	if (vfork() == 0) {
		execv(words[0], words);
		_exit(127);
	}
	wait(&status);
	start = ticks() - start;
	MARK(MARK_CLOSE);
	if (status)
		fail("the command failed");
	return start;
}

static void time_command(const char *name, int times, int count, char **command)
{
	uint64_t took[TIMES_MOST];
	char *words[WORDS_MOST + 1];
	int out = dup(1);

	if (times > TIMES_MOST || count > WORDS_MOST)
		fail("too much is asked");
	dup2(open("/dev/null", O_WRONLY), 1);
	MARK(MARK_ROW);
	for (int turn = 0; turn < times; turn++) {
		for (int i = 0; i <= count; i++)
			words[i] = i < count ? number(command[i], turn) : NULL;
		usleep(100000);		/* what the one before left to be done is done */
		took[turn] = run(words);
	}
	dup2(out, 1);
	printf("row %s 1", name);
	for (int turn = 0; turn < times; turn++)
		printf(" %llu", (unsigned long long)took[turn]);
	printf("\n");
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	if (strcmp(verb, "now") == 0)
		printf("%llu\n", (unsigned long long)now());
	else if (strcmp(verb, "work") == 0 && argc == 4)
		work(strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10));
	else if (strcmp(verb, "time") == 0 && argc > 4)
		time_command(argv[2], atoi(argv[3]), argc - 4, argv + 4);
	else
		fail("worker: now, work FROM TO, or time NAME TIMES COMMAND...");
	return 0;
}
