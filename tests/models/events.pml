/* SPDX-License-Identifier: MIT */
/*
 * No event is lost: src/event.c and do_block() against mini's event.c and the way back of its entry.S, instruction by instruction.
 *
 * The hypervisor runs with interrupts off, so what it does at once is atomic. A guest may be interrupted before each of its steps:
 * a raise that finds the master mask clear makes an upcall due, and the guest's next step is that.
 *
 * BROKEN: BLOCK_LOOKS_FIRST CLEARS_LATE PENDING_CLEARED_LAST RETURNS_BLINDLY UNMASK_FORGETS
 */
#define PORTS 2
#define EVENTS 3

/* The shared page. */
bool pending[PORTS], masked[PORTS], selector, upcall_pending, upcall_mask = true;

bool blocked, upcall_due;
byte sent[PORTS], seen[PORTS];	/* what events stand for: how often each was raised, and what its handler saw */
bool word;

/* On each way back to a guest. */
inline way_back() {
	if
	:: upcall_pending && !upcall_mask -> upcall_mask = true; upcall_due = true
	:: else
	fi
}

active proctype source() {
	byte n;

	do
	:: n < EVENTS -> atomic {
		byte p;

		if
		:: p = 0
		:: p = 1
		fi;
		n++;
		sent[p]++;
		pending[p] = true;
		selector = true;
		if
		:: !masked[p] ->
			upcall_pending = true;
			if
			:: blocked -> blocked = false
			:: else
			fi;
			way_back()
		:: else
		fi
	}
	:: n == EVENTS -> break
	od
}

/* event_dispatch(), and again as long as the way back finds something. Masked, but for the critical range at its end. */
inline dispatch() {
	do
	:: true ->
#ifndef PENDING_CLEARED_LAST
		upcall_pending = false;
#endif
		atomic { word = selector; selector = false };
		port = 0;
		do
		:: word && port < PORTS ->
			if
			:: pending[port] && !masked[port] ->
#ifdef CLEARS_LATE
				seen[port] = sent[port];
				pending[port] = false
#else
				pending[port] = false;
				seen[port] = sent[port]
#endif
			:: else
			fi;
			port++
		:: else -> break
		od;
#ifdef PENDING_CLEARED_LAST
		upcall_pending = false;
#endif
		upcall_mask = false;
		atomic {
			if
			:: upcall_due -> upcall_due = false	/* in the critical range: event_entry begins again */
#ifndef RETURNS_BLINDLY
			:: !upcall_due && upcall_pending -> upcall_mask = true
			:: !upcall_due && !upcall_pending -> break
#else
			:: !upcall_due -> break
#endif
			fi
		}
	od;
	assert(upcall_mask || !upcall_pending || upcall_due)	/* nothing waits until the guest happens to call */
}

/* A step of the guest outside of handlers: an upcall that is due comes first. */
#define STEP(what) \
	do \
	:: atomic { upcall_due -> upcall_due = false }; dispatch() \
	:: atomic { !upcall_due -> what; break } \
	od

inline block() {
#ifdef BLOCK_LOOKS_FIRST
	bool there;

	STEP(there = upcall_pending);
	STEP(upcall_mask = false; if :: there -> way_back() :: else -> blocked = true fi);
#else
	STEP(upcall_mask = false; if :: upcall_pending -> way_back() :: else -> blocked = true fi);
#endif
end_asleep:
	!blocked
}

active proctype guest() {
	byte port;

	do
	:: STEP(upcall_mask = true);	/* events_wait_until(): disabled, looked, not yet */
	   block()
	:: STEP(masked[0] = true);
	   STEP(skip);
	   STEP(masked[0] = false);	/* event_unmask() */
#ifndef UNMASK_FORGETS
	   if
	   :: pending[0] ->
		STEP(selector = true);
		STEP(upcall_pending = true);
		STEP(if :: !upcall_mask -> way_back() :: else fi)
	   :: else
	   fi
#endif
	od
}

/* Whoever sleeps has seen all. */
active proctype observer() {
end:
	atomic {
		blocked && (seen[0] != sent[0] && !masked[0] || seen[1] != sent[1] && !masked[1]) ->
			assert(false)
	}
}
