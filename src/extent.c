// SPDX-License-Identifier: MIT
#include "extent.h"

#define RIGHTS	(DISK_READ | DISK_WRITE | DISK_SHARED)

/* The extent that holds a sector; NULL: none does. */
static const struct extent *holder(const struct extent_table *t, vsector_t s)
{
	for (const struct extent *e = t->extents; e < t->extents + t->count; e++)
		if (s.n >= e->first.n && s.n - e->first.n < e->real.count)
			return e;
	return NULL;
}

int extent_resolve(const struct extent_table *t, struct vrun want, unsigned int need,
		   struct rrun *out, unsigned int max)
{
	unsigned int runs = 0;

	if (want.count == 0 || want.count > UINT32_MAX - want.first.n)
		return -EINVAL;

	while (want.count > 0) {
		const struct extent *e = holder(t, want.first);
		uint32_t skip, take;

		if (!e)
			return -ENXIO;
		if ((e->rights & need) != need)
			return -EACCES;
		if (runs == max)
			return -E2BIG;

		skip = want.first.n - e->first.n;
		take = MIN(e->real.count - skip, want.count);
		out[runs++] = (struct rrun){ e->real.disk, { e->real.first.n + skip }, take };

		want.first.n += take;
		want.count -= take;
	}
	return runs;
}

/* ---- the table ---- */

uint32_t extent_end(const struct extent_table *t)
{
	const struct extent *last = t->count > 0 ? &t->extents[t->count - 1] : NULL;

	return last ? last->first.n + last->real.count : 0;
}

int extent_add(struct extent_table *t, struct rrun real, unsigned int rights)
{
	uint32_t end = extent_end(t);

	if (real.count == 0 || real.count > UINT32_MAX - real.first.n || real.count > UINT32_MAX - end)
		return -EINVAL;
	if ((rights & ~RIGHTS) || !(rights & (DISK_READ | DISK_WRITE)))
		return -EINVAL;
	if (t->count == EXTENTS)
		return -ENOSPC;

	t->extents[t->count++] = (struct extent){ { end }, real, rights };
	return 0;
}

int extent_remove(struct extent_table *t)
{
	if (t->count == 0)
		return -ENODEV;
	t->count--;
	return 0;
}

/* ---- strangers on a disk ---- */

static bool overlap(struct rrun a, struct rrun b)
{
	if (a.disk != b.disk)
		return false;
	return a.first.n <= b.first.n ? b.first.n - a.first.n < a.count : a.first.n - b.first.n < b.count;
}

/* Whether who has one of them may write what the other one was not told to share. */
static bool intrudes(unsigned int writer, unsigned int other)
{
	return (writer & DISK_WRITE) && !(other & DISK_SHARED);
}

bool extent_conflict(const struct extent_table *t, struct rrun real, unsigned int rights)
{
	for (const struct extent *e = t->extents; e < t->extents + t->count; e++)
		if (overlap(e->real, real) && (intrudes(e->rights, rights) || intrudes(rights, e->rights)))
			return true;
	return false;
}

/* ---- the auditor ---- */

bool extent_check(const struct extent_table *t)
{
	uint32_t end = 0;

	if (t->count > EXTENTS)
		return false;
	for (const struct extent *e = t->extents; e < t->extents + t->count; e++) {
		if (e->real.count == 0 || e->first.n < end)
			return false;
		if (e->real.count > UINT32_MAX - e->first.n || e->real.count > UINT32_MAX - e->real.first.n)
			return false;
		end = e->first.n + e->real.count;
	}
	return true;
}
