/* SPDX-License-Identifier: MIT */
/*
 * Every access of the hypervisor to one frame, one by one, and the guest's turn after each: for memory that both share.
 *
 * The frame is taken out of reach; the fault of an access notes it, lets that one instruction through and takes the frame out of
 * reach again. Only what the hypervisor maps through WINDOW_DATA is seen.
 */
#ifndef HOST_WATCH_H
#define HOST_WATCH_H

#include "lib/types.h"

#define WATCH_MOST	4096u	/* accesses that are kept; all are counted */

struct watched {
	uint32_t offset;	/* in the frame */
	bool write;
};

/* From now on; @after is called after each access, and may look at the frame and change it. NULL: nobody is. */
void host_watch(mfn_t mfn, void (*after)(void));

/* The end of it: how many accesses there were. Those of them that were kept stay for host_watched(). */
unsigned int host_watch_end(void);

/* Access @i of the last watch, the first one being 0. */
struct watched host_watched(unsigned int i);

/* Of the last watch: how many accesses to @bytes bytes from @offset on there were, or only the reads. */
unsigned int host_watch_accesses(uint32_t offset, uint32_t bytes);
unsigned int host_watch_reads(uint32_t offset, uint32_t bytes);

/* The place of the first access to @offset among all; how many there were, if there was none. */
unsigned int host_watch_when(uint32_t offset);

#endif
