// SPDX-License-Identifier: MIT
#include "segmentation.h"
#include "lib/string.h"
#include "public/ring.h"
#include "vfr.h"

#define TYPE		12u		/* where these lie in Ethernet's header, ... */
#define TYPE_IP		0x0800
#define IP		ETHERNET_BYTES	/* ... and behind it in IP's, ... */
#define IP_LENGTH	(IP + 2)
#define IP_NUMBER	(IP + 4)
#define IP_FRAGMENT	(IP + 6)
#define IP_PROTOCOL	(IP + 9)
#define IP_SUM		(IP + 10)
#define IP_ADDRESSES	(IP + 12)
#define IP_BYTES	20u		/* at least */
#define SOME_FRAGMENT	0x3fff
#define PROTOCOL_TCP	6
#define TCP_SEQUENCE	4u		/* ... and in TCP's */
#define TCP_OFFSET	12u
#define TCP_FLAGS	13u
#define TCP_SUM		16u
#define TCP_BYTES	20u		/* at least */
#define FIN		0x01
#define PSH		0x08

static uint32_t read_16(const uint8_t *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return __builtin_bswap16(value);
}

static void write_16(uint8_t *at, uint16_t value)
{
	value = __builtin_bswap16(value);
	memcpy(at, &value, sizeof(value));
}

static void add_32(uint8_t *at, uint32_t more)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	value = __builtin_bswap32(__builtin_bswap32(value) + more);
	memcpy(at, &value, sizeof(value));
}

int segmentation_plan(struct segmentation *s, const uint8_t *header, uint32_t have, uint32_t length, uint32_t segment)
{
	uint32_t tcp, payload, count;

	if (have < IP + IP_BYTES + TCP_BYTES || read_16(header + TYPE) != TYPE_IP || header[IP] >> 4 != 4 ||
	    header[IP_PROTOCOL] != PROTOCOL_TCP || (read_16(header + IP_FRAGMENT) & SOME_FRAGMENT) ||
	    IP + read_16(header + IP_LENGTH) != length)
		return -EINVAL;
	tcp = IP + (header[IP] & 15) * 4;
	if (tcp < IP + IP_BYTES || tcp + TCP_BYTES > have)
		return -EINVAL;
	payload = tcp + (header[tcp + TCP_OFFSET] >> 4) * 4;
	if (payload < tcp + TCP_BYTES || payload > have || payload >= length)
		return -EINVAL;
	if (segment < VFR_HEADER || payload + segment > VIF_PACKET_MAX)
		return -EINVAL;
	count = DIV_ROUND_UP(length - payload, segment);
	if (count > VIF_SEGMENTS)
		return -EINVAL;
	*s = (struct segmentation){ count, segment, tcp, payload, length };
	return 0;
}

/* The sum of RFC 1071 of @n bytes, a multiple of 4, and @more. Its bytes lie as those that were added: those need no swapping. */
static uint16_t add_up(const uint8_t *bytes, uint32_t n, uint16_t more)
{
	uint64_t total = __builtin_bswap16(more);
	uint32_t words;

	for (uint32_t i = 0; i < n; i += sizeof(words)) {
		memcpy(&words, bytes + i, sizeof(words));
		total += words;
	}
	words = (total & 0xffff) + (total >> 16 & 0xffff) + (uint32_t)(total >> 32);
	words = (words & 0xffff) + (words >> 16);
	return __builtin_bswap16((words & 0xffff) + (words >> 16));
}

void segmentation_header(const struct segmentation *s, uint32_t i, const uint8_t *header, uint8_t *to)
{
	uint32_t bytes = segmentation_size(s, i);

	memcpy(to, header, s->payload);
	write_16(to + IP_LENGTH, s->payload - IP + bytes);
	write_16(to + IP_NUMBER, read_16(header + IP_NUMBER) + i);
	write_16(to + IP_SUM, 0);
	write_16(to + IP_SUM, ~add_up(to + IP, s->tcp - IP, 0));
	add_32(to + s->tcp + TCP_SEQUENCE, i * s->segment);
	if (i + 1u < s->count)
		to[s->tcp + TCP_FLAGS] &= ~(FIN | PSH);
	write_16(to + s->tcp + TCP_SUM, add_up(to + IP_ADDRESSES, 8, PROTOCOL_TCP + s->payload - s->tcp + bytes));
}

unsigned int segmentation_take(struct machine_piece **left, uint32_t n, struct machine_piece *to)
{
	unsigned int count = 0;

	while (n > 0) {
		struct machine_piece *p = *left;
		uint32_t now = MIN(n, p->length);

		to[count++] = (struct machine_piece){ p->frame, p->offset, now };
		p->offset += now;
		p->length -= now;
		if (p->length == 0)
			(*left)++;
		n -= now;
	}
	return count;
}

/* At most @n bytes of the pieces, from byte @from of them on; how many. */
static uint32_t copy_bytes(const struct machine_piece *pieces, unsigned int count, uint32_t from, uint32_t n, uint8_t *to)
{
	uint8_t *begin = to;

	for (unsigned int i = 0; i < count && n > 0; i++) {
		uint32_t skip = MIN(from, pieces[i].length), now = MIN(n, pieces[i].length - skip);

		from -= skip;
		memcpy(to, (uint8_t *)machine_map_frame(pieces[i].frame, WINDOW_DATA) + pieces[i].offset + skip, now);
		to += now;
		n -= now;
	}
	return to - begin;
}

uint32_t segmentation_copy(const struct segmentation *s, uint32_t i, const uint8_t *header, uint32_t have,
			   const struct machine_piece *pieces, unsigned int count, uint8_t *to)
{
	uint32_t from, size, now;

	if (s->count == 0) {
		memcpy(to, header, have);
		return have + copy_bytes(pieces, count, 0, UINT32_MAX, to + have);
	}
	from = segmentation_from(s, i);
	size = segmentation_size(s, i);
	now = from < have ? MIN(size, have - from) : 0;
	segmentation_header(s, i, header, to);
	memcpy(to + s->payload, header + from, now);
	copy_bytes(pieces, count, from + now - have, size - now, to + s->payload + now);
	return s->payload + size;
}
