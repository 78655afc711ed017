/* SPDX-License-Identifier: MIT */
/*
 * What guests, device and domain 0 do step by step, as a judge says; lab6_model.py follows the same steps by the rules of
 * public/ring.h. One word says which step, one of which ring, and what else there is stands at its function.
 */
#ifndef LAB6_STEPS_H
#define LAB6_STEPS_H

#include "device.h"
#include "host/audit.h"

enum {
	STEP_REGISTER, STEP_RELEASE, STEP_PRODUCE, STEP_CLAIM, STEP_TAKE, STEP_RESPOND, STEP_THRESHOLD, STEP_MORE, STEP_SCRIBBLE,
	STEP_UNMAP, STEP_GIVE_UP, STEP_RETYPE, STEP_DIE, STEP_CONSOLE,
};
enum { NAME_PAGE, NAME_TABLE, NAME_DIRECTORY, NAME_SHARED, NAME_FOREIGN, NAME_FREE, NAME_SLOT, NAME_RAW };

static bool is_whole(const struct request *q)
{
	bool whole = true;

	for (unsigned int i = 0; i < ARRAY_SIZE(q->word); i++)
		whole &= q->word[i] == word_of(q->id, i);
	return whole;
}

/* What the auditors say, and what the guest was told: after each step. */
static void observe_state(uint32_t key, const struct side *s)
{
	const char *wrong = domain_check() ? audit_memory() : "an auditor of the hypervisor objects";

	observe("state told stops kicks free", key, told(s->g), s->stops, s->kicks, frame_pool_free_count());
	observe_bytes("audit text:bytes", key, wrong ? wrong : "", wrong ? strlen(wrong) : 0);
}

static uint32_t free_frame(void)
{
	for (uint32_t i = 0; i < host.frames; i++)
		if (frame_record(MFN(i))->owner == OWNER_NONE)
			return i;
	return host.frames;
}

static uint32_t frame_of(const struct guest *g, uint32_t kind, uint32_t n)
{
	switch (kind) {
	case NAME_PAGE:
		return g->mfn[PFN_DATA + n];
	case NAME_TABLE:
		return g->mfn[PFN_TABLE];
	case NAME_DIRECTORY:
		return g->mfn[PFN_DIRECTORY];
	case NAME_SHARED:
		return g->mfn[PFN_SHARED];
	case NAME_FOREIGN:
		return g == &guests[0] ? guests[1].mfn[PFN_DATA + n] : guests[0].mfn[PFN_DATA + n];
	case NAME_FREE:
		return free_frame();
	case NAME_SLOT:
		return g->d->slot_frame.n;
	}
	return n;
}

/* Kind and number of a frame; one of our ports, or PORTS + any number; a device, -1: the ring's; the reserved word. */
static void do_register(uint32_t key, struct side *s)
{
	uint32_t kind = input_word(), n = input_word(), port = input_word(), device = input_word(), reserved = input_word();
	struct ring_op op = {
		RING_register, RING_VBD, device == UINT32_MAX ? s->device : device, frame_of(s->g, kind, n),
		port < PORTS ? ports[port] : port - PORTS, reserved,
	};
	int answer;

	if (kind == NAME_PAGE && !ring_of(s))
		memset(host_frame(op.frame), 0xee, PAGE_SIZE);
	answer = ring_call(s->g, op);
	observe("answer it:int", key, answer);
	if (answer)
		return;
	s->page = PFN_DATA + n;
	s->port = port;
	observe("begins req_event rsp_prod flags", key, header_of(s)->req_event, header_of(s)->rsp_prod, header_of(s)->flags);
	s->made = s->answers = header_of(s)->rsp_prod;
	header_of(s)->req_prod = s->made;
	header_of(s)->rsp_event = s->answers;	/* so that no answer passes it */
}

static void do_release(uint32_t key, struct side *s)
{
	observe("answer it:int", key, ring_call(s->g, (struct ring_op){ RING_unregister, RING_VBD, s->device, 0, 0, 0 }));
}

/* How many requests; their ids are the indices. */
static void do_produce(struct side *s)
{
	for (uint32_t n = input_word(); n > 0; n--)
		produce(s, s->made);
}

/* An index, from what was answered on. */
static void do_claim(struct side *s)
{
	s->made = s->answers + input_word();
	header_of(s)->req_prod = s->made;
}

static struct {
	struct side *s;
	uint32_t index;
	bool told;
} lie;

/* Once the guest's index was read, all in the page changes but the requests. */
static void tell_lie(void)
{
	if (lie.told || host_watch_reads(offsetof(struct ring_header, req_prod), 4) == 0)
		return;
	lie.told = true;
	*header_of(lie.s) = (struct ring_header){ lie.index, 0x1111, 0x2222, 0x3333, RING_STOPPED, { 0x4444 } };
	lie.s->made = lie.index;
}

/* The device takes one. If there is a second word that is not 0, the page changes meanwhile, and claims so many requests. */
static void do_take(uint32_t key, struct side *s)
{
	uint32_t lies = input_word(), claim = input_word(), reads = 1;
	struct request q = { 0 };
	int answer;

	if (lies) {
		lie = (typeof(lie)){ .s = s, .index = s->answers + claim };
		host_watch(MFN(s->g->mfn[s->page]), tell_lie);
	}
	answer = ring_take(ring_of(s), &q);
	if (lies) {
		host_watch_end();
		reads = host_watch_reads(offsetof(struct ring_header, req_prod), 4);
	}
	observe("take answer:int id whole reads", key, answer, answer > 0 ? q.id : 0, answer > 0 && is_whole(&q), reads);
}

/* Ids, to be answered in one call. Then the guest reads what there is. */
static void do_respond(uint32_t key, struct side *s)
{
	struct response answers[SLOTS];
	uint32_t count = input_word(), good = 0, index;

	for (uint32_t i = 0; i < count; i++)
		answers[i % SLOTS] = response_to(input_word());
	ring_respond(ring_of(s), answers, count);
	index = header_of(s)->rsp_prod;
	for (uint32_t i = 0; i < count; i++)
		good += memcmp(slot_of(s, s->answers + i), &answers[i], sizeof(answers[i])) == 0;
	s->answers += count;
	observe("respond index good", key, index, good);
}

static void do_more(uint32_t key, struct side *s)
{
	bool more = ring_more(ring_of(s));

	observe("more yes event", key, more, header_of(s)->req_event);
}

/* All words of the header that are the hypervisor's, and what nobody's are. */
static void do_scribble(struct side *s)
{
	struct ring_header *h = header_of(s);
	uint32_t word = input_word();

	h->req_event = h->rsp_prod = h->flags = word;
	for (unsigned int i = 0; i < ARRAY_SIZE(h->reserved); i++)
		h->reserved[i] = word + i;
}

static int update(struct guest *g, uint32_t where, uint32_t value)
{
	struct mmu_request r = { where, value };

	return CALL(g, mmu_update, ARG(r), 1, 0, DOMID_SELF);
}

/* Number of a page: its mapping goes. */
static void do_unmap(uint32_t key, struct side *s)
{
	observe("answer it:int", key, update(s->g, s->g->mfn[PFN_TABLE] << PAGE_SHIFT | 4 * (PFN_DATA + input_word()), 0));
}

/* Number of a page: its owner's reservation gives it up, and it is free when nobody holds it any more. */
static void do_give_up(struct side *s)
{
	frame_pool_give_up(MFN(s->g->mfn[PFN_DATA + input_word()]));
}

/* Number of a page, and the kind of table that it would become. What lies in it is an empty one, as far as it is not a ring. */
static void do_retype(uint32_t key, struct side *s)
{
	uint32_t n = input_word(), mfn = s->g->mfn[PFN_DATA + n], op = input_word() ? MMU_PIN_DIRECTORY : MMU_PIN_TABLE;
	bool is_ring = false;
	int answer;

	for (unsigned int i = 0; i < RINGS; i++)
		is_ring |= sides[i].g == s->g && sides[i].page == PFN_DATA + n && ring_of(&sides[i]);
	if (!is_ring)
		memset(host_frame(mfn), 0, PAGE_SIZE);
	answer = update(s->g, mfn << PAGE_SHIFT | MMU_COMMAND, op);
	if (answer == 0)
		update(s->g, mfn << PAGE_SHIFT | MMU_COMMAND, MMU_UNPIN);
	observe("answer it:int", key, answer);
}

/* The domain dies, and as much of its death happens as can; then so many of its requests are answered, and the rest can. */
static void do_die(uint32_t key, struct side *s)
{
	struct guest *g = s->g;
	uint32_t count = input_word(), changed = 0;
	bool went_early;

	domain_kill(g->d, SHUTDOWN_crash, 0);
	host_enter(&guests[g == &guests[0]]);
	while (domain_reap())
		;
	went_early = g->d->life == LIFE_FREE;
	for (uint32_t i = 0; i < count && ring_of(s); i++) {
		struct response r = response_to(i);

		memset(header_of(s), 0xcc, PAGE_SIZE);
		ring_respond(ring_of(s), &r, 1);
		changed += header_of(s)->rsp_prod != 0xcccccccc;
		while (domain_reap())
			;
	}
	observe("die early changed gone", key, went_early, changed, g->d->life == LIFE_FREE);
}

#define CONSOLE_PAGE	(PFN_DATA + PAGES - 1)
#define CONSOLE_TEXT	5u
#define CONSOLE_LOOKS	40u

static struct {
	struct console_slot *slot;	/* of the one request */
	uint32_t looks;			/* at it, after which it claims more than there is room for */
} late;

static void change_count(void)
{
	if (host_watch_accesses(sizeof(struct ring_header), sizeof(*late.slot)) == late.looks)
		late.slot->count = UINT16_MAX;
}

static uint32_t console_hear(uint32_t domain)
{
	static const uint8_t room[4096];
	struct control_op op = {
		.interface = ATELIER_INTERFACE, .op = CONTROL_console, .domain = domain,
		.u.console = { .buffer = ARG(room), .size = sizeof(room) },
	};
	uint32_t arg = ARG(op);

	return CALL(&zero, control_op, arg) ? 0 : ((struct control_op *)host_arg_bytes(arg))->u.console.count;
}

/* The domain writes to its console; its request changes after so many looks at it. How many bytes domain 0 hears. */
static uint32_t console_write_late(struct side *s, uint32_t looks)
{
	uint32_t mfn = s->g->mfn[CONSOLE_PAGE], heard;
	struct ring_header *h = host_frame(mfn);

	host_args_clear();
	if (ring_call(s->g, (struct ring_op){ RING_register, RING_CONSOLE, 0, mfn, ports[0], 0 }))
		host_panic("the console's ring is not registered");
	late.looks = looks;
	late.slot = (struct console_slot *)(h + 1) + h->rsp_prod % CONSOLE_SLOTS;
	*late.slot = (struct console_slot){ .id = 1, .count = CONSOLE_TEXT };
	h->rsp_event = h->rsp_prod;
	h->req_prod = h->rsp_prod + 1;
	host_watch(MFN(mfn), change_count);
	ring_call(s->g, (struct ring_op){ RING_kick, RING_CONSOLE, 0, 0, 0, 0 });
	host_watch_end();
	heard = console_hear(s->g->d->id);
	ring_call(s->g, (struct ring_op){ RING_unregister, RING_CONSOLE, 0, 0, 0, 0 });
	return heard;
}

static void do_console(uint32_t key, struct side *s)
{
	for (uint32_t looks = 1; looks <= CONSOLE_LOOKS; looks++)
		observe("console heard", key << 8 | looks, console_write_late(s, looks));
}

static void do_step(uint32_t key)
{
	uint32_t step = input_word();
	struct side *s = &sides[input_word() % RINGS];

	switch (step) {
	case STEP_REGISTER:
		do_register(key, s);
		break;
	case STEP_RELEASE:
		do_release(key, s);
		break;
	case STEP_PRODUCE:
		do_produce(s);
		break;
	case STEP_CLAIM:
		do_claim(s);
		break;
	case STEP_TAKE:
		do_take(key, s);
		break;
	case STEP_RESPOND:
		do_respond(key, s);
		break;
	case STEP_THRESHOLD:
		header_of(s)->rsp_event = s->answers + input_word();
		break;
	case STEP_MORE:
		do_more(key, s);
		break;
	case STEP_SCRIBBLE:
		do_scribble(s);
		break;
	case STEP_UNMAP:
		do_unmap(key, s);
		break;
	case STEP_GIVE_UP:
		do_give_up(s);
		break;
	case STEP_RETYPE:
		do_retype(key, s);
		break;
	case STEP_DIE:
		do_die(key, s);
		break;
	case STEP_CONSOLE:
		do_console(key, s);
		break;
	}
	host_args_clear();
	observe_state(key, s);
}

static void run(void)
{
	uint32_t count;

	open_all();
	observe("start free", 0, frame_pool_free_count());
	count = input_word();
	for (uint32_t i = 0; i < count; i++)
		do_step(i);
}

#endif
