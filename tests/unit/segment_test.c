// SPDX-License-Identifier: MIT
#include "segment.h"
#include <stdlib.h>
#include <string.h>
#include "frame.h"
#include "host/audit.h"
#include "host/domains.h"
#include "host/tlb_model.h"
#include "unit/test.h"

/* The high word's fields, as the manual names them. */
#define PRESENT		0x8000u
#define DPL(n)		((uint32_t)(n) << 13)
#define S		0x1000u
#define CODE_X		0x0a00u		/* readable code */
#define CONFORMING	0x0400u
#define DATA_W		0x0200u
#define DOWN		0x0400u
#define B32		0x400000u
#define G4K		0x800000u

static struct descriptor desc(uint32_t base, uint32_t limit, uint32_t bits)
{
	return (struct descriptor){
		base << 16 | (limit & 0xffff),
		(base & 0xff000000u) | (base >> 16 & 0xff) | (limit & 0xf0000) | bits,
	};
}

static uint32_t limit_in(struct descriptor d)
{
	return (d.low & 0xffff) | (d.high & 0xf0000);
}

#define UP	(PRESENT | S | DATA_W | B32 | DPL(1))
#define CODE	(PRESENT | S | CODE_X | B32 | DPL(1))
#define DN	(PRESENT | S | DATA_W | DOWN | DPL(3))

/* ---- one descriptor ---- */

TEST(a_descriptor_is_accepted_cut_or_refused)
{
	enum { ACCEPT, REFUSE, CUT };
	static const struct { uint32_t base, limit, bits; int answer; uint32_t cut; const char *why; } rows[] = {
		{ 0, 0xfffff, UP | G4K, CUT, 0xfc3ff, "flat, as every system has it" },
		{ 0, 0xfffff, CODE | G4K, CUT, 0xfc3ff, "flat code" },
		{ 0, 0xfc3ff, UP | G4K, ACCEPT, 0, "ends at the fence" },
		{ 0, 0xfc400, UP | G4K, CUT, 0xfc3ff, "a page too long" },
		{ 0x1000, 0xfc3ff, UP | G4K, CUT, 0xfc3fe, "the base moves the end" },
		{ 0x0fff, 0xfffff, UP | G4K, CUT, 0xfc3fe, "rounded inwards" },
		{ 0xfc3ff000, 0, UP | G4K, ACCEPT, 0, "the last page" },
		{ 0xfc3ff000, 1, UP | G4K, CUT, 0, "two pages, the second behind the fence" },
		{ 0xfc3ff001, 0, UP | G4K, REFUSE, 0, "no whole page is left" },
		{ 0xfc400000, 0, UP | G4K, REFUSE, 0, "begins at the fence" },
		{ 0xffffffff, 0, UP, REFUSE, 0, "the last byte of all" },
		{ 0xfc3fffff, 0, UP, ACCEPT, 0, "one byte below the fence" },
		{ 0xfc3fffff, 1, UP, REFUSE, 0, "one byte more" },
		{ 0xfc3f0000, 0xffff, UP, ACCEPT, 0, "ends with the last byte" },
		{ 0xfc3f0001, 0xffff, UP, REFUSE, 0, "one further" },
		{ 0xfff00000, 0xfffff, UP, REFUSE, 0, "bytes, up to the top" },
		{ 0xfff00001, 0xfffff, UP, REFUSE, 0, "over the top and from 0 on" },
		{ 0xfffff000, 0xfffff, UP | G4K, REFUSE, 0, "the same by pages" },
		{ 0, 0xfffff, UP | G4K | DPL(3), CUT, 0xfc3ff, "of ring 3" },
		{ 0, 0xfffff, UP | G4K | DPL(2), CUT, 0xfc3ff, "of ring 2" },
		{ 0, 0, (UP & ~DPL(3)), REFUSE, 0, "of ring 0" },
		{ 0, 0, (CODE & ~DPL(3)) | CONFORMING, REFUSE, 0, "conforming code of ring 0" },
		{ 0, 0, CODE | CONFORMING, ACCEPT, 0, "conforming code of ring 1" },
		{ 0, 0xfffff, CODE | CONFORMING | G4K, CUT, 0xfc3ff, "conforming is not expand-down" },
		{ 0, 0xfffff, 0, ACCEPT, 0, "absent" },
		{ 0xffffffff, 0xfffff, 0x7fff & ~PRESENT, ACCEPT, 0, "absent, whatever else it says" },
		/* Expand-down: offsets above the limit. */
		{ 0, 0xfffff, DN | B32 | G4K, ACCEPT, 0, "empty: nothing above 4 GiB - 1" },
		{ 0, 0xfc3ff, DN | B32 | G4K, REFUSE, 0, "exactly the hypervisor" },
		{ 0, 0, DN | B32 | G4K, REFUSE, 0, "nearly everything" },
		{ 0x10000000, 0xeffff, DN | B32 | G4K, ACCEPT, 0, "the 256 MiB below the base" },
		{ 0x10000000, 0xefffe, DN | B32 | G4K, REFUSE, 0, "a page more: it wraps below 0" },
		{ 0xfc400000, 0xffffe, DN | B32 | G4K, ACCEPT, 0, "ends at the fence" },
		{ 0xfc400001, 0xffffe, DN | B32 | G4K, REFUSE, 0, "a byte behind it" },
		{ 0xfffff000, 0xffffe, DN | B32 | G4K, REFUSE, 0, "up there" },
		{ 0, 0, DN | G4K, ACCEPT, 0, "16-bit: 4 KiB to 64 KiB" },
		{ 0xfc3f0000, 0, DN | G4K, ACCEPT, 0, "16-bit, ends with the last byte below the fence" },
		{ 0xfc3f0001, 0, DN, REFUSE, 0, "16-bit, a byte further" },
		{ 0xffff0000, 0, DN, REFUSE, 0, "16-bit, at the top" },
		{ 0xffff0000, 0xffff, DN, ACCEPT, 0, "16-bit, empty" },
		{ 0xffff0000, 0xfffff, DN | G4K, ACCEPT, 0, "16-bit, empty by pages" },
		{ 0xfffff000, 0xfff, DN, ACCEPT, 0, "16-bit, all of it wraps to 0" },
		{ 0xfffff000, 0xffe, DN, REFUSE, 0, "16-bit, a byte of it does not" },
		{ 0xfffff000, 0xfffff, DN | B32 | G4K, ACCEPT, 0, "empty, up there" },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct descriptor d = desc(rows[i].base, rows[i].limit, rows[i].bits), was = d;

		EXPECT_EQ(segment_fit(&d), rows[i].answer != REFUSE, "row %u: %s", i, rows[i].why);
		if (rows[i].answer == REFUSE)
			continue;
		EXPECT_EQ(limit_in(d), rows[i].answer == CUT ? rows[i].cut : rows[i].limit, "row %u: %s", i, rows[i].why);
		EXPECT_EQ(d.high & ~0xf0000, was.high & ~0xf0000, "row %u: %s", i, rows[i].why);
		EXPECT_EQ(d.low >> 16, was.low >> 16, "row %u: %s", i, rows[i].why);
	}
}

TEST(no_gate_and_no_system_segment_is_accepted_in_any_rings_name)
{
	for (unsigned int type = 0; type < 16; type++)
		for (unsigned int dpl = 0; dpl < 4; dpl++) {
			struct descriptor d = { 0xe0080000, PRESENT | DPL(dpl) | type << 8 };

			EXPECT(!segment_fit(&d), "type %u, ring %u", type, dpl);
		}
}

/* Borders of every field, and random ones between; judged by what the descriptor reaches. */
TEST(what_is_accepted_reaches_no_byte_at_or_above_the_fence)
{
	static const uint32_t limits[] = { 0, 1, 0xfffe, 0xffff, 0x10000, 0xfc3fe, 0xfc3ff, 0xfc400, 0xffffe, 0xfffff };
	static const uint32_t bases[] = {
		0, 1, 0xfff, 0x1000, 0xfc3f0000, 0xfc3fefff, 0xfc3ff000, 0xfc3fffff, 0xfc400000, 0xfc400001,
		0xfffeffff, 0xffff0000, 0xfffff000, 0xffffffff,
	};

	srandom(4);
	for (unsigned int i = 0; i < 400000; i++) {
		uint32_t base = i % 2 ? bases[random() % ARRAY_SIZE(bases)] : (uint32_t)random() << 1;
		uint32_t limit = random() % 2 ? limits[random() % ARRAY_SIZE(limits)] : random() & 0xfffff;
		struct descriptor d = desc(base, limit, (random() & 0xff00) | (random() & 0xf) << 20), was = d;

		if (segment_fit(&d))
			EXPECT(audit_descriptor_ok(d.low, d.high), "0x%08x%08x became 0x%08x%08x", was.high, was.low, d.high, d.low);
		else
			EXPECT(was.low == d.low && was.high == d.high && !audit_descriptor_ok(was.low, was.high),
			       "0x%08x%08x was refused", was.high, was.low);
	}
}

/* ---- the GDT ---- */

#define FRAMES	50u
#define LOOSE	20u	/* frames from here on are mapped nowhere */

static struct guest zero, g;

static void start(void)
{
	host_start(160);
	zero = host_domain(8);
	g = host_domain(FRAMES);
	host_enter(&g);
	for (uint32_t pfn = LOOSE; pfn < FRAMES; pfn++) {
		const struct mmu_request r = { g.mfn[PFN_TABLE] << PAGE_SHIFT | 4 * pfn, 0 };

		CALL(&g, mmu_update, ARG(r), 1, 0, DOMID_SELF);
	}
}

static struct descriptor *frame(uint32_t pfn)
{
	return host_frame(g.mfn[pfn]);
}

static const struct frame *record(uint32_t pfn)
{
	return frame_record(MFN(g.mfn[pfn]));
}

/* @n frames from @first on as the GDT, up to @entries. */
static int set_gdt(uint32_t first, uint32_t entries)
{
	uint32_t list[17];

	for (unsigned int i = 0; i < 17; i++)
		list[i] = g.mfn[first + i];
	return CALL(&g, set_gdt, ARG(list), entries);
}

#define GOOD	desc(0, 0xfffff, UP | G4K)
#define BAD	desc(0, 0, PRESENT | 0x0c00)	/* a call gate */

TEST(a_gdt_is_checked_cut_and_loaded)
{
	start();
	frame(LOOSE)[1] = GOOD;
	frame(LOOSE + 1)[511] = desc(0x1000, 0xffff, CODE);
	EXPECT_EQ(set_gdt(LOOSE, 1024), 0);
	audit_all();
	EXPECT_EQ(record(LOOSE)->type, FRAME_GDT);
	EXPECT_EQ(limit_in(frame(LOOSE)[1]), 0xfc3ff);
	EXPECT_EQ(limit_in(frame(LOOSE + 1)[511]), 0xffff);
	EXPECT(host_descriptor(g.d->id, 1 << 3 | 1) == (uint64_t *)&frame(LOOSE)[1]);
	EXPECT(host_descriptor(g.d->id, 1023 << 3 | 1) == (uint64_t *)&frame(LOOSE + 1)[511]);
	EXPECT(!host_descriptor(g.d->id, 1024 << 3));
}

TEST(the_number_of_entries_says_how_many_frames_there_are)
{
	static const struct { uint32_t entries; unsigned int frames; int error; } rows[] = {
		{ 0, 0, -EINVAL }, { 1, 1, 0 }, { 511, 1, 0 }, { 512, 1, 0 }, { 513, 2, 0 }, { 7168, 14, 0 }, { 7169, 15, 0 },
		{ 8192, 16, 0 }, { 8193, 0, -EINVAL }, { 0x80000001, 0, -EINVAL }, { UINT32_MAX, 0, -EINVAL },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		start();
		EXPECT_EQ(set_gdt(LOOSE, rows[i].entries), rows[i].error, "row %u", i);
		for (unsigned int f = 0; f < 17; f++)
			EXPECT_EQ(record(LOOSE + f)->type == FRAME_GDT, f < rows[i].frames, "row %u, frame %u", i, f);
		audit_all();
	}
}

TEST(a_bad_descriptor_in_any_frame_refuses_the_table_and_the_old_one_stands)
{
	static const uint32_t slots[] = { 0, 1, 255, 511 };

	start();
	EXPECT_EQ(set_gdt(LOOSE + 16, 100), 0);
	for (unsigned int k = 0; k < 14; k++)
		for (unsigned int s = 0; s < ARRAY_SIZE(slots); s++) {
			frame(LOOSE + k)[slots[s]] = BAD;
			EXPECT_EQ(set_gdt(LOOSE, 14 * 512), -EACCES, "frame %u slot %u", k, slots[s]);
			frame(LOOSE + k)[slots[s]] = (struct descriptor){ 0, 0 };
			for (unsigned int f = 0; f < 14; f++)
				EXPECT_EQ(record(LOOSE + f)->refs, 1, "frame %u while %u is bad", f, k);
			EXPECT_EQ(host.slots[g.d->id].gdt[0].n, g.mfn[LOOSE + 16]);
		}
	audit_all();
	EXPECT_EQ(set_gdt(LOOSE, 14 * 512), 0);
	EXPECT_EQ(record(LOOSE + 16)->refs, 1, "the old table is given back");
}

TEST(a_refused_table_is_not_cut_either)
{
	start();
	frame(LOOSE)[3] = GOOD;
	frame(LOOSE + 1)[4] = BAD;
	EXPECT_EQ(set_gdt(LOOSE, 1024), -EACCES);
	EXPECT_EQ(limit_in(frame(LOOSE)[3]), 0xfffff);
	frame(LOOSE)[4] = BAD;
	EXPECT_EQ(set_gdt(LOOSE, 512), -EACCES);
	EXPECT_EQ(limit_in(frame(LOOSE)[3]), 0xfffff);
}

TEST(frames_that_are_not_free_for_it_are_refused)
{
	uint32_t list[3];

	start();
	list[0] = g.mfn[LOOSE];
	list[1] = g.mfn[PFN_DATA];
	EXPECT_EQ(CALL(&g, set_gdt, ARG(list), 1024), -EBUSY, "mapped writable");
	list[1] = g.mfn[PFN_TABLE];
	EXPECT_EQ(CALL(&g, set_gdt, ARG(list), 1024), -EBUSY, "a page table");
	list[1] = zero.mfn[PFN_DATA];
	EXPECT_EQ(CALL(&g, set_gdt, ARG(list), 1024), -EPERM);
	list[1] = 200;
	EXPECT_EQ(CALL(&g, set_gdt, ARG(list), 1024), -EINVAL);
	list[1] = UINT32_MAX;
	EXPECT_EQ(CALL(&g, set_gdt, ARG(list), 1024), -EINVAL);
	list[1] = list[0];
	EXPECT_EQ(CALL(&g, set_gdt, ARG(list), 1024), -EINVAL, "named twice");
	EXPECT_EQ(CALL(&g, set_gdt, 0x1000, 1), -EFAULT);
	EXPECT_EQ(CALL(&g, set_gdt, 0xfbfffffe, 1), -EFAULT);
	EXPECT_EQ(record(LOOSE)->refs, 1);
	audit_all();
}

TEST(the_reserved_slots_are_the_hypervisors_whatever_the_guest_left_there)
{
	start();
	for (unsigned int i = 0; i < 17; i++)
		frame(LOOSE + 14)[i] = frame(LOOSE + 15)[i] = desc(0x1000, 0, UP);
	EXPECT_EQ(set_gdt(LOOSE, 8192), 0);
	audit_all();
	for (unsigned int i = 0; i < GDT_RESERVED_SLOTS; i++) {
		EXPECT_EQ(*(uint64_t *)&frame(LOOSE + 14)[i], machine_gdt_template(14)[i], "slot %u", i);
		EXPECT_EQ(*(uint64_t *)&frame(LOOSE + 15)[i], machine_gdt_template(15)[i], "slot %u", i);
	}
	EXPECT_EQ(frame(LOOSE + 14)[16].high, desc(0x1000, 0, UP).high);
}

TEST(a_frame_that_was_at_a_reserved_place_keeps_nothing_of_the_hypervisors)
{
	uint32_t list[16];

	start();
	EXPECT_EQ(set_gdt(LOOSE, 8192), 0);
	for (unsigned int i = 0; i < 16; i++)
		list[i] = g.mfn[LOOSE + (i + 2) % 16];		/* 14 and 15 become 12 and 13 */
	EXPECT_EQ(CALL(&g, set_gdt, ARG(list), 8192), 0);
	audit_all();
	EXPECT_EQ(set_gdt(LOOSE + 17, 1), 0);
	for (unsigned int f = 0; f < 16; f++)
		for (unsigned int i = 0; i < GDT_RESERVED_SLOTS; i++)
			EXPECT(audit_descriptor_ok(frame(LOOSE + f)[i].low, frame(LOOSE + f)[i].high), "frame %u slot %u", f, i);
	audit_all();
}

static int map(uint32_t pfn, uint32_t bits)
{
	return CALL(&g, update_va_mapping, host_va(pfn), bits ? g.mfn[pfn] << PAGE_SHIFT | bits : 0, UVM_NONE, DOMID_SELF);
}

TEST(a_stale_address_cannot_change_a_descriptor_that_was_checked)
{
	start();
	EXPECT_EQ(map(LOOSE, PTE_P | PTE_RW), 0);
	EXPECT_EQ(map(LOOSE, 0), 0);
	EXPECT(tlb_model_store(host_va(LOOSE), 0));
	EXPECT_EQ(set_gdt(LOOSE, 1), 0);
	EXPECT(!tlb_model_store(host_va(LOOSE) + 12, BAD.high));
	audit_all();
	EXPECT_EQ(map(LOOSE, PTE_P | PTE_RW), -EBUSY);
	EXPECT_EQ(map(LOOSE, PTE_P), 0);
}

/* Another stale store between any two reads: the guest's second processor, as it were. */
static uint32_t storms;

static void store_stale(const char *seam)
{
	storms += tlb_model_store(host_va(LOOSE) + 12, BAD.high);
	tlb_model_store(host_va(LOOSE) + 8, BAD.low);
}

TEST(the_flush_comes_before_the_scan)
{
	int err;

	start();
	EXPECT_EQ(map(LOOSE, PTE_P | PTE_RW), 0);
	EXPECT_EQ(map(LOOSE, 0), 0);
	host.at_seam = store_stale;
	err = set_gdt(LOOSE, 1);
	host.at_seam = NULL;
	EXPECT(storms > 0, "the stale address worked for a while");
	EXPECT_EQ(err, -EACCES);
	audit_all();
}

/* The last moment at which a stale address works. */
static void store_at_the_flush(const char *seam)
{
	if (strcmp(seam, "machine_flush_tlb") == 0)
		store_stale(seam);
}

TEST(what_is_stored_up_to_the_flush_is_judged)
{
	int err;

	start();
	EXPECT_EQ(map(LOOSE, PTE_P | PTE_RW), 0);
	EXPECT_EQ(map(LOOSE, 0), 0);
	EXPECT(tlb_model_store(host_va(LOOSE), 0));
	host.at_seam = store_at_the_flush;
	err = set_gdt(LOOSE, 1);
	host.at_seam = NULL;
	EXPECT(storms > 0, "the stale address worked until then");
	EXPECT_EQ(err, -EACCES);
	audit_all();
}

/* ---- the LDT ---- */

static int set_ldt(uint32_t pfn, uint32_t entries)
{
	return CALL(&g, set_ldt, host_va(pfn), entries);
}

TEST(an_ldt_holds_the_frames_behind_its_addresses)
{
	start();
	frame(LOOSE)[0] = GOOD;
	map(LOOSE, PTE_P);
	map(LOOSE + 1, PTE_P);
	EXPECT_EQ(set_ldt(LOOSE, 600), 0);
	audit_all();
	EXPECT_EQ(record(LOOSE + 1)->type, FRAME_LDT);
	EXPECT_EQ(host.ldt_entries, 600);
	EXPECT(host_descriptor(g.d->id, 4) == (uint64_t *)&frame(LOOSE)[0]);
	EXPECT(host_descriptor(g.d->id, 599 << 3 | 4) == (uint64_t *)&frame(LOOSE + 1)[599 - 512]);
	EXPECT(!host_descriptor(g.d->id, 600 << 3 | 4));
	map(LOOSE, 0);		/* unmapped afterwards: held all the same */
	EXPECT_EQ(record(LOOSE)->type, FRAME_LDT);
	EXPECT_EQ(record(LOOSE)->uses, 1);
	EXPECT_EQ(set_ldt(0, 0), 0);
	EXPECT_EQ(host.ldt_entries, 0);
	EXPECT_EQ(record(LOOSE)->refs, 1);
	audit_all();
}

TEST(an_ldt_that_is_none_is_refused_and_the_old_one_stands)
{
	start();
	map(LOOSE, PTE_P);
	EXPECT_EQ(set_ldt(LOOSE, 512), 0);
	map(LOOSE + 2, PTE_P);
	frame(LOOSE + 2)[9] = BAD;
	EXPECT_EQ(CALL(&g, set_ldt, host_va(LOOSE) + 8, 1), -EINVAL, "not page-aligned");
	EXPECT_EQ(set_ldt(LOOSE, 8193), -EINVAL);
	EXPECT_EQ(set_ldt(LOOSE, UINT32_MAX), -EINVAL);
	EXPECT_EQ(set_ldt(LOOSE, 513), -EFAULT, "a hole in the second page");
	EXPECT_EQ(CALL(&g, set_ldt, 0xfbfff000, 513), -EFAULT, "over the line");
	EXPECT_EQ(CALL(&g, set_ldt, 0xfffff000, 1), -EFAULT);
	EXPECT_EQ(CALL(&g, set_ldt, 0xfc000000, 1), -EFAULT);
	EXPECT_EQ(set_ldt(PFN_DATA, 1), -EBUSY, "mapped writable");
	EXPECT_EQ(set_ldt(LOOSE + 2, 1), -EACCES);
	EXPECT_EQ(host.slots[g.d->id].ldt[0].n, g.mfn[LOOSE]);
	EXPECT_EQ(host.ldt_entries, 512);
	audit_all();
}

TEST(each_domain_has_its_own_ldt)
{
	struct guest other;

	start();
	other = host_domain(8);
	map(LOOSE, PTE_P);
	EXPECT_EQ(set_ldt(LOOSE, 77), 0);
	host_enter(&other);
	EXPECT_EQ(host.ldt_entries, 0);
	EXPECT(!host_descriptor(other.d->id, 4));
	host_enter(&g);
	EXPECT_EQ(host.ldt_entries, 77);
}

TEST(a_page_of_an_ldt_that_is_unmapped_by_domain_0_stays_in_that_ldt_and_no_other_changes)
{
	struct mmu_request unmap = { 0, 0 };

	start();
	map(LOOSE, PTE_P);
	EXPECT_EQ(set_ldt(LOOSE, 77), 0);
	unmap.where = zero.mfn[PFN_TABLE] << PAGE_SHIFT | 4 * PFN_DATA;
	EXPECT_EQ(CALL(&zero, mmu_update, ARG(unmap), 1, 0, DOMID_SELF), 0);
	unmap.value = zero.mfn[PFN_DATA] << PAGE_SHIFT | PTE_P;
	EXPECT_EQ(CALL(&zero, mmu_update, ARG(unmap), 1, 0, DOMID_SELF), 0);
	host_enter(&zero);
	EXPECT_EQ(CALL(&zero, set_ldt, host_va(PFN_DATA), 5), 0);
	unmap = (struct mmu_request){ g.mfn[PFN_TABLE] << PAGE_SHIFT | 4 * LOOSE, 0 };
	EXPECT_EQ(CALL(&zero, mmu_update, ARG(unmap), 1, 0, g.d->id), 0);
	EXPECT_EQ(host.slots[zero.d->id].ldt[0].n, zero.mfn[PFN_DATA]);
	EXPECT_EQ(host.slots[g.d->id].ldt[0].n, g.mfn[LOOSE]);
	EXPECT_EQ(record(LOOSE)->type, FRAME_LDT);
	EXPECT_EQ(record(LOOSE)->uses, 1);
	EXPECT_EQ(host.ldt_entries, 5);
	host_enter(&g);
	EXPECT_EQ(host.ldt_entries, 77);
	audit_all();
}

/* ---- one descriptor ---- */

static int update(uint32_t pfn, uint32_t slot, struct descriptor d)
{
	return CALL(&g, update_descriptor, g.mfn[pfn] << PAGE_SHIFT | 8 * slot, d.low, d.high);
}

TEST(a_descriptor_is_updated_in_a_table_in_use_or_in_plain_memory)
{
	start();
	map(LOOSE + 1, PTE_P);
	EXPECT_EQ(set_gdt(LOOSE, 1), 0);
	EXPECT_EQ(set_ldt(LOOSE + 1, 1), 0);
	for (unsigned int f = 0; f < 3; f++) {
		EXPECT_EQ(update(LOOSE + f, 7, GOOD), 0, "frame %u", f);
		EXPECT_EQ(limit_in(frame(LOOSE + f)[7]), 0xfc3ff, "frame %u", f);
		EXPECT_EQ(update(LOOSE + f, 7, BAD), -EACCES, "frame %u", f);
		EXPECT_EQ(limit_in(frame(LOOSE + f)[7]), 0xfc3ff, "frame %u", f);
		EXPECT_EQ(update(LOOSE + f, 511, (struct descriptor){ 0, 0 }), 0, "frame %u", f);
	}
	audit_all();
}

TEST(nothing_else_is_written_as_a_descriptor)
{
	start();
	EXPECT_EQ(update(PFN_TABLE, 7, GOOD), -EBUSY);
	EXPECT_EQ(update(PFN_DIRECTORY, 7, GOOD), -EBUSY);
	EXPECT_EQ(CALL(&g, update_descriptor, zero.mfn[PFN_DATA] << PAGE_SHIFT, 0, 0), -EPERM);
	EXPECT_EQ(CALL(&g, update_descriptor, 160u << PAGE_SHIFT, 0, 0), -EINVAL);
	EXPECT_EQ(CALL(&g, update_descriptor, 0xfffffff8, 0, 0), -EINVAL);
	for (unsigned int i = 1; i < 8; i++)
		EXPECT_EQ(CALL(&g, update_descriptor, (g.mfn[LOOSE] << PAGE_SHIFT) + i, 0, 0), -EINVAL, "offset %u", i);
}

TEST(a_table_in_use_by_another_domain_is_not_updated)
{
	struct mmu_request unmap;
	uint32_t list[1];

	start();
	unmap = (struct mmu_request){ zero.mfn[PFN_TABLE] << PAGE_SHIFT | 4 * PFN_DATA, 0 };
	EXPECT_EQ(CALL(&zero, mmu_update, ARG(unmap), 1, 0, DOMID_SELF), 0);
	list[0] = zero.mfn[PFN_DATA];
	EXPECT_EQ(CALL(&zero, set_gdt, ARG(list), 512), 0);
	EXPECT_EQ(CALL(&g, update_descriptor, list[0] << PAGE_SHIFT | 8 * 7, GOOD.low, GOOD.high), -EPERM);
	EXPECT_EQ(((struct descriptor *)host_frame(list[0]))[7].high, 0);
	audit_all();
}

TEST(reserved_slots_are_not_updated_through_any_frame)
{
	start();
	EXPECT_EQ(set_gdt(LOOSE, 8192), 0);
	for (unsigned int f = 14; f < 16; f++) {
		EXPECT_EQ(update(LOOSE + f, 0, GOOD), -EPERM, "frame %u", f);
		EXPECT_EQ(update(LOOSE + f, 15, GOOD), -EPERM, "frame %u", f);
		EXPECT_EQ(update(LOOSE + f, 16, GOOD), 0, "frame %u", f);
	}
	EXPECT_EQ(update(LOOSE + 13, 0, GOOD), 0);
	audit_all();
}

/* ---- death ---- */

TEST(death_gives_every_table_frame_back)
{
	uint32_t free_before;

	start();
	free_before = frame_pool_free_count() + FRAMES + 1;
	for (unsigned int i = 17; i < 20; i++)
		map(LOOSE + i, PTE_P);
	EXPECT_EQ(set_gdt(LOOSE, 8192), 0);
	EXPECT_EQ(set_ldt(LOOSE + 17, 3 * 512), 0);
	domain_kill(g.d, SHUTDOWN_crash, 0);
	while (domain_reap())
		audit_all();
	EXPECT_EQ(frame_pool_free_count(), free_before);
	for (unsigned int i = 0; i < 16; i++) {
		EXPECT_EQ(host.slots[g.d->id].gdt[i].n, MFN_NONE.n, "GDT %u", i);
		EXPECT_EQ(host.slots[g.d->id].ldt[i].n, MFN_NONE.n, "LDT %u", i);
	}
}

TEST(a_selector_finds_its_descriptor_only_in_the_guests_part_of_its_tables)
{
	start();
	EXPECT(!segment_find(g.d, 0x8));
	map(LOOSE + 16, PTE_P);
	EXPECT_EQ(set_gdt(LOOSE, 8192), 0);
	EXPECT_EQ(set_ldt(LOOSE + 16, 3), 0);
	EXPECT(!segment_find(g.d, 0), "the null selector");
	EXPECT(!segment_find(g.d, 3));
	EXPECT(segment_find(g.d, 0x8 | 3));
	EXPECT(!segment_find(g.d, ATELIER_RING1_CODE));
	EXPECT(!segment_find(g.d, 0xf079));
	EXPECT(segment_find(g.d, 0xe081));
	EXPECT(segment_find(g.d, 4 | 3), "index 0 of an LDT is one like others");
	EXPECT(segment_find(g.d, 2 << 3 | 4));
	EXPECT(!segment_find(g.d, 3 << 3 | 4));
}

TEST(the_auditor_sees_a_descriptor_that_no_guest_may_have)
{
	start();
	EXPECT_EQ(set_gdt(LOOSE, 1), 0);
	EXPECT(segment_check());
	frame(LOOSE)[5] = BAD;
	EXPECT(!segment_check());
	EXPECT(audit());
}
