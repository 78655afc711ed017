/* SPDX-License-Identifier: MIT */
/*
 * A lab's test as a program for Linux: labs/.../tests/X.c whose second line is the comment "Linux test", that includes this
 * and has a test_main(). It reads what its judge drew with input_word() and input_bytes(), and observes; when it returns,
 * or dies, the machine is powered off. (The runner: grader/atelier_grader/linux.py.)
 *
 * The pages of observations are shared with a parent that holds them until then: a page that Linux has taken back could
 * be handed out again. For the same reason a process that test_main() forks may not observe: it tells its parent.
 */
#ifndef LINUX_PROGRAM_H
#define LINUX_PROGRAM_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>
#include "guestos/mini/observe.h"

#define PROGRAM_PAGES	64
#define PROGRAM_INPUT	(1u << 20)
#define INPUT_FILE	"/test/input"

static void test_main(void);

static unsigned int program_domain;	/* which of its domains the test runs this in */

/* The test cannot go on: the console says why, and the end record will be missing. */
static void give_up(const char *what)
{
	perror(what);
	_exit(1);
}

/* Zeroed pages, of all processes that are forked from here on (MAP_SHARED), or of this one (MAP_PRIVATE). */
static void *new_pages(unsigned int count, int sharing)
{
	void *pages = mmap(NULL, count * OBSERVE_PAGE, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS, -1, 0);

	if (pages == MAP_FAILED)
		give_up("mmap");
	return pages;
}

static pid_t new_process(void)
{
	pid_t child = fork();

	if (child < 0)
		give_up("fork");
	return child;
}

/* All that comes from a pipe, up to the end or as much as fits; how much that was. */
static inline uint32_t read_all(int from, char *buffer, uint32_t size)
{
	uint32_t got = 0;
	ssize_t n;

	while (got < size && (n = read(from, buffer + got, size - got)) > 0)
		got += n;
	return got;
}

/* What follows "@name=" in the arguments; NULL: not there. */
static const char *program_argument(char **argv, const char *name)
{
	size_t n = strlen(name);

	for (; *argv; argv++)
		if (strncmp(*argv, name, n) == 0 && (*argv)[n] == '=')
			return *argv + n + 1;
	return NULL;
}

static void open_input(void)
{
	static uint8_t input[PROGRAM_INPUT] __attribute__((aligned(4)));
	int file = open(INPUT_FILE, O_RDONLY);
	ssize_t length = read(file, input, sizeof(input));

	if (length < 0)
		give_up(INPUT_FILE);
	close(file);
	input_open(input, length);
}

int main(int argc, char **argv)
{
	const char *domain = program_argument(argv, "domain");
	pid_t child;

	program_domain = domain ? atoi(domain) : 0;
	observe_open(new_pages(PROGRAM_PAGES, MAP_SHARED), PROGRAM_PAGES, program_argument(argv, "magic"),
		     program_domain);
	child = new_process();
	if (child == 0) {
		open_input();
		test_main();
		observe_end();
		_exit(0);
	}
	waitpid(child, NULL, 0);
	reboot(RB_POWER_OFF);
	return 1;
}

#endif
