// SPDX-License-Identifier: MIT
#include "builder.h"
#include "domain.h"
#include "frame.h"
#include "image.h"
#include "lib/string.h"

#define P2M_MAX		1024	/* frames: a word for each frame of 4 GiB */

static struct {
	mfn_t p2m[P2M_MAX];	/* the frames that hold the P2M */
} builder;

/* ---- how the image reader gets at modules and frames ---- */

static void read_module(const struct image_file *f, uint32_t offset, void *to, uint32_t n)
{
	char *dst = to;

	while (n > 0) {
		uint32_t at = f->start + offset, chunk = MIN(n, PAGE_SIZE - at % PAGE_SIZE);
		const char *src = machine_map_frame(MFN(at >> PAGE_SHIFT), WINDOW_COPY);

		memcpy(dst, src + at % PAGE_SIZE, chunk);
		dst += chunk;
		offset += chunk;
		n -= chunk;
	}
}

static uint32_t *p2m_entry(uint32_t pfn)
{
	return (uint32_t *)machine_map_frame(builder.p2m[pfn / P2M_WORDS], WINDOW_TABLE) + pfn % P2M_WORDS;
}

static mfn_t frame_of(uint32_t pfn)
{
	return MFN(*p2m_entry(pfn));
}

static void *data_of(uint32_t pfn)
{
	return machine_map_frame(frame_of(pfn), WINDOW_DATA);
}

/* A frame at a time, as far as what data_of() says is good. */
static void load_module(const struct image_file *f, uint32_t offset, uint32_t to, uint32_t n)
{
	while (n > 0) {
		uint32_t chunk = MIN(n, PAGE_SIZE - to % PAGE_SIZE);

		read_module(f, offset, (char *)data_of(to / PAGE_SIZE) + to % PAGE_SIZE, chunk);
		offset += chunk;
		to += chunk;
		n -= chunk;
	}
}

static const struct image_io io = { .read = read_module, .load = load_module, .data = data_of, .p2m = p2m_entry };

/* ---- the frames ---- */

/* Frames for pseudo-physical @pfn up to @end. */
static bool take_range(struct domain *d, uint32_t pfn, uint32_t end)
{
	while (pfn < end) {
		uint32_t n = MIN(end - pfn, P2M_WORDS - pfn % P2M_WORDS);

		if (frame_pool_take(d, p2m_entry(pfn), n) < n)
			return false;
		machine_m2p_fill(p2m_entry(pfn), n, pfn);
		pfn += n;
	}
	return true;
}

/* First the frames that hold the P2M, so that it can be filled as the others come. */
static bool take_frames(struct domain *d, uint32_t frames, const struct image_layout *l)
{
	for (uint32_t i = 0; i < l->start_info - l->p2m; i++) {
		builder.p2m[i] = frame_pool_alloc(d);
		if (builder.p2m[i].n == MFN_NONE.n)
			return false;
	}
	for (uint32_t i = 0; i < l->start_info - l->p2m; i++) {
		*p2m_entry(l->p2m + i) = builder.p2m[i].n;
		machine_m2p_set(builder.p2m[i], l->p2m + i);
	}
	return take_range(d, 0, l->p2m) && take_range(d, l->start_info, frames);
}

const char *builder_build(struct domain *d, const struct build *b)
{
	struct image_build image = {
		.io = &io,
		.image = { b->image.start, b->image.size },
		.initrd = { b->initrd.start, b->initrd.size },
		.cmdline = b->cmdline,
		.seed = b->seed,
		.frames = b->frames,
		.flags = d->privileged ? START_PRIVILEGED : 0,
		.domain = d->id,
	};
	struct image_layout l;
	const char *wrong = image_read(&image, &l);

	if (wrong)
		return wrong;
	if (!take_frames(d, b->frames, &l))
		return "there is not enough free memory";
	image_fill(&image, &l);
	paging_adopt(d, frame_of(l.tables));
	paging_adopt_use(frame_of(image_shared(&l)), FRAME_WRITABLE);
	domain_set_shared(d, frame_of(image_shared(&l)));
	vcpu_open(d, l.note.entry, image_virt(&l, l.start_info));
	return NULL;
}
