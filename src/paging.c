// SPDX-License-Identifier: MIT
/*
 * One rule keeps a machine whose page tables belong to strangers: an entry is stored only after a
 * reference on what it names was taken, and the old one is given back only after the store.
 * Whatever is refused was refused before anything was changed; whatever was taken before a refusal
 * is given back.
 *
 * Read first frame.h, then write_entry() below, then validate_table().
 */
#include "paging.h"
#include "console.h"
#include "crash.h"
#include "domain.h"
#include "frame.h"
#include "guest_copy.h"
#include "machine.h"
#include "tlb.h"

#define LINEAR_MAX	32000	/* of a directory's linear references, in both directions */

static struct {
	unsigned int new_tables;	/* that this request may still validate */
	bool walked;			/* it went through a whole table: long enough to look for interrupts */
} paging;

/* Whose tables a request may change, and whose frames its entries may name. */
struct authority {
	struct domain *caller, *named;
};

static inline mfn_t entry_mfn(uint32_t e)
{
	return MFN(e >> PAGE_SHIFT);
}

static uint32_t *table_entry(mfn_t table, uint32_t i)
{
	return (uint32_t *)machine_map_frame(table, WINDOW_TABLE) + i;
}

static uint32_t *directory_entry(mfn_t directory, uint32_t i)
{
	return (uint32_t *)machine_map_frame(directory, WINDOW_DIRECTORY) + i;
}

/* Whether a present entry has only bits that a guest may set. */
static bool entry_ok(uint32_t e)
{
	return (e & ~PAGE_MASK & ~PTE_ALLOWED) == 0;
}

#define GROUP	8u	/* entries looked at together: most of a table is empty */

static inline bool group_empty(const uint32_t *e)
{
	return !((e[0] | e[1] | e[2] | e[3] | e[4] | e[5] | e[6] | e[7]) & PTE_P);
}

/* The first present entry from @i on; @end or more, if there is none before it. */
static inline uint32_t next_present(const uint32_t *entries, uint32_t i, uint32_t end)
{
	while (i < end && !(entries[i] & PTE_P))
		i += i % GROUP == 0 && i + GROUP <= end && group_empty(entries + i) ? GROUP : 1;
	return i;
}

/* The body may set @entries to another mapping of the same table. */
#define for_each_present(i, entries, end) \
	for (uint32_t i = next_present(entries, 0, end); i < (end); i = next_present(entries, i + 1, end))

/* ---- entries of a page table ---- */

static inline int get_table_entry(struct domain *d, uint32_t e)
{
	if (!(e & PTE_P))
		return 0;
	if (!entry_ok(e))
		return -EINVAL;
	if (e & PTE_RW)
		return frame_get_type(d, entry_mfn(e), FRAME_WRITABLE);
	return frame_get(d, entry_mfn(e));
}

static void put_table_entry(uint32_t e)
{
	if (!(e & PTE_P))
		return;
	tlb_note(entry_mfn(e));
	if (e & PTE_RW)
		frame_put_type(entry_mfn(e));
	else
		frame_put(entry_mfn(e));
}

static void put_table_entries(mfn_t mfn, uint32_t end)
{
	const uint32_t *table = table_entry(mfn, 0);

	for_each_present(i, table, end)
		put_table_entry(table[i]);
}

static int validate_table(struct domain *d, mfn_t mfn)
{
	const uint32_t *table = table_entry(mfn, 0);
	int err;

	paging.walked = true;
	for_each_present(i, table, TABLE_ENTRIES) {
		err = get_table_entry(d, table[i]);
		if (err) {
			put_table_entries(mfn, i);
			return err;
		}
	}
	return 0;
}

static void release_table(mfn_t mfn)
{
	paging.walked = true;
	put_table_entries(mfn, TABLE_ENTRIES);
}

/* ---- entries of a page directory ---- */

/*
 * A directory named by another one. Each of the two may be on one side of such pairs only, so that
 * releasing the one that maps can release the other, and that one no third.
 */
static int get_linear_entry(struct domain *d, mfn_t directory, uint32_t e)
{
	struct frame *from = frame_record(directory), *to = frame_record(entry_mfn(e));
	int err;

	if (from->linear < 0 || to->linear > 0 || from->linear >= LINEAR_MAX || to->linear <= -LINEAR_MAX)
		return -EBUSY;
	err = frame_get_type(d, entry_mfn(e), FRAME_DIRECTORY);
	if (err)
		return err;
	from->linear++;
	to->linear--;
	return 0;
}

static int get_directory_entry(struct domain *d, mfn_t directory, uint32_t e)
{
	const struct frame *f;

	if (!(e & PTE_P))
		return 0;
	f = frame_record(entry_mfn(e));
	if (!entry_ok(e) || !f)
		return -EINVAL;
	if (mfn_equal(entry_mfn(e), directory))
		return e & PTE_RW ? -EINVAL : frame_get(d, directory);
	if (f->uses > 0 && f->type == FRAME_DIRECTORY)
		return e & PTE_RW ? -EINVAL : get_linear_entry(d, directory, e);
	if (f->uses == 0) {
		if (paging.new_tables == 0)
			return -EAGAIN;
		paging.new_tables--;
	}
	return frame_get_type(d, entry_mfn(e), FRAME_TABLE);
}

static void put_directory_entry(mfn_t directory, uint32_t e)
{
	mfn_t mfn = entry_mfn(e);

	if (!(e & PTE_P))
		return;
	if (mfn_equal(mfn, directory)) {
		tlb_note(mfn);
		frame_put(mfn);
		return;
	}
	if (frame_record(mfn)->type == FRAME_DIRECTORY) {
		frame_record(directory)->linear--;
		frame_record(mfn)->linear++;
	}
	tlb_note(mfn);
	frame_put_type(mfn);
}

/* Releasing an entry may map another directory, so this one is fetched anew after each. */
static void put_directory_entries(mfn_t mfn, uint32_t end)
{
	const uint32_t *entries = directory_entry(mfn, 0);

	for_each_present(i, entries, end) {
		put_directory_entry(mfn, entries[i]);
		entries = directory_entry(mfn, 0);
	}
}

static int validate_directory(struct domain *d, mfn_t mfn)
{
	/* Taking an entry never maps another directory: one that it names is valid already. */
	const uint32_t *entries = directory_entry(mfn, 0);
	int err;

	for_each_present(i, entries, GUEST_SLOTS) {
		err = get_directory_entry(d, mfn, entries[i]);
		if (err) {
			put_directory_entries(mfn, i);
			return err;
		}
	}
	machine_fill_directory(directory_entry(mfn, 0), d->id);
	return 0;
}

static void release_directory(mfn_t mfn)
{
	put_directory_entries(mfn, GUEST_SLOTS);
}

/*
 * How many tables would be released if @directory lost its last use; more than the bound if another
 * directory would be. Counted by taking its uses away and giving them back.
 */
static unsigned int tables_to_release(mfn_t directory)
{
	const uint32_t *entries = directory_entry(directory, 0);
	unsigned int n = 0;

	for_each_present(i, entries, GUEST_SLOTS) {
		struct frame *f = frame_record(entry_mfn(entries[i]));

		if (!mfn_equal(entry_mfn(entries[i]), directory) && --f->uses == 0)
			n += f->type == FRAME_DIRECTORY ? MMU_TABLES_A_CALL + 1 : 1;
	}
	for_each_present(i, entries, GUEST_SLOTS)
		if (!mfn_equal(entry_mfn(entries[i]), directory))
			frame_record(entry_mfn(entries[i]))->uses++;
	return n;
}

/* Whether one use of @mfn can go within one call's bounded work. */
static bool can_drop(mfn_t mfn)
{
	const struct frame *f = frame_record(mfn);

	return f->type != FRAME_DIRECTORY || f->uses > 1 || tables_to_release(mfn) <= MMU_TABLES_A_CALL;
}

/* ---- updates ---- */

static int write_table_entry(struct domain *d, mfn_t table, uint32_t i, uint32_t new)
{
	uint32_t *entry = table_entry(table, i), old = *entry;
	int err;

	/* Neither which frame nor whether it is writable: the references stay as they are. */
	if ((new & PTE_P) && entry_ok(new) && ((new ^ old) & (PAGE_MASK | PTE_P | PTE_RW)) == 0) {
		machine_write_entry(entry, new);
		return 0;
	}
	err = get_table_entry(d, new);
	if (err)
		return err;
	machine_write_entry(entry, new);
	put_table_entry(old);
	return 0;
}

static int write_directory_entry(struct domain *d, mfn_t directory, uint32_t i, uint32_t new)
{
	uint32_t old;
	int err;

	if (i >= GUEST_SLOTS)
		return -EPERM;
	old = *directory_entry(directory, i);
	if ((new & PTE_P) && entry_ok(new) && ((new ^ old) & (PAGE_MASK | PTE_P | PTE_RW)) == 0) {
		machine_write_entry(directory_entry(directory, i), new);
		return 0;
	}
	if ((old & PTE_P) && !can_drop(entry_mfn(old)))
		return -EAGAIN;
	err = get_directory_entry(d, directory, new);
	if (err)
		return err;
	machine_write_entry(directory_entry(directory, i), new);
	put_directory_entry(directory, old);
	return 0;
}

/* Memory that is no table: an ordinary store, if the guest could make it itself. */
static int write_data(struct domain *owner, mfn_t mfn, uint32_t i, uint32_t new)
{
	int err = frame_get_type(owner, mfn, FRAME_WRITABLE);

	if (err)
		return err;
	((uint32_t *)machine_map_frame(mfn, WINDOW_DATA))[i] = new;
	frame_put_type(mfn);
	return 0;
}

static struct domain *table_owner(const struct authority *a, const struct frame *f)
{
	if (f->owner == a->caller->id)
		return a->caller;
	return f->owner == a->named->id ? a->named : NULL;
}

static int write_entry(const struct authority *a, uint32_t address, uint32_t new)
{
	mfn_t mfn = MFN(address >> PAGE_SHIFT);
	uint32_t i = (address & ~PAGE_MASK) / sizeof(uint32_t);
	const struct frame *f = frame_record(mfn);
	struct domain *owner;

	if (!f || i >= TABLE_ENTRIES)
		return -EINVAL;
	owner = table_owner(a, f);
	if (!owner)
		return -EPERM;
	if (f->valid && f->type == FRAME_TABLE)
		return write_table_entry(a->named, mfn, i, new);
	if (f->valid && f->type == FRAME_DIRECTORY)
		return write_directory_entry(a->named, mfn, i, new);
	return write_data(owner, mfn, i, new);
}

static int write_m2p(const struct authority *a, mfn_t mfn, uint32_t pfn)
{
	const struct frame *f = frame_record(mfn);

	if (!f)
		return -EINVAL;
	if (f->owner != a->named->id)
		return -EPERM;
	machine_m2p_set(mfn, pfn);
	return 0;
}

/* ---- pins and bases ---- */

int paging_pin(struct domain *d, mfn_t mfn, enum frame_type type)
{
	struct frame *f = frame_record(mfn);
	int err;

	if (f && f->owner == d->id && f->pinned)
		return -EBUSY;
	paging.new_tables = MMU_TABLES_A_CALL;
	err = frame_get_type(d, mfn, type);
	if (!err)
		f->pinned = true;
	return err;
}

int paging_unpin(struct domain *d, mfn_t mfn)
{
	struct frame *f = frame_record(mfn);

	if (!f)
		return -EINVAL;
	if (f->owner != d->id)
		return -EPERM;
	if (!f->pinned)
		return -EINVAL;
	if (!can_drop(mfn))
		return -EAGAIN;
	f->pinned = false;
	frame_put_type(mfn);
	return 0;
}

int paging_set_base(struct domain *d, mfn_t mfn)
{
	int err;

	paging.new_tables = MMU_TABLES_A_CALL;
	err = frame_get_type(d, mfn, FRAME_DIRECTORY);
	if (!err)
		d->paging.base = mfn;
	return err;
}

int paging_new_base(struct domain *d, mfn_t mfn)
{
	mfn_t old = d->paging.base;
	int err;

	if (!can_drop(old) && !mfn_equal(old, mfn))
		return -EAGAIN;
	err = paging_set_base(d, mfn);
	if (err)
		return err;
	/* The processor leaves the old directory before its frame can become anything else. */
	if (mfn_equal(machine_loaded_base(), old))
		tlb_load_base(mfn);
	frame_put_type(old);
	return 0;
}

mfn_t paging_lookup(struct domain *d, uint32_t va)
{
	uint32_t e = *directory_entry(d->paging.base, va >> 22);

	if (!(e & PTE_P) || !frame_is(entry_mfn(e), FRAME_TABLE))
		return MFN_NONE;
	e = *table_entry(entry_mfn(e), va / PAGE_SIZE % TABLE_ENTRIES);
	return e & PTE_P ? entry_mfn(e) : MFN_NONE;
}

void paging_switch_to(struct domain *d)
{
	if (!mfn_equal(machine_loaded_base(), d->paging.base))
		tlb_load_base(d->paging.base);
}

/* ---- the calls ---- */

static int command(const struct authority *a, uint32_t operand, uint32_t code)
{
	mfn_t mfn = MFN(operand >> PAGE_SHIFT);

	switch (code) {
	case MMU_PIN_TABLE:
		return paging_pin(a->named, mfn, FRAME_TABLE);
	case MMU_PIN_DIRECTORY:
		return paging_pin(a->named, mfn, FRAME_DIRECTORY);
	case MMU_UNPIN:
		return paging_unpin(a->named, mfn);
	case MMU_NEW_BASE:
		return a->named == a->caller ? paging_new_base(a->caller, mfn) : -EINVAL;
	case MMU_FLUSH:
		tlb_want_flush();
		return 0;
	case MMU_INVLPG:
		if (operand >= ATELIER_LINE)
			return -EINVAL;
		machine_flush_page(GUEST_ADDR(operand & PAGE_MASK));
		return 0;
	}
	return -EINVAL;
}

static int request(const struct authority *a, const struct mmu_request *r)
{
	uint32_t where = r->where & ~3u;

	paging.new_tables = MMU_TABLES_A_CALL;
	paging.walked = false;
	switch (r->where & 3) {
	case MMU_WRITE:
		return write_entry(a, where, r->value);
	case MMU_M2P:
		return write_m2p(a, entry_mfn(where), r->value);
	case MMU_COMMAND:
		return command(a, where, r->value);
	}
	return -EINVAL;
}

/* Whom a caller may name. */
static int authorise(struct domain *d, uint32_t domain, struct authority *a)
{
	*a = (struct authority){ d, d };
	if (domain == DOMID_SELF || domain == d->id)
		return 0;
	if (!d->privileged)
		return -EPERM;
	a->named = domain_find(d, domain);
	return a->named ? 0 : -ESRCH;
}

#define CHUNK	32	/* requests copied at once; short ones done between two looks for interrupts */

static int do_requests(const struct authority *a, guest_addr_t list, uint32_t count, uint32_t *done)
{
	struct mmu_request chunk[CHUNK];
	uint32_t n;
	int err;

	while (*done < count) {
		n = MIN(count - *done, CHUNK);
		if (copy_from_guest(chunk, guest_add(list, *done * sizeof(chunk[0])), n * sizeof(chunk[0])))
			return -EFAULT;
		for (uint32_t i = 0; i < n; i++) {
			err = request(a, &chunk[i]);
			if (err)
				return err;
			(*done)++;
			if (*done < count && (paging.walked || i + 1 == n) && machine_interrupt_due())
				return -EAGAIN;
		}
	}
	return 0;
}

int do_mmu_update(struct domain *d, guest_addr_t list, uint32_t count, guest_addr_t done_out, uint32_t domain)
{
	struct authority a;
	uint32_t done = 0;
	int err;

	err = authorise(d, domain, &a);
	if (err)
		return err;
	if (!guest_array_ok(list, count, sizeof(struct mmu_request)))
		return -EFAULT;
	err = do_requests(&a, list, count, &done);
	tlb_end_of_call();
	if (done_out.n && copy_to_guest(done_out, &done, sizeof(done)))
		return -EFAULT;
	return err;
}

int do_update_va_mapping(struct domain *d, uint32_t va, uint32_t value, uint32_t flags, uint32_t domain)
{
	struct authority a;
	uint32_t pde;
	int err;

	err = authorise(d, domain, &a);
	if (err)
		return err;
	if (va >= ATELIER_LINE || (flags & ~(UVM_INVLPG | UVM_FLUSH)))
		return -EINVAL;
	pde = *directory_entry(d->paging.base, va >> 22);
	if (!(pde & PTE_P) || !frame_is(entry_mfn(pde), FRAME_TABLE))
		return -EFAULT;
	/* Domain 0's directory may name another's table: its own frames do not belong in there. */
	if (!table_owner(&a, frame_record(entry_mfn(pde))))
		return -EPERM;
	err = write_table_entry(a.named, entry_mfn(pde), va / PAGE_SIZE % TABLE_ENTRIES, value);
	if (err)
		return err;
	if (flags & UVM_FLUSH)
		tlb_want_flush();
	else if (flags & UVM_INVLPG)
		machine_flush_page(GUEST_ADDR(va & PAGE_MASK));
	tlb_end_of_call();
	return 0;
}

/* ---- birth and death ---- */

void paging_adopt_use(mfn_t mfn, enum frame_type type)
{
	struct frame *f = frame_record(mfn);

	f->refs++;
	f->uses++;
	f->type = type;
	if (type != FRAME_WRITABLE)	/* else it is not, nor was: once for each frame of a domain */
		f->valid = true;
}

static void adopt_table(mfn_t table)
{
	const uint32_t *entries = table_entry(table, 0);

	/* Most are present here: one by one. */
	for (uint32_t i = 0; i < TABLE_ENTRIES; i++) {
		uint32_t e = entries[i];

		if (!(e & PTE_P))
			continue;
		if (e & PTE_RW)
			paging_adopt_use(entry_mfn(e), FRAME_WRITABLE);
		else
			frame_record(entry_mfn(e))->refs++;
	}
}

void paging_adopt(struct domain *d, mfn_t directory)
{
	const uint32_t *entries = directory_entry(directory, 0);

	for_each_present(i, entries, GUEST_SLOTS) {
		paging_adopt_use(entry_mfn(entries[i]), FRAME_TABLE);
		adopt_table(entry_mfn(entries[i]));
	}
	paging_adopt_use(directory, FRAME_DIRECTORY);	/* the base's */
	paging_adopt_use(directory, FRAME_DIRECTORY);	/* the pin's */
	frame_record(directory)->pinned = true;
	machine_fill_directory(directory_entry(directory, 0), d->id);
	d->paging.base = directory;
}

/*
 * Empties a directory whose last use is about to go, up to *@budget tables; true when that use can
 * be dropped cheaply. One that it maps linearly is emptied first.
 */
static bool drain(mfn_t directory, unsigned int *budget)
{
	for (uint32_t i = 0; i < GUEST_SLOTS; i++) {
		uint32_t e = *directory_entry(directory, i);
		const struct frame *f = frame_record(entry_mfn(e));

		if (!(e & PTE_P))
			continue;
		if (f->type == FRAME_DIRECTORY && f->uses == 1 && !mfn_equal(entry_mfn(e), directory) &&
		    !drain(entry_mfn(e), budget))
			return false;
		if ((*budget)-- == 0) {
			*budget = 0;
			return false;
		}
		machine_write_entry(directory_entry(directory, i), 0);
		put_directory_entry(directory, e);
	}
	return true;
}

/* Drops one use of a table or directory of the dying; false: the budget ended first. */
static bool drop(mfn_t mfn, unsigned int *budget)
{
	const struct frame *f = frame_record(mfn);

	if (f->type == FRAME_DIRECTORY && f->uses == 1 && !drain(mfn, budget))
		return false;
	frame_put_type(mfn);
	return true;
}

#ifndef LOOKS_A_STEP
#define LOOKS_A_STEP	1024u	/* frames that a step of death looks at for pins */
#endif

/* Where the last step stopped; from the beginning, if that frame has left the list since. */
static uint32_t next_to_look_at(const struct domain *d)
{
	const struct frame *f = frame_record(d->paging.looked);

	return f && f->owner == d->id ? d->paging.looked.n : d->memory.owned.first;
}

bool paging_destroy(struct domain *d)
{
	unsigned int budget = MMU_TABLES_A_CALL, looks = LOOKS_A_STEP;
	uint32_t next;

	if (d->paging.base.n != MFN_NONE.n) {
		if (mfn_equal(machine_loaded_base(), d->paging.base))
			tlb_load_base(MFN_NONE);
		if (!drop(d->paging.base, &budget))
			return false;
		d->paging.base = MFN_NONE;
	}
	for (uint32_t i = next_to_look_at(d); i != UINT32_MAX; i = next) {
		struct frame *f = frame_record(MFN(i));

		d->paging.looked = MFN(i);
		if (looks-- == 0)
			return false;
		next = f->next;
		if (!f->pinned)
			continue;
		if (f->type == FRAME_TABLE && f->uses == 1 && budget-- == 0)
			return false;
		if (!drop(MFN(i), &budget))
			return false;
		f->pinned = false;
	}
	return true;
}

/* ---- the auditor ---- */

static void each_table_hold(mfn_t mfn, frame_see_fn *see)
{
	for (uint32_t i = 0; i < TABLE_ENTRIES; i++) {
		uint32_t e = *table_entry(mfn, i);

		if (e & PTE_P)
			see(entry_mfn(e), e & PTE_RW ? FRAME_WRITABLE : FRAME_NONE);
	}
}

static void each_directory_hold(mfn_t mfn, frame_see_fn *see)
{
	for (uint32_t i = 0; i < GUEST_SLOTS; i++) {
		uint32_t e = *directory_entry(mfn, i);

		if (!(e & PTE_P))
			continue;
		if (mfn_equal(entry_mfn(e), mfn))
			see(mfn, FRAME_NONE);
		else if (frame_record(entry_mfn(e))->type == FRAME_DIRECTORY)
			see(entry_mfn(e), FRAME_DIRECTORY);
		else
			see(entry_mfn(e), FRAME_TABLE);
	}
}

static void each_hold(frame_see_fn *see)
{
	for (uint32_t i = 0; i < machine_frame_count(); i++) {
		if (frame_is(MFN(i), FRAME_TABLE))
			each_table_hold(MFN(i), see);
		else if (frame_is(MFN(i), FRAME_DIRECTORY))
			each_directory_hold(MFN(i), see);
	}
	for (struct domain *d = domain_next(0); d; d = domain_next(d->id + 1u))
		if (d->paging.base.n != MFN_NONE.n)
			see(d->paging.base, FRAME_DIRECTORY);
}

static bool contents_ok(mfn_t mfn)
{
	const struct frame *f = frame_record(mfn);
	bool directory = f->type == FRAME_DIRECTORY;

	for (uint32_t i = 0; i < (directory ? GUEST_SLOTS : TABLE_ENTRIES); i++) {
		uint32_t e = directory ? *directory_entry(mfn, i) : *table_entry(mfn, i);

		if ((e & PTE_P) && (!entry_ok(e) || !frame_record(entry_mfn(e))))
			return false;
	}
	return !directory || machine_directory_ok(directory_entry(mfn, 0), f->owner);
}

bool paging_check(void)
{
	bool ok = true;

	for (uint32_t i = 0; i < machine_frame_count() && ok; i++)
		if ((frame_is(MFN(i), FRAME_TABLE) || frame_is(MFN(i), FRAME_DIRECTORY)) && !contents_ok(MFN(i))) {
			console_printf("paging_check: frame 0x%x: an entry that no guest may have\n", i);
			ok = false;
		}
	return ok;
}

void paging_init(void)
{
	static const struct frame_class table = { validate_table, release_table };
	static const struct frame_class directory = { validate_directory, release_directory };

	frame_register_class(FRAME_TABLE, &table);
	frame_register_class(FRAME_DIRECTORY, &directory);
	frame_register_holder(each_hold);
}
