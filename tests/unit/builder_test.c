// SPDX-License-Identifier: MIT
#include "builder.h"
#include <string.h>
#include "frame.h"
#include "host/audit.h"
#include "host/domains.h"
#include "host/image.h"
#include "start.h"
#include "unit/test.h"

#define FRAMES	40u		/* of the domain */
#define INITRD	10u		/* the initrd's first frame; the image lies at 1 */

static struct image *image;
static struct build build;
static struct domain *d;

static void fresh(void)
{
	host_setup(200);
	for (uint32_t i = 0; i < 200; i++)
		memset(host_frame(i), 0xee, PAGE_SIZE);
	build = (struct build){ image_make(1, &image), { 0 }, "a=b", FRAMES, NULL };
	for (uint32_t i = INITRD; i < INITRD + 2; i++)
		host.usable[i] = false;
	start_subsystems();
	d = domain_open("x", FRAMES);
}

static const char *run(void)
{
	return builder_build(d, &build);
}

/* The frame that the domain's base maps at pseudo-physical @pfn. */
static uint32_t mfn_of(uint32_t pfn)
{
	return host_walk(IMAGE_VA + pfn * PAGE_SIZE, false).n;
}

static void load(void)
{
	host.base = d->paging.base;
}

static const struct start_info *info(void)
{
	return host_frame(host_walk(d->vcpu.regs.esi, false).n);
}

TEST(a_sound_image_becomes_a_domain_that_can_run)
{
	const struct start_info *s;
	const uint32_t *p2m;

	fresh();
	EXPECT(!run());
	audit_all();
	load();
	EXPECT_EQ(d->vcpu.regs.eip, IMAGE_VA + 0x10);
	s = info();
	EXPECT_EQ(s->magic, START_MAGIC);
	EXPECT_EQ(s->interface, ATELIER_INTERFACE);
	EXPECT_EQ(s->flags, START_PRIVILEGED);
	EXPECT_EQ(s->frames, FRAMES);
	EXPECT_EQ(s->mapped_frames, FRAMES);
	EXPECT_EQ(s->virt_base, IMAGE_VA);
	EXPECT_EQ(s->first_used, 3);
	EXPECT_EQ(s->initrd, 0);
	EXPECT_EQ(s->windows, 0);
	EXPECT_TEXT(s->cmdline, "a=b");
	p2m = host_frame(host_walk(s->p2m, false).n);
	for (uint32_t pfn = 0; pfn < FRAMES; pfn++) {
		EXPECT_EQ(p2m[pfn], mfn_of(pfn), "frame %u", pfn);
		EXPECT_EQ(machine_m2p_get(MFN(p2m[pfn])), pfn, "frame %u", pfn);
	}
	EXPECT(d->shared == host_frame(mfn_of(2)));
	EXPECT_EQ(d->shared->upcall_mask, 1);
}

TEST(random_bytes_come_with_a_flag_behind_the_command_line_if_there_are_any)
{
	static const uint8_t seed[START_SEED] = { 1, [START_SEED - 1] = 0xff }, none[START_SEED];

	fresh();
	build.seed = seed;
	EXPECT(!run());
	load();
	EXPECT_EQ(info()->flags, START_PRIVILEGED | START_SEEDED);
	EXPECT(memcmp(info()->seed, seed, START_SEED) == 0);
	EXPECT_TEXT(info()->cmdline, "a=b");

	fresh();
	EXPECT(!run());
	load();
	EXPECT_EQ(info()->flags, START_PRIVILEGED);
	EXPECT(memcmp(info()->seed, none, START_SEED) == 0);
}

TEST(the_images_bytes_are_loaded_and_the_rest_of_its_memory_is_zero)
{
	fresh();
	image->note.shared = IMAGE_VA;		/* so that page 2 stays as it was loaded */
	EXPECT(!run());
	load();
	for (uint32_t i = PAGE_SIZE; i < 9000; i++) {
		uint8_t byte = ((uint8_t *)host_frame(mfn_of(i / PAGE_SIZE)))[i % PAGE_SIZE];

		EXPECT_EQ(byte, i < 5000 ? i % 251 + 1 : 0, "byte %u", i);
	}
}

TEST(tables_are_mapped_read_only_and_everything_else_writable)
{
	const struct start_info *s;

	fresh();
	EXPECT(!run());
	load();
	s = info();
	for (uint32_t pfn = 0; pfn < FRAMES; pfn++) {
		uint32_t first = (s->directory - IMAGE_VA) / PAGE_SIZE;
		bool table = pfn >= first && pfn < first + s->tables;

		EXPECT_EQ(host_walk(IMAGE_VA + pfn * PAGE_SIZE, true).n == MFN_NONE.n, table, "frame %u", pfn);
	}
	EXPECT_EQ(host_walk(s->directory, false).n, d->paging.base.n);
}

TEST(the_initrd_lies_where_the_start_info_says)
{
	const struct start_info *s;

	fresh();
	build.initrd = (struct machine_module){ INITRD << PAGE_SHIFT, PAGE_SIZE + 10, "initrd" };
	memset(host_frame(INITRD), 0x77, PAGE_SIZE);
	memset(host_frame(INITRD + 1), 0x78, 10);
	EXPECT(!run());
	load();
	s = info();
	EXPECT_EQ(s->initrd, IMAGE_VA + 3 * PAGE_SIZE);
	EXPECT_EQ(s->initrd_size, PAGE_SIZE + 10);
	EXPECT_EQ(*(uint8_t *)host_frame(mfn_of(3)), 0x77);
	EXPECT_EQ(((uint8_t *)host_frame(mfn_of(4)))[9], 0x78);
}

TEST(the_four_windows_are_made_if_the_note_asks_for_them)
{
	uint32_t at;

	fresh();
	image->note.flags = IMAGE_WINDOWS;
	EXPECT(!run());
	audit_all();
	load();
	at = info()->windows;
	EXPECT_EQ(at, IMAGE_VA - (4u << 20));
	for (uint32_t page = 0; page < WINDOW_PAGES; page++) {
		uint32_t va = at + page * PAGE_SIZE, kind = page & ~3u;

		EXPECT_EQ(host_walk(va, false).n == MFN_NONE.n, kind == WINDOW_HOLE, "page %u", page);
		EXPECT_EQ(host_walk(va, true).n != MFN_NONE.n, kind == WINDOW_WRITABLE || kind == WINDOW_USER, "page %u", page);
		if (kind == WINDOW_READONLY)
			EXPECT_EQ(((uint8_t *)host_frame(host_walk(va, false).n))[300], 300 % 256, "page %u", page);
	}
	for (uint32_t pfn = 0; pfn < FRAMES; pfn++)	/* a read-only page is writable nowhere */
		for (uint32_t page = WINDOW_READONLY; page < WINDOW_HOLE; page++)
			if (mfn_of(pfn) == host_walk(at + page * PAGE_SIZE, false).n)
				EXPECT_EQ(host_walk(IMAGE_VA + pfn * PAGE_SIZE, true).n, MFN_NONE.n, "frame %u", pfn);
}

/* ---- images that are none ---- */

static void spoil(unsigned int what)
{
	switch (what) {
	case 0:
		build.image.size = 51;
		break;
	case 1:
		build.image.size = 0;
		break;
	case 2:
		image->ident[0] = 0;
		break;
	case 3:
		image->ident[4] = 2;
		break; /* 64-bit */
	case 4:
		image->ident[5] = 2;
		break; /* big-endian */
	case 5:
		image->type = 3;
		break;
	case 6:
		image->machine = 62;
		break;
	case 7:
		image->phnum = 0;
		break;
	case 8:
		image->phnum = 17;
		break;
	case 9:
		image->phnum = UINT16_MAX;
		break;
	case 10:
		image->phoff = UINT32_MAX;
		break;
	case 11:
		image->phoff = build.image.size - 63;
		break;
	case 12:
		image->phentsize = 33;
		break;
	case 13:
		image->load.offset = UINT32_MAX;
		break;
	case 14:
		image->load.offset = 4097;
		break; /* a byte beyond the file */
	case 15:
		image->load.filesz = UINT32_MAX;
		break;
	case 16:
		build.image.size = IMAGE_FRAMES * PAGE_SIZE;
		image->load.filesz = (IMAGE_FRAMES - 1) * PAGE_SIZE; /* all there, and more than in memory */
		break;
	case 17:
		image->load.memsz = FRAMES * PAGE_SIZE + 1;
		break;
	case 18:
		image->load.memsz = UINT32_MAX;
		break;
	case 19:
		image->load.paddr = FRAMES * PAGE_SIZE;
		break;
	case 20:
		image->load.paddr = UINT32_MAX;
		break;
	case 21:
		image->load.paddr = UINT32_MAX - 4096;
		break; /* the end wraps */
	case 22:
		image->load.type = 2;
		break; /* nothing to load */
	case 23:
		image->notes.type = 0;
		break;
	case 24:
		image->notes.offset = UINT32_MAX;
		break;
	case 25:
		image->notes.filesz = 20;
		break;
	case 26:
		image->note_name = 7;
		break;
	case 27:
		image->note_name = UINT32_MAX;
		break;
	case 28:
		image->note_desc = UINT32_MAX - 3;
		break;
	case 29:
		image->note_desc = 16;
		break;
	case 30:
		image->note_type = 2;
		break;
	case 31:
		image->name[7] = 'x';
		break;
	case 32:
		image->note.interface++;
		break;
	case 33:
		image->note.flags = 2;
		break;
	case 34:
		image->note.virt_base = IMAGE_VA + PAGE_SIZE;
		break;
	case 35:
		image->note.virt_base = 4u << 20;
		break;
	case 36:
		image->note.virt_base = 0;
		break;
	case 37:
		image->note.virt_base = 0xfc000000;
		break;
	case 38:
		image->note.shared = IMAGE_VA + 1;
		break;
	case 39:
		image->note.shared = IMAGE_VA - PAGE_SIZE;
		break;
	case 40:
		image->note.shared = IMAGE_VA + 3 * PAGE_SIZE;
		break;
	case 41:
		image->note.entry = IMAGE_VA - 1;
		break;
	case 42:
		image->note.entry = IMAGE_VA + 3 * PAGE_SIZE;
		break;
	case 43:
		image->note.entry = UINT32_MAX;
		break;
	case 44:
		build.frames = 3;
		break; /* the image alone */
	case 45:
		build.frames = 7;
		break; /* no room for the tables */
	case 46:
		build.initrd = (struct machine_module){ INITRD << PAGE_SHIFT, 38 * PAGE_SIZE, "initrd" };
		break;
	case 47:
		build.initrd = (struct machine_module){ INITRD << PAGE_SHIFT, UINT32_MAX, "initrd" };
		break;
	case 48:
		build.frames = 0;
		break;
	case 49:
		image->note.virt_base = 0xfbc00000;
		image->note.entry = image->note.shared = 0xfbc00000;
		image->load.memsz = 0x500000;
		build.frames = 2000;
		break;
	}
}
#define SPOILS	50u

TEST(an_image_that_is_none_is_refused_in_a_line_and_costs_nothing)
{
	for (unsigned int i = 0; i < SPOILS; i++) {
		uint32_t free_before;
		const char *wrong;

		fresh();
		EXPECT(!run());		/* what the builder remembers is sound, and the last one's */
		fresh();
		free_before = frame_pool_free_count();
		spoil(i);
		wrong = run();
		EXPECT(wrong && !strchr(wrong, '\n'), "%u", i);
		EXPECT_EQ(frame_pool_free_count(), free_before, "%u", i);
		audit_all();
	}
}

TEST(memory_that_runs_out_at_any_frame_is_an_error_and_all_comes_back)
{
	for (uint32_t k = 0; k < FRAMES; k++) {
		uint32_t free_before;
		struct domain *other;

		fresh();
		free_before = frame_pool_free_count();
		other = domain_open("y", FRAMES);
		host_fail_allocations_after(k);
		EXPECT(builder_build(other, &build), "frame %u", k);
		host_fail_allocations_after(UINT32_MAX);
		audit_all();
		domain_kill(other, SHUTDOWN_crash, 0);
		while (domain_reap())
			audit_all();
		EXPECT_EQ(frame_pool_free_count(), free_before, "frame %u", k);
	}
}
