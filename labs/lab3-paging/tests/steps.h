/* SPDX-License-Identifier: MIT */
/*
 * What most tests of lab 3 share: a guest that does, step by step, what its judge says, and writes down what each step answered.
 * The judge knows what is right: lab3_model.py follows the same steps by the rules of public/paging.h.
 *
 * The judge cannot know frame numbers, so it names frames: the kind in the upper four bits, a number below. An entry is two
 * words: the name of a frame, and its lower twelve bits.
 *
 * Who includes this says before how such things are done: guest_steps.h for a guest, host_steps.h on the host.
 */
#ifndef LAB3_STEPS_H
#define LAB3_STEPS_H

enum { NAME_PAGE, NAME_RAW, NAME_BOOT, NAME_FOREIGN, NAME_VOID, NAME_SHARED };
#define NAME_KIND(name)		((name) >> 28)
#define NAME_NUMBER(name)	((name) & 0xfffffff)

enum {
	STEP_END, STEP_STORE, STEP_CALL, STEP_MAP, STEP_TOUCH, STEP_CLONE, STEP_CLEAR, STEP_SWEEP, STEP_COMPARE,
	/* on the host alone: */
	STEP_COUNTS, STEP_GIVE_UP, STEP_STALE,
};

/* An address as it is; the own address of a page; the M2P's word of a page. */
enum { VA_RAW, VA_OWN, VA_M2P };

#define REQUESTS	64

/* What the environment does. */
static uint32_t frame_of(uint32_t name);
static uint32_t own_address(uint32_t page);
static bool access_word(uint32_t va, bool write, uint32_t *value, uint32_t *error);	/* true: it faulted */
static int ask_updates(const struct mmu_request *list, uint32_t count, uint32_t *done, uint32_t domain);
static int ask_updates_oddly(uint32_t how, const struct mmu_request *list, uint32_t count, uint32_t *done, uint32_t domain);
static int ask_mapping(uint32_t va, uint32_t value, uint32_t flags, uint32_t domain);
static uint32_t boot_entry(uint32_t slot);
static bool do_host_step(uint32_t step, uint32_t key);

static uint32_t read_entry(void)
{
	uint32_t frame = frame_of(input_word());

	return frame << 12 | input_word();
}

static uint32_t read_address(void)
{
	uint32_t kind = input_word(), at = input_word();

	if (kind == VA_M2P)
		return ATELIER_M2P + 4 * frame_of(at);
	return kind == VA_OWN ? own_address(at) : at;
}

static uint32_t word_address(uint32_t page, uint32_t i)
{
	return own_address(page) + 4 * i;
}

static void do_store(uint32_t key)
{
	uint32_t page = input_word(), i = input_word(), value = read_entry(), error = 0;
	bool fault = access_word(word_address(page, i), true, &value, &error);

	observe("store fault error", key, fault, error);
}

static void do_call(uint32_t key)
{
	static struct mmu_request list[REQUESTS];
	uint32_t count = input_word(), more, how, domain, done = 0xdddd;
	int answer;

	for (uint32_t i = 0; i < count; i++) {
		list[i].where = read_entry();
		list[i].value = read_entry();
	}
	more = input_word();
	how = input_word();
	domain = input_word();
	if (how || more)
		answer = ask_updates_oddly(how, list, count + more, &done, domain);
	else
		answer = ask_updates(list, count, &done, domain);
	observe("call answer:int done", key, answer, done);
}

static void do_map(uint32_t key)
{
	uint32_t va = read_address(), value = read_entry(), flags = input_word(), domain = input_word();

	observe("map answer:int", key, ask_mapping(va, value, flags, domain));
}

static void do_touch(uint32_t key)
{
	uint32_t va = read_address(), write = input_word(), value = read_entry(), error = 0;
	bool fault = access_word(va, write, &value, &error);

	observe("touch fault error value", key, fault, error, value);
}

/* Makes a page what the directory that we started with is, in the guest's slots. The page must be writable. */
static void do_clone(void)
{
	uint32_t page = input_word(), error;

	for (uint32_t slot = 0; slot < ATELIER_SLOT; slot++) {
		uint32_t value = boot_entry(slot);

		access_word(word_address(page, slot), true, &value, &error);
	}
}

static void do_clear(void)
{
	uint32_t page = input_word(), error;

	for (uint32_t i = 0; i < 1024; i++) {
		uint32_t value = 0;

		access_word(word_address(page, i), true, &value, &error);
	}
}

static uint32_t entry_now(uint32_t page, uint32_t slot)
{
	uint32_t value = 0, error;

	access_word(word_address(page, slot), false, &value, &error);
	return value;
}

#define SWEEP_SKIPPED	1	/* the slot is used */
#define SWEEP_STUCK	2	/* it was accepted, and then nothing could be put in its place */

/* Puts an entry into each slot of a directory in turn, and nothing there again. */
static void do_sweep(uint32_t key)
{
	static int8_t answers[1024];
	uint32_t page = input_word(), value = read_entry(), done;

	for (uint32_t slot = 0; slot < 1024; slot++) {
		struct mmu_request r = { frame_of(page) << 12 | 4 * slot, value };

		answers[slot] = SWEEP_SKIPPED;
		if (slot < ATELIER_SLOT && (entry_now(page, slot) & 1))
			continue;
		answers[slot] = ask_updates(&r, 1, &done, DOMID_SELF);
		r.value = 0;
		if (answers[slot] == 0 && ask_updates(&r, 1, &done, DOMID_SELF))
			answers[slot] = SWEEP_STUCK;
	}
	observe_bytes("sweep answers:bytes", key, answers, sizeof(answers));
}

/* In how many of the hypervisor's slots a directory differs from the one that we started with; A and D bits do not count. */
static void do_compare(uint32_t key)
{
	uint32_t page = input_word(), differ = 0;

	for (uint32_t slot = ATELIER_SLOT; slot < 1024; slot++)
		differ += ((entry_now(page, slot) ^ boot_entry(slot)) & ~0x60u) != 0;
	observe("compare differ", key, differ);
}

static bool do_step(uint32_t key)
{
	uint32_t step = input_word();

	switch (step) {
	case STEP_STORE:
		do_store(key);
		return true;
	case STEP_CALL:
		do_call(key);
		return true;
	case STEP_MAP:
		do_map(key);
		return true;
	case STEP_TOUCH:
		do_touch(key);
		return true;
	case STEP_CLONE:
		do_clone();
		return true;
	case STEP_CLEAR:
		do_clear();
		return true;
	case STEP_SWEEP:
		do_sweep(key);
		return true;
	case STEP_COMPARE:
		do_compare(key);
		return true;
	}
	return do_host_step(step, key);
}

/* The numbers of the frames that tables may turn out to hold, for the judge. */
static inline void observe_frames(uint32_t pages)
{
	for (uint32_t i = 0; i < pages; i++)
		observe("page mfn", i, frame_of(NAME_PAGE << 28 | i));
	observe("boot mfn", 0, frame_of(NAME_BOOT << 28));
	observe("boot mfn", 1, frame_of(NAME_BOOT << 28 | 1));
}

static inline void do_steps(void)
{
	for (uint32_t key = 0; do_step(key); key++)
		;
}

#endif
