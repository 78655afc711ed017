// SPDX-License-Identifier: MIT
/* host test */
/*
 * Asks for pins and bases in each wrong way, ten times, and gives the frames away. All the time somebody watches the loaded base.
 */
#include "host_steps.h"

static unsigned int calls, bad;

/* At each call of the seam: the directory that the processor walks at this moment. */
static void watch(const char *call)
{
	const struct frame *f;

	if (host.base.n == MFN_NONE.n)
		return;
	f = frame_record(host.base);
	calls++;
	bad += nobody(host.base.n) || f->uses == 0 || f->type != FRAME_DIRECTORY;
}

static void run(void)
{
	start_host(input_word());
	observe_frames(pool_pages);
	host.at_seam = watch;
	do_steps();
	observe("watched calls bad", 0, calls, bad);
}
