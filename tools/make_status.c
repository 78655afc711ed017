/* SPDX-License-Identifier: MIT */
/*
 * An extension of GNU make (its manual, section 12.2): ends it with a status that a recipe chose. make itself
 * ends with 2 whatever status a recipe failed with, and `make run CMD='exit 3'` is to end with 3.
 *
 * The recipe writes the status to build/status.PID, PID being make's.
 */
#include <gnumake.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int plugin_is_GPL_compatible;

static void leave(void)
{
	char name[64];
	FILE *file;
	int status;

	snprintf(name, sizeof(name), "build/status.%d", (int)getpid());
	file = fopen(name, "r");
	if (!file)
		return;
	if (fscanf(file, "%d", &status) != 1)
		status = EXIT_FAILURE;
	unlink(name);
	fflush(NULL);
	_exit(status);
}

int make_status_gmk_setup(const gmk_floc *floc)
{
	(void)floc;
	return atexit(leave) == 0;
}
