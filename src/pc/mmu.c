// SPDX-License-Identifier: MIT
/*
 * Paging hardware and the hypervisor's own sixteen slots (layout.h).
 *
 * No page of ours is open to ring 3, and none is both writable and executable: there is no NX bit
 * here, but ring 0's code segment ends where the text ends, and text is mapped read-only, which
 * binds ring 0 too (CR0.WP).
 *
 * All entries are written with their accessed and dirty bits set, so that the processor has nothing
 * to store and an entry can be compared with what it should be.
 */
#include "domain.h"
#include "lib/string.h"
#include "paging.h"
#include "pc/io.h"
#include "pc/pc.h"
#include "public/segment.h"

#define ENTRIES		1024u
#define OWN		(PTE_P | PTE_RW | PTE_A | PTE_D)
#define OWN_READONLY	(PTE_P | PTE_A)

#define WINDOW_PAGES_EACH	(ENTRIES / WINDOW_COUNT)
#define SLOT_TABLE_PAGE		512u	/* in SLOT_SHARED: where the per-domain page tables begin */
_Static_assert(MAX_DOMAINS <= SLOT_TABLE_PAGE, "shared pages and page tables share a slot");

#define GDT_PAGES		GDT_FRAMES
#define TEMPLATE_CODE		0	/* template pages: GDT_RESERVED_FRAME ... */
#define TEMPLATE_SYSTEM		1	/* ... and the next one */

typedef uint32_t table_t[ENTRIES] ALIGNED(4096);

extern table_t hypervisor_image_tables[SLOT_IMAGE_COUNT];	/* boot.S */

static table_t m2p_table, m2p_writable_table, domain_table, window_table, shared_table, device_table;
static table_t frame_tables[SLOT_FRAMES_COUNT];
static uint64_t gdt_templates[2][PAGE_SIZE / 8] ALIGNED(4096);
static char empty_page[PAGE_SIZE] ALIGNED(4096);

static struct {
	mfn_t base;				/* MFN_NONE: our own */
	uint32_t domain_entry[MAX_DOMAINS];	/* each slot's SLOT_DOMAIN */
	unsigned int device_pages;
} mmu;

static char *slot_address(unsigned int slot)
{
	return (char *)(slot << 22);
}

static uint32_t *m2p_address(unsigned int slot)
{
	return (uint32_t *)slot_address(slot);
}

static uint32_t entry_of(const void *image_page, uint32_t flags)
{
	return image_real(image_page) | flags;
}

/* ---- start ---- */

/*
 * What boot.S mapped: less, and not all of it writable. What lies behind the image is guests'
 * memory.
 */
static void protect_image(void)
{
	uint32_t *table = &hypervisor_image_tables[0][0];

	for (uint32_t i = 0; i < SLOT_IMAGE_COUNT * ENTRIES; i++) {
		uint32_t va = IMAGE_BASE + i * PAGE_SIZE;

		if (va < (uint32_t)image_start || va >= (uint32_t)image_end || va == (uint32_t)stack_guard)
			table[i] = 0;
		else if (va < (uint32_t)rodata_end)
			table[i] = i << PAGE_SHIFT | OWN_READONLY;
	}
}

static uint64_t descriptor(uint32_t base, uint32_t limit, uint32_t access, uint32_t flags)
{
	uint32_t low = base << 16 | (limit & 0xffff);
	uint32_t high = (base & 0xff000000) | flags << 20 | (limit & 0xf0000) | access << 8 | (base >> 16 & 0xff);

	return (uint64_t)high << 32 | low;
}

/* Pages from 0 up to, not including, @end; flags: 32 bits, in pages (SDM 3A, 3.4.5). */
static uint64_t flat(uint32_t end, uint32_t access)
{
	return descriptor(0, (end >> PAGE_SHIFT) - 1, access, 0xc);
}

static void set_template(unsigned int selector, uint64_t value)
{
	unsigned int index = selector / 8 - GDT_RESERVED_FRAME * GDT_ENTRIES_A_FRAME;

	gdt_templates[index / GDT_ENTRIES_A_FRAME][index % GDT_ENTRIES_A_FRAME] = value;
}

static void fill_templates(void)
{
	set_template(SELECTOR_CODE, flat((uint32_t)text_end, 0x9b));
	set_template(SELECTOR_DATA, descriptor(0, 0xfffff, 0x93, 0xc));
	set_template(ATELIER_RING1_CODE, flat(ATELIER_FENCE, 0xbb));
	set_template(ATELIER_RING1_DATA, flat(ATELIER_FENCE, 0xb3));
	set_template(ATELIER_RING3_CODE, flat(ATELIER_FENCE, 0xfb));
	set_template(ATELIER_RING3_DATA, flat(ATELIER_FENCE, 0xf3));
}

/*
 * Windows of nobody: empty but for the reserved slots. The processor writes into those of the
 * second page.
 */
static void fill_domain_table(uint32_t *table)
{
	memset(table, 0, PAGE_SIZE);
	for (unsigned int i = 0; i < 2 * GDT_PAGES; i++)
		table[i] = entry_of(empty_page, OWN_READONLY);
	table[GDT_RESERVED_FRAME] = entry_of(gdt_templates[TEMPLATE_CODE], OWN_READONLY);
	table[GDT_RESERVED_FRAME + 1] = entry_of(gdt_templates[TEMPLATE_SYSTEM], OWN);
}

void mmu_init(void)
{
	uint32_t *slots = hypervisor_directory;

	fill_templates();
	fill_domain_table(domain_table);
	protect_image();
	slots[SLOT_M2P] = entry_of(m2p_table, OWN_READONLY);
	for (unsigned int i = 0; i < SLOT_IMAGE_COUNT; i++)
		slots[SLOT_IMAGE + i] = entry_of(hypervisor_image_tables[i], OWN);
	for (unsigned int i = 0; i < SLOT_FRAMES_COUNT; i++)
		slots[SLOT_FRAMES + i] = entry_of(frame_tables[i], OWN);
	slots[SLOT_M2P_WRITABLE] = entry_of(m2p_writable_table, OWN);
	slots[SLOT_DOMAIN] = entry_of(domain_table, OWN);
	slots[SLOT_WINDOWS] = entry_of(window_table, OWN);
	slots[SLOT_SHARED] = entry_of(shared_table, OWN);
	slots[SLOT_DEVICES] = entry_of(device_table, OWN);
	slots[0] = 0;				/* boot.S ran there */
	machine_load_base(MFN_NONE);
}

void mmu_init_m2p(void)
{
	uint32_t pages = DIV_ROUND_UP(machine_frame_count() * sizeof(uint32_t), PAGE_SIZE);

	for (uint32_t i = 0; i < pages; i++) {
		mfn_t mfn = memory_take();

		m2p_table[i] = mfn.n << PAGE_SHIFT | OWN_READONLY;
		m2p_writable_table[i] = mfn.n << PAGE_SHIFT | OWN;
	}
	memset(m2p_address(SLOT_M2P_WRITABLE), 0xff, pages * PAGE_SIZE);	/* ATELIER_NO_PFN */
}

void *machine_frame_table(size_t size)
{
	uint32_t pages = DIV_ROUND_UP(machine_frame_count() * size, PAGE_SIZE);
	uint32_t *table = &frame_tables[0][0];

	if (pages > SLOT_FRAMES_COUNT * ENTRIES)
		unsuitable("the frame table does not fit into its %u MiB", SLOT_FRAMES_COUNT * 4);
	for (uint32_t i = 0; i < pages; i++)
		table[i] = memory_take().n << PAGE_SHIFT | OWN;
	return slot_address(SLOT_FRAMES);
}

void *mmu_map_device(uint32_t real, unsigned int pages)
{
	char *va = slot_address(SLOT_DEVICES) + mmu.device_pages * PAGE_SIZE;

	for (unsigned int i = 0; i < pages; i++)
		device_table[mmu.device_pages++] = (real + i * PAGE_SIZE) | OWN | PTE_PCD;
	return va;
}

void mmu_set_tss(unsigned int selector, const void *tss, uint32_t size)
{
	set_template(selector, descriptor((uintptr_t)tss, size - 1, 0x89, 0));
}

/* ---- mappings ---- */

/* A page of a window holds every 256th frame: one that is still there costs nothing. */
void *machine_map_frame(mfn_t mfn, enum machine_window window)
{
	unsigned int i = window * WINDOW_PAGES_EACH + mfn.n % WINDOW_PAGES_EACH;
	char *va = slot_address(SLOT_WINDOWS) + i * PAGE_SIZE;
	uint32_t entry = mfn.n << PAGE_SHIFT | OWN;

	if (window_table[i] != entry) {
		window_table[i] = entry;
		invlpg(va);
	}
	return va;
}

void machine_write_entry(uint32_t *entry, uint32_t value)
{
	*(volatile uint32_t *)entry = value;
}

static uint32_t own_entry(unsigned int index, unsigned int slot)
{
	return index == SLOT_DOMAIN ? mmu.domain_entry[slot] : hypervisor_directory[index];
}

void machine_fill_directory(uint32_t *directory, unsigned int slot)
{
	for (unsigned int i = ATELIER_SLOT; i < ENTRIES; i++)
		directory[i] = own_entry(i, slot);
}

bool machine_directory_ok(const uint32_t *directory, unsigned int slot)
{
	for (unsigned int i = ATELIER_SLOT; i < ENTRIES; i++)
		if (directory[i] != own_entry(i, slot))
			return false;
	return true;
}

void machine_load_base(mfn_t directory)
{
	mmu.base = directory;
	if (mfn_equal(directory, MFN_NONE))
		load_cr3(image_real(hypervisor_directory));
	else
		load_cr3(directory.n << PAGE_SHIFT);
}

mfn_t machine_loaded_base(void)
{
	return mmu.base;
}

void machine_flush_tlb(void)
{
	machine_load_base(mmu.base);
}

void machine_flush_page(guest_addr_t va)
{
	invlpg((const void *)va.n);
}

void machine_m2p_set(mfn_t mfn, uint32_t pfn)
{
	m2p_address(SLOT_M2P_WRITABLE)[mfn.n] = pfn;
}

void machine_m2p_fill(const uint32_t *mfns, uint32_t count, uint32_t pfn)
{
	for (uint32_t i = 0; i < count; i++)
		m2p_address(SLOT_M2P_WRITABLE)[mfns[i]] = pfn + i;
}

uint32_t machine_m2p_get(mfn_t mfn)
{
	return m2p_address(SLOT_M2P_WRITABLE)[mfn.n];
}

/* ---- what each domain has of it ---- */

static void *map_shared_page(unsigned int page, mfn_t mfn)
{
	char *va = slot_address(SLOT_SHARED) + page * PAGE_SIZE;

	shared_table[page] = mfn.n << PAGE_SHIFT | OWN;
	invlpg(va);
	return va;
}

struct shared_info *machine_map_shared(unsigned int slot, mfn_t mfn)
{
	return map_shared_page(slot, mfn);
}

static uint32_t *slot_table(unsigned int slot)
{
	return (uint32_t *)slot_address(SLOT_SHARED) + (SLOT_TABLE_PAGE + slot) * ENTRIES;
}

void machine_slot_open(unsigned int slot, mfn_t frame)
{
	mmu.domain_entry[slot] = frame.n << PAGE_SHIFT | OWN;
	fill_domain_table(map_shared_page(SLOT_TABLE_PAGE + slot, frame));
}

/*
 * The processor sets accessed bits in descriptors: so a guest's frame is mapped writable, for ring
 * 0.
 */
static void map_window(unsigned int slot, unsigned int page, uint32_t entry)
{
	slot_table(slot)[page] = entry;
	invlpg((const void *)(GDT_WINDOW + page * PAGE_SIZE));
}

void machine_map_gdt(unsigned int slot, unsigned int index, mfn_t frame)
{
	map_window(slot, index, mfn_equal(frame, MFN_NONE) ? domain_table[index] : frame.n << PAGE_SHIFT | OWN);
}

void machine_map_ldt(unsigned int slot, unsigned int index, mfn_t frame)
{
	machine_map_gdt(slot, GDT_PAGES + index, frame);
}

void machine_load_ldt(unsigned int entries)
{
	uint16_t selector = entries > 0 ? SELECTOR_LDT : 0;

	if (entries > 0)
		*(volatile uint64_t *)(GDT_WINDOW + SELECTOR_LDT) =
			descriptor(LDT_WINDOW, entries * 8 - 1, 0x82, 0);
	asm volatile("lldt %0" : : "r" (selector) : "memory");
}

const uint64_t *machine_gdt_template(unsigned int index)
{
	return gdt_templates[index - GDT_RESERVED_FRAME];
}
