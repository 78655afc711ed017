/* SPDX-License-Identifier: MIT */
/*
 * The frame map: what every frame of the machine is right now, for a picture of it. Domain 0 asks for it by debug_op
 * (public/hypercall.h), so a build without DEBUG has none; a guest that draws it includes this file.
 */
#ifndef ATELIER_FRAME_MAP_H
#define ATELIER_FRAME_MAP_H

#include "lib/types.h"
#include "public/atelier.h"

struct domain;

/*
 * debug_op(DEBUG_frames, first, uint32_t *list, count): a word for each frame from number @first on, FRAMES_A_CALL at most.
 * How many; -EPERM: not domain 0; -EFAULT. In a word:
 */
#define DEBUG_frames		4
#define FRAMES_A_CALL		1024
#define FRAMES_OWNER(word)	((word) & 0xffff)	/* a domain; DOMID_NONE: nobody; or the hypervisor */
#define FRAMES_HYPERVISOR	0xfffe
#define FRAMES_TYPE(word)	((word) >> 16 & 0xf)	/* 1 writable, 2 page table, 3 directory, 4 GDT, 5 LDT */
#define FRAMES_USED		0x1000000		/* it is in use as that */

int frame_map(struct domain *d, uint32_t first, guest_addr_t list, uint32_t count);

#endif
