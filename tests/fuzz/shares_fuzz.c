// SPDX-License-Identifier: MIT
/*
 * Shares of the processor: six domains that sleep, wake, yield, are paused, weighed, warped, killed and born in any order, on the real
 * scheduler and its timer. Beside it runs what src/sched_policy.h says, with virtual times that never wrap: who may be chosen, what each
 * has been charged, that no turn is missed and nobody idles while another can run (T2 to T8). And of all that can run, at each moment,
 *
 *	A_i - A_j <= W_i + (C + d) m_i
 *
 * which, without warp, is the bound of T1; the service that two received since both could run is compared too.
 */
#include <string.h>
#include "fuzz/reader.h"
#include "host/audit.h"
#include "host/domains.h"
#include "timer.h"

#define STEPS		96u
#define FRAMES		4u
#define DELAY		1000000u	/* the longest between the end of a slice and the switch, in nanoseconds */
#define NOBODY		MAX_DOMAINS

/* A virtual time that does not wrap. */
struct wide {
	uint32_t high;
	uint64_t low;
};

static struct share {
	bool lives, asleep;
	unsigned int paused;
	struct wide avt;
	struct control_sched wish;
	uint32_t advance, warped;
	uint64_t rest_until;
	double lead;			/* the most that it may be ahead of another one */
	double service;			/* nanoseconds that it had, times its advance, since it was weighed last */
} shares[MAX_DOMAINS];

static struct {
	unsigned int current;		/* who is charged */
	unsigned int running;		/* who was chosen last */
	unsigned int yielded;
	uint64_t since, end;		/* of the slice */
	struct wide svt;
	uint32_t allowance;
	double base[MAX_DOMAINS][MAX_DOMAINS];	/* service of the first less the second's, since both can run */
	struct reader *r;
} model;

static struct guest guests[MAX_DOMAINS];

/* ---- numbers ---- */

static struct wide plus(struct wide a, uint64_t b)
{
	struct wide sum = { a.high, a.low + b };

	sum.high += sum.low < b;
	return sum;
}

static struct wide minus(struct wide a, uint64_t b)
{
	return (struct wide){ a.high - (a.low < b), a.low - b };
}

static bool less(struct wide a, struct wide b)
{
	return a.high != b.high ? a.high < b.high : a.low < b.low;
}

static double apart(struct wide a, struct wide b)
{
	if (less(a, b))
		return -apart(b, a);
	return (double)(a.high - b.high - (a.low < b.low)) * 0x1p64 + (double)(a.low - b.low);
}

/* ---- who can run, and what he claims ---- */

static bool can(unsigned int i)
{
	return shares[i].lives && !shares[i].asleep && shares[i].paused == 0;
}

static bool warped(unsigned int i)
{
	return shares[i].wish.warp > 0 && host.now >= shares[i].rest_until;
}

static struct wide claim(unsigned int i)
{
	return warped(i) ? minus(shares[i].avt, (uint64_t)shares[i].wish.warp * POLICY_UNIT) : shares[i].avt;
}

/* Who has the least claim of all but @but. */
static unsigned int least(unsigned int but)
{
	unsigned int found = NOBODY;

	for (unsigned int i = 0; i < MAX_DOMAINS; i++)
		if (i != but && can(i) && (found == NOBODY || less(claim(i), claim(found))))
			found = i;
	return found;
}

static void advance_svt(void)
{
	unsigned int first = NOBODY;

	for (unsigned int i = 0; i < MAX_DOMAINS; i++)
		if (can(i) && (first == NOBODY || less(shares[i].avt, shares[first].avt)))
			first = i;
	if (first != NOBODY && less(model.svt, shares[first].avt))
		model.svt = shares[first].avt;
}

/* What @i did before does not count for its comparison with others. */
static void begin_anew(unsigned int i)
{
	shares[i].service = 0;
	for (unsigned int j = 0; j < MAX_DOMAINS; j++) {
		model.base[i][j] = -shares[j].service;
		model.base[j][i] = shares[j].service;
	}
}

static void allow(unsigned int i)
{
	double most = (double)shares[i].wish.warp * POLICY_UNIT +
		      ((double)model.allowance + DELAY + POLICY_SLICE_MIN + 2) * shares[i].advance;

	if (shares[i].lead < most)
		shares[i].lead = most;
}

static void charge(void)
{
	struct share *s = &shares[model.current];
	uint64_t time = host.now - model.since;

	if (model.current == NOBODY || !s->lives)
		return;
	model.since = host.now;
	time = MIN(time, 2ull * POLICY_SLICE_MAX);
	s->avt = plus(s->avt, time * s->advance);
	s->service += (double)time * s->advance;
	if (warped(model.current)) {
		s->warped += MIN(time, s->wish.warp_limit - s->warped);
		if (s->warped == s->wish.warp_limit) {
			s->warped = 0;
			s->rest_until = host.now + s->wish.unwarp;
		}
	}
	advance_svt();
}

/* ---- choices ---- */

/* Whether the one that was chosen before goes on. */
static bool goes_on(void)
{
	unsigned int r = model.running, first = least(NOBODY);
	double lead;

	if (r == NOBODY || !can(r))
		return false;
	lead = apart(claim(r), claim(first));
	return lead <= 0 || lead < (double)model.allowance * shares[r].advance;
}

static void expect_least(unsigned int chosen, unsigned int but)
{
	unsigned int first = least(but);

	if (first == NOBODY ? chosen != NOBODY : chosen == NOBODY || chosen == but || less(claim(first), claim(chosen)))
		host_panic("T8: domain %u is chosen, and the least claim is domain %u's", chosen, first);
}

/* What the one that yielded was behind the other it gives up. */
static void judge_yield(unsigned int chosen)
{
	unsigned int y = model.yielded;

	if (least(y) == NOBODY) {
		if (chosen != (can(y) ? y : NOBODY))
			host_panic("domain %u yields, nobody else can run, and domain %u is chosen", y, chosen);
		return;
	}
	expect_least(chosen, y);
	if (less(shares[y].avt, shares[chosen].avt)) {
		shares[y].avt = shares[chosen].avt;
		shares[y].lead = MAX(shares[y].lead, shares[chosen].lead);
		begin_anew(y);
	}
}

static void judge_choice(unsigned int chosen)
{
	if (model.yielded != NOBODY)
		judge_yield(chosen);
	else if (goes_on()) {
		if (chosen != model.running)
			host_panic("domain %u's allowance is not over, and domain %u is chosen", model.running, chosen);
	} else {
		expect_least(chosen, NOBODY);
	}
	model.yielded = NOBODY;
	model.running = model.current = chosen;
	model.since = host.now;
}

/* ---- bounds ---- */

static void compare_two(unsigned int i, unsigned int j)
{
	double ahead = apart(shares[i].avt, shares[j].avt), service = shares[i].service - shares[j].service - model.base[i][j];

	if (ahead > shares[i].lead)
		host_panic("T1: domain %u is %g units ahead of domain %u, and may be %g", i, ahead, j, shares[i].lead);
	if (service > shares[i].lead + shares[j].lead)
		host_panic("T1: domain %u had %g units more than domain %u", i, service, j);
}

static void compare(void)
{
	for (unsigned int i = 0; i < MAX_DOMAINS; i++) {
		if (!can(i))
			continue;
		if (guests[i].d->policy.avt != shares[i].avt.low)
			host_panic("T5: domain %u is at %llu, and was charged for %llu", i, guests[i].d->policy.avt, shares[i].avt.low);
		for (unsigned int j = 0; j < MAX_DOMAINS; j++)
			if (j != i && can(j))
				compare_two(i, j);
	}
}

/* No longer than until the next one's turn, a limit, or the end of somebody's rest. */
static void judge_slice(unsigned int i, uint64_t slice)
{
	unsigned int next = least(i);
	double most = POLICY_SLICE_MAX;

	if (next != NOBODY)
		most = MIN(most, apart(claim(next), claim(i)) / shares[i].advance + model.allowance + 2);
	if (warped(i))
		most = MIN(most, (double)(shares[i].wish.warp_limit - shares[i].warped));
	for (unsigned int j = 0; j < MAX_DOMAINS; j++)
		if (j != i && can(j) && shares[j].wish.warp && shares[j].rest_until > host.now)
			most = MIN(most, (double)(shares[j].rest_until - host.now));
	if (slice > MAX(most, POLICY_SLICE_MIN) || slice < POLICY_SLICE_MIN)
		host_panic("T8: domain %u has a slice of %llu ns, and may have %g", i, slice, most);
}

/* ---- what happens ---- */

/* @i's last reason not to run goes: what the others are at by now is what it is lifted to. */
static void wake_up(unsigned int i)
{
	charge();
	shares[i].asleep = false;
	shares[i].paused = 0;
	if (less(shares[i].avt, model.svt))
		shares[i].avt = model.svt;
	begin_anew(i);
	advance_svt();
}

static void try_wake(unsigned int i)
{
	sched_wake(guests[i].d);
	if (shares[i].asleep && shares[i].paused == 0)
		wake_up(i);
	shares[i].asleep = false;
}

static void try_unpause(unsigned int i)
{
	if (shares[i].paused == 0)
		return;
	sched_unpause(guests[i].d);
	if (shares[i].paused == 1 && !shares[i].asleep)
		wake_up(i);
	else
		shares[i].paused--;
}

static void try_pause(unsigned int i)
{
	if (shares[i].paused > 2)
		return;
	sched_pause(guests[i].d);
	if (can(i))
		charge();
	shares[i].paused++;
	advance_svt();
}

static void try_sleep(unsigned int i)
{
	if (!can(i))
		return;
	sched_sleep(guests[i].d);
	charge();
	shares[i].asleep = true;
	advance_svt();
}

static void try_yield(unsigned int i)
{
	CALL(&guests[i], yield, 0);
	if (can(i))
		model.yielded = i;
}

static uint32_t take_time(struct reader *r)
{
	uint8_t b = take8(r);

	return b < 0x40 ? b * 1000000u : b < 0x80 ? b * 50000000u
				 : b < 0xc0	  ? 0
						  : take32(r);
}

static void try_wish(struct reader *r, unsigned int i)
{
	static const uint32_t weights[] = { 256, 1, 2, 255, 257, 512, 65535, 0, 65536 };
	struct control_op op = { .interface = ATELIER_INTERFACE, .op = CONTROL_sched, .domain = i };
	struct control_sched *w = &op.u.sched;
	bool sound;

	w->weight = take_of(r, 4) ? weights[take_of(r, ARRAY_SIZE(weights))] : take16(r);
	if (take_of(r, 4) == 0) {
		w->warp = take_time(r);
		w->warp_limit = take_time(r);
		w->unwarp = take_time(r);
	}
	if (take_of(r, 8) == 0)
		w->allowance = take_time(r);
	sound = w->weight > 0 && w->weight <= POLICY_WEIGHT_MAX && (w->warp == 0 || w->warp_limit > 0) &&
		(w->allowance == 0 || (w->allowance >= POLICY_ALLOWANCE_MIN && w->allowance <= POLICY_ALLOWANCE_MAX));
	charge();
	if ((CALL(&guests[0], control_op, ARG(op)) == 0) != sound)
		host_panic("I7: a wish of weight %u is %s", w->weight, sound ? "refused" : "taken");
	if (!sound)
		return;
	shares[i].wish = *w;
	shares[i].advance = (POLICY_UNIT * POLICY_WEIGHT + w->weight / 2) / w->weight;
	shares[i].warped = MIN(shares[i].warped, w->warp_limit);
	if (w->allowance)
		model.allowance = w->allowance;
	for (unsigned int j = 0; j < MAX_DOMAINS; j++)
		allow(j);
	begin_anew(i);
}

static void be_born(void)
{
	struct guest g = host_domain(FRAMES);
	struct share *s = &shares[g.d->id];

	guests[g.d->id] = g;
	*s = (struct share){ .lives = true, .paused = 1, .avt = model.svt, .wish = { .weight = POLICY_WEIGHT }, .advance = POLICY_UNIT };
	allow(g.d->id);
	try_unpause(g.d->id);
}

static void try_death(unsigned int i)
{
	if (i == 0)
		return;
	domain_kill(guests[i].d, SHUTDOWN_crash, 0);
	shares[i].lives = false;
	if (model.running == i)
		model.running = NOBODY;
	if (model.yielded == i)
		model.yielded = NOBODY;
	advance_svt();
}

/* T7: nobody can run. Time passes, and somebody is woken. */
static void idle(void)
{
	unsigned int i = take_of(model.r, MAX_DOMAINS);

	charge();
	judge_choice(NOBODY);
	host.now += take_time(model.r);
	while (!shares[i].lives)
		i = (i + 1) % MAX_DOMAINS;
	while (shares[i].paused > 0)
		try_unpause(i);
	try_wake(i);
}

static void something(struct reader *r)
{
	unsigned int i = take_of(r, MAX_DOMAINS), what = take_of(r, 16);

	if (!shares[i].lives) {
		if (!guests[i].d || guests[i].d->life == LIFE_FREE)
			be_born();
		return;
	}
	switch (what) {
	case 0 ... 2:
		try_wake(i);
		break;
	case 3 ... 4:
		try_sleep(i);
		break;
	case 5 ... 7:
		if (model.current != NOBODY && shares[model.current].lives)
			what < 7 ? try_yield(model.current) : try_sleep(model.current);
		break;
	case 8:
		try_pause(i);
		break;
	case 9 ... 10:
		try_unpause(i);
		break;
	case 11 ... 13:
		try_wish(r, i);
		break;
	case 14:
		if (take_of(r, 4) == 0)
			try_death(i);
		break;
	}
}

/* The scheduler was not asked, and charged nothing: only if it had, would the same one go on. */
static void judge_going_on(unsigned int i)
{
	struct share before[MAX_DOMAINS];
	struct wide svt = model.svt;
	uint64_t since = model.since;

	memcpy(before, shares, sizeof(before));
	charge();
	if (model.yielded != NOBODY || (!goes_on() && host.now - since >= POLICY_SLICE_MIN) || i != model.running)
		host_panic("T8: a turn is missed: domain %u goes on", i);
	memcpy(shares, before, sizeof(before));
	model.svt = svt;
	model.since = since;
}

/* The way back to a guest: whoever it goes to is the one that should. */
static void go_back(void)
{
	struct domain *d = sched_return();

	if (d->vtime.since != host.now) {
		judge_going_on(d->id);
		return;
	}
	charge();
	judge_choice(d->id);
	model.end = host.now + policy_slice(d);
	judge_slice(d->id, policy_slice(d));
	compare();
}

static void run(unsigned int share)
{
	uint64_t left = model.end - host.now;

	host.now += share < 0x80 ? left + share * (DELAY / 0x80) : 1 + left * (share - 0x80) / 0x80;
	if (host.now >= host.deadline)
		timer_tick();
	if (host.now >= model.end)
		charge();
}

static void step(struct reader *r)
{
	unsigned int what = take8(r);

	for (unsigned int n = what % 4; n > 0; n--)
		something(r);
	go_back();
	/* Now and then the same for long: virtual times wrap. */
	for (unsigned int n = what < 0xfc ? 1 : 1 + take_of(r, 128); n > 0; n--) {
		run(n == 1 ? take8(r) : 0);
		if (n > 1)
			go_back();
	}
}

static void start(struct reader *r)
{
	memset(&model, 0, sizeof(model));
	memset(shares, 0, sizeof(shares));
	memset(guests, 0, sizeof(guests));
	model.current = model.running = model.yielded = NOBODY;
	model.svt.high = 1;
	model.allowance = POLICY_ALLOWANCE;
	model.r = r;
	host_start(48);
	host.idle = idle;
	frame_pool_scrub(true);
	for (unsigned int i = 0; i < MAX_DOMAINS - 1; i++)
		be_born();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct reader r = { bytes, size };

	start(&r);
	for (unsigned int i = 0; i < STEPS && r.left > 0; i++)
		step(&r);
	audit_all();
	return 0;
}
