/* SPDX-License-Identifier: MIT */
/*
 * Guest images: from an ELF file to what a domain's memory holds at its first instruction
 * (public/atelier.h says what that is).
 *
 * Nothing here knows where the file comes from or how frames are reached: the hypervisor builds
 * domains from boot modules with it (builder.h), domain 0's control tool all others from files.
 * An image is bad input: whatever is wrong with it, image_read() says so in one line, and what it
 * lets through image_fill() can do without looking again.
 */
#ifndef ATELIER_IMAGE_H
#define ATELIER_IMAGE_H

#include "lib/types.h"
#include "public/atelier.h"

#define IMAGE_HEADERS	16			/* program headers at most */
#define P2M_WORDS	(PAGE_SIZE / sizeof(uint32_t))	/* in a frame */

struct image_file {
	uint32_t start, size;	/* @start: where it lies, to whoever reads it; bytes */
};

/* How files and frames are reached. Ranges lie inside. */
struct image_io {
	/* Copies from a file. */
	void (*read)(const struct image_file *f, uint32_t offset, void *to, uint32_t n);

	/* Copies from a file to pseudo-physical address @to on. */
	void (*load)(const struct image_file *f, uint32_t offset, uint32_t to, uint32_t n);

	/* Pseudo-physical frame @pfn, to write: good until the next call. If frames are zeroed, of those behind initrd alone. */
	void *(*data)(uint32_t pfn);

	/* The P2M's word for @pfn; those behind it follow, up to the end of their frame. Good until the next call. */
	uint32_t *(*p2m)(uint32_t pfn);
};

struct image_build {
	const struct image_io *io;
	struct image_file image;
	struct image_file initrd;	/* size 0: none */
	const char *cmdline;
	const uint8_t *seed;		/* START_SEED random bytes; NULL: none */
	uint32_t frames;		/* of the domain */
	uint32_t flags;			/* START_... */
	domid_t domain;
	bool zeroed;			/* its frames are full of zeros */
};

struct elf_segment {
	uint32_t type, offset, vaddr, paddr, filesz, memsz, flags, align;
};

struct image_layout {
	struct image_note note;
	struct elf_segment segments[IMAGE_HEADERS];
	unsigned int segment_count;
	uint32_t image_end;		/* all below: pseudo-physical frames, first of each */
	uint32_t initrd, p2m, start_info, tables, windows, end;
	uint32_t mapped, table_count;
};

/* Judges image and sizes, and plans: NULL, or in one line what is wrong. */
const char *image_read(const struct image_build *b, struct image_layout *l);

/* Writes all that a planned domain's memory is to hold. Every frame has its place in the P2M. */
void image_fill(const struct image_build *b, const struct image_layout *l);

/* The address at which frame @pfn of a planned domain is mapped. */
static inline uint32_t image_virt(const struct image_layout *l, uint32_t pfn)
{
	return l->note.virt_base + pfn * PAGE_SIZE;
}

/* The frame that becomes the shared page. */
static inline uint32_t image_shared(const struct image_layout *l)
{
	return (l->note.shared - l->note.virt_base) / PAGE_SIZE;
}

#endif
