/* SPDX-License-Identifier: MIT */
/* A boot module made by hand: the smallest guest image that the builder takes, and everything in it a field to be spoilt. */
#ifndef HOST_IMAGE_H
#define HOST_IMAGE_H

#include "host/host.h"
#include "public/atelier.h"

#define IMAGE_FRAMES	4u		/* of the module */
#define IMAGE_VA	0x40000000u

struct image_segment {
	uint32_t type, offset, vaddr, paddr, filesz, memsz, flags, align;
};

/* As it lies in the module: ELF header, two program headers, the note, and the bytes to load at offset 4,096. */
struct image {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version, entry, phoff, shoff, flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
	struct image_segment load, notes;
	uint32_t note_name, note_desc, note_type;
	char name[8];
	struct image_note note;
};

/* Makes a sound image in the machine's frames from @first on, which become unusable; its module. */
struct machine_module image_make(uint32_t first, struct image **image);

#endif
