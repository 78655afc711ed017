// SPDX-License-Identifier: MIT
/* host test */
/* Has packets read, each from a copy that ends where what was copied of it ends. */
#include "host/program.h"
#include "vfr.h"

static uint32_t word(const uint32_t *address)
{
	return __builtin_bswap32(*address);
}

static void read_one(uint32_t key)
{
	struct vfr_packet p;
	uint32_t length, have;
	const uint8_t *bytes = input_bytes(&length);
	uint8_t *copy;
	int answer;

	have = MIN(length, VFR_HEADER);
	copy = malloc(have ? have : 1);
	memcpy(copy, bytes, have);
	memset(&p, 1, sizeof(p));		/* what is left as it was is seen, and is a bool */
	answer = vfr_parse(copy, have, length, &p);
	observe("parsed answer:int is_ip is_arp", key, answer, p.is_ip, p.is_arp);
	if (!answer) {
		observe_bytes("ends data:bytes", key, (const uint8_t[]){ p.to[0], p.to[5], p.from[0], p.from[5], p.arp_sender[0] }, 5);
		observe("addresses protocol source destination", key, p.protocol, word(&p.source), word(&p.destination));
		observe("ports has source destination", key, p.has_ports, p.source_port, p.destination_port);
	}
	free(copy);
}

static void run(void)
{
	uint32_t count = input_word();

	for (uint32_t i = 0; i < count; i++)
		read_one(i);
}
