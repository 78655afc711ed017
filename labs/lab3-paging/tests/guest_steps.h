/* SPDX-License-Identifier: MIT */
/* steps.h in a guest. */
#ifndef LAB3_GUEST_STEPS_H
#define LAB3_GUEST_STEPS_H

#include "hypercall.h"
#include "lib/string.h"
#include "mini.h"
#include "paging.h"
#include "trap.h"
#include "steps.h"

#define MACHINE_FRAMES	8192u	/* of 32 MiB */

static uint8_t *pool;

/* A frame that is in use and not ours. */
static bool is_foreign(uint32_t mfn)
{
	uint32_t pfn = mfn_pfn(mfn);

	return pfn != ATELIER_NO_PFN && (pfn >= start_info->frames || pfn_mfn(pfn) != mfn);
}

static bool is_void(uint32_t mfn)
{
	return mfn_pfn(mfn) == ATELIER_NO_PFN;
}

/* The @n-th frame that is such a one, from the end of memory. */
static uint32_t nth(bool (*such)(uint32_t mfn), uint32_t n)
{
	for (uint32_t mfn = MACHINE_FRAMES; mfn-- > 0;)
		if (such(mfn) && n-- == 0)
			return mfn;
	panic("no such frame");
}

static uint32_t frame_of(uint32_t name)
{
	uint32_t n = NAME_NUMBER(name);

	switch (NAME_KIND(name)) {
	case NAME_PAGE:
		return page_mfn(pool + n * PAGE_SIZE);
	case NAME_RAW:
		return n;
	case NAME_BOOT:
		return page_mfn((uint8_t *)start_info->directory + n * PAGE_SIZE);
	case NAME_FOREIGN:
		return nth(is_foreign, n);
	case NAME_VOID:
		return nth(is_void, n);
	case NAME_SHARED:
		return page_mfn((const void *)&shared_info);
	}
	panic("no such name");
}

static uint32_t own_address(uint32_t page)
{
	return (uint32_t)pool + page * PAGE_SIZE;
}

static bool access_word(uint32_t va, bool write, uint32_t *value, uint32_t *error)
{
	struct fault fault = write ? try_write(va, *value) : try_read(va, value);

	*error = fault.error;
	if (fault.happened && (fault.vector != TRAP_PAGE_FAULT || fault.address != va))
		*error = 0x80000000 | fault.vector;
	if (fault.happened || write)
		*value = 0;
	return fault.happened;
}

static int ask_updates(const struct mmu_request *list, uint32_t count, uint32_t *done, uint32_t domain)
{
	uint32_t all = 0, some;
	int err;

	do {
		some = 0;
		err = hypercall_mmu_update(list + all, count - all, &some, domain);
		all += some;
	} while (err == -EAGAIN && some > 0);	/* an interrupt was due */
	*done = all;
	return err;
}

enum { ODD_NO_DONE = 1, ODD_BAD_DONE, ODD_AT_HOLE, ODD_HYPERVISOR, ODD_WRAPS };

/* The list as no sound guest would have it: an entry of it, half an entry, or all beyond the guest's memory. */
static int ask_updates_oddly(uint32_t how, const struct mmu_request *list, uint32_t count, uint32_t *done, uint32_t domain)
{
	uint8_t *hole = window_page(WINDOW_PAGES, 0), *last = hole - 2 * sizeof(*list);	/* nothing is behind the windows */

	switch (how) {
	case ODD_NO_DONE:
		return hypercall_mmu_update(list, count, NULL, domain);
	case ODD_BAD_DONE:
		return hypercall_mmu_update(list, count, (uint32_t *)hole, domain);
	case ODD_AT_HOLE:	/* two entries lie before it */
		memcpy(last, list, 2 * sizeof(*list));
		return hypercall_mmu_update((const struct mmu_request *)last, count, done, domain);
	case ODD_HYPERVISOR:
		return hypercall_mmu_update((const struct mmu_request *)ATELIER_LINE, count, done, domain);
	case ODD_WRAPS:
		return hypercall_mmu_update((const struct mmu_request *)0xfffffff8, count, done, domain);
	}
	return hypercall_mmu_update(list, count, done, domain);
}

static int ask_mapping(uint32_t va, uint32_t value, uint32_t flags, uint32_t domain)
{
	return hypercall_update_va_mapping(va, value, flags, domain);
}

static uint32_t boot_entry(uint32_t slot)
{
	return ((const uint32_t *)start_info->directory)[slot];
}

static bool do_host_step(uint32_t step, uint32_t key)
{
	return false;
}

static void run_steps(void)
{
	uint32_t pages = input_word();

	pool = page_alloc_run(pages);
	if (trap_init())
		panic("no trap table");
	observe_frames(pages);
	do_steps();
}

#endif
