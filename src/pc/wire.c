// SPDX-License-Identifier: MIT
#include "pc/wire.h"
#include "pc/pc.h"
#include "vif.h"

static const struct wire_driver *driver;	/* NULL: there is no wire */
static struct alarm alarm;

static void ring(struct alarm *a)
{
	vif_alarm();
}

void wire_init(void)
{
	alarm_open(&alarm, ring);
	driver = ramwire_find();
	if (!driver)
		driver = e1000_find();
}

const uint8_t *machine_wire_mac(void)
{
	return driver ? driver->mac : NULL;
}

unsigned int machine_wire_buffers(void)
{
	return driver->buffers;
}

void machine_wire_give(mfn_t frame)
{
	driver->give(frame);
}

unsigned int machine_wire_room(void)
{
	return driver ? driver->room() : 0;
}

void machine_wire_send(const void *header, uint32_t n, const struct machine_piece *pieces,
		       unsigned int count, uint32_t token, struct machine_sum sum)
{
	driver->send(header, n, pieces, count, token, sum);
}

void machine_wire_alarm(uint64_t deadline)
{
	alarm_set(&alarm, deadline);
}
