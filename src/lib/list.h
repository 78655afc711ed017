/* SPDX-License-Identifier: MIT */
/* A doubly linked ring with a head. An entry that is on no list points at itself. */
#ifndef ATELIER_LIB_LIST_H
#define ATELIER_LIB_LIST_H

#include "lib/types.h"

struct list {
	struct list *next, *prev;
};

#define LIST_INIT(name)	{ &(name), &(name) }

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

/* Puts @entry, which is on no list, before @where: at the end, if that is the head. */
static inline void list_insert(struct list *entry, struct list *where)
{
	entry->next = where;
	entry->prev = where->prev;
	where->prev->next = entry;
	where->prev = entry;
}

/* Takes @entry off its list, if it is on one. */
static inline void list_remove(struct list *entry)
{
	entry->prev->next = entry->next;
	entry->next->prev = entry->prev;
	list_init(entry);
}

#define list_entry(ptr, type, member)	container_of(ptr, type, member)
#define list_for_each(pos, head) \
	for (struct list *pos = (head)->next; pos != (head); pos = pos->next)

#endif
