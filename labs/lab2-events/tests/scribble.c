// SPDX-License-Identifier: MIT
/*
 * Writes noise into its shared page, raises a port of its own and shows what has become of the page. Then it writes noise
 * everywhere and without end, makes calls in between, and comes to its end or not.
 */
#include "event.h"
#include "lib/string.h"
#include "mini.h"
#include "time.h"

#define WORDS	(2 + 2 * EVENT_WORDS)	/* of the page, up to its clock */

static int own, other;

static volatile uint32_t *page_words(void)
{
	return (volatile uint32_t *)&shared_info;
}

static void show(uint32_t key)
{
	uint32_t words[WORDS], size;
	const uint8_t *noise = input_bytes(&size);

	/* The master mask is on, whatever the noise: nothing is to be called. */
	memcpy(words, noise, sizeof(words));
	((uint8_t *)words)[SHARED_UPCALL_MASK] = 1;
	for (uint32_t i = 0; i < WORDS; i++)
		page_words()[i] = words[i];
	observe("sent answer:int", key, event_send(other));
	for (uint32_t i = 0; i < WORDS; i++)
		words[i] = page_words()[i];
	observe_bytes("page words:bytes", key, words, sizeof(words));
}

static void scribble(uint32_t rounds)
{
	uint32_t good = 0;

	event_init();
	for (uint32_t i = 0; i < rounds; i++) {
		for (uint32_t k = 0; k < sizeof(shared_info) / 4; k++)
			page_words()[k] = random_word();
		good += event_send(other) == 0;
		time_alarm(random_word());
		hypercall_yield();
	}
	shared_info.upcall_mask = 1;
	observe("scribbled rounds good", 0, rounds, good);
}

int test_main(const struct start_info *start)
{
	uint32_t count = input_word();

	events_disable();
	own = event_alloc_unbound(DOMID_SELF, NULL, NULL);
	other = event_bind_interdomain(DOMID_SELF, own, NULL, NULL);
	event_bind_virq(VIRQ_TIMER, NULL, NULL);
	observe("port own", 0, own);
	for (uint32_t i = 0; i < count; i++)
		show(i);
	scribble(input_word());
	return 0;
}
