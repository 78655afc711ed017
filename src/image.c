// SPDX-License-Identifier: MIT
/*
 * A domain's pseudo-physical memory, from 0 upward: the image where its ELF headers put it; then,
 * each on frames of its own, the initrd, the P2M, the start info, the page tables in a row, and
 * what the windows need. The rest is free.
 */
#include "image.h"
#include "lib/string.h"
#include "paging.h"

#define MAPPED_MAX	(768u << (20 - PAGE_SHIFT))	/* frames mapped for the guest: the rest is its to map */
#define NOTES_MAX	1024
#define WINDOW_FRAMES	(WINDOW_PAGES - 4)		/* the hole has none */

#define PT_LOAD		1
#define PT_NOTE		4

struct elf_header {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version, entry, phoff, shoff, flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

/* ---- judging ---- */

static bool within(const struct image_file *f, uint32_t offset, uint32_t n)
{
	return offset <= f->size && n <= f->size - offset;
}

static const char *read_headers(const struct image_build *b, struct image_layout *l)
{
	static const uint8_t ident[7] = { 0x7f, 'E', 'L', 'F', 1, 1, 1 };	/* 32-bit, little-endian */
	const struct image_file *f = &b->image;
	struct elf_header h;

	if (!within(f, 0, sizeof(h)))
		return "the image is too short for an ELF file";
	b->io->read(f, 0, &h, sizeof(h));
	if (memcmp(h.ident, ident, sizeof(ident)) != 0)
		return "the image is no 32-bit ELF file";
	if (h.type != 2 || h.machine != 3 || h.phentsize != sizeof(struct elf_segment))
		return "the image is no executable for the i386";
	if (h.phnum == 0 || h.phnum > IMAGE_HEADERS || !within(f, h.phoff, h.phnum * sizeof(struct elf_segment)))
		return "the image's program headers are missing or too many";
	l->segment_count = h.phnum;
	b->io->read(f, h.phoff, l->segments, h.phnum * sizeof(struct elf_segment));
	return NULL;
}

static const char *check_segments(const struct image_build *b, struct image_layout *l)
{
	uint32_t bytes_max = MIN(b->frames, MAPPED_MAX) * PAGE_SIZE;

	for (unsigned int i = 0; i < l->segment_count; i++) {
		const struct elf_segment *s = &l->segments[i];

		if (s->type != PT_LOAD)
			continue;
		if (!within(&b->image, s->offset, s->filesz) || s->filesz > s->memsz)
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

static bool find_note(const struct image_build *b, struct image_layout *l)
{
	static uint8_t notes[NOTES_MAX];

	for (unsigned int i = 0; i < l->segment_count; i++) {
		const struct elf_segment *s = &l->segments[i];
		uint32_t size = MIN(s->filesz, NOTES_MAX), step;

		if (s->type != PT_NOTE || !within(&b->image, s->offset, size))
			continue;
		b->io->read(&b->image, s->offset, notes, size);
		for (uint32_t at = 0; at + 3 * sizeof(uint32_t) <= size; at += step)
			if (our_note(notes + at, size - at, &step, &l->note))
				return true;
	}
	return false;
}

static const char *check_note(struct image_layout *l)
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

static const char *plan(const struct image_build *b, struct image_layout *l)
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

const char *image_read(const struct image_build *b, struct image_layout *l)
{
	const char *wrong;

	*l = (struct image_layout){ .image_end = 0 };
	wrong = read_headers(b, l);
	if (!wrong)
		wrong = check_segments(b, l);
	if (!wrong && !find_note(b, l))
		wrong = "the image is no guest for Atelier: it has no \"" IMAGE_NOTE_NAME "\" note";
	if (!wrong)
		wrong = check_note(l);
	return wrong ? wrong : plan(b, l);
}

/* ---- what the frames hold ---- */

static mfn_t frame_of(const struct image_build *b, uint32_t pfn)
{
	return MFN(*b->io->p2m(pfn));
}

static void zero(const struct image_build *b, uint32_t to, uint32_t n)
{
	if (b->zeroed)
		return;
	while (n > 0) {
		uint32_t chunk = MIN(n, PAGE_SIZE - to % PAGE_SIZE);

		memset((char *)b->io->data(to / PAGE_SIZE) + to % PAGE_SIZE, 0, chunk);
		to += chunk;
		n -= chunk;
	}
}

static void load_image(const struct image_build *b, const struct image_layout *l)
{
	for (unsigned int i = 0; i < l->segment_count; i++) {
		const struct elf_segment *s = &l->segments[i];

		if (s->type != PT_LOAD)
			continue;
		b->io->load(&b->image, s->offset, s->paddr, s->filesz);
		zero(b, s->paddr + s->filesz, s->memsz - s->filesz);
	}
	b->io->load(&b->initrd, 0, l->initrd * PAGE_SIZE, b->initrd.size);
}

/* ---- page tables ---- */

static void set_entry(const struct image_build *b, uint32_t table_pfn, uint32_t i, mfn_t mfn, uint32_t bits)
{
	((uint32_t *)b->io->data(table_pfn))[i] = mfn.n << PAGE_SHIFT | bits;
}

/* Maps pseudo-physical @pfn up to @end, which one page table and one frame of the P2M describe. */
static void map_range(const struct image_build *b, const struct image_layout *l, uint32_t pfn, uint32_t end)
{
	uint32_t *entry = (uint32_t *)b->io->data(l->tables + 1 + pfn / TABLE_ENTRIES) + pfn % TABLE_ENTRIES;
	const uint32_t *mfn = b->io->p2m(pfn);

	for (uint32_t i = 0; i < end - pfn; i++)
		entry[i] = mfn[i] << PAGE_SHIFT | PTE_P | PTE_A | PTE_D | PTE_RW;
	/* The tables themselves are not the guest's to write. */
	for (uint32_t i = MAX(pfn, l->tables); i < MIN(end, l->tables + l->table_count); i++)
		entry[i - pfn] &= ~PTE_RW;
}

static void map_memory(const struct image_build *b, const struct image_layout *l)
{
	uint32_t slot = l->note.virt_base >> 22;

	for (uint32_t i = 0; i < l->table_count; i++)
		zero(b, (l->tables + i) * PAGE_SIZE, PAGE_SIZE);
	for (uint32_t pfn = 0; pfn < l->mapped; pfn += TABLE_ENTRIES) {
		map_range(b, l, pfn, MIN(pfn + TABLE_ENTRIES, l->mapped));
		set_entry(b, l->tables, slot++, frame_of(b, l->tables + 1 + pfn / TABLE_ENTRIES),
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
static void fill_readonly(const struct image_build *b, const struct image_layout *l, uint32_t pfn)
{
	uint8_t *bytes = b->io->data(pfn);

	for (uint32_t i = 0; i < PAGE_SIZE; i++)
		bytes[i] = i;
	set_entry(b, l->tables + 1 + pfn / TABLE_ENTRIES, pfn % TABLE_ENTRIES, frame_of(b, pfn), PTE_P);
}

static void map_windows(const struct image_build *b, const struct image_layout *l)
{
	uint32_t table = l->tables + l->table_count - 1, pfn = l->windows;

	if (!(l->note.flags & IMAGE_WINDOWS))
		return;
	for (uint32_t page = 0; page < WINDOW_PAGES; page++) {
		if ((page & ~3u) == WINDOW_HOLE)
			continue;
		zero(b, pfn * PAGE_SIZE, PAGE_SIZE);
		if ((page & ~3u) == WINDOW_READONLY)
			fill_readonly(b, l, pfn);
		set_entry(b, table, page, frame_of(b, pfn), window_bits(page));
		pfn++;
	}
	set_entry(b, l->tables, (l->note.virt_base >> 22) - 1, frame_of(b, table), PTE_P | PTE_RW | PTE_US);
}

/* ---- the start info ---- */

_Static_assert(sizeof(struct start_info) <= PAGE_SIZE, "it has a frame");

static void write_start_info(const struct image_build *b, const struct image_layout *l)
{
	struct start_info *s = b->io->data(l->start_info);

	memset(s, 0, PAGE_SIZE);
	s->magic = START_MAGIC;
	s->interface = ATELIER_INTERFACE;
	s->flags = b->flags;
	s->domid = b->domain;
	s->frames = b->frames;
	s->virt_base = l->note.virt_base;
	s->mapped_frames = l->mapped;
	s->p2m = image_virt(l, l->p2m);
	s->shared = l->note.shared;
	s->directory = image_virt(l, l->tables);
	s->tables = l->table_count;
	s->initrd = b->initrd.size ? image_virt(l, l->initrd) : 0;
	s->initrd_size = b->initrd.size;
	s->first_used = l->initrd;
	s->first_free = l->end;
	s->windows = l->note.flags & IMAGE_WINDOWS ? l->note.virt_base - (4u << 20) : 0;
	string_copy(s->cmdline, b->cmdline, sizeof(s->cmdline));
	if (!b->seed)
		return;
	s->flags |= START_SEEDED;
	memcpy(s->seed, b->seed, START_SEED);
}

void image_fill(const struct image_build *b, const struct image_layout *l)
{
	load_image(b, l);
	map_memory(b, l);
	map_windows(b, l);
	write_start_info(b, l);
}
