// SPDX-License-Identifier: MIT
#include "host/image.h"
#include <stddef.h>
#include <string.h>

#define LOAD_OFFSET	4096u
#define LOAD_SIZE	5000u		/* bytes in the file, ... */
#define LOAD_MEMORY	9000u		/* ... and in memory: three pages */

struct machine_module image_make(uint32_t first, struct image **image)
{
	struct image *i = host_frame(first);
	uint8_t *bytes = host_frame(first + 1);

	memset(i, 0, IMAGE_FRAMES * PAGE_SIZE);
	memcpy(i->ident, "\177ELF\1\1\1", 7);
	i->type = 2;
	i->machine = 3;
	i->version = 1;
	i->entry = IMAGE_VA;
	i->phoff = offsetof(struct image, load);
	i->ehsize = offsetof(struct image, load);
	i->phentsize = sizeof(struct image_segment);
	i->phnum = 2;
	i->load = (struct image_segment){ 1, LOAD_OFFSET, IMAGE_VA, 0, LOAD_SIZE, LOAD_MEMORY, 7, 4096 };
	i->notes = (struct image_segment){ 4, offsetof(struct image, note_name), 0, 0,
					   sizeof(*i) - offsetof(struct image, note_name), 0, 4, 4 };
	i->note_name = sizeof(IMAGE_NOTE_NAME);
	i->note_desc = sizeof(i->note);
	i->note_type = IMAGE_NOTE_TYPE;
	memcpy(i->name, IMAGE_NOTE_NAME, sizeof(IMAGE_NOTE_NAME));
	i->note = (struct image_note){ ATELIER_INTERFACE, 0, IMAGE_VA, IMAGE_VA + 0x10, IMAGE_VA + 2 * PAGE_SIZE };
	for (unsigned int b = 0; b < LOAD_SIZE; b++)
		bytes[b] = b % 251 + 1;
	for (unsigned int f = 0; f < IMAGE_FRAMES; f++)
		host.usable[first + f] = false;
	*image = i;
	return (struct machine_module){ first << PAGE_SHIFT, LOAD_OFFSET + LOAD_SIZE, "guest" };
}
