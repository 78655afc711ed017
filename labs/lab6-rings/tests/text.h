/* SPDX-License-Identifier: MIT */
/* What the domains of lab 6's tests at whose consoles domain 0 sits have in common. */
#ifndef LAB6_TEXT_H
#define LAB6_TEXT_H

#include "lib/string.h"
#include "mini.h"
#include "ring.h"

/* What all domains are told first is domain 0's; of it, how long the text is that will be typed into @domain's console. */
static inline uint32_t skip_director(uint32_t domain)
{
	uint32_t domains = input_word(), length, typed = 0;

	for (uint32_t d = 1; d <= domains; d++) {
		input_bytes(&length);
		if (d == domain)
			typed = length;
	}
	for (uint32_t words = 3 * input_word(); words > 0; words--)
		input_word();
	return typed;
}

/* Byte @i of what a domain with this key writes; lab6_consoles.py has the same. */
static inline uint8_t text_byte(uint32_t key, uint32_t i)
{
	return '!' + ((i + key) * 2654435761u >> 24) % 94;
}

static inline struct console_slot text_request(uint32_t id, uint32_t count, uint32_t key, uint32_t at)
{
	struct console_slot s = { .id = id, .count = count };

	for (uint32_t i = 0; i < MIN(count, sizeof(s.data)); i++)
		s.data[i] = text_byte(key, at + i);
	return s;
}

#endif
