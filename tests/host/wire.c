// SPDX-License-Identifier: MIT
#include "host/wire.h"
#include <string.h>
#include "host/host.h"
#include "vif.h"

struct host_wire host_wire;

void host_wire_reset(void)
{
	memset(&host_wire, 0, sizeof(host_wire));
	host_wire.alarm = UINT64_MAX;
	host_wire.slots = MACHINE_WIRE_PACKETS;
}

void host_wire_plug(const uint8_t mac[6])
{
	host_wire.present = true;
	memcpy(host_wire.mac, mac, 6);
}

static void seam(const char *call)
{
	if (host.at_seam)
		host.at_seam(call);
}

/* ---- the seam ---- */

const uint8_t *machine_wire_mac(void)
{
	return host_wire.present ? host_wire.mac : NULL;
}

unsigned int machine_wire_buffers(void)
{
	return HOST_WIRE_BUFFERS;
}

void machine_wire_give(mfn_t frame)
{
	seam(__func__);
	host_frame(frame.n);
	if (host_wire.buffer_count == HOST_WIRE_BUFFERS)
		host_panic("machine_wire_give: more frames than HOST_WIRE_BUFFERS");
	host_wire.buffers[host_wire.buffer_count++] = frame;
}

unsigned int machine_wire_room(void)
{
	return host_wire.present ? host_wire.slots - (host_wire.sent_count - host_wire.done) : 0;
}

static void check_token(uint32_t token)
{
	for (unsigned int i = host_wire.done; i < host_wire.sent_count; i++)
		if (host_wire.sent[i].token == token)
			host_panic("machine_wire_send: token %u is under way already", token);
}

void machine_wire_send(const void *header, uint32_t n, const struct machine_piece *pieces,
		       unsigned int count, uint32_t token, struct machine_sum sum)
{
	struct host_sent *s = &host_wire.sent[host_wire.sent_count];

	seam(__func__);
	if (machine_wire_room() == 0)
		host_panic("machine_wire_send: there is no room");
	if (host_wire.sent_count == HOST_WIRE_LOG || count > ARRAY_SIZE(s->pieces) || n > HOST_WIRE_BYTES)
		host_panic("machine_wire_send: %u packets, %u bytes, %u pieces", host_wire.sent_count, n, count);
	check_token(token);
	*s = (struct host_sent){ .when = host.now, .token = token, .header_length = n, .length = n, .count = count, .sum = sum };
	memcpy(s->bytes, header, n);
	for (unsigned int i = 0; i < count; i++) {
		s->pieces[i] = pieces[i];
		s->length += pieces[i].length;
		host_frame(pieces[i].frame.n);
		if (pieces[i].length == 0 || pieces[i].offset + pieces[i].length > PAGE_SIZE)
			host_panic("machine_wire_send: a piece of %u bytes from %u on", pieces[i].length, pieces[i].offset);
	}
	if (s->length > (sum.segment ? VIF_LARGE_MAX : HOST_WIRE_BYTES) || (sum.segment && !sum.at))
		host_panic("machine_wire_send: a packet of %u bytes", s->length);
	if (sum.at && (sum.at < sum.start || sum.at + 2u > s->length))
		host_panic("machine_wire_send: a check sum at %u of %u bytes", sum.at, s->length);
	host_wire.sent_count++;
}

void machine_wire_alarm(uint64_t deadline)
{
	seam(__func__);
	host_wire.alarm = deadline;
}

/* ---- the test's side ---- */

bool host_wire_leave(void)
{
	struct host_sent *s = &host_wire.sent[host_wire.done];
	uint8_t *to = s->sum.segment ? host_wire.large : s->bytes;
	uint32_t at = s->header_length;

	if (host_wire.done == host_wire.sent_count)
		return false;
	memmove(to, s->bytes, at);
	for (unsigned int i = 0; i < s->count; i++) {
		memcpy(to + at, (uint8_t *)host_frame(s->pieces[i].frame.n) + s->pieces[i].offset, s->pieces[i].length);
		at += s->pieces[i].length;
	}
	host_wire.done++;
	vif_sent(s->token);
	return true;
}

void host_wire_leave_all(void)
{
	while (host_wire_leave())
		;
}

void host_wire_arrive(const void *bytes, uint32_t n)
{
	mfn_t *frame = &host_wire.buffers[host_wire.next_buffer];

	if (host_wire.buffer_count == 0) {
		host_wire.lost++;
		return;
	}
	memcpy((uint8_t *)host_frame(frame->n) + MACHINE_WIRE_OFFSET, bytes, n);
	*frame = vif_receive(*frame, n, host_wire.verifies);
	host_frame(frame->n);
	host_wire.next_buffer = (host_wire.next_buffer + 1) % host_wire.buffer_count;
}

void host_wire_time(uint64_t now)
{
	while (host_wire.alarm != UINT64_MAX && (int64_t)(now - host_wire.alarm) >= 0) {
		if ((int64_t)(host_wire.alarm - host.now) > 0)
			host.now = host_wire.alarm;
		host_wire.alarm = UINT64_MAX;
		vif_alarm();
	}
	host.now = now;
}
