/* SPDX-License-Identifier: MIT */
/*
 * What both Linux tests share: the judge's scripts, run by busybox's shell. Busybox is Debian's, a static program of
 * its own; what the shell and its children print is what is observed.
 */
#ifndef LAB4_LINUX_SCRIPT_H
#define LAB4_LINUX_SCRIPT_H

#include "linux/program.h"

#define PRINTED_MAX	16384u

static void run_shell(int to, const char *text)
{
	dup2(to, STDOUT_FILENO);
	dup2(to, STDERR_FILENO);
	close(to);
	execl("/bin/busybox", "sh", "-c", text, NULL);
	give_up("/bin/busybox");
}

/* [text, which ends in a zero] */
static void do_script(uint32_t key)
{
	static char printed[PRINTED_MAX];
	uint32_t length, got;
	const char *text = (const char *)input_bytes(&length);
	int ends[2], status;
	pid_t child;

	if (pipe(ends))
		give_up("pipe");
	child = new_process();
	if (child == 0) {
		close(ends[0]);
		run_shell(ends[1], text);
	}
	close(ends[1]);
	got = read_all(ends[0], printed, sizeof(printed));
	close(ends[0]);
	waitpid(child, &status, 0);
	observe_bytes("printed bytes:bytes", key, printed, got);
	observe("left status", key, status);
}

static void do_scripts(void)
{
	uint32_t count = input_word();

	for (uint32_t i = 0; i < count; i++)
		do_script(i);
}

#endif
