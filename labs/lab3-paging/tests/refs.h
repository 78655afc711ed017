/* SPDX-License-Identifier: MIT */
/* What the two host tests of exercise 3.1 share: references taken and given back one at a time, as the judge says. */
#ifndef LAB3_REFS_H
#define LAB3_REFS_H

#include "host_steps.h"

enum { REF_GET, REF_PUT, REF_GET_TYPE, REF_PUT_TYPE, REF_GIVE_UP };

static int ask(uint32_t what, struct domain *d, mfn_t mfn)
{
	switch (what) {
	case REF_GET:
		return frame_get(d, mfn);
	case REF_PUT:
		frame_put(mfn);
		return 0;
	case REF_GET_TYPE:
		return frame_get_type(d, mfn, FRAME_WRITABLE);
	case REF_PUT_TYPE:
		frame_put_type(mfn);
		return 0;
	case REF_GIVE_UP:
		frame_pool_give_up(mfn);
		return 0;
	}
	host_panic("no such step");
}

/* Steps of [what, whose, frame]. A page of the pool is mapped nowhere: nothing but its domain's reservation holds it. */
static void run(void)
{
	uint32_t pages = input_word(), count;

	start_host(pages);
	for (uint32_t i = 0; i < pages; i++)
		ask_mapping(own_address(i), 0, UVM_NONE, DOMID_SELF);
	count = input_word();
	for (uint32_t i = 0; i < count; i++) {
		uint32_t what = input_word(), whose = input_word();
		mfn_t mfn = MFN(frame_of(input_word()));
		int answer = ask(what, whose ? g.d : zero.d, mfn);
		const struct frame *f = frame_record(mfn);

		if (f)
			observe("step answer:int refs uses free", i, answer, f->refs, f->uses, nobody(mfn.n));
		else
			observe("absent answer:int", i, answer);
	}
	observe("pool free", 0, frame_pool_free_count());
}

#endif
