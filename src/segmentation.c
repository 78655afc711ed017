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
	return at[0] << 8 | at[1];
}

static void write_16(uint8_t *at, uint32_t value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static uint32_t read_32(const uint8_t *at)
{
	return read_16(at) << 16 | read_16(at + 2);
}

static void write_32(uint8_t *at, uint32_t value)
{
	write_16(at, value >> 16);
	write_16(at + 2, value);
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

/* RFC 1071, from @total on; @n is even. */
static uint32_t add_up(uint32_t total, const uint8_t *bytes, uint32_t n)
{
	for (uint32_t i = 0; i < n; i += 2)
		total += read_16(bytes + i);
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return total;
}

void segmentation_header(const struct segmentation *s, uint32_t i, const uint8_t *header, uint8_t *to)
{
	uint32_t bytes = segmentation_size(s, i);

	memcpy(to, header, s->payload);
	write_16(to + IP_LENGTH, s->payload - IP + bytes);
	write_16(to + IP_NUMBER, read_16(header + IP_NUMBER) + i);
	write_16(to + IP_SUM, 0);
	write_16(to + IP_SUM, ~add_up(0, to + IP, s->tcp - IP));
	write_32(to + s->tcp + TCP_SEQUENCE, read_32(header + s->tcp + TCP_SEQUENCE) + i * s->segment);
	if (i + 1u < s->count)
		to[s->tcp + TCP_FLAGS] &= ~(FIN | PSH);
	write_16(to + s->tcp + TCP_SUM, add_up(PROTOCOL_TCP + s->payload - s->tcp + bytes, to + IP_ADDRESSES, 8));
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
