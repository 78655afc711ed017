// SPDX-License-Identifier: MIT
/* host test */
/*
 * Batches that try to run another one inside: by saying so, or by another processor that rewrites an entry while it is looked
 * at. The inner list would set DR1, and leave results where none should be.
 */
#include "host/domains.h"
#include "host/program.h"

#define OUTER	host_va(PFN_DATA)	/* the list that is called; its last entries may lie in the next frame */
#define INNER	host_va(PFN_DATA + 2)	/* the list that must not be */

#define CALL_SIZE	4
#define NEVER		UINT32_MAX

static struct {
	uint32_t entry;		/* the call of this one is rewritten ... */
	uint32_t call;		/* ... to this */
	uint32_t reads;		/* of it, so far */
} rewriter;

/* The other processor: the second time that an entry's call is read, it is another one. */
static void rewrite(guest_addr_t src, size_t n)
{
	uint32_t at = OUTER + rewriter.entry * sizeof(struct multicall_entry);

	if (rewriter.entry == NEVER || src.n > at || at + CALL_SIZE > src.n + n)
		return;
	if (++rewriter.reads == 2)
		host_store(at, &rewriter.call, CALL_SIZE);
}

static void put_inner_list(void)
{
	const struct multicall_entry inner[2] = {
		{ .call = HYPERCALL_set_debugreg, .result = 0x5a5a5a5a, .args = { 1, 0x1111 } },
		{ .call = HYPERCALL_version, .result = 0x5a5a5a5a },
	};

	host_store(INNER, inner, sizeof(inner));
}

static bool inner_list_ran(const struct guest *g)
{
	struct multicall_entry inner[2];

	host_load(INNER, inner, sizeof(inner));
	return inner[0].result != 0x5a5a5a5a || inner[1].result != 0x5a5a5a5a || g->d->vcpu.dr[1] != 0;
}

static void do_batch(struct guest *g, uint32_t i)
{
	static uint8_t after[2 * PAGE_SIZE];
	const uint8_t *entries;
	uint32_t size, count;
	int answer;

	rewriter.entry = input_word();
	rewriter.call = input_word();
	rewriter.reads = 0;
	entries = input_bytes(&size);
	count = size / sizeof(struct multicall_entry);
	host_store(OUTER, entries, size);
	put_inner_list();

	answer = CALL(g, multicall, OUTER, count);
	host_load(OUTER, after, size);
	observe("batch answer:int inner", i, answer, inner_list_ran(g));
	observe_bytes("list bytes:bytes", i, after, size);
	CALL(g, set_debugreg, 1, 0);

	/* One that ends as it should, whatever the last one was. */
	rewriter.entry = NEVER;
	host_store(OUTER, (struct multicall_entry[1]){ { .call = HYPERCALL_version } }, sizeof(struct multicall_entry));
	observe("good answer:int", i, CALL(g, multicall, OUTER, 1));
}

static void run(void)
{
	uint32_t batches = input_word();
	struct guest g;

	host_start(64);
	g = host_domain(12);
	host_enter(&g);
	host.before_copy_in = rewrite;
	CALL(&g, set_debugreg, 0, HYPERCALL_multicall);	/* what a get_debugreg(0) inside stores */
	for (uint32_t i = 0; i < batches; i++)
		do_batch(&g, i);
}
