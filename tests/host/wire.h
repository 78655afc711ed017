/* SPDX-License-Identifier: MIT */
/*
 * The pretend wire: what goes out is kept for the test to look at, what comes in is whatever the test says. A packet that was taken is read
 * from memory only when the test lets the wire be done with it, as a device would.
 */
#ifndef HOST_WIRE_H
#define HOST_WIRE_H

#include "lib/types.h"
#include "machine.h"
#include "public/ring.h"

#define HOST_WIRE_BUFFERS	32u
#define HOST_WIRE_LOG	512u
#define HOST_WIRE_BYTES	1600u

struct host_wire {
	bool present;
	uint8_t mac[6];
	unsigned int slots;		/* that it has; at most MACHINE_WIRE_PACKETS, which it has after host_wire_plug() */
	uint64_t alarm;			/* UINT64_MAX: none */

	/* All packets that were sent, in order; the first @done of them have left. */
	struct host_sent {
		uint64_t when;				/* host.now when it was sent */
		uint32_t token, header_length, length;
		unsigned int count;
		struct machine_sum sum;			/* wanted; it is not made */
		struct machine_piece pieces[8];
		uint8_t bytes[HOST_WIRE_BYTES];		/* the header when it is sent, all when it has left */
	} sent[HOST_WIRE_LOG];
	unsigned int sent_count, done;
	uint8_t large[VIF_LARGE_MAX];	/* all of the last one that is to be cut and has left; that is not done */

	mfn_t buffers[HOST_WIRE_BUFFERS];
	unsigned int buffer_count, next_buffer;
	bool verifies;			/* it says that check sums were right */
	unsigned int lost;		/* packets that came when there was no frame to receive into */
};
extern struct host_wire host_wire;

/* For host_setup(): there is no wire. */
void host_wire_reset(void);

/* A wire with this address; vif_start() comes next. */
void host_wire_plug(const uint8_t mac[6]);

/* The oldest packet under way leaves. False: there is none. */
bool host_wire_leave(void);
void host_wire_leave_all(void);

/* A packet arrives. */
void host_wire_arrive(const void *bytes, uint32_t n);

/* Lets time go on to @now, and the alarm come when it is due. Time may wrap. */
void host_wire_time(uint64_t now);

#endif
