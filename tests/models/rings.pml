/* SPDX-License-Identifier: MIT */
/*
 * No wake-up is lost and no slot is read too early on a ring: a front end (mini's ring.c) against src/ring.c, on two processors of x86.
 *
 * A store reaches memory some time later, in order; a load may come before that. So each side has a queue of stores, and a fence
 * waits until its own is empty. The other direction, answers and events, is the same with the names changed.
 *
 * What it prints in a simulation is a trace for replay.c: what the front end writes, when it arrives in memory; what the back end reads
 * and writes, when it does.
 *
 * BROKEN: FRONT_WITHOUT_FENCE BACK_WITHOUT_FENCE NO_FINAL_LOOK LOOKS_FIRST INDEX_FIRST THRESHOLD_EQUAL ONE_SLOT_MORE
 * TRACES: -DREQUESTS=20
 */
#define SLOTS 2
#ifndef REQUESTS
#define REQUESTS 5
#endif
#define U(x) ((x) & 7)		/* indices run freely and wrap */

#ifdef ONE_SLOT_MORE
#define ROOM (SLOTS + 1)
#else
#define ROOM SLOTS
#endif

/* The frame, in words. */
#define REQ_PROD 0
#define REQ_EVENT 1
#define RSP_PROD 2
#define SLOT(i) (3 + (i) % SLOTS)
byte memory[3 + SLOTS];

chan front_stores = [4] of { byte, byte };
chan back_stores = [4] of { byte, byte };
bool kicked;
byte all_taken;

#define store(side, where, what) side!where,what
#define fence(side) empty(side)

active proctype processors() {
	byte where, what;

end:	do
	:: atomic { front_stores?where,what -> memory[where] = what; printf("front %d %d\n", where, what) }
	:: atomic { back_stores?where,what -> memory[where] = what }
	od
}

proctype front() {
	byte made, batch, before;

	do
	:: made < REQUESTS ->
		before = made;
		batch = 0;
		do
		:: made < REQUESTS && batch < 2 && U(made - memory[RSP_PROD]) < ROOM ->
#ifdef INDEX_FIRST
			store(front_stores, REQ_PROD, U(made + 1));
#endif
			store(front_stores, SLOT(U(made)), made);
			made++;
			batch++
		:: batch > 0 -> break
		od;
#ifndef INDEX_FIRST
		store(front_stores, REQ_PROD, U(made));
#endif
#ifndef FRONT_WITHOUT_FENCE
		fence(front_stores);
#endif
		/* One load of the threshold. */
		if
#ifdef THRESHOLD_EQUAL
		:: memory[REQ_EVENT] == U(made) -> kicked = true
#else
		:: U(made - memory[REQ_EVENT]) < U(made - before) -> kicked = true
#endif
		:: else
		fi
	:: made == REQUESTS -> break
	od
}

proctype back() {
	byte taken, index;

	do
	:: true ->
end_rest:	atomic { kicked -> kicked = false; printf("woken\n") };
		do
		:: true ->
			do
			:: true ->
				atomic { index = memory[REQ_PROD]; printf("look %d\n", index) };
				if
				:: index != U(taken) ->
					atomic {
						printf("slot %d\n", memory[SLOT(U(taken))]);
						assert(memory[SLOT(U(taken))] == taken);	/* the request, whole */
						taken++;
						all_taken = taken
					}
					atomic { store(back_stores, RSP_PROD, U(taken)); printf("answer %d\n", U(taken)) }
				:: else -> break
				fi
			od;
#ifdef LOOKS_FIRST
			if
			:: memory[REQ_PROD] == U(taken) -> store(back_stores, REQ_EVENT, U(taken + 1)); break
			:: else
			fi
#else
			atomic { store(back_stores, REQ_EVENT, U(taken + 1)); printf("event %d\n", U(taken + 1)) }
#ifndef BACK_WITHOUT_FENCE
			fence(back_stores);
#endif
#ifdef NO_FINAL_LOOK
			break
#else
			atomic { index = memory[REQ_PROD]; printf("look %d\n", index) };
			if
			:: index == U(taken) -> break
			:: else
			fi
#endif
#endif
		od
	od
}

/* When nobody goes on by himself any more, all is done. */
proctype observer() {
	timeout -> assert(all_taken == REQUESTS)
}

init {
	atomic {
		memory[REQ_EVENT] = 1;		/* as the ring's registration leaves it */
		run front();
		run back();
		run observer()
	}
}
