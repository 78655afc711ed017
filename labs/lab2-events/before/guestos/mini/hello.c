// SPDX-License-Identifier: MIT
/* The guest of `make run GUEST=mini`: says what it was given, and ends. */
#include "console.h"
#include "mini.h"

int test_main(const struct start_info *s)
{
	printf("Hello from domain %u in ring %u.\n", s->domid, ATELIER_RING1_CODE & 3);
	printf("  %u frames, %u of them mapped from 0x%x on; free from number %u\n", s->frames, s->mapped_frames,
	       s->virt_base, s->first_free);
	printf("  shared page at 0x%x, P2M at 0x%x, directory at 0x%x (%u tables), windows at 0x%x\n", s->shared, s->p2m,
	       s->directory, s->tables, s->windows);
	printf("  command line: \"%s\"\n", s->cmdline);
	printf("Goodbye.\n");
	return 0;
}
