// SPDX-License-Identifier: MIT
#include "paging.h"

/*
 * Exercise 3.3. Whether a present entry, of a table or a directory, has only bits that a guest may set (public/paging.h).
 * Where it points to is another question. Handout: "Contents".
 */
static bool entry_ok(uint32_t e)
{
	exercise_missing("3.3");
	return false;
}

/*
 * Exercise 3.3. The class of FRAME_TABLE: judges the contents of @mfn, which is to be a page table of @d's, and takes what they
 * hold: for each present entry a reference to the frame that it names, of type FRAME_WRITABLE if it has RW, a plain one if
 * not. Absent entries are the guest's notes. 0, or the error of the first entry that is refused:
 *
 *   -EINVAL  bits that no guest may set
 *   as frame_get() or frame_get_type(), for @d
 *
 * and then all that was taken is given back. Sets paging.walked: it went through a whole table.
 *
 * Invariant (M4, M5): a valid table holds exactly what its entries name. Whoever gives an entry up notes it (tlb_note()).
 * Handout: "Contents".
 */
static int validate_table(struct domain *d, mfn_t mfn)
{
	return exercise_missing("3.3");
}

/*
 * Exercise 3.3. Gives back what the valid page table @mfn holds. Sets paging.walked. Handout: "Contents".
 */
static void release_table(mfn_t mfn)
{
	exercise_missing("3.3");
}

/*
 * Exercise 3.3. The class of FRAME_DIRECTORY: the same for a page directory of @d's; its slots are the first GUEST_SLOTS,
 * and the others are the hypervisor's to fill (machine_fill_directory()), when all the guest's are accepted. A present
 * entry holds
 *
 *   on @mfn itself, without RW           a plain reference
 *   on another frame that is in use as a directory, without RW    a use as FRAME_DIRECTORY. Frames count
 *       such pairs in @linear: one that maps others is mapped by no third (-EBUSY), and no count grows
 *       beyond 32,000 (-EBUSY)
 *   on anything else                     a use as FRAME_TABLE, with or without RW
 *
 * Refused, besides what the frames say, are (-EINVAL) bits that no guest may set, frames that do not exist, directories
 * with RW; and (-EAGAIN) a table that has no use yet, if paging.new_tables is 0; each costs one of these.
 *
 * Invariant (M4, M5, M11): as above; and no chain of directories is longer than two. A directory that is to hold
 * itself is busy while you look at it. Handout: "Contents".
 */
static int validate_directory(struct domain *d, mfn_t mfn)
{
	return exercise_missing("3.3");
}

/*
 * Exercise 3.3. Gives back what the valid page directory @mfn holds. A frame that it mapped may be free
 * from then on, and somebody else's. Handout: "Contents".
 */
static void release_directory(mfn_t mfn)
{
	exercise_missing("3.3");
}

/*
 * Exercise 3.4. Stores @new at machine address @address: an entry of a valid table or directory, or a word of any memory that
 * the guest could write itself. The low bits of @address are 0. It belongs to the caller, or to the one who is named; what
 * an entry names must be the named one's, and a word of memory must become FRAME_WRITABLE for its owner
 * while it is written. In this order:
 *
 *   -EINVAL  no such frame, or it is behind TABLE_ENTRIES
 *   -EPERM   neither's frame; or a slot of the hypervisor's
 *   -EAGAIN  a directory: what the old entry names would release, with this use its last, more than MMU_TABLES_A_CALL
 *            tables, or another directory
 *   as a class's validate() answers for that entry, or frame_get_type() for the word
 *
 * A present entry that differs from the old one neither in the frame, nor in P or RW, is checked for its bits and costs no
 * reference. Entries are stored by machine_write_entry().
 *
 * Invariant (M12, M14): a refusal has changed nothing, and at no moment does an entry name what is not held for it.
 * Handout: "Updates".
 */
static int write_entry(const struct authority *a, uint32_t address, uint32_t new)
{
	return exercise_missing("3.4");
}

/*
 * Exercise 3.4. mmu_update(@list, @count, @done_out, @domain): executes the struct mmu_request at @list in order, as
 * public/paging.h has it, up to the first that is refused. In this order:
 *
 *   -EPERM   @domain is neither @d nor DOMID_SELF, and @d is not domain 0
 *   -ESRCH   there is no such domain
 *   -EFAULT  the list does not lie below the line
 *   then the first error of a request: -EFAULT if it cannot be read; -EINVAL for a kind or a command that there is not
 *
 * Each request is read once. Writes are write_entry()'s; a write to the M2P (machine_m2p_set()) is for a frame that
 * exists (-EINVAL) and is the named one's (-EPERM); commands are pins and bases of 3.5, for the named one, and flushes:
 * tlb_want_flush(), or machine_flush_page() of a page below the line (-EINVAL). A new base is for the caller alone
 * (-EINVAL). Before each request paging.new_tables is MMU_TABLES_A_CALL, and paging.walked false.
 *
 * -EAGAIN, if an interrupt is due and there is more to do: looked for behind each request that walked through a table, and
 * behind 32 others at the latest.
 *
 * At the end, whatever it is, tlb_end_of_call(); then, if @done_out is not 0, the number of requests that were done goes there
 * as 32 bits, and -EFAULT if it cannot. Otherwise 0 or the error.
 *
 * Invariant (M12): a refused request has changed nothing, and those before it stand. Handout: "Updates".
 */
int do_mmu_update(struct domain *d, guest_addr_t list, uint32_t count, guest_addr_t done_out, uint32_t domain)
{
	return exercise_missing("3.4");
}

/*
 * Exercise 3.5. Keeps @mfn of @d's a valid frame of @type, FRAME_TABLE or FRAME_DIRECTORY, until it is unpinned: a pin
 * holds one reference with its use, and @pinned says that there is one. In this order:
 *
 *   -EBUSY   it is @d's and pinned already
 *   as frame_get_type(); -EAGAIN: more than MMU_TABLES_A_CALL tables below it are not valid yet (paging.new_tables)
 *
 * Invariant (M10): a pin is held once, and a refused one not at all. Handout: "Pins, bases, death".
 */
int paging_pin(struct domain *d, mfn_t mfn, enum frame_type type)
{
	return exercise_missing("3.5");
}

/*
 * Exercise 3.5. Takes the pin off. In this order:
 *
 *   -EINVAL  no such frame
 *   -EPERM   not @d's
 *   -EINVAL  not pinned
 *   -EAGAIN  with it the last use of a directory would go, and more than MMU_TABLES_A_CALL tables would be released
 *            by that, or another directory
 *
 * Handout: "Pins, bases, death".
 */
int paging_unpin(struct domain *d, mfn_t mfn)
{
	return exercise_missing("3.5");
}

/*
 * Exercise 3.5. Makes @mfn the directory that @d runs on (d->paging.base), which holds one use of it. In this order:
 *
 *   -EAGAIN  the old one, if it is another, would release too much, as for paging_unpin()
 *   as frame_get_type(); -EAGAIN as for paging_pin()
 *
 * If the old one is the loaded one (machine_loaded_base()), the new one is loaded in its place (tlb_load_base()).
 *
 * Invariant (M8): the processor never runs on a frame that is no valid directory: the old one is held until it has
 * left it. Handout: "Pins, bases, death".
 */
int paging_new_base(struct domain *d, mfn_t mfn)
{
	return exercise_missing("3.5");
}

/*
 * Exercise 3.5. One step of a death: gives back the base of @d, which is dying, and its pins. No more than MMU_TABLES_A_CALL
 * tables are released, and no more than LOOKS_A_STEP frames of its list (d->memory.owned) looked at, in one step: false, if
 * there is more to do; it will be called again, and frames may have left the list meanwhile. d->paging.looked is there to
 * remember how far it has got. True: nothing is left, d->paging.base is MFN_NONE, and frames that nobody else holds are free.
 *
 * If the base is loaded, the processor leaves it first: tlb_load_base(MFN_NONE). Entries may be taken out
 * of directories that have no other use any more, to do it in pieces; directories may name one another in a circle.
 *
 * Invariant (M8, M13): every frame comes home, and the one in CR3 is never free. What domain 0 still maps stays until
 * it lets go. Handout: "Pins, bases, death".
 */
bool paging_destroy(struct domain *d)
{
	exercise_missing("3.5");
	return true;
}

/*
 * Exercise 3.6. update_va_mapping(@va, @value, @flags, @domain): stores @value as the entry that maps @va in the base of @d,
 * which calls, and flushes as asked: nothing, the one page (UVM_INVLPG), or at the end of this call all (UVM_FLUSH). In this
 * order:
 *
 *   -EPERM, -ESRCH  as mmu_update()
 *   -EINVAL  @va is not below the line, or flags that there are not
 *   -EFAULT  the base has no valid page table there
 *   -EPERM   that table is neither @d's nor the named one's
 *   as write_entry() says of that entry
 *
 * Invariant (M7, M12): a refused call has changed nothing, and flushed nothing. Handout: "TLB".
 */
int do_update_va_mapping(struct domain *d, uint32_t va, uint32_t value, uint32_t flags, uint32_t domain)
{
	return exercise_missing("3.6");
}
