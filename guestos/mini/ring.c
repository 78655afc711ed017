// SPDX-License-Identifier: MIT
/*
 * Both sides write and then look at what the other one writes: an index and the other's threshold,
 * or a threshold and the other's index. If the look came before the store, both could see the old
 * word, and both would sleep. x86 lets a load pass an older store to another place, so a fence
 * stands between the two (SDM 3A, 8.2.3.4); that a body is out before its index needs none here,
 * only the compiler must keep the order.
 */
#include "ring.h"
#include "lib/string.h"
#include "mini.h"
#include "paging.h"

static const struct {
	uint32_t slots, request, response;
} shapes[RING_CLASSES] = {
	[RING_CONSOLE] = { CONSOLE_SLOTS, sizeof(struct console_slot), sizeof(struct console_slot) },
	[RING_VIF_TX] = { VIF_TX_SLOTS, sizeof(struct vif_tx_request), sizeof(struct vif_tx_response) },
	[RING_VIF_RX] = { VIF_RX_SLOTS, sizeof(struct vif_rx_request), sizeof(struct vif_rx_response) },
	[RING_VBD] = { VBD_SLOTS, sizeof(struct vbd_request), sizeof(struct vbd_response) },
};

static uint32_t read_once(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static void write_once(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static void store_before_load(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* ---- the page ---- */

uint32_t ring_slots(const struct ring *r)
{
	return shapes[r->ring_class].slots;
}

uint32_t ring_slot_size(const struct ring *r)
{
	return MAX(shapes[r->ring_class].request, shapes[r->ring_class].response);
}

void *ring_slot(const struct ring *r, uint32_t i)
{
	return (uint8_t *)(r->header + 1) + i % ring_slots(r) * ring_slot_size(r);
}

/* ---- beginning and end ---- */

static int operate(const struct ring *r, uint32_t op)
{
	struct ring_op ask = {
		.op = op, .ring_class = r->ring_class, .device = r->device, .port = r->port,
		.frame = op == RING_register ? page_mfn(r->header) : 0,
	};

	return hypercall_ring_op(&ask);
}

static void give_back(struct ring *r)
{
	event_close(r->port);
	page_free(r->header);
	r->header = NULL;
}

int ring_open(struct ring *r, uint32_t ring_class, uint32_t device, event_handler *handler, void *arg)
{
	int port = event_alloc_unbound(DOMID_SELF, handler, arg);
	int err;

	if (port < 0)
		return port;
	*r = (struct ring){ .header = page_alloc(), .ring_class = ring_class, .device = device, .port = port };
	err = operate(r, RING_register);
	if (err) {
		give_back(r);
		return err;
	}
	/* The page was ours alone until now; where it begins is the hypervisor's to say. */
	r->put = r->taken = read_once(&r->header->rsp_prod);
	write_once(&r->header->req_prod, r->put);
	write_once(&r->header->rsp_event, r->taken + 1);
	return 0;
}

int ring_close(struct ring *r)
{
	int err = operate(r, RING_unregister);

	if (!err)
		give_back(r);
	return err;
}

/* ---- requests ---- */

uint32_t ring_room(const struct ring *r)
{
	return ring_slots(r) - (r->put - r->taken);
}

void ring_put(struct ring *r, const void *request)
{
	memcpy(ring_slot(r, r->put++), request, shapes[r->ring_class].request);
}

int ring_kick(struct ring *r)
{
	return operate(r, RING_kick);
}

int ring_publish(struct ring *r)
{
	uint32_t before = r->header->req_prod;	/* nobody else writes it */
	uint32_t wanted;

	write_once(&r->header->req_prod, r->put);
	store_before_load();
	wanted = read_once(&r->header->req_event);
	return r->put - wanted < r->put - before ? ring_kick(r) : 0;
}

/* ---- responses ---- */

bool ring_get(struct ring *r, void *response)
{
	if (read_once(&r->header->rsp_prod) == r->taken)
		return false;
	memcpy(response, ring_slot(r, r->taken++), shapes[r->ring_class].response);
	return true;
}

bool ring_answered_all(struct ring *r, uint32_t count)
{
	write_once(&r->header->rsp_event, r->taken + count);
	store_before_load();
	return read_once(&r->header->rsp_prod) - r->taken >= count;
}

bool ring_answered(struct ring *r)
{
	return ring_answered_all(r, 1);
}
