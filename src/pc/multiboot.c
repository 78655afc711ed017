// SPDX-License-Identifier: MIT
/*
 * What the loader knows (Multiboot 0.6.96, section 3.3): which memory there is, the command line,
 * the modules. All of it may lie anywhere, so it is copied before any memory is taken.
 */
#include "lib/string.h"
#include "pc/pc.h"

#define LOADER_MAGIC	0x2badb002

#define INFO_MEMORY	(1u << 0)
#define INFO_CMDLINE	(1u << 2)
#define INFO_MODULES	(1u << 3)
#define INFO_MAP	(1u << 6)

struct info {
	uint32_t flags;
	uint32_t lower, upper;		/* KiB */
	uint32_t boot_device;
	uint32_t cmdline;
	uint32_t module_count, modules;
	uint32_t symbols[4];
	uint32_t map_size, map;
};

struct map_entry {
	uint32_t size;			/* of what follows */
	uint64_t start, length;
	uint32_t type;			/* 1: RAM */
} PACKED;

struct module_entry {
	uint32_t start, end, string, reserved;
};

#define RANGES_MAX	64
#define MODULES_MAX	64
#define TEXT_MAX	16384

#define FRAME_LIMIT	0xe0000u	/* 3.5 GiB: behind it lie devices */
#define LOW_FRAMES	0x100u		/* the first MiB is the firmware's */
#define MIB_FRAMES	256u
#define LEAST_MIB	8u

struct range {
	uint32_t first, end;		/* frame numbers */
};

static struct {
	struct range ram[RANGES_MAX], holes[RANGES_MAX];
	unsigned int ram_count, hole_count;
	uint32_t frames;		/* the end of the highest range of RAM */
	uint32_t taken;			/* memory_take() has come down to this one */
	struct machine_module modules[MODULES_MAX];
	bool kept[MODULES_MAX];		/* that module's frames are never released */
	unsigned int module_count;
	bool modules_released;
	const char *cmdline;
	char text[TEXT_MAX];
	size_t text_used;
} mb = { .cmdline = "" };

/* ---- reading ---- */

/* Copies from real memory. */
static void copy_real(void *dst, uint32_t real, size_t n)
{
	while (n > 0) {
		size_t offset = real % PAGE_SIZE, piece = MIN(n, PAGE_SIZE - offset);

		memcpy(dst, (char *)machine_map_frame(MFN(real >> PAGE_SHIFT), WINDOW_DATA) + offset, piece);
		dst = (char *)dst + piece;
		real += piece;
		n -= piece;
	}
}

/* Keeps a string of the loader's. */
static const char *keep_string(uint32_t real)
{
	char *start = mb.text + mb.text_used;
	char c;

	do {
		if (mb.text_used == TEXT_MAX)
			unsuitable("the command lines are longer than %u bytes", TEXT_MAX);
		copy_real(&c, real++, 1);
		mb.text[mb.text_used++] = c;
	} while (c);
	return start;
}

static void add_range(struct range *list, unsigned int *count, uint64_t first, uint64_t end)
{
	end = MIN(end, (uint64_t)FRAME_LIMIT);
	if (first >= end)
		return;
	if (*count == RANGES_MAX)
		unsuitable("the memory map has more than %u entries", RANGES_MAX);
	list[(*count)++] = (struct range){ first, end };
}

/* RAM is what a range of RAM holds entirely and no other range touches. */
static void add_memory(uint64_t start, uint64_t length, bool ram)
{
	uint64_t end = start + length < start ? UINT64_MAX : start + length;

	if (ram)
		add_range(mb.ram, &mb.ram_count, DIV_ROUND_UP(start, PAGE_SIZE), end / PAGE_SIZE);
	else
		add_range(mb.holes, &mb.hole_count, start / PAGE_SIZE, DIV_ROUND_UP(end, PAGE_SIZE));
}

static void read_map(const struct info *info)
{
	struct map_entry e;

	for (uint32_t at = 0; at + sizeof(e) <= info->map_size; at += e.size + sizeof(e.size)) {
		copy_real(&e, info->map + at, sizeof(e));
		add_memory(e.start, e.length, e.type == 1);
	}
}

static void read_modules(const struct info *info)
{
	struct module_entry e;

	if (info->module_count > MODULES_MAX)
		unsuitable("there are more than %u boot modules", MODULES_MAX);
	for (uint32_t i = 0; i < info->module_count; i++) {
		copy_real(&e, info->modules + i * sizeof(e), sizeof(e));
		if (e.start % PAGE_SIZE != 0 || e.end < e.start)
			unsuitable("the loader put boot module %u at a bad place (%08x to %08x)",
				   i, e.start, e.end);
		mb.modules[mb.module_count++] = (struct machine_module){
			e.start, e.end - e.start, e.string ? keep_string(e.string) : "",
		};
	}
}

/* The firmware keeps a little of the last one. */
static unsigned int mib(void)
{
	return DIV_ROUND_UP(mb.frames, MIB_FRAMES);
}

static void find_end(void)
{
	for (unsigned int i = 0; i < mb.ram_count; i++)
		mb.frames = MAX(mb.frames, mb.ram[i].end);
	mb.taken = mb.frames;
	if (mib() < LEAST_MIB)
		unsuitable("too little memory: %u MiB, and %u are needed", mib(), LEAST_MIB);
}

void multiboot_read(uint32_t magic, uint32_t real)
{
	struct info info;

	if (magic != LOADER_MAGIC)
		unsuitable("a Multiboot 1 loader is needed (such as GRUB's command \"multiboot\")");
	copy_real(&info, real, sizeof(info));
	if (info.flags & INFO_CMDLINE)
		mb.cmdline = keep_string(info.cmdline);
	if (info.flags & INFO_MAP)
		read_map(&info);
	else if (info.flags & INFO_MEMORY)
		add_memory(LOW_FRAMES * PAGE_SIZE, (uint64_t)info.upper * 1024, true);
	if (info.flags & INFO_MODULES)
		read_modules(&info);
	find_end();
}

/* ---- memory ---- */

static bool in_any(uint32_t frame, const struct range *list, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		if (frame >= list[i].first && frame < list[i].end)
			return true;
	return false;
}

static struct range module_frames(unsigned int i)
{
	const struct machine_module *m = &mb.modules[i];

	return (struct range){ m->start / PAGE_SIZE, DIV_ROUND_UP((uint64_t)m->start + m->size, PAGE_SIZE) };
}

/* Whether a frame lies in a module; of those that are @kept, or of all. */
static bool in_module(uint32_t frame, bool kept)
{
	for (unsigned int i = 0; i < mb.module_count; i++)
		if (frame >= module_frames(i).first && frame < module_frames(i).end && (mb.kept[i] || !kept))
			return true;
	return false;
}

/* RAM that neither the firmware nor the image needs. */
static bool is_memory(uint32_t frame)
{
	return frame >= DIV_ROUND_UP(image_real(image_end), PAGE_SIZE) &&
	       in_any(frame, mb.ram, mb.ram_count) && !in_any(frame, mb.holes, mb.hole_count);
}

mfn_t memory_take(void)
{
	do {
		if (mb.taken == LOW_FRAMES)
			unsuitable("too little memory: %u MiB do not hold the tables and the boot modules", mib());
		mb.taken--;
	} while (!is_memory(mb.taken) || in_module(mb.taken, false));
	return MFN(mb.taken);
}

uint32_t machine_frame_count(void)
{
	return mb.frames;
}

static bool is_usable(uint32_t frame)
{
	if (!is_memory(frame))
		return false;
	if (in_module(frame, false))
		return mb.modules_released && !in_module(frame, true);
	return frame < mb.taken;
}

static uint32_t edge_of(struct range r, uint32_t frame)
{
	return r.first > frame ? r.first : r.end > frame ? r.end
							 : UINT32_MAX;
}

/* The least number above @frame from which on is_usable() may say something else. */
static uint32_t next_edge(uint32_t frame)
{
	uint32_t edge = edge_of((struct range){ DIV_ROUND_UP(image_real(image_end), PAGE_SIZE), mb.taken }, frame);

	for (unsigned int i = 0; i < mb.ram_count; i++)
		edge = MIN(edge, edge_of(mb.ram[i], frame));
	for (unsigned int i = 0; i < mb.hole_count; i++)
		edge = MIN(edge, edge_of(mb.holes[i], frame));
	for (unsigned int i = 0; i < mb.module_count; i++)
		edge = MIN(edge, edge_of(module_frames(i), frame));
	return MIN(edge, mb.frames);
}

struct machine_range machine_usable(uint32_t from)
{
	struct machine_range r = { from, from };

	while (r.first < mb.frames && !is_usable(r.first))
		r.first = next_edge(r.first);
	r.end = r.first;
	while (r.end < mb.frames && is_usable(r.end))
		r.end = next_edge(r.end);
	return r;
}

/* ---- command line and modules ---- */

const char *machine_cmdline(void)
{
	return mb.cmdline;
}

unsigned int machine_module_count(void)
{
	return mb.modules_released ? 0 : mb.module_count;
}

struct machine_module machine_module(unsigned int i)
{
	return mb.modules[i];
}

void multiboot_keep_module(unsigned int i)
{
	mb.kept[i] = true;
}

void machine_release_modules(void (*give)(mfn_t mfn))
{
	mb.modules_released = true;
	for (unsigned int i = 0; i < mb.module_count; i++)
		for (uint32_t f = module_frames(i).first; f < module_frames(i).end; f++)
			if (is_usable(f))
				give(MFN(f));
}
