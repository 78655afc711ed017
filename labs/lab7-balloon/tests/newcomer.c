// SPDX-License-Identifier: MIT
/* Gets memory that others had, at its start, and looks at each word of it before it is used; then sleeps until the machine ends. */
#include "hypercall.h"
#include "mini.h"
#include "paging.h"

#define TOLD	20u	/* pages that are told one by one */

/* Words of a page that are not zero; one of them in @sample. */
static uint32_t full_words(const uint32_t *page, uint32_t *sample)
{
	uint32_t n = 0;

	for (uint32_t w = 0; w < PAGE_SIZE / sizeof(*page); w++)
		if (page[w]) {
			n++;
			*sample = page[w];
		}
	return n;
}

/* The first free pages are those of observations. */
int test_main(const struct start_info *start)
{
	uint32_t first = page_pfn(page_alloc()), dirty = 0;

	for (uint32_t pfn = first; pfn < start->mapped_frames; pfn++) {
		uint32_t sample = 0, n = full_words(pfn_page(pfn), &sample);

		if (n > 0 && dirty++ < TOLD)
			observe("dirty words sample", pfn, n, sample);
	}
	observe("newcomer frames looked dirty", 0, start->frames, start->mapped_frames - first, dirty);
	observe_end();
	for (;;)
		hypercall_block();
	return 0;
}
