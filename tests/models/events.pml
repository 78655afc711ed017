/* SPDX-License-Identifier: MIT */
/*
 * No event is lost: src/event.c and do_block() against mini's event.c and the way back of its entry.S, instruction by instruction.
 *
 * The hypervisor runs with interrupts off, so what it does at once is atomic. A guest may be interrupted before each of its steps:
 * a raise that finds the master mask clear makes an upcall due, and the guest's next step is that.
 *
 * What it prints in a simulation is a trace for replay.c: each step, and all of the state after it.
 *
 * BROKEN: BLOCK_LOOKS_FIRST CLEARS_LATE PENDING_CLEARED_LAST RETURNS_BLINDLY UNMASK_FORGETS
 * TRACES: -DEVENTS=20
 */
#define PORTS 2
#ifndef EVENTS
#define EVENTS 3
#endif

/* The shared page. */
bool pending[PORTS], masked[PORTS], selector, upcall_pending, upcall_mask = true;

bool blocked, upcall_due;
byte sent[PORTS], seen[PORTS];	/* what events stand for: how often each was raised, and what its handler saw */
bool word;

#define SAY_STATE \
	printf(" %d %d %d %d %d %d %d %d %d\n", pending[0], pending[1], masked[0], masked[1], selector, upcall_pending, upcall_mask, \
	       blocked, upcall_due)
#define SAY(what) printf(what); SAY_STATE

/* A store of the guest's. */
#define WRITE(where, value) atomic { where = value; SAY("write") }

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
		fi;
		printf("raise%d", p);
		SAY_STATE
	}
	:: n == EVENTS -> break
	od
}

/* event_dispatch(), and again as long as the way back finds something. Masked, but for the critical range at its end. */
inline dispatch() {
	do
	:: true ->
#ifndef PENDING_CLEARED_LAST
		WRITE(upcall_pending, false);
#endif
		atomic { word = selector; selector = false; SAY("write") };
		port = 0;
		do
		:: word && port < PORTS ->
			if
			:: pending[port] && !masked[port] ->
#ifdef CLEARS_LATE
				seen[port] = sent[port];
				WRITE(pending[port], false)
#else
				WRITE(pending[port], false);
				seen[port] = sent[port]
#endif
			:: else
			fi;
			port++
		:: else -> break
		od;
#ifdef PENDING_CLEARED_LAST
		WRITE(upcall_pending, false);
#endif
		atomic { upcall_mask = false; SAY("open") };
		atomic {
			if
			:: upcall_due -> upcall_due = false; SAY("take")	/* in the critical range: event_entry begins again */
#ifndef RETURNS_BLINDLY
			:: !upcall_due && upcall_pending -> upcall_mask = true; SAY("close")
			:: !upcall_due && !upcall_pending -> SAY("close"); break
#else
			:: !upcall_due -> SAY("close"); break
#endif
			fi
		}
	od;
	assert(upcall_mask || !upcall_pending || upcall_due)	/* nothing waits until the guest happens to call */
}

/* A step of the guest outside of handlers: an upcall that is due comes first. */
#define STEP(what) \
	do \
	:: atomic { upcall_due -> upcall_due = false; SAY("take") }; dispatch() \
	:: atomic { !upcall_due -> what; break } \
	od

inline block() {
#ifdef BLOCK_LOOKS_FIRST
	bool there;

	STEP(there = upcall_pending);
	STEP(upcall_mask = false; if :: there -> way_back() :: else -> blocked = true fi; SAY("block"));
#else
	STEP(upcall_mask = false; if :: upcall_pending -> way_back() :: else -> blocked = true fi; SAY("block"));
#endif
end_asleep:
	!blocked
}

active proctype guest() {
	byte port;

	do
	:: STEP(WRITE(upcall_mask, true));	/* events_wait_until(): disabled, looked, not yet */
	   block()
	:: STEP(WRITE(masked[0], true));
	   STEP(skip);
	   STEP(WRITE(masked[0], false));	/* event_unmask() */
#ifndef UNMASK_FORGETS
	   if
	   :: pending[0] ->
		STEP(WRITE(selector, true));
		STEP(WRITE(upcall_pending, true));
		STEP(if :: !upcall_mask -> way_back() :: else fi; SAY("call"))
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
