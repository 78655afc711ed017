// SPDX-License-Identifier: MIT
#include "sched_policy.h"

/*
 * Exercise 5.4. Whether a domain with share @s has its claim lowered by W at the moment @now: it has a W, and
 * no rest. Keeps T4. Handout, part 5.4.
 */
static bool warped(const struct policy_share *s, uint64_t now)
{
	exercise_missing("5.4");
	return false;
}

/*
 * Exercise 5.2. Whether the one that runs is so far beyond @d that @d's turn has come: its claim is the greater
 * one, and by no less than what it is charged for an allowance C. The one that runs has been charged up to
 * @now. Claims wrap. Keeps T8. Handout, part 5.2.
 */
static bool preempts(const struct domain *d, const struct domain *running, uint64_t now)
{
	exercise_missing("5.2");
	return false;
}

/*
 * Exercise 5.1. The one of those that can run (policy.queue) that should, or NULL if none can. That is the one
 * with the least claim E, of two the one that has waited longer; but the one that runs (policy.running) goes
 * on until the other one preempts() it, and one that has yielded (policy.yielded) lets another one go first,
 * once, whatever its claim, and gives up what it is behind that one. The one that runs has been charged up to
 * now. Keeps T1, T5 to T7. Handout, part 5.1.
 *
 * Until then they take turns: whoever is first in the queue goes to its end.
 */
struct domain *policy_pick(void)
{
	struct list *first = policy.queue.next;

	exercise_missing("5.1");
	if (list_empty(&policy.queue))
		return NULL;
	list_remove(first);
	list_insert(first, &policy.queue);
	return entry(first);
}

/*
 * Exercise 5.2. How long the chosen @d may run, in nanoseconds, if nothing happens: until it is C beyond the
 * next one's claim; no longer than it may still be warped, if it is, or than another one's rest lasts, whose
 * claim becomes less then; and not less than POLICY_SLICE_MIN, nor more than POLICY_SLICE_MAX. Alone it has
 * that. Virtual time is units, POLICY_UNIT a nanosecond at the default weight. Keeps T8. Handout, part 5.2.
 */
uint64_t policy_slice(struct domain *d)
{
	exercise_missing("5.2");
	return POLICY_ALLOWANCE;
}

/*
 * Exercise 5.4. @s had the processor for @time nanoseconds until now. If it was warped that counts to its
 * limit L; when all of that is used, in however many pieces and whatever it did in between, a rest of U
 * begins, and then L is new. Keeps T4. Handout, part 5.4.
 */
static void charge_warp(struct policy_share *s, uint64_t time)
{
	exercise_missing("5.4");
}

/*
 * Exercise 5.1. @d used the processor for @time nanoseconds: A grows by its advance m for each of them, the warp
 * is charged, and SVT is the least A of those that can run, if that is not less than it was. A machine that
 * was stopped under us may say that days went by: no more than twice POLICY_SLICE_MAX counts. A wraps, and
 * which of two is less is said by their difference: so no domain, not a sleeper either, is ever so far behind
 * that it would seem to be ahead. Keeps T1, T5 to T7. Handout, part 5.1.
 */
void policy_charge(struct domain *d, uint64_t time)
{
	exercise_missing("5.1");
}

/*
 * Exercise 5.3. @d can run: whoever wakes with less than SVT is lifted to it. The one that runs has been
 * charged up to now. Keeps T2, T3. Handout, part 5.3.
 */
void policy_wake(struct domain *d)
{
	exercise_missing("5.3");
	list_insert(&d->sched.queue, &policy.queue);
}

/*
 * Exercise 5.3. @d can no longer run: SVT goes on without it. Also if it sleeps in its own turn. Keeps T2, T3.
 * Handout, part 5.3.
 */
void policy_sleep(struct domain *d)
{
	exercise_missing("5.3");
	list_remove(&d->sched.queue);
}

/*
 * Exercise 5.3. @d, which can run, lets another one go first, once: policy_pick() does the rest. Handout,
 * part 5.3.
 */
void policy_yield(struct domain *d)
{
	exercise_missing("5.3");
}

/*
 * Exercise 5.3. @d is dying, in whatever state it was: nothing here points to it any more, and SVT goes on
 * without it. Keeps T2. Handout, part 5.3.
 */
void policy_leave(struct domain *d)
{
	exercise_missing("5.3");
	list_remove(&d->sched.queue);
}

/*
 * Exercise 5.4. What domain 0 wishes for @d, from now on:
 *   -EINVAL  weight 0 or above POLICY_WEIGHT_MAX; a warp without a limit; an allowance that is not 0 (as it
 *            is) and not from POLICY_ALLOWANCE_MIN to POLICY_ALLOWANCE_MAX
 * and then nothing has changed. A, what is used of the warp, and a rest that is under way stay as they are:
 * a new wish is no new loan. Keeps T4. Handout, part 5.4.
 */
int policy_set(struct domain *d, const struct control_sched *wish)
{
	return exercise_missing("5.4");
}
