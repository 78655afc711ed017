// SPDX-License-Identifier: MIT
/* The builder: a sound image with bytes of its headers replaced, or any bytes at all as a module. */
#include <string.h>
#include "builder.h"
#include "fuzz/reader.h"
#include "host/audit.h"
#include "host/domains.h"
#include "host/image.h"
#include "host/tlb_model.h"
#include "start.h"

#define FIRST	1u	/* frame of the module */

static struct machine_module module(struct reader *r)
{
	struct image *image;
	struct machine_module m = image_make(FIRST, &image);
	uint8_t *bytes = (uint8_t *)image;

	if (take8(r) % 8 == 0) {	/* no image at all */
		for (uint32_t i = 0; i < IMAGE_FRAMES * PAGE_SIZE && r->left; i++)
			bytes[i] = take8(r);
		m.size = MIN(take16(r), IMAGE_FRAMES * PAGE_SIZE);
		return m;
	}
	for (unsigned int n = take_of(r, 8); n > 0; n--) {
		uint32_t at = take8(r) % sizeof(*image) & ~3u, value = take32(r);

		memcpy(bytes + at, &value, MIN(sizeof(value), sizeof(*image) - at));
	}
	return m;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct reader r = { bytes, size };
	struct build b = { .cmdline = "x" };
	struct domain *zero, *d;
	uint32_t free_before;
	const char *wrong;

	host_setup(64);
	tlb_model_enable(false);
	b.frames = take_of(&r, 48);
	b.image = module(&r);
	start_subsystems();
	zero = domain_open("zero", 0);
	free_before = frame_pool_free_count();
	d = domain_open("built", b.frames);
	wrong = builder_build(d, &b);
	if (wrong ? strchr(wrong, '\n') != NULL : d->vcpu.regs.eip >= ATELIER_LINE)
		host_panic("the builder made something odd");
	audit_all();
	domain_kill(d, SHUTDOWN_crash, 0);
	while (domain_reap())
		;
	audit_all();
	if (frame_pool_free_count() != free_before || zero->life != LIFE_OPEN)
		host_panic("building and dying cost frames");
	return 0;
}
