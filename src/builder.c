// SPDX-License-Identifier: MIT
/*
 * A domain's pseudo-physical memory, from 0 upward: the image where its ELF headers put it; then,
 * each on frames of its own, the initrd, the P2M, the start info, the page tables in a row, and
 * what the windows need. The rest is free.
 */
#include "builder.h"
#include "domain.h"
#include "frame.h"
#include "lib/string.h"

#define MAPPED_MAX	(768u << (20 - PAGE_SHIFT))	/* frames mapped for the guest: the rest is its to map */
#define HEADERS_MAX	16
#define NOTES_MAX	1024
#define P2M_WORDS	(PAGE_SIZE / sizeof(uint32_t))	/* in a frame */
#define P2M_MAX		1024				/* frames: a word for each frame of 4 GiB */
#define WINDOW_FRAMES	(WINDOW_PAGES - 4)		/* the hole has none */

#define PT_LOAD		1
#define PT_NOTE		4

struct elf_header {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version, entry, phoff, shoff, flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf_segment {
	uint32_t type, offset, vaddr, paddr, filesz, memsz, flags, align;
};

struct layout {
	struct image_note note;
	struct elf_segment segments[HEADERS_MAX];
	unsigned int segment_count;
	uint32_t image_end;		/* all below: pseudo-physical frames, first of each */
	uint32_t initrd, p2m, start_info, tables, windows, end;
	uint32_t mapped, table_count;
};

static struct {
	mfn_t p2m[P2M_MAX];		/* the frames that hold the P2M */
} builder;

/* ---- reading a module ---- */

/* Copies from a module; the caller has checked the range. */
static void read_module(const struct machine_module *m, uint32_t offset, void *to, uint32_t n)
{
	char *dst = to;

	while (n > 0) {
		uint32_t at = m->start + offset, chunk = MIN(n, PAGE_SIZE - at % PAGE_SIZE);
		const char *src = machine_map_frame(MFN(at >> PAGE_SHIFT), WINDOW_COPY);

		memcpy(dst, src + at % PAGE_SIZE, chunk);
		dst += chunk;
		offset += chunk;
		n -= chunk;
	}
}

static bool within(const struct machine_module *m, uint32_t offset, uint32_t n)
{
	return offset <= m->size && n <= m->size - offset;
}

static const char *read_headers(const struct machine_module *m, struct layout *l)
{
	static const uint8_t ident[7] = { 0x7f, 'E', 'L', 'F', 1, 1, 1 };	/* 32-bit, little-endian */
	struct elf_header h;

	if (!within(m, 0, sizeof(h)))
		return "the image is too short for an ELF file";
	read_module(m, 0, &h, sizeof(h));
	if (memcmp(h.ident, ident, sizeof(ident)) != 0)
		return "the image is no 32-bit ELF file";
	if (h.type != 2 || h.machine != 3 || h.phentsize != sizeof(struct elf_segment))
		return "the image is no executable for the i386";
	if (h.phnum == 0 || h.phnum > HEADERS_MAX || !within(m, h.phoff, h.phnum * sizeof(struct elf_segment)))
		return "the image's program headers are missing or too many";
	l->segment_count = h.phnum;
	read_module(m, h.phoff, l->segments, h.phnum * sizeof(struct elf_segment));
	return NULL;
}

static const char *check_segments(const struct machine_module *m, struct layout *l, uint32_t frames)
{
	uint32_t bytes_max = MIN(frames, MAPPED_MAX) * PAGE_SIZE;

	for (unsigned int i = 0; i < l->segment_count; i++) {
		const struct elf_segment *s = &l->segments[i];

		if (s->type != PT_LOAD)
			continue;
		if (!within(m, s->offset, s->filesz) || s->filesz > s->memsz)
			return "the image is truncated";
		if (s->paddr > bytes_max || s->memsz > bytes_max - s->paddr)
			return "the image does not fit the domain's memory";
		l->image_end = MAX(l->image_end, DIV_ROUND_UP(s->paddr + s->memsz, PAGE_SIZE));
	}
	return l->image_end ? NULL : "the image has nothing to load";
}

/* Whether the note at @notes, which has @n bytes, is ours; *@size is its length. */
static bool our_note(const uint8_t *notes, uint32_t n, uint32_t *size, struct image_note *note)
{
	uint32_t head[3], name, desc;

	memcpy(head, notes, sizeof(head));
	if (head[0] > NOTES_MAX || head[1] > NOTES_MAX) {
		*size = n;
		return false;
	}
	name = (head[0] + 3) & ~3u;
	desc = (head[1] + 3) & ~3u;
	*size = sizeof(head) + name + desc;
	if (*size > n || head[2] != IMAGE_NOTE_TYPE || head[1] != sizeof(*note) || head[0] != sizeof(IMAGE_NOTE_NAME) ||
	    memcmp(notes + sizeof(head), IMAGE_NOTE_NAME, sizeof(IMAGE_NOTE_NAME)) != 0)
		return false;
	memcpy(note, notes + sizeof(head) + name, sizeof(*note));
	return true;
}

static bool find_note(const struct machine_module *m, struct layout *l)
{
	static uint8_t notes[NOTES_MAX];

	for (unsigned int i = 0; i < l->segment_count; i++) {
		const struct elf_segment *s = &l->segments[i];
		uint32_t size = MIN(s->filesz, NOTES_MAX), step;

		if (s->type != PT_NOTE || !within(m, s->offset, size))
			continue;
		read_module(m, s->offset, notes, size);
		for (uint32_t at = 0; at + 3 * sizeof(uint32_t) <= size; at += step)
			if (our_note(notes + at, size - at, &step, &l->note))
				return true;
	}
	return false;
}

static const char *check_note(struct layout *l)
{
	const struct image_note *n = &l->note;

	if (n->interface != ATELIER_INTERFACE)
		return "the image was built for another version of the interface";
	if ((n->flags & ~IMAGE_WINDOWS) || n->virt_base % (4u << 20) || n->virt_base <= 4u << 20 ||
	    n->virt_base >= ATELIER_LINE)
		return "the image's note asks for an impossible address";
	if (n->shared % PAGE_SIZE || n->shared < n->virt_base ||
	    (n->shared - n->virt_base) / PAGE_SIZE >= l->image_end)
		return "the image's shared page lies outside the image";
	if (n->entry < n->virt_base || (n->entry - n->virt_base) / PAGE_SIZE >= l->image_end)
		return "the image's entry lies outside the image";
	return NULL;
}

/* ---- the layout ---- */

static const char *plan(const struct build *b, struct layout *l)
{
	bool windows = l->note.flags & IMAGE_WINDOWS;
	uint32_t room = (ATELIER_LINE - l->note.virt_base) / PAGE_SIZE;

	l->mapped = MIN(MIN(b->frames, MAPPED_MAX), room);
	l->table_count = 1 + DIV_ROUND_UP(l->mapped, TABLE_ENTRIES) + windows;
	l->initrd = l->image_end;
	l->p2m = l->initrd + b->initrd.size / PAGE_SIZE + (b->initrd.size % PAGE_SIZE != 0);
	l->start_info = l->p2m + DIV_ROUND_UP(b->frames, P2M_WORDS);
	l->tables = l->start_info + 1;
	l->windows = l->tables + l->table_count;
	l->end = l->windows + (windows ? WINDOW_FRAMES : 0);
	return l->end < l->mapped ? NULL : "the domain's memory is too small for image and initrd";
}

static const char *read_image(const struct build *b, struct layout *l)
{
	const char *wrong = read_headers(&b->image, l);

	if (!wrong)
		wrong = check_segments(&b->image, l, b->frames);
	if (!wrong && !find_note(&b->image, l))
		wrong = "the image is no guest for Atelier: it has no \"" IMAGE_NOTE_NAME "\" note";
	if (!wrong)
		wrong = check_note(l);
	return wrong ? wrong : plan(b, l);
}

/* ---- the frames ---- */

static uint32_t *p2m_entry(uint32_t pfn)
{
	return (uint32_t *)machine_map_frame(builder.p2m[pfn / P2M_WORDS], WINDOW_TABLE) + pfn % P2M_WORDS;
}

static mfn_t frame_of(uint32_t pfn)
{
	return MFN(*p2m_entry(pfn));
}

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
static bool take_frames(struct domain *d, const struct build *b, const struct layout *l)
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
	return take_range(d, 0, l->p2m) && take_range(d, l->start_info, b->frames);
}

static void *data_of(uint32_t pfn)
{
	return machine_map_frame(frame_of(pfn), WINDOW_DATA);
}

/* Copies to pseudo-physical address @to. */
static void copy_module(const struct machine_module *m, uint32_t offset, uint32_t to, uint32_t n)
{
	while (n > 0) {
		uint32_t chunk = MIN(n, PAGE_SIZE - to % PAGE_SIZE);

		read_module(m, offset, (char *)data_of(to / PAGE_SIZE) + to % PAGE_SIZE, chunk);
		offset += chunk;
		to += chunk;
		n -= chunk;
	}
}

/* The image's own zeros: the frames may hold anything. */
static void zero(uint32_t to, uint32_t n)
{
	while (n > 0) {
		uint32_t chunk = MIN(n, PAGE_SIZE - to % PAGE_SIZE);

		memset((char *)data_of(to / PAGE_SIZE) + to % PAGE_SIZE, 0, chunk);
		to += chunk;
		n -= chunk;
	}
}

static void load_image(const struct build *b, const struct layout *l)
{
	for (unsigned int i = 0; i < l->segment_count; i++) {
		const struct elf_segment *s = &l->segments[i];

		if (s->type != PT_LOAD)
			continue;
		copy_module(&b->image, s->offset, s->paddr, s->filesz);
		zero(s->paddr + s->filesz, s->memsz - s->filesz);
	}
	copy_module(&b->initrd, 0, l->initrd * PAGE_SIZE, b->initrd.size);
}

/* ---- page tables ---- */

static void set_entry(uint32_t table_pfn, uint32_t i, mfn_t mfn, uint32_t bits)
{
	((uint32_t *)data_of(table_pfn))[i] = mfn.n << PAGE_SHIFT | bits;
}

/* Maps pseudo-physical @pfn up to @end, which one page table and one frame of the P2M describe. */
static void map_range(const struct layout *l, uint32_t pfn, uint32_t end)
{
	uint32_t *entry = (uint32_t *)data_of(l->tables + 1 + pfn / TABLE_ENTRIES) + pfn % TABLE_ENTRIES;
	const uint32_t *mfn = p2m_entry(pfn);

	for (uint32_t i = 0; i < end - pfn; i++)
		entry[i] = mfn[i] << PAGE_SHIFT | PTE_P | PTE_A | PTE_D | PTE_RW;
	/* The tables themselves are not the guest's to write. */
	for (uint32_t i = MAX(pfn, l->tables); i < MIN(end, l->tables + l->table_count); i++)
		entry[i - pfn] &= ~PTE_RW;
}

static void map_memory(const struct layout *l)
{
	uint32_t slot = l->note.virt_base >> 22;

	for (uint32_t i = 0; i < l->table_count; i++)
		zero((l->tables + i) * PAGE_SIZE, PAGE_SIZE);
	for (uint32_t pfn = 0; pfn < l->mapped; pfn += TABLE_ENTRIES) {
		map_range(l, pfn, MIN(pfn + TABLE_ENTRIES, l->mapped));
		set_entry(l->tables, slot++, frame_of(l->tables + 1 + pfn / TABLE_ENTRIES),
			  PTE_P | PTE_RW | PTE_US | PTE_A);
	}
}

static uint32_t window_bits(uint32_t page)
{
	switch (page & ~3u) {
	case WINDOW_READONLY:
		return PTE_P;
	case WINDOW_USER:
		return PTE_P | PTE_RW | PTE_US;
	}
	return PTE_P | PTE_RW;
}

/*
 * Bytes to know the page by. It is mapped twice: the other mapping must not make it writable behind
 * our back.
 */
static void fill_readonly(const struct layout *l, uint32_t pfn)
{
	uint8_t *bytes = data_of(pfn);

	for (uint32_t i = 0; i < PAGE_SIZE; i++)
		bytes[i] = i;
	set_entry(l->tables + 1 + pfn / TABLE_ENTRIES, pfn % TABLE_ENTRIES, frame_of(pfn), PTE_P);
}

static void map_windows(const struct layout *l)
{
	uint32_t table = l->tables + l->table_count - 1, pfn = l->windows;

	if (!(l->note.flags & IMAGE_WINDOWS))
		return;
	for (uint32_t page = 0; page < WINDOW_PAGES; page++) {
		if ((page & ~3u) == WINDOW_HOLE)
			continue;
		zero(pfn * PAGE_SIZE, PAGE_SIZE);
		if ((page & ~3u) == WINDOW_READONLY)
			fill_readonly(l, pfn);
		set_entry(table, page, frame_of(pfn), window_bits(page));
		pfn++;
	}
	set_entry(l->tables, (l->note.virt_base >> 22) - 1, frame_of(table), PTE_P | PTE_RW | PTE_US);
}

/* ---- the start info ---- */

static uint32_t virt(const struct layout *l, uint32_t pfn)
{
	return l->note.virt_base + pfn * PAGE_SIZE;
}

static void write_start_info(const struct domain *d, const struct build *b, const struct layout *l)
{
	struct start_info *s = data_of(l->start_info);

	memset(s, 0, PAGE_SIZE);
	s->magic = START_MAGIC;
	s->interface = ATELIER_INTERFACE;
	s->flags = d->privileged ? START_PRIVILEGED : 0;
	s->domid = d->id;
	s->frames = b->frames;
	s->virt_base = l->note.virt_base;
	s->mapped_frames = l->mapped;
	s->p2m = virt(l, l->p2m);
	s->shared = l->note.shared;
	s->directory = virt(l, l->tables);
	s->tables = l->table_count;
	s->initrd = b->initrd.size ? virt(l, l->initrd) : 0;
	s->initrd_size = b->initrd.size;
	s->first_used = l->initrd;
	s->first_free = l->end;
	s->windows = l->note.flags & IMAGE_WINDOWS ? l->note.virt_base - (4u << 20) : 0;
	string_copy(s->cmdline, b->cmdline, sizeof(s->cmdline));
}

const char *builder_build(struct domain *d, const struct build *b)
{
	struct layout l = { .image_end = 0 };
	const char *wrong = read_image(b, &l);

	if (wrong)
		return wrong;
	if (!take_frames(d, b, &l))
		return "there is not enough free memory";
	load_image(b, &l);
	map_memory(&l);
	map_windows(&l);
	write_start_info(d, b, &l);
	paging_adopt(d, frame_of(l.tables));
	if (domain_set_shared(d, frame_of((l.note.shared - l.note.virt_base) / PAGE_SIZE)))
		return "the image's shared page cannot be written";
	vcpu_open(d, l.note.entry, virt(&l, l.start_info));
	return NULL;
}
