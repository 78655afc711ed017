// SPDX-License-Identifier: MIT
/*
 * mark ROW OPERATIONS COMMAND...: runs a command as a row of the evaluation, from its exec to its end, and ends as it
 * does. Whatever else the machine executes meanwhile counts as well.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "mark.h"

static void run(char **command)
{
	MARK(MARK_OPEN);
	execvp(command[0], command);
	perror(command[0]);
	_exit(127);
}

int main(int argc, char **argv)
{
	int status;
	pid_t pid;

	if (argc < 4) {
		fprintf(stderr, "mark: say ROW OPERATIONS COMMAND...\n");
		return 2;
	}
	printf("row %s %s\n", argv[1], argv[2]);
	fflush(stdout);
	tcdrain(STDOUT_FILENO);		/* sending it is no part of the row */
	MARK(MARK_ROW);
	pid = fork();
	if (pid == 0)
		run(argv + 3);
	if (pid < 0 || waitpid(pid, &status, 0) < 0) {
		perror("mark");
		return 1;
	}
	MARK(MARK_CLOSE);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
