// SPDX-License-Identifier: MIT
/* host test */
/*
 * A device that takes and answers all that there is and then rests, and a guest whose steps fall between its accesses to the ring, at
 * every place that there is. A script is how many requests there are at first, and the guest's steps; a run is a script with a place
 * for each step: after so many accesses. What each run left is told in a byte.
 */
#include "device.h"

#define STEPS	6u

enum {
	GUEST_REQUEST,		/* writes a request and its index, ... */
	GUEST_LOOK,		/* ... looks whether to kick, */
	GUEST_THRESHOLD,	/* asks to be woken at the next answer, ... */
	GUEST_SLEEP,		/* ... and sleeps if there is none; else reads all that there are */
};
enum { ALL_ANSWERED = 1, NOT_LOST = 2, ALL_WHOLE = 4 };

static struct side *const s = &sides[0];

static struct {
	uint32_t kind[STEPS], place[STEPS], count;
	uint32_t done, accesses;
	uint32_t before;		/* the index before the last request */
	bool kicks, asleep, torn;
} guest;

static void read_answers(void)
{
	uint32_t end = header_of(s)->rsp_prod;

	guest.asleep = s->answers == end;
	while (s->answers != end && !guest.torn) {
		const struct response *r = slot_of(s, s->answers++);
		struct response want = response_to(r->id);

		guest.torn = memcmp(r, &want, sizeof(want)) != 0;
	}
}

static void do_guest_step(uint32_t kind)
{
	switch (kind) {
	case GUEST_REQUEST:
		guest.before = s->made;
		produce(s, s->made);
		return;
	case GUEST_LOOK:
		guest.kicks |= s->made - header_of(s)->req_event < s->made - guest.before;
		return;
	case GUEST_THRESHOLD:
		header_of(s)->rsp_event = s->answers + 1;
		return;
	case GUEST_SLEEP:
		read_answers();
		return;
	}
}

/* All steps whose place has come. */
static void guest_turn(void)
{
	while (guest.done < guest.count && guest.place[guest.done] <= guest.accesses)
		do_guest_step(guest.kind[guest.done++]);
}

static void after_access(void)
{
	guest.accesses++;
	guest_turn();
}

/* The device at a kick, as public/ring.h has it. */
static void work(void)
{
	struct ring *r = ring_of(s);
	struct request q;

	do {
		while (ring_take(r, &q) > 0) {
			struct response answer = response_to(q.id);

			ring_respond(r, &answer, 1);
		}
	} while (ring_more(r));
}

/* A new ring, with nothing in it. */
static void begin_anew(void)
{
	host_args_clear();
	if (ring_of(s) && ring_call(s->g, (struct ring_op){ RING_unregister, RING_VBD, 0, 0, 0, 0 }))
		host_panic("the ring is not released");
	s->page = PFN_DATA;
	memset(header_of(s), 0, PAGE_SIZE);
	if (ring_call(s->g, (struct ring_op){ RING_register, RING_VBD, 0, s->g->mfn[s->page], ports[0], 0 }))
		host_panic("the ring is not registered");
	s->made = s->answers = header_of(s)->rsp_prod;
	header_of(s)->req_prod = s->made;
}

/* All that an earlier run asked for is answered, and nobody sleeps. */
static void begin(uint32_t requests)
{
	if (!ring_of(s) || s->answers != s->made)
		begin_anew();
	header_of(s)->rsp_event = s->answers;
	while (requests-- > 0)
		produce(s, s->made);
	told(s->g);
	guest.done = guest.accesses = 0;
	guest.kicks = guest.asleep = guest.torn = false;
}

/* One run; what it left. */
static uint8_t run_once(uint32_t requests)
{
	bool woken;
	uint8_t left = 0;

	begin(requests);
	guest_turn();
	host_watch(MFN(s->g->mfn[s->page]), after_access);
	work();
	host_watch_end();
	guest.accesses = UINT32_MAX;
	guest_turn();
	if (guest.kicks)
		work();
	woken = told(s->g) & 1;
	if (guest.asleep && !woken)
		left |= header_of(s)->rsp_prod == s->answers ? NOT_LOST : 0;
	else
		left |= NOT_LOST;
	left |= header_of(s)->rsp_prod == s->made ? ALL_ANSWERED : 0;
	read_answers();
	return left | (guest.torn ? 0 : ALL_WHOLE);
}

/* The next places in order, each at least that of the step before; false: these were the last. */
static bool next_places(uint32_t last)
{
	uint32_t i = guest.count;

	while (i > 0 && guest.place[i - 1] == last)
		i--;
	if (i == 0)
		return false;
	guest.place[i - 1]++;
	for (; i < guest.count; i++)
		guest.place[i] = guest.place[i - 1];
	return true;
}

static void run_script(uint32_t key)
{
	static uint8_t left[65536];
	uint32_t requests = input_word(), last = input_word(), n = 0;

	guest.count = input_word();
	for (uint32_t i = 0; i < guest.count; i++) {
		guest.kind[i] = input_word();
		guest.place[i] = 0;
	}
	do
		left[n++] = run_once(requests);
	while (next_places(last) && n < sizeof(left));
	observe_bytes("left runs:bytes", key, left, n);
}

static void run(void)
{
	uint32_t count;

	open_all();
	count = input_word();
	for (uint32_t i = 0; i < count; i++)
		run_script(i);
}
