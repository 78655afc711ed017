/* SPDX-License-Identifier: MIT */
/* What every frame of the machine is, for a picture of it: DEBUG_frames of public/hypercall.h. */
#ifndef ATELIER_FRAME_MAP_H
#define ATELIER_FRAME_MAP_H

#include "lib/types.h"

struct domain;

/* One word a frame from number @first on, to the guest's @list; how many, or -EPERM, -EFAULT. */
int frame_map(struct domain *d, uint32_t first, guest_addr_t list, uint32_t count);

#endif
