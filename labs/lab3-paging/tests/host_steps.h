/* SPDX-License-Identifier: MIT */
/* steps.h on the host: a domain of the pretend machine, and steps that look at what no guest can see. */
#ifndef LAB3_HOST_STEPS_H
#define LAB3_HOST_STEPS_H

#include "frame.h"
#include "host/audit.h"
#include "host/domains.h"
#include "host/program.h"
#include "host/tlb_model.h"
#include "public/hypercall.h"
#include "steps.h"

#define PFN_POOL	(PFN_DATA + 1)

static struct guest zero, g;

static bool nobody(uint32_t mfn)
{
	return frame_record(MFN(mfn))->owner == OWNER_NONE;
}

/* The hypervisor's own, then the free ones. */
static uint32_t void_frame(uint32_t n)
{
	uint32_t mfn = 0;

	if (n == 0)
		return zero.d->slot_frame.n;
	while (mfn < host.frames - 1 && (!nobody(mfn) || --n > 0))
		mfn++;
	return mfn;
}

static uint32_t frame_of(uint32_t name)
{
	uint32_t n = NAME_NUMBER(name);

	switch (NAME_KIND(name)) {
	case NAME_PAGE:
		return g.mfn[PFN_POOL + n];
	case NAME_RAW:
		return n;
	case NAME_BOOT:
		return g.mfn[n == 0 ? PFN_DIRECTORY : PFN_TABLE];
	case NAME_FOREIGN:
		return zero.mfn[n % zero.frames];
	case NAME_VOID:
		return void_frame(n);
	case NAME_SHARED:
		return g.mfn[PFN_SHARED];
	}
	host_panic("no such name");
}

static uint32_t own_address(uint32_t page)
{
	return host_va(PFN_POOL + page);
}

static bool access_word(uint32_t va, bool write, uint32_t *value, uint32_t *error)
{
	bool good = write ? host_store(va, value, sizeof(*value)) : host_load(va, value, sizeof(*value));

	*error = good ? 0 : (write ? 2 : 0) | (host_walk(va, false).n != MFN_NONE.n);
	if (!good || write)
		*value = 0;
	return !good;
}

static int ask_updates(const struct mmu_request *list, uint32_t count, uint32_t *done, uint32_t domain)
{
	uint32_t none = 0, out = ARG(none);
	int answer = CALL(&g, mmu_update, host_arg(list, count * sizeof(*list)), count, out, domain);

	memcpy(done, host_arg_bytes(out), sizeof(*done));
	return answer;
}

static int ask_updates_oddly(uint32_t how, const struct mmu_request *list, uint32_t count, uint32_t *done, uint32_t domain)
{
	host_panic("only a guest can ask so");
}

static int ask_mapping(uint32_t va, uint32_t value, uint32_t flags, uint32_t domain)
{
	return CALL(&g, update_va_mapping, va, value, flags, domain);
}

static uint32_t boot_entry(uint32_t slot)
{
	return ((const uint32_t *)host_frame(g.mfn[PFN_DIRECTORY]))[slot];
}

static uint32_t pool_pages;

/* Of each page: references, uses, valid and pinned; and what the tables themselves say. */
static void observe_counts(uint32_t key)
{
	uint8_t counts[3 * 64];
	const char *wrong = audit_memory();

	for (uint32_t i = 0; i < pool_pages; i++) {
		const struct frame *f = frame_record(MFN(frame_of(i)));

		counts[3 * i] = MIN(f->refs, 255u);
		counts[3 * i + 1] = MIN(f->uses, 255u);
		counts[3 * i + 2] = f->valid | f->pinned << 1;
	}
	observe_bytes("counts bytes:bytes", key, counts, 3 * pool_pages);
	observe_bytes("audit text:bytes", key, wrong ? wrong : "", wrong ? strlen(wrong) : 0);
}

static void do_give_up(uint32_t key)
{
	uint32_t mfn = frame_of(input_word());

	frame_pool_give_up(MFN(mfn));
	observe("given refs free", key, frame_record(MFN(mfn))->refs, nobody(mfn));
}

static void do_stale(uint32_t key)
{
	uint32_t va = read_address(), value = read_entry();

	observe("stale stored", key, tlb_model_store(va, value));
}

static bool do_host_step(uint32_t step, uint32_t key)
{
	switch (step) {
	case STEP_COUNTS:
		observe_counts(key);
		return true;
	case STEP_GIVE_UP:
		do_give_up(key);
		return true;
	case STEP_STALE:
		do_stale(key);
		return true;
	}
	return false;
}

static void start_host(uint32_t pages)
{
	host_start(200);
	zero = host_domain(20);
	g = host_domain(PFN_POOL + pages);
	host_enter(&g);
	pool_pages = pages;
}

static inline void run_steps(void)
{
	start_host(input_word());
	observe_frames(pool_pages);
	do_steps();
}

#endif
