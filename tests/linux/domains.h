/* SPDX-License-Identifier: MIT */
/*
 * For a program that is domain 0's and other domains': domain 0 creates these with atl, as a person does, each from the file of
 * wishes that its judge made. (The runner: grader/atelier_grader/linux.py.)
 */
#ifndef LINUX_DOMAINS_H
#define LINUX_DOMAINS_H

#include <stdarg.h>
#include <time.h>
#include "program.h"

#define ATL_WORDS	16
#define TEXT_MAX	65536u

/* ---- time: the machine's, which all domains have alike, however they are scheduled ---- */

/* Cycles of a nanosecond: QEMU makes the counter of the number of executed instructions, and no hypervisor can turn it. */
static inline uint64_t machine_time(void)
{
	uint32_t low, high;

	asm volatile("rdtsc" : "=a" (low), "=d" (high));
	return (uint64_t)high << 32 | low;
}

static inline void sleep_ms(uint32_t ms)
{
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

/* Until so many milliseconds of the machine's time: at once, if they are over. */
static inline void sleep_until_ms(uint32_t ms)
{
	uint64_t now, then = ms * 1000000ull;

	while ((now = machine_time()) < then)
		nanosleep(&(struct timespec){ (then - now) / 1000000000, (then - now) % 1000000000 }, NULL);
}

/* ---- programs ---- */

/* Starts a program whose input comes from @in, if that is not -1, and whose output, but for complaints, goes to @out, likewise. */
static inline pid_t start_program(char *const argv[], int in, int out)
{
	pid_t child = new_process();

	if (child)
		return child;
	if (in >= 0)
		dup2(in, STDIN_FILENO);
	if (out >= 0)
		dup2(out, STDOUT_FILENO);
	for (int i = 3; i < 256; i++)
		close(i);	/* a daemon would keep the ends of pipes */
	execv(argv[0], argv);
	give_up(argv[0]);
	return -1;
}

static inline int status_of(pid_t child)
{
	int status;

	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* ---- atl ---- */

/* Its words, apart by one blank. */
static inline void split(char *line, char *argv[ATL_WORDS])
{
	unsigned int n = 0;

	argv[n++] = "/sbin/atl";
	for (char *word = strtok(line, " "); word && n < ATL_WORDS - 1; word = strtok(NULL, " "))
		argv[n++] = word;
	argv[n] = NULL;
}

/* Runs atl, and tells how it ended: it is the judge's to know whether it should have. */
static inline int __attribute__((format(printf, 1, 2))) atl(const char *format, ...)
{
	static uint32_t calls;
	char line[256], *argv[ATL_WORDS];
	va_list args;
	int status;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	split(line, argv);
	status = status_of(start_program(argv, -1, -1));
	observe("atl status", calls++, status);
	return status;
}

/* What atl prints, as a string. */
static inline const char *atl_text(const char *words)
{
	static char text[TEXT_MAX];
	char line[256], *argv[ATL_WORDS];
	int ends[2];
	pid_t child;

	if (pipe(ends))
		give_up("pipe");
	snprintf(line, sizeof(line), "%s", words);
	split(line, argv);
	child = start_program(argv, -1, ends[1]);
	close(ends[1]);
	text[read_all(ends[0], text, sizeof(text) - 1)] = '\0';
	close(ends[0]);
	status_of(child);
	return text;
}

static inline int create_domain(unsigned int number)
{
	return atl("create --config /test/domain%u", number);
}

static inline unsigned int count_domains(void)
{
	unsigned int n = 0;

	for (const char *at = atl_text("list --json"); (at = strstr(at, "\"domain\"")) != NULL; at++)
		n++;
	return n;
}

/* Until no more than so many domains are left, domain 0 included; or so long. */
static inline void wait_for_ends(unsigned int left, uint32_t ms)
{
	for (uint32_t waited = 0; waited < ms && count_domains() > left; waited += 200)
		sleep_ms(200);
}

#endif
