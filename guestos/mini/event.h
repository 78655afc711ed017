/* SPDX-License-Identifier: MIT */
/*
 * Events: the callback, and what happens for each port (public/event.h, and struct shared_info in
 * public/atelier.h).
 *
 * Handlers run with events masked, on whatever stack was in use, and must not block.
 */
#ifndef MINI_EVENT_H
#define MINI_EVENT_H

#include "hypercall.h"
#include "lib/types.h"

typedef void event_handler(uint32_t port, void *arg);

/*
 * Registers both callbacks, with the critical range. Events stay masked until events_enable(). 0 or
 * an error.
 */
int event_init(void);

/*
 * The master mask. disable and enable answer whether events were enabled before; restore takes
 * that.
 */
bool events_disable(void);
bool events_enable(void);
void events_restore(bool enabled);

/*
 * Sleeps until @condition, which event handlers make true, holds; then events are enabled. It is
 * looked at with events masked, and block() unmasks and looks for events in one step: none can come
 * between the look and the sleep.
 */
#define events_wait_until(condition)		\
	do {					\
		events_disable();		\
		while (!(condition)) {		\
			hypercall_block();	\
			events_disable();	\
		}				\
		events_enable();		\
	} while (0)

/* Open a port, with its handler (NULL: none). They answer the port or an error. */
int event_bind_virq(uint32_t virq, event_handler *handler, void *arg);
int event_alloc_unbound(uint32_t remote, event_handler *handler, void *arg);
int event_bind_interdomain(uint32_t remote, uint32_t remote_port, event_handler *handler, void *arg);

int event_send(uint32_t port);
int event_close(uint32_t port);

/* One port's mask. What came while it was masked is handled when it is unmasked. */
void event_mask(uint32_t port);
void event_unmask(uint32_t port);

/* The callback's work, for trap.c: handles what is pending. */
void event_dispatch(void);

#endif
