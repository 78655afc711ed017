// SPDX-License-Identifier: MIT
#include "segment.h"
#include "frame.h"

/*
 * Exercise 4.1. Makes one descriptor, the guest's, safe; false: it cannot be accepted. Accepted are
 *
 *   absent ones, as they are: the rest of them means nothing
 *   code and data segments of rings 1 to 3 of which no byte lies at or above ATELIER_FENCE. Of an expand-up one
 *       that is page-granular, as many whole pages are cut as reach that far, and no more; at least a page is left.
 *       An expand-up one that begins at or above the fence is refused, and so is any other that reaches it.
 *
 * What an expand-down segment reaches lies above its limit (SDM 3A, 5.3), is added to its base modulo 2^32, and may be
 * nothing at all. Code does not expand down. Everything else is refused: gates, system segments, ring 0. Nothing but the
 * limit is changed, and nothing of a descriptor that is refused.
 *
 * Invariant (S1): no descriptor that was accepted lets a guest reach a byte at or above the fence. Handout: "Descriptors".
 */
bool segment_fit(struct descriptor *d)
{
	exercise_missing("4.1");
	return false;
}

/*
 * Exercise 4.2. The class of FRAME_GDT and FRAME_LDT: whether each of the descriptors in @mfn can be accepted. 0, or -EACCES.
 * No writable mapping is left when this runs. The contents stay as they are: another frame of the same table may still
 * be refused. Handout: "GDT".
 */
static int segment_validate(struct domain *d, mfn_t mfn)
{
	return exercise_missing("4.2");
}

/*
 * Exercise 4.2. The last use of @mfn as a table of descriptors is over: gives back what they held. Handout: "GDT".
 */
static void segment_release(mfn_t mfn)
{
	exercise_missing("4.2");
}

/*
 * Exercise 4.2. set_gdt(@list_at, @entries): makes the frames whose numbers lie at @list_at, one for GDT_ENTRIES_A_FRAME
 * descriptors, @d's GDT, in place of the one before. In this order:
 *
 *   -EINVAL  no entries, or more than GDT_FRAMES frames hold
 *   -EFAULT  the list cannot be read
 *   -EINVAL  a frame is named twice
 *   as frame_get_type() for FRAME_GDT, frame by frame: -EACCES, -EBUSY, -EPERM, -EINVAL
 *
 * and then all is as it was. Otherwise each of its descriptors is made to fit; the reserved slots of the frames from
 * GDT_RESERVED_FRAME on become those of machine_gdt_template(); every place of the window shows the frame that belongs
 * there, or none (machine_map_gdt()); and the old frames are given back. One that no longer lies at a reserved place keeps
 * none of the hypervisor's descriptors: absent ones take their place.
 *
 * Invariant (S2, M3): what the processor finds in a GDT was judged, and nobody could write it since, or is ours. It
 * never looks at a frame that is not held for it. Handout: "GDT".
 */
int do_set_gdt(struct domain *d, guest_addr_t list_at, uint32_t entries)
{
	return exercise_missing("4.2");
}

/*
 * Exercise 4.3. set_ldt(@va, @entries): makes the pages from @va on, one for GDT_ENTRIES_A_FRAME descriptors, @d's LDT, in
 * place of the one before; no entries: none. In this order:
 *
 *   -EINVAL  more than LDT_ENTRIES; @va is not page-aligned
 *   -EFAULT  the pages do not lie below the line, or one of them is not mapped (paging_lookup())
 *   as frame_get_type() for FRAME_LDT, page by page
 *
 * and then all is as it was. Otherwise each frame holds descriptors that fit, appears at its place in the window
 * (machine_map_ldt()), which is empty elsewhere; the table is loaded (machine_load_ldt()) and the old frames are given
 * back. A frame may be there more than once. What becomes of the mapping at @va afterwards does not matter.
 *
 * Invariant (M3, S2): as for the GDT. The guest's page-table entry says which frame, and nothing else of it is used.
 * Handout: "LDT".
 */
int do_set_ldt(struct domain *d, guest_addr_t va, uint32_t entries)
{
	return exercise_missing("4.3");
}

/*
 * Exercise 4.4. update_descriptor(@address, @low, @high): stores one descriptor, made to fit, at a machine address. In this
 * order:
 *
 *   -EINVAL  @address is not a multiple of 8, or in no frame
 *   -EPERM   the frame is not @d's, or the slot is one that the hypervisor fills in @d's GDT
 *   -EACCES  the descriptor cannot be accepted
 *   as frame_get_type() for FRAME_WRITABLE, if the frame is neither a GDT nor an LDT in use: it holds no other type then
 *
 * The table may be the one that is loaded: at no moment does the processor find there a descriptor that is present and
 * half new, half old.
 *
 * Invariant (S1, M4): as above. Handout: "One descriptor".
 */
int do_update_descriptor(struct domain *d, uint32_t address, uint32_t low, uint32_t high)
{
	return exercise_missing("4.4");
}

/*
 * Exercise 4.3. At a switch to @d: the processor uses @d's LDT from now on, or none. Handout: "LDT".
 */
void segment_switch_to(struct domain *d)
{
	exercise_missing("4.3");
}

/*
 * Exercise 4.3. @d is dying: gives all frames of its GDT and LDT back, and leaves its windows empty. It may be called
 * again. Handout: "LDT".
 */
void segment_destroy(struct domain *d)
{
	exercise_missing("4.3");
}

/*
 * Exercise 4.2. Once, at start: registers the class of FRAME_GDT and FRAME_LDT (frame_register_class()). What holds frames
 * here is registered for frame_check() already. Handout: "GDT".
 */
void segment_init(void)
{
	exercise_missing("4.2");
	frame_register_holder(each_hold);
}
