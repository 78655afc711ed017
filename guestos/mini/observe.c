// SPDX-License-Identifier: MIT
#include "observe.h"

#define MAGIC		16u	/* bytes */
#define TAG_NAME	0u	/* key: the tag that is named; payload: its text */
#define TAG_END		0x7fffu
#define MORE		0x8000u	/* in a length: the payload goes on in the next record */
#define END_WORDS	3u

struct page_header {
	uint8_t magic[MAGIC];
	uint32_t index;
	uint32_t used;		/* bytes, this header included; grows after the record is whole */
	uint16_t domain;
	uint16_t reserved;
};

struct record_header {
	uint16_t tag;
	uint16_t length;	/* of the payload, which is padded to words */
	uint32_t key;
};

#define END_ROOM	(sizeof(struct record_header) + END_WORDS * sizeof(uint32_t))

static struct {
	uint8_t *pages;			/* NULL: nobody watches */
	unsigned int count;
	unsigned int begun;
	uint32_t records;		/* written */
	uint32_t lost;			/* could not be written */
	int busy;			/* an upcall came in the middle of a record */
	unsigned int tags;
	const char *tag[OBSERVE_TAGS];
	const uint8_t *input;
	uint32_t left;			/* bytes of input not read yet */
	uint32_t overrun;		/* reads beyond them */
} observer;

/*
 * The compiler may not move the stores to a page past the one to `used`: the machine may stop
 * between any two instructions, and what was counted must be there.
 */
static void barrier(void)
{
	__asm__ volatile("" ::
				 : "memory");
}

static void copy(uint8_t *to, const uint8_t *from, uint32_t length)
{
	while (length-- > 0)
		*to++ = *from++;
}

static struct page_header *current_page(void)
{
	return (struct page_header *)(observer.pages + (observer.begun - 1) * OBSERVE_PAGE);
}

/* The caller writes the magic after that: then it is a page of observations. */
static struct page_header *begin_page(uint16_t domain)
{
	struct page_header *page;

	observer.begun++;
	page = current_page();
	page->index = observer.begun - 1;
	page->used = sizeof(*page);
	page->domain = domain;
	page->reserved = 0;
	barrier();
	return page;
}

static void next_page(void)
{
	const struct page_header *last = current_page();

	copy(begin_page(last->domain)->magic, last->magic, MAGIC);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* Reads 32 digits straight into a page, so that a dump holds the magic there only; 0 or -1. */
static int read_magic(const char *text, uint8_t *magic)
{
	for (unsigned int i = 0; i < MAGIC; i++) {
		int high = hex_digit(text[2 * i]);
		int low = high < 0 ? -1 : hex_digit(text[2 * i + 1]);

		if (low < 0)
			return -1;
		magic[i] = high << 4 | low;
	}
	return 0;
}

void observe_open(void *pages, unsigned int count, const char *magic, unsigned int domain)
{
	if (!magic || count == 0)
		return;
	observer.pages = pages;
	observer.count = count;
	if (read_magic(magic, begin_page(domain)->magic))
		observer.pages = 0;
}

/*
 * Bytes of payload that a record may have in the current page, negative if not even its header
 * fits. The last page keeps room for the end.
 */
static int room(void)
{
	int used = current_page()->used + sizeof(struct record_header);

	return OBSERVE_PAGE - (observer.begun == observer.count ? (int)END_ROOM : 0) - used;
}

static void append(uint16_t tag, uint16_t more, uint32_t key, const void *payload, uint32_t length)
{
	struct page_header *page = current_page();
	uint8_t *at = (uint8_t *)page + page->used;
	struct record_header *record = (struct record_header *)at;
	uint32_t padded = (length + 3) & ~3u;

	record->tag = tag;
	record->length = length | more;
	record->key = key;
	copy(at + sizeof(*record), payload, length);
	for (uint32_t i = length; i < padded; i++)
		at[sizeof(*record) + i] = 0;
	barrier();
	page->used += sizeof(*record) + padded;
	observer.records++;
}

/* Makes room for @length bytes of payload, in a new page if need be; 0, or -1 if there is none. */
static int make_room(int length)
{
	if (room() >= length)
		return 0;
	if (observer.begun < observer.count)
		next_page();
	return room() >= length ? 0 : -1;
}

/*
 * Writes a record, in pieces where it does not fit a page. 0, or -1: it is not there, or not all
 * of it.
 */
static int write_record(uint16_t tag, uint32_t key, const uint8_t *payload, uint32_t length)
{
	while (length > OBSERVE_PAGE - sizeof(struct page_header) - sizeof(struct record_header)) {
		uint32_t piece;

		if (make_room(sizeof(uint32_t)))
			return -1;
		piece = room();
		append(tag, MORE, key, payload, piece);
		payload += piece;
		length -= piece;
	}
	if (make_room(length))
		return -1;
	append(tag, 0, key, payload, length);
	return 0;
}

static uint32_t text_length(const char *text)
{
	uint32_t length = 0;

	while (text[length])
		length++;
	return length;
}

static int same_text(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* The number of a tag, which is named on its first use; 0 if there is no room for one more. */
static unsigned int tag_number(const char *text)
{
	for (unsigned int i = 0; i < observer.tags; i++)
		if (observer.tag[i] == text || same_text(observer.tag[i], text))
			return i + 1;

	if (observer.tags == OBSERVE_TAGS ||
	    write_record(TAG_NAME, observer.tags + 1, (const uint8_t *)text, text_length(text)))
		return 0;
	observer.tag[observer.tags++] = text;
	return observer.tags;
}

void observe_bytes(const char *tag, uint32_t key, const void *bytes, uint32_t length)
{
	unsigned int number;

	if (!observer.pages)
		return;
	if (observer.busy) {	/* an upcall came in here: its record would land in the other's */
		observer.lost++;
		return;
	}
	observer.busy = 1;
	barrier();
	number = tag_number(tag);
	if (number == 0 || write_record(number, key, bytes, length))
		observer.lost++;
	barrier();
	observer.busy = 0;
}

void observe_words(const char *tag, uint32_t key, const uint32_t *words, unsigned int count)
{
	observe_bytes(tag, key, words, count * sizeof(uint32_t));
}

void observe_end(void)
{
	uint32_t end[END_WORDS] = { observer.records, observer.lost, observer.overrun };

	if (!observer.pages || observer.busy)
		return;
	if (OBSERVE_PAGE - current_page()->used < END_ROOM)
		next_page();
	append(TAG_END, 0, 0, end, sizeof(end));
	observer.pages = 0;
}

__attribute__((noinline, noclone)) void observe_mark(void)
{
	barrier();
}

unsigned int observe_pages(void)
{
	return observer.begun;
}

void input_open(const void *input, uint32_t length)
{
	observer.input = input;
	observer.left = length;
}

uint32_t input_word(void)
{
	uint32_t word;

	if (observer.left < sizeof(word)) {
		observer.overrun++;
		return 0;
	}
	copy((uint8_t *)&word, observer.input, sizeof(word));
	observer.input += sizeof(word);
	observer.left -= sizeof(word);
	return word;
}

const uint8_t *input_bytes(uint32_t *length)
{
	const uint8_t *bytes;
	uint32_t size = input_word();
	uint32_t padded = size + (-size & 3u);

	if (padded < size || padded > observer.left) {
		observer.overrun++;
		size = padded = 0;
	}
	bytes = observer.input;
	observer.input += padded;
	observer.left -= padded;
	*length = size;
	return bytes;
}
