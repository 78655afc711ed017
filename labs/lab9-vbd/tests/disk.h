/* SPDX-License-Identifier: MIT */
/* What the guests of lab 9 share: a ring to the disks, requests as their judge drew them, and what became of them. */
#ifndef LAB9_DISK_H
#define LAB9_DISK_H

#include "event.h"
#include "lib/string.h"
#include "mini.h"
#include "paging.h"
#include "ring.h"
#include "time.h"

#define SECTOR		512u
#define DISK_PAGES	32u		/* buffers */

static struct ring disk;
static uint8_t *disk_pages[DISK_PAGES];

static inline void disk_open(void)
{
	event_init();
	events_enable();
	for (uint32_t i = 0; i < DISK_PAGES; i++)
		disk_pages[i] = page_alloc();
	observe("ring answer:int", 0, ring_open(&disk, RING_VBD, 0, NULL, NULL));
}

/* The next answer, in a sleep if it is not there yet. */
static inline struct vbd_response disk_answer(void)
{
	struct vbd_response r;

	while (!ring_get(&disk, &r))
		events_wait_until(ring_answered(&disk));
	return r;
}

/* Asks, and says the status. */
static inline int disk_ask(const struct vbd_request *q)
{
	ring_put(&disk, q);
	ring_publish(&disk);
	return disk_answer().status;
}

/* FNV-1a, of a sector's words. */
static inline uint32_t disk_digest(const uint8_t *bytes)
{
	const uint32_t *words = (const uint32_t *)bytes;
	uint32_t hash = 0x811c9dc5;

	for (uint32_t i = 0; i < SECTOR / 4; i++)
		hash = (hash ^ words[i]) * 0x01000193;
	return hash;
}

/* What a test writes into a sector: its word, over and over, each a little different. */
static inline void disk_fill(uint8_t *bytes, uint32_t word)
{
	for (uint32_t i = 0; i < SECTOR / 4; i++)
		((uint32_t *)bytes)[i] = word + i;
}

/* A request as the judge encodes it: operation, device, sector, and pieces: page, first, count. Its id is its number. */
static inline struct vbd_request disk_input(uint16_t id)
{
	struct vbd_request q = { .id = id, .op = input_word(), .device = input_word() };

	q.sector = input_word();
	q.pieces = input_word();
	for (uint32_t i = 0; i < q.pieces; i++) {
		q.piece[i].frame = page_mfn(disk_pages[input_word() % DISK_PAGES]);
		q.piece[i].first = input_word();
		q.piece[i].count = input_word();
	}
	return q;
}

/* ---- domain 0's part ---- */

static inline int disk_control(struct control_op op)
{
	op.interface = ATELIER_INTERFACE;
	return hypercall_control_op(&op);
}

static inline int disk_create(uint32_t domain, uint32_t number)
{
	struct control_op op = { .op = CONTROL_vbd_create, .domain = domain };

	op.u.vbd.number = number;
	return disk_control(op);
}

static inline int disk_extend(uint32_t domain, uint32_t number, struct control_extent e)
{
	struct control_op op = { .op = CONTROL_extent_add, .domain = domain, .vbd_number = number };

	op.u.extent = e;
	return disk_control(op);
}

/* Extents as the judge encodes them: domain, device, disk, first, count, rights. Each makes its device if there is none. */
static inline void disk_extend_all(void)
{
	uint32_t count = input_word();

	for (uint32_t i = 0; i < count; i++) {
		uint32_t domain = input_word(), number = input_word();
		struct control_extent e = { .disk = input_word() };

		e.first = input_word();
		e.count = input_word();
		e.rights = input_word();
		disk_create(domain, number);
		observe("extent answer:int", i, disk_extend(domain, number, e));
	}
}

#endif
