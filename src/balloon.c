// SPDX-License-Identifier: MIT
#include "balloon.h"
#include "console.h"
#include "domain.h"
#include "frame.h"
#include "frame_pool.h"
#include "guest_copy.h"
#include "machine.h"

#define CHUNK	16u	/* frames, after which an interrupt is looked for: taking one is 1,024 stores */

void balloon_set_limit(struct domain *d, uint32_t frames)
{
	d->memory.limit = frames;
}

/* ---- frames ---- */

uint32_t balloon_take(struct domain *d, uint32_t *mfns, uint32_t count)
{
	if (d->life != LIFE_OPEN)
		return 0;
	return frame_pool_take(d, mfns, MIN(count, frame_pool_unpromised(d)));
}

/* Whether the reservation's reference is the only one: then there is no use either, and no pin. */
static int may_leave(const struct domain *d, mfn_t mfn)
{
	const struct frame *f = frame_record(mfn);

	if (!f || f->owner != d->id)
		return -EINVAL;
	return f->reserved && f->refs == 1 ? 0 : -EBUSY;
}

int balloon_give_back(struct domain *d, mfn_t mfn)
{
	int err = may_leave(d, mfn);

	if (!err)
		frame_pool_give_up(mfn);
	return err;
}

/* A frame for @d that is one more for this call only. */
static mfn_t take_newcomer(struct domain *d)
{
	uint32_t limit = d->memory.limit;
	mfn_t mfn;

	d->memory.limit = UINT32_MAX;
	mfn = frame_pool_alloc(d);
	d->memory.limit = limit;
	return mfn;
}

int balloon_exchange(struct domain *d, mfn_t old, mfn_t *new)
{
	int err = may_leave(d, old);

	if (err)
		return err;
	if (d->life != LIFE_OPEN)
		return -ESRCH;
	*new = take_newcomer(d);
	if (mfn_equal(*new, MFN_NONE))
		return -ENOMEM;
	machine_m2p_set(*new, machine_m2p_get(old));
	return 0;
}

/* ---- the calls: up to CHUNK entries of the list at @list each; how many were done, or why not one ---- */

/* Says which @n frames @d has got. */
static int tell(guest_addr_t list, const uint32_t *mfns, uint32_t n)
{
	uint32_t told;

	if (n == 0)
		return -ENOMEM;
	told = n - DIV_ROUND_UP(copy_to_guest(list, mfns, n * sizeof(*mfns)), sizeof(*mfns));
	/* A frame whose number the guest never learns would be lost to it. */
	for (uint32_t i = told; i < n; i++)
		frame_pool_give_up(MFN(mfns[i]));
	return told ? (int)told : -EFAULT;
}

static int increase(struct domain *d, guest_addr_t list, uint32_t count)
{
	uint32_t mfns[CHUNK];

	return tell(list, mfns, balloon_take(d, mfns, count));
}

static int decrease(struct domain *d, guest_addr_t list, uint32_t count)
{
	uint32_t mfns[CHUNK], done;
	int err = -EFAULT;

	count -= DIV_ROUND_UP(copy_from_guest(mfns, list, count * sizeof(*mfns)), sizeof(*mfns));
	for (done = 0; done < count; done++) {
		err = balloon_give_back(d, MFN(mfns[done]));
		if (err)
			break;
	}
	return done ? (int)done : err;
}

static int exchange_one(struct domain *d, guest_addr_t entry)
{
	mfn_t old, new;
	int err;

	if (copy_from_guest(&old.n, entry, sizeof(old.n)))
		return -EFAULT;
	err = balloon_exchange(d, old, &new);
	if (err)
		return err;
	if (copy_to_guest(entry, &new.n, sizeof(new.n))) {
		frame_pool_give_up(new);
		return -EFAULT;
	}
	/* Only now: before, the list could still have turned out not to be writable. */
	frame_pool_give_up(old);
	return 0;
}

static int exchange(struct domain *d, guest_addr_t list, uint32_t count)
{
	uint32_t done;
	int err = 0;

	for (done = 0; done < count; done++) {
		err = exchange_one(d, guest_add(list, done * sizeof(uint32_t)));
		if (err)
			break;
	}
	return done ? (int)done : err;
}

static int query(const struct domain *d, guest_addr_t at, struct memory_op op)
{
	op.count = d->memory.owned.count;
	op.list = d->memory.limit;
	return copy_to_guest(at, &op, sizeof(op)) ? -EFAULT : 0;
}

typedef int step_fn(struct domain *d, guest_addr_t list, uint32_t count);

static int walk(struct domain *d, const struct memory_op *op, step_fn *step)
{
	uint32_t done = 0;

	while (done < op->count) {
		uint32_t n = MIN(op->count - done, CHUNK);
		int did = step(d, GUEST_ADDR(op->list + done * sizeof(uint32_t)), n);

		if (did < 0)
			return done ? (int)done : did;
		done += did;
		if ((uint32_t)did < n || machine_interrupt_due())
			break;
	}
	return done;
}

/* Aligned, so that no entry lies half in a page that cannot be written. */
static int check_list(const struct memory_op *op)
{
	if (op->list % sizeof(uint32_t))
		return -EINVAL;
	return guest_array_ok(GUEST_ADDR(op->list), op->count, sizeof(uint32_t)) ? 0 : -EFAULT;
}

int do_memory_op(struct domain *d, guest_addr_t at)
{
	static step_fn *const steps[] = {
		[MEMORY_increase] = increase,
		[MEMORY_decrease] = decrease,
		[MEMORY_exchange] = exchange,
	};
	struct memory_op op;
	int err;

	if (copy_from_guest(&op, at, sizeof(op)))
		return -EFAULT;
	if (op.op > MEMORY_query || op.reserved)
		return -EINVAL;
	if (op.op == MEMORY_query)
		return query(d, at, op);
	err = check_list(&op);
	return err ? err : walk(d, &op, steps[op.op]);
}

/* ---- auditing ---- */

bool balloon_check(void)
{
	for (uint32_t i = 0; i < frame_table.count; i++) {
		domid_t owner = frame_table.records[i].owner;

		if ((owner == OWNER_NONE || owner == OWNER_MACHINE) && machine_m2p_get(MFN(i)) != ATELIER_NO_PFN) {
			console_printf("balloon_check: frame 0x%x is no domain's and has a pseudo-physical number\n", i);
			return false;
		}
	}
	return true;
}
