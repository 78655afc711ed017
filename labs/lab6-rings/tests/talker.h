/* SPDX-License-Identifier: MIT */
/*
 * Posts requests on its console ring, as many as there is room for, until all are answered and it has read all that was typed. It
 * is told the count of each: 1 to 60 bytes to write, 0 to read, more than a slot holds. Their ids are 0, 1, 2, ... What comes back
 * it writes down as it comes: ids, counts, bytes that were read; and how many answers there were at each look that found some.
 */
#ifndef LAB6_TALKER_H
#define LAB6_TALKER_H

#include "paging.h"
#include "text.h"

#define NOTE_PAGES	40u
#define WAKES		2048u

static struct {
	struct ring ring;
	uint32_t key, typed;		/* told */
	uint32_t counts[16384], count;	/* of the requests */
	uint32_t next, said;		/* requests put; bytes of text in them */
	uint32_t open, reads;		/* not answered yet; those of them that read */
	uint32_t read;			/* bytes */
	uint8_t *notes;
	uint32_t noted;
	uint16_t found[WAKES];
	uint32_t looks;
} talker;

static void talker_be_told(void)
{
	uint32_t domain = argument_number("domain", 0), lists;

	talker.typed = skip_director(domain);
	lists = input_word();
	for (uint32_t d = 1; d <= lists; d++) {
		uint32_t key = input_word(), n = input_word();

		for (uint32_t i = 0; i < n; i++) {
			uint32_t count = input_word();

			if (d == domain)
				talker.counts[talker.count++ % ARRAY_SIZE(talker.counts)] = count;
		}
		if (d == domain)
			talker.key = key;
	}
}

static void talker_put(uint32_t count)
{
	struct console_slot s = text_request(talker.next++, count, talker.key, talker.said);

	if (count == 0)
		talker.reads++;
	else if (count <= sizeof(s.data))
		talker.said += count;
	talker.open++;
	ring_put(&talker.ring, &s);
}

/* All that there is room for, in batches of different sizes; whether there was anything. */
static bool talker_post(void)
{
	uint32_t before = talker.next;

	while (talker.next < talker.count && ring_room(&talker.ring)) {
		talker_put(talker.counts[talker.next]);
		if (random_below(4) == 0)
			ring_publish(&talker.ring);
	}
	/* The requests to read that it was told did not do for all that was typed. */
	if (talker.next >= talker.count && talker.reads == 0 && talker.read < talker.typed && ring_room(&talker.ring))
		talker_put(0);
	ring_publish(&talker.ring);
	return talker.next != before;
}

static void talker_note(const void *bytes, uint32_t n)
{
	n = MIN(n, NOTE_PAGES * PAGE_SIZE - talker.noted);
	memcpy(talker.notes + talker.noted, bytes, n);
	talker.noted += n;
}

static void talker_take(const struct console_slot *s)
{
	bool reads = s->id >= talker.count || talker.counts[s->id] == 0;

	talker_note(s, 4);
	talker.open--;
	if (!reads)
		return;
	talker.reads--;
	talker.read += s->count;
	talker_note(s->data, MIN(s->count, sizeof(s->data)));
}

/* All answers that are there; whether there were any. */
static bool talker_look(void)
{
	struct console_slot s;
	uint32_t n;

	for (n = 0; ring_get(&talker.ring, &s); n++)
		talker_take(&s);
	if (n)
		talker.found[talker.looks++ % WAKES] = n;
	return n > 0;
}

static bool talker_over(void)
{
	return talker.next >= talker.count && talker.open == talker.reads && talker.read >= talker.typed;
}

static void talker_talk(void)
{
	talker_be_told();
	talker.notes = page_alloc_run(NOTE_PAGES);
	event_init();
	events_enable();
	observe("open answer:int", 0, ring_open(&talker.ring, RING_CONSOLE, 0, NULL, NULL));
	while (!talker_over()) {
		bool did = talker_post();

		did |= talker_look();
		if (!did)
			events_wait_until(ring_answered(&talker.ring));
	}
	observe_bytes("answers list:bytes", 0, talker.notes, talker.noted);
	observe_bytes("looks found:bytes", 0, talker.found, MIN(talker.looks, WAKES) * sizeof(talker.found[0]));
}

#endif
