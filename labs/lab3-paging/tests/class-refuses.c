// SPDX-License-Identifier: MIT
/* host test */
/*
 * A type of its own, whose contents are references to the pages of a list. It refuses at the k-th of them, asks for its own frame
 * while that is being judged or released, and drops the frame's last reference meanwhile.
 */
#include "host_steps.h"

#define TYPE		FRAME_GDT	/* nobody else's, in this lab */
#define NO_CLASS	FRAME_LDT
#define REFUSAL		(-EACCES)

static struct {
	mfn_t subject;
	uint32_t count;			/* pages of the list: 1 to @count of the pool; 0 is the subject */
	uint32_t refuse_at;		/* @count: not at all */
	bool enter, give_up;
	uint32_t validated, released;	/* how often */
	int typed, written, plain;	/* what asking for the subject itself answered: as TYPE, to write, plainly */
	bool usable;			/* frame_is(), meanwhile */
} own;

static mfn_t page(uint32_t i)
{
	return MFN(frame_of(i));
}

static void ask_for_itself(void)
{
	own.typed = frame_get_type(g.d, own.subject, TYPE);
	own.written = frame_get_type(g.d, own.subject, FRAME_WRITABLE);
	own.plain = frame_get(g.d, own.subject);
	own.usable = frame_is(own.subject, TYPE);
	if (own.typed == 0)
		frame_record(own.subject)->uses--, frame_record(own.subject)->refs--;
	if (own.plain == 0)
		frame_put(own.subject);
}

static int validate(struct domain *d, mfn_t mfn)
{
	own.validated++;
	if (own.enter)
		ask_for_itself();
	for (uint32_t i = 0; i < own.count; i++) {
		int err = i == own.refuse_at ? REFUSAL : frame_get_type(d, page(1 + i), FRAME_WRITABLE);

		if (err) {
			while (i-- > 0)
				frame_put_type(page(1 + i));
			if (own.give_up)
				frame_pool_give_up(mfn);
			return err;
		}
	}
	if (own.give_up)
		frame_pool_give_up(mfn);
	return 0;
}

static void release(mfn_t mfn)
{
	own.released++;
	if (own.enter)
		ask_for_itself();
	for (uint32_t i = own.count; i-- > 0;)
		frame_put_type(page(1 + i));
}

static void observe_subject(const char *tag, uint32_t key, int answer)
{
	const struct frame *f = frame_record(own.subject);
	uint32_t held = 0;

	for (uint32_t i = 1; i < pool_pages; i++)
		held += frame_record(page(i))->uses;
	observe(tag, key, answer, f->refs, f->uses, f->valid, nobody(own.subject.n), held, own.validated, own.released);
}

static void observe_itself(uint32_t key)
{
	if (own.enter)
		observe("itself typed:int written:int plain:int usable", key, own.typed, own.written, own.plain, own.usable);
}

static void take_away(uint32_t key)
{
	frame_put_type(own.subject);
	observe_subject("put answer:int refs uses valid free held validated released", key, 0);
	observe_itself(3 * key + 2);
}

/* Takes the type twice, if it is to be had, and gives it back twice. */
static void do_case(uint32_t key)
{
	int answer;

	own.refuse_at = input_word();
	own.enter = input_word();
	own.give_up = input_word();
	own.validated = own.released = 0;
	answer = frame_get_type(g.d, own.subject, TYPE);
	observe_subject("take answer:int refs uses valid free held validated released", 2 * key, answer);
	observe_itself(3 * key);
	if (answer)
		return;
	own.give_up = false;
	answer = frame_get_type(g.d, own.subject, TYPE);
	observe_subject("take answer:int refs uses valid free held validated released", 2 * key + 1, answer);
	observe("other write:int none:int", key, frame_get_type(g.d, own.subject, FRAME_WRITABLE),
		frame_get_type(g.d, own.subject, NO_CLASS));
	if (answer == 0)
		take_away(2 * key);
	take_away(2 * key + 1);
}

static void run(void)
{
	static const struct frame_class class = { validate, release };
	uint32_t pages = input_word(), count;

	start_host(pages);
	for (uint32_t i = 0; i < pages; i++)
		ask_mapping(own_address(i), 0, UVM_NONE, DOMID_SELF);
	frame_register_class(TYPE, &class);
	frame_register_class(NO_CLASS, NULL);
	own.count = pages - 1;
	own.subject = page(0);
	observe("none answer:int refs uses", 0, frame_get_type(g.d, own.subject, NO_CLASS), frame_record(own.subject)->refs,
		frame_record(own.subject)->uses);
	count = input_word();
	for (uint32_t i = 0; i < count; i++)
		do_case(i);
}
