/* SPDX-License-Identifier: MIT */
/* Takes a fuzzer's bytes apart; after their end everything is 0. */
#ifndef FUZZ_READER_H
#define FUZZ_READER_H

#include "host/audit.h"
#include "host/host.h"
#include "lib/types.h"

struct reader {
	const uint8_t *bytes;
	size_t left;
};

static inline uint8_t take8(struct reader *r)
{
	if (r->left == 0)
		return 0;
	r->left--;
	return *r->bytes++;
}

static inline uint32_t take16(struct reader *r)
{
	uint32_t low = take8(r);

	return low | (uint32_t)take8(r) << 8;
}

static inline uint32_t take32(struct reader *r)
{
	uint32_t low = take16(r);

	return low | take16(r) << 16;
}

/* One of @n. */
static inline unsigned int take_of(struct reader *r, unsigned int n)
{
	return take8(r) % n;
}

/* After each step what audit() or audit_memory() says: quicker than the hypervisor's auditors, which look at the end. */
static inline void check(const char *what)
{
	if (what)
		host_panic("audit: %s", what);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#endif
