// SPDX-License-Identifier: MIT
/*
 * Asks for every frame number of the machine, and many beyond: to read it, to write it, and those that are not its own as a table
 * and as its address space. There are many calls, which go in multicalls. Answers go one bit a number.
 */
#include "hypercall.h"
#include "lib/string.h"
#include "mini.h"
#include "paging.h"

#define ARENA	0x40000000u
#define MOST	(1u << 17)
#define BATCH	128u

static uint8_t readable[MOST / 8], writable[MOST / 8], pinned[MOST / 8];

static struct {
	struct multicall_entry entries[BATCH];
	struct mmu_request requests[BATCH];
	struct {
		uint8_t *bits;		/* NULL: nobody wants to know the answer */
		uint32_t mfn;
	} about[BATCH];
	uint32_t count;
} batch;

static void send_batch(void)
{
	for (uint32_t done = 0; done < batch.count;) {
		int32_t some = hypercall_multicall(batch.entries + done, batch.count - done);

		if (some <= 0)
			panic("a multicall: %d", some);
		done += some;
	}
	for (uint32_t i = 0; i < batch.count; i++)
		if (batch.about[i].bits && batch.entries[i].result == 0)
			batch.about[i].bits[batch.about[i].mfn / 8] |= 1 << batch.about[i].mfn % 8;
	batch.count = 0;
}

static void add(uint8_t *bits, uint32_t mfn, uint32_t call, uint32_t a, uint32_t b, uint32_t c)
{
	struct multicall_entry *entry = &batch.entries[batch.count];

	batch.about[batch.count].bits = bits;
	batch.about[batch.count].mfn = mfn;
	entry->call = call;
	entry->args[0] = a;
	entry->args[1] = b;
	entry->args[2] = c;
	entry->args[3] = DOMID_SELF;
	if (++batch.count == BATCH)
		send_batch();
}

static void add_map(uint8_t *bits, uint32_t mfn, uint32_t entry)
{
	add(bits, mfn, HYPERCALL_update_va_mapping, ARENA, entry, UVM_INVLPG);
}

static void add_command(uint32_t mfn, uint32_t code)
{
	struct mmu_request *r = &batch.requests[batch.count];

	*r = (struct mmu_request){ mfn * PAGE_SIZE | MMU_COMMAND, code };
	add(pinned, mfn, HYPERCALL_mmu_update, (uint32_t)r, 1, 0);
}

static uint32_t machine_frames;		/* the M2P has a word for each of these */

static bool is_own(uint32_t mfn)
{
	uint32_t pfn = mfn < machine_frames ? mfn_pfn(mfn) : ATELIER_NO_PFN;

	return pfn < start_info->frames && pfn_mfn(pfn) == mfn;
}

/* Of the machine's own numbers all commands, of those beyond one in 16 for each. */
static void try_frame(uint32_t mfn)
{
	static const uint32_t commands[] = { MMU_PIN_TABLE, MMU_PIN_DIRECTORY, MMU_NEW_BASE };

	add_map(readable, mfn, mfn * PAGE_SIZE | PTE_P);
	add_map(writable, mfn, mfn * PAGE_SIZE | PTE_P | PTE_RW);
	if (is_own(mfn)) {
		add_map(NULL, mfn, 0);		/* what the next one is refused would leave it in place */
		return;
	}
	for (uint32_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (mfn < machine_frames || mfn % 16 == i)
			add_command(mfn, commands[i]);
}

int test_main(const struct start_info *start)
{
	uint32_t *directory = (uint32_t *)start->directory, count = input_word();

	machine_frames = input_word();
	if (count > MOST || table_add(directory, ARENA))
		panic("no page table");
	for (uint32_t mfn = 0; mfn < count; mfn++)
		try_frame(mfn);
	send_batch();
	observe_bytes("readable bits:bytes", 0, readable, count / 8);
	observe_bytes("writable bits:bytes", 0, writable, count / 8);
	observe_bytes("pinned bits:bytes", 0, pinned, count / 8);
	observe_bytes("own frames:bytes", 0, (const void *)start->p2m, 4 * start->frames);
	observe("tables first count", 0, page_pfn(directory), start->tables);
	observe("arena mfn", 0, directory[ARENA >> 22] >> PAGE_SHIFT);
	return 0;
}
