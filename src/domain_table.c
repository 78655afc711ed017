// SPDX-License-Identifier: MIT
#include "domain.h"
#include "lib/string.h"

static struct {
	struct domain slots[MAX_DOMAINS];
	uint32_t last;		/* the slot claimed last: numbers come back late */
} domains;

void domain_table_init(void)
{
	for (uint32_t i = 0; i < MAX_DOMAINS; i++)
		domains.slots[i].life = LIFE_FREE;
	domains.last = MAX_DOMAINS - 1;
}

struct domain *domain_claim(void)
{
	for (uint32_t i = 1; i <= MAX_DOMAINS; i++) {
		uint32_t slot = (domains.last + i) % MAX_DOMAINS;
		struct domain *d = &domains.slots[slot];

		if (d->life != LIFE_FREE)
			continue;
		memset(d, 0, sizeof(*d));
		d->id = slot;
		d->life = LIFE_OPEN;
		domains.last = slot;
		return d;
	}
	return NULL;
}

struct domain *domain_find(struct domain *self, uint32_t id)
{
	if (id == DOMID_SELF)
		return self;
	if (id >= MAX_DOMAINS || domains.slots[id].life != LIFE_OPEN)
		return NULL;
	return &domains.slots[id];
}

struct domain *domain_next(uint32_t id)
{
	for (; id < MAX_DOMAINS; id++)
		if (domains.slots[id].life != LIFE_FREE)
			return &domains.slots[id];
	return NULL;
}

/* Every domain has a name, and leaves it behind. */
const struct domain *domain_next_ended(uint32_t id)
{
	for (; id < MAX_DOMAINS; id++)
		if (domains.slots[id].life != LIFE_OPEN && domains.slots[id].name[0])
			return &domains.slots[id];
	return NULL;
}
