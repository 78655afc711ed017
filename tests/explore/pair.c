// SPDX-License-Identifier: MIT
/*
 * Every state that two domains can bring the hypervisor into with what they share, breadth first: domain 0 maps and writes what is domain
 * 1's, both give frames back and take them, events go both ways, one is destroyed in the middle of it all. In each new state the auditors,
 * and the variables that should not change; after each call, that a refused one has changed nothing (M12); and from each state domain 1 is
 * taken to its end, after which every frame is domain 0's or free.
 *
 * PAIR_EVENTS is the other half: ports, sleep and death, without tables.
 *
 *	pair [MOST-STATES]
 *
 * The status is 0 if all has been visited, and nothing was found.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "explore/pair.h"
#include "frame.h"
#include "host/host.h"
#include "host/tlb_model.h"

#ifndef PAIR_EVENTS
#define PAIR_EVENTS	0
#endif
#ifndef PAIR_DIRECTORIES
#define PAIR_DIRECTORIES	0	/* frames of the PLAY become directories, too */
#endif
#define MOST_ACTIONS	512u
#define PORTS		2u	/* of each domain that are used */

enum kind {
	STORE, UPDATE, COMMAND, UPDATE_VA, MEMORY, SWITCH, DESTROY, DIE, REAP,
	ALLOC, BIND, BIND_VIRQ, CLOSE, SEND, PAIR_UP, CLEAR, MASK, BLOCK,
};

/* @who does it, which is the one that runs. */
struct action {
	uint8_t kind, who;
	uint8_t frame;		/* number of one of the PLAY; PLAY: the home of @domain */
	uint8_t domain;		/* whom it names */
	uint32_t value;
};

struct visit {
	struct pair_state state;
	struct pair_key key;
	uint32_t from;
	uint16_t action;
};

static struct {
	struct action actions[MOST_ACTIONS];
	unsigned int action_count;
	struct visit *visits;
	uint32_t count, most, *buckets, bucket_count;
	uint64_t calls, refused;
	uint32_t ends;
} explorer;

/* ---- the actions ---- */

static void add(struct action a)
{
	if (explorer.action_count == MOST_ACTIONS)
		host_panic("more actions than there is room for");
	explorer.actions[explorer.action_count++] = a;
}

/* What entries may be: nothing, or one of the frames, to read or to write. */
static unsigned int values(uint32_t *to)
{
	unsigned int n = 0;

	to[n++] = 0;
	for (unsigned int i = 0; i < PLAY; i++) {
		to[n++] = pair.play[i] << PAGE_SHIFT | PTE_P;
		to[n++] = pair.play[i] << PAGE_SHIFT | PTE_P | PTE_RW;
	}
	return n;
}

static void add_tables(uint8_t who, uint8_t named)
{
	static const uint32_t commands[] = { MMU_PIN_TABLE, MMU_UNPIN, MMU_PIN_DIRECTORY, MMU_NEW_BASE };
	uint32_t value[1 + 2 * PLAY];
	unsigned int n = values(value);

	for (unsigned int f = 0; f <= PLAY; f++) {
		/* A directory's entries are written or not there: the others are for directories that name directories. */
		for (unsigned int v = 0; v < n; v++)
			if (f < PLAY || PAIR_DIRECTORIES || v == 0 || (value[v] & PTE_RW))
				add((struct action){ UPDATE, who, f, named, value[v] });
		for (unsigned int c = 0; f < PLAY && c < (PAIR_DIRECTORIES ? 4 : 2); c++)
			add((struct action){ COMMAND, who, f, named, commands[c] });
	}
	for (unsigned int v = 0; v < n; v++)
		add((struct action){ UPDATE_VA, who, 0, named, value[v] });
}

static void add_memory(uint8_t who)
{
	uint32_t value[1 + 2 * PLAY];
	unsigned int n = values(value);

	for (unsigned int f = 0; f < PLAY; f++) {
		for (unsigned int v = 0; v < n; v++)
			add((struct action){ STORE, who, f, who, value[v] });
		add((struct action){ MEMORY, who, f, who, MEMORY_decrease });
		add((struct action){ MEMORY, who, f, who, MEMORY_exchange });
	}
	add((struct action){ MEMORY, who, 0, who, MEMORY_increase });
	add_tables(who, who);
	add_tables(who, !who);
}

static void add_ports(uint8_t who)
{
	for (uint8_t named = 0; named < 2; named++) {
		add((struct action){ ALLOC, who, 0, named, 0 });
		for (uint32_t port = 0; port <= PORTS; port++)
			add((struct action){ BIND, who, 0, named, port });
	}
	for (uint32_t port = 0; port <= PORTS; port++) {
		add((struct action){ CLOSE, who, 0, 0, port });
		add((struct action){ SEND, who, 0, 0, port });
	}
	add((struct action){ BIND_VIRQ, who, 0, 0, VIRQ_DOMAIN });
	add((struct action){ CLEAR, who, 0, 0, 0 });
	if (who == 1)
		add((struct action){ MASK, who, 0, 0, 0 });
	add((struct action){ BLOCK, who, 0, 0, 0 });
}

static void build(void)
{
	for (uint8_t who = 0; who < 2; who++) {
		if (PAIR_EVENTS)
			add_ports(who);
		else
			add_memory(who);
		add((struct action){ SWITCH, who, 0, !who, 0 });
	}
	if (PAIR_EVENTS)
		add((struct action){ PAIR_UP, 0, 0, 1, 0 });
	add((struct action){ DESTROY, 0, 0, 1, 0 });
	add((struct action){ DIE, 1, 0, 1, 0 });
	add((struct action){ REAP, 0, 0, 0, 0 });
	add((struct action){ REAP, 1, 0, 0, 0 });
}

/* ---- doing them ---- */

static int call(unsigned int who, uint32_t number, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
	struct regs *r = &pair.d[who]->vcpu.regs;

	r->eax = number;
	r->ebx = a;
	r->ecx = b;
	r->edx = c;
	r->esi = d;
	hypercall_dispatch(pair.d[who], r);
	return r->eax;
}

static uint32_t frame_of(const struct action *a)
{
	return a->frame == PLAY ? pair.home[a->domain] : pair.play[a->frame];
}

static uint32_t name_of(const struct action *a)
{
	return a->domain == a->who ? DOMID_SELF : a->domain;
}

/* A guest's own store, through whatever the processor remembers. */
static bool store(const struct action *a)
{
	uint32_t *word = host_frame(pair.play[a->frame]);

	for (unsigned int i = 0; i < tlb_model_count(); i++) {
		struct tlb_translation t = tlb_model_get(i);

		if (t.mfn != pair.play[a->frame] || !t.writable || *word == a->value)
			continue;
		*word = a->value;
		return true;
	}
	return false;
}

static int mmu(const struct action *a, uint32_t where, uint32_t value)
{
	*(struct mmu_request *)host.direct = (struct mmu_request){ where, value };
	return call(a->who, HYPERCALL_mmu_update, PAIR_ARGS, 1, 0, name_of(a));
}

static int memory(const struct action *a)
{
	struct { struct memory_op op; uint32_t list[1]; } *args = (void *)host.direct;

	args->list[0] = pair.play[a->frame];
	args->op = (struct memory_op){ a->value, PAIR_ARGS + sizeof(args->op), 1, 0 };
	return call(a->who, HYPERCALL_memory_op, PAIR_ARGS, 0, 0, 0);
}

static int control(const struct action *a, uint32_t op)
{
	struct control_op *o = (void *)host.direct;
	int result;

	memset(o, 0, sizeof(*o));
	o->interface = ATELIER_INTERFACE;
	o->op = op;
	o->domain = a->domain;
	host.interrupt_after = 1000;
	result = call(0, HYPERCALL_control_op, PAIR_ARGS, 0, 0, 0);
	host.interrupt_after = host.interrupt = 0;
	return result;
}

/* A port more only if one of the PORTS is closed. */
static bool has_port(unsigned int who)
{
	for (uint32_t i = 1; i <= PORTS; i++)
		if (pair.d[who]->events.ports[i].state == EVENT_CLOSED)
			return true;
	return false;
}

static bool ports(const struct action *a, int *result)
{
	static const uint8_t ops[] = {
		[ALLOC] = EVENT_alloc_unbound, [BIND] = EVENT_bind_interdomain, [BIND_VIRQ] = EVENT_bind_virq,
		[CLOSE] = EVENT_close, [SEND] = EVENT_send,
	};
	struct event_channel_op *o = (void *)host.direct;

	if (a->kind <= BIND_VIRQ && !has_port(a->who))
		return false;
	*o = (struct event_channel_op){ ops[a->kind], a->value, name_of(a), a->value, a->value, 0 };
	*result = call(a->who, HYPERCALL_event_channel_op, PAIR_ARGS, 0, 0, 0);
	return true;
}

/* The guest's part: it takes an upcall, or masks its first port, or no longer. */
static bool guests_page(const struct action *a)
{
	struct shared_info *s = pair.d[a->who]->shared;

	if (a->kind == MASK) {
		s->mask[0] ^= 1u << 1;
		return true;
	}
	s->upcall_pending = 0;
	return true;
}

static bool switch_to(const struct action *a)
{
	if (pair.d[a->domain]->life != LIFE_OPEN || pair.d[a->domain]->sched.blocked)
		return false;
	pair.running = a->domain;
	paging_switch_to(pair.d[a->domain]);
	return true;
}

/* What is pending matters to nobody but the guest: it takes it at once. What a refused call has raised stays to be seen. */
static void take_pending(int result)
{
	for (unsigned int i = 0; i < 2 && result >= 0; i++) {
		struct shared_info *s = pair.d[i]->shared;

		if (s)
			s->pending[0] = s->selector = 0;
	}
}

/* NULL, or what is wrong with this state. */
static const char *wrong(void)
{
	for (unsigned int i = 0; i < 2; i++) {
		const struct domain *d = pair.d[i];

		if (d->life == LIFE_OPEN && d->sched.blocked && event_deliverable(d))
			return "E3: a domain sleeps, and an upcall is due";
	}
	return pair_wrong();
}

/* What may be done by one whose time has come: to be buried, and to see another one run. */
static bool by_the_dead(const struct action *a)
{
	return a->kind == REAP || a->kind == SWITCH;
}

static bool do_action(const struct action *a, int *result)
{
	*result = 0;
	if (a->who != pair.running || ((pair.d[a->who]->life != LIFE_OPEN || pair.d[a->who]->sched.blocked) && !by_the_dead(a)))
		return false;
	switch (a->kind) {
	case STORE:
		return store(a);
	case UPDATE:
		*result = mmu(a, frame_of(a) << PAGE_SHIFT | MMU_WRITE, a->value);
		return true;
	case COMMAND:
		*result = mmu(a, frame_of(a) << PAGE_SHIFT | MMU_COMMAND, a->value);
		return true;
	case UPDATE_VA:
		*result = call(a->who, HYPERCALL_update_va_mapping, 0, a->value, UVM_NONE, name_of(a));
		return true;
	case MEMORY:
		*result = memory(a);
		return true;
	case SWITCH:
		return switch_to(a);
	case DESTROY:
		control(a, CONTROL_destroy);
		return true;
	case DIE:
		domain_kill(pair.d[1], SHUTDOWN_crash, 0);
		return true;
	case REAP:
		return domain_reap();
	case PAIR_UP:
		*result = has_port(0) && has_port(1) ? control(a, CONTROL_event_bind) : 0;
		return true;
	case CLEAR ... MASK:
		return guests_page(a);
	case BLOCK:
		*result = call(a->who, HYPERCALL_block, 0, 0, 0, 0);
		return true;
	}
	return ports(a, result);
}

/* ---- what is said ---- */

static const char *const kinds[] = {
	"stores", "mmu_update", "command", "update_va_mapping", "memory_op", "switch", "destroys", "dies", "reap", "alloc_unbound",
	"bind_interdomain", "bind_virq", "close", "send", "event_bind", "clears its page", "masks or unmasks", "block",
};

static void print_action(uint32_t number)
{
	const struct action *a = &explorer.actions[number];

	printf("  domain %u: %s, frame %u, of domain %u, 0x%x\n", a->who, kinds[a->kind], a->frame, a->domain, a->value);
}

static void print_path(uint32_t number)
{
	if (number == 0)
		return;
	print_path(explorer.visits[number].from);
	print_action(explorer.visits[number].action);
}

static NORETURN void violation(uint32_t number, unsigned int action, const char *what)
{
	printf("VIOLATION: %s\nafter these steps (frame %u is the domain's directory):\n", what, PLAY);
	print_path(number);
	if (action != MOST_ACTIONS)
		print_action(action);
	exit(1);
}

/* ---- the search ---- */

/* True: a new state, which has been kept. */
static bool visit(struct pair_key k, uint32_t from, unsigned int action)
{
	uint32_t at = k.a & (explorer.bucket_count - 1);
	struct visit *v;

	for (; explorer.buckets[at]; at = (at + 1) & (explorer.bucket_count - 1)) {
		v = &explorer.visits[explorer.buckets[at] - 1];
		if (v->key.a == k.a && v->key.b == k.b)
			return false;
	}
	if (explorer.count == explorer.most)
		return false;
	v = &explorer.visits[explorer.count];
	pair_save(&v->state);
	v->key = k;
	v->from = from;
	v->action = action;
	explorer.buckets[at] = ++explorer.count;
	return true;
}

/* What the one that does not do it owns, if it lives. */
static uint32_t others_frames(const struct action *a)
{
	const struct domain *d = pair.d[!a->who];

	return d->life == LIFE_OPEN ? d->memory.owned.count : 0;
}

static void act(uint32_t number, unsigned int action, bool *there)
{
	const struct action *a = &explorer.actions[action];
	const struct pair_key before = explorer.visits[number].key;
	struct pair_key after;
	const char *what;
	uint32_t owned;
	int result;

	if (!*there)
		pair_restore(&explorer.visits[number].state);
	*there = true;
	owned = others_frames(a);
	if (!do_action(a, &result))
		return;
	if (a->kind <= MEMORY && others_frames(a) != owned)
		violation(number, action, "M1: a call has taken or given what is another's");
	explorer.calls++;
	explorer.refused += result < 0;
	take_pending(result);
	tlb_model_fill();
	after = pair_key();
	*there = after.a == before.a && after.b == before.b;
	if (*there)
		return;
	if (result < 0 && after.observable != before.observable)
		violation(number, action, "M12: a refused call has changed something");
	what = visit(after, number, action) ? wrong() : NULL;
	if (what)
		violation(number, action, what);
}

/* Domain 0 lets go of all that is not its own. */
static void let_go(void)
{
	for (unsigned int f = 0; f <= PLAY; f++) {
		struct action a = { UPDATE, 0, f, 0, 0 };

		mmu(&a, frame_of(&a) << PAGE_SHIFT | MMU_WRITE, 0);
	}
}

/* From here domain 1 comes to its end: after domain 0 has let go of it, if it must. */
static void end(uint32_t number)
{
	uint32_t its = 0;

	pair_restore(&explorer.visits[number].state);
	if (pair.d[1]->life == LIFE_OPEN)
		domain_kill(pair.d[1], SHUTDOWN_crash, 0);
	pair.running = 0;
	pair.d[0]->sched.blocked = false;
	for (unsigned int tries = 0; tries < 3; tries++) {
		for (unsigned int steps = 0; domain_reap(); steps++)
			if (steps > 1000)
				violation(number, MOST_ACTIONS, "M13: domain 1 dies for ever");
		if (tries == 0)
			paging_switch_to(pair.d[0]);
		if (pair.d[1]->life != LIFE_FREE)
			let_go();
	}
	for (uint32_t mfn = 0; mfn < PAIR_FRAMES; mfn++)
		its += frame_record(MFN(mfn))->owner == 1;
	if (pair.d[1]->life != LIFE_FREE || its > 0)
		violation(number, MOST_ACTIONS, "M13: domain 1 died here, and not all that was its own came home");
	tlb_model_fill();
	if (pair_wrong())
		violation(number, MOST_ACTIONS, pair_wrong());
	for (uint32_t i = 1; i < EVENT_PORTS; i++)
		if (pair.d[0]->events.ports[i].state == EVENT_INTERDOMAIN && pair.d[0]->events.ports[i].remote == 1)
			violation(number, MOST_ACTIONS, "E1: the dead one is a peer");
	explorer.ends++;
}

static void prepare(uint32_t most)
{
	explorer.most = most;
	explorer.bucket_count = 1024;
	while (explorer.bucket_count < 2 * most)
		explorer.bucket_count *= 2;
	explorer.visits = malloc(most * sizeof(*explorer.visits));
	explorer.buckets = calloc(explorer.bucket_count, sizeof(*explorer.buckets));
	if (!explorer.visits || !explorer.buckets)
		host_panic("no memory for %u states", most);
}

int main(int argc, char **argv)
{
	clock_t start = clock();
	uint32_t number;
	bool there;

	prepare(argc > 1 ? strtoul(argv[1], NULL, 0) : 1500000);
	pair_start();
	build();
	visit(pair_key(), 0, 0);
	if (pair_wrong())
		violation(0, MOST_ACTIONS, pair_wrong());
	for (number = 0; number < explorer.count; number++) {
		there = false;
		for (unsigned int a = 0; a < explorer.action_count; a++)
			act(number, a, &there);
		end(number);
		if (number % 0x10000 == 0xffff)
			fprintf(stderr, "  %u of %u states\n", number + 1, explorer.count);
	}
	printf("two domains, %s: %s, %u states, %llu calls (%llu refused), %u ends, %.1f s\n", PAIR_EVENTS ? "events" : "memory",
	       explorer.count < explorer.most ? "complete" : "PARTIAL", explorer.count, explorer.calls, explorer.refused, explorer.ends,
	       (double)(clock() - start) / CLOCKS_PER_SEC);
	return explorer.count == explorer.most;
}
