// SPDX-License-Identifier: MIT
/* Descriptors: segment_fit() and tls_flip() against the set of bytes that each descriptor reaches, worked out in 64 bits. */
#include "fuzz/reader.h"
#include "host/audit.h"
#include "host/host.h"
#include "segment.h"
#include "tls_fixup.h"

static bool reaches(struct descriptor d, uint32_t offset)
{
	uint64_t base = (d.high & 0xff000000u) | (d.high & 0xff) << 16 | d.low >> 16;
	uint32_t linear = base + offset;
	struct audit_run runs[2];
	unsigned int n = audit_reach(d.low, d.high, runs);

	for (unsigned int i = 0; i < n; i++)
		if (linear >= runs[i].first && linear <= runs[i].last)
			return true;
	return false;
}

static bool same(struct descriptor a, struct descriptor b)
{
	return a.low == b.low && a.high == b.high;
}

/* Accepted means harmless, and as it was if that was harmless; refused means that it was not, and could not be cut. */
static void check_fit(struct descriptor d)
{
	struct descriptor fitted = d;
	bool was_ok = audit_descriptor_ok(d.low, d.high), ok = segment_fit(&fitted);

	if (ok && !audit_descriptor_ok(fitted.low, fitted.high))
		host_panic("0x%08x%08x was accepted as 0x%08x%08x", d.high, d.low, fitted.high, fitted.low);
	if (was_ok && (!ok || !same(d, fitted)))
		host_panic("0x%08x%08x is harmless and was not taken as it is", d.high, d.low);
	if (!ok && !same(d, fitted))
		host_panic("0x%08x%08x was refused and changed", d.high, d.low);
}

static void check_flip(struct descriptor d, uint32_t offset)
{
	struct descriptor flipped = d, again;

	if (!segment_fit(&d))
		return;
	flipped = d;
	if (!tls_flip(&flipped, offset)) {
		if (!same(d, flipped))
			host_panic("0x%08x%08x was left alone and changed", d.high, d.low);
		return;
	}
	if (!audit_descriptor_ok(flipped.low, flipped.high))
		host_panic("0x%08x%08x was turned into 0x%08x%08x", d.high, d.low, flipped.high, flipped.low);
	if (reaches(d, offset) || !reaches(flipped, offset))
		host_panic("0x%08x%08x was turned over for 0x%x in vain", d.high, d.low, offset);
	again = flipped;
	if (tls_flip(&again, offset))
		host_panic("0x%08x%08x turns over for ever", d.high, d.low);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct reader r = { bytes, size };

	while (r.left >= 12) {
		struct descriptor d = { take32(&r), take32(&r) };

		check_fit(d);
		check_flip(d, take32(&r));
	}
	return 0;
}
