// SPDX-License-Identifier: MIT
/* Runs the unit tests: all files, or those whose names are given. A line for each file, then the sum. */
#include "unit/test.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define REPORTS		5u	/* failures of one test that are printed */
#define SECONDS		60	/* of the processor that a test may take: whatever else the machine has to do */

static struct {
	struct test *first, **last;
	const struct test *running;
	unsigned int reports;
} runner;

void test_add(struct test *t)
{
	if (!runner.last)
		runner.last = &runner.first;
	*runner.last = t;
	runner.last = &t->next;
}

/* Whether this failure is to be printed: many rows fail at once. */
static bool report(const char *file, int line)
{
	if (runner.reports++ >= REPORTS)
		return false;
	printf("%s:%d: %s: ", file, line, runner.running->name);
	return true;
}

void test_fail(const char *file, int line, const char *what, const char *format, ...)
{
	va_list args;

	if (!report(file, line))
		return;
	printf("not so: %s", what);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

void test_differ(const char *file, int line, const char *what, long long seen, long long wanted,
		 const char *format, ...)
{
	va_list args;

	if (!report(file, line))
		return;
	printf("%s is %lld (0x%llx), not %lld (0x%llx)", what, seen, seen, wanted, wanted);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

/* Each test has a process of its own: one that dies costs no other, and none finds what an earlier one left. */
static bool passes(const struct test *t)
{
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		setrlimit(RLIMIT_CPU, &(struct rlimit){ SECONDS, SECONDS });
		runner.running = t;
		t->run();
		if (runner.reports > REPORTS)
			printf("%s: %u more\n", t->name, runner.reports - REPORTS);
		exit(runner.reports ? 1 : 0);
	}
	waitpid(child, &status, 0);
	if (!WIFEXITED(status) || WEXITSTATUS(status) > 1)
		printf("%s: %s: the process died\n", t->file, t->name);
	return status == 0;
}

static const char *base_name(const char *file)
{
	const char *slash = strrchr(file, '/');

	return slash ? slash + 1 : file;
}

static bool wanted(const char *file, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(base_name(file), argv[i]) == 0)
			return true;
	return argc == 1;
}

int main(int argc, char **argv)
{
	unsigned int all[2] = { 0, 0 }, file[2] = { 0, 0 };	/* failed, passed */

	for (struct test *t = runner.first; t; t = t->next) {
		bool last = !t->next || strcmp(t->next->file, t->file) != 0;

		if (!wanted(t->file, argc, argv))
			continue;
		file[passes(t)]++;
		if (!last)
			continue;
		printf("%-24s %u passed, %u failed\n", base_name(t->file), file[1], file[0]);
		all[0] += file[0];
		all[1] += file[1];
		file[0] = file[1] = 0;
	}
	printf("%u passed, %u failed\n", all[1], all[0]);
	return all[0] != 0;
}
