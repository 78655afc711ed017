/* SPDX-License-Identifier: MIT */
/*
 * Segments: descriptor tables that the guest fills and the hypervisor checks (paper, section
 * 3.1.1).
 *
 * Accepted are absent descriptors, and code and data segments of rings 1 to 3 that reach no byte at
 * or above ATELIER_FENCE. Page-granular expand-up ones that reach further are cut to end there;
 * everything else is refused: gates, system segments, ring 0, expand-down ones that reach the
 * fence.
 */
#ifndef ATELIER_PUBLIC_SEGMENT_H
#define ATELIER_PUBLIC_SEGMENT_H

#include "atelier.h"

#define GDT_FRAMES		16
#define GDT_ENTRIES_A_FRAME	512
#define LDT_ENTRIES		8192

/*
 * Reserved slots: the first sixteen of frames 14 and 15 of every GDT. The hypervisor writes them.
 */
#define GDT_RESERVED_FRAME	14
#define GDT_RESERVED_SLOTS	16

/*
 * set_gdt(uint32_t *frames, entries): @entries (1 to 8192) descriptors in ceil(entries / 512)
 * distinct frames of the caller, which become type GDT: no writable mapping may be left. All
 * descriptors of these frames count, those of other frames are absent. The old table is given back.
 * -EINVAL (entries), -EFAULT, -EBUSY (writable, or in use as another type), -EPERM (not the
 * caller's), -EACCES (a descriptor that is not accepted): the old table stands.
 *
 * set_ldt(va, entries): @va page-aligned; 0 entries: none. Every page must be mapped and is held as
 * type LDT until the next set_ldt. Errors as above.
 *
 * update_descriptor(machine address, low, high): one descriptor, 8-aligned, in a GDT or LDT in use
 * or in plain writable memory of the caller. -EINVAL (alignment), -EPERM (not the caller's, or a
 * reserved slot), -EBUSY (a frame of another type), -EACCES.
 */

#endif
