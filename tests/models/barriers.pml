/* SPDX-License-Identifier: MIT */
/*
 * Barriers of a disk queue (public/ring.h, VBD_BARRIER): whatever the disk does first, and whenever the power goes, nothing of a domain
 * has passed one of its barriers, either way; and everything comes to its end.
 *
 * What it prints in a simulation is a trace for replay.c: each step, and who may go after it.
 *
 * BROKEN: BARRIER_WHEN_ISSUED BARRIER_ONE_WAY LATER_ONES_PASS BARRIER_NEEDS_OTHERS
 * TRACES: -DTRACED
 */
#define REQUESTS 4		/* of one domain, in order */
#define ROOM 3			/* that the disk works at */

/* Bit n: request n. What is done is on the disk, and is what is left when the power goes. */
byte barrier, issued, done, under_way;

#define bit(n) (1 << (n))
#define below(n) (bit(n) - 1)
#define is_barrier(n) ((barrier & bit(n)) != 0)
#define all_before(n) ((done & below(n)) == below(n))

#ifdef BARRIER_WHEN_ISSUED
#define over issued
#else
#define over done
#endif
#ifdef LATER_ONES_PASS
#define may_pass(n) true
#else
#define may_pass(n) ((barrier & ~over & below(n)) == 0)
#endif
#ifdef BARRIER_ONE_WAY
#define may_stand(n) true
#elif defined(BARRIER_NEEDS_OTHERS)
#define may_stand(n) (!is_barrier(n) || (all_before(n) && under_way + done > 0))
#else
#define may_stand(n) (!is_barrier(n) || all_before(n))
#endif

/* If a barrier or anything behind it is done, all up to it are. */
#define legal(n) (!is_barrier(n) || (done >> (n)) == 0 || all_before((n) + 1))

/* Who may go now, a bit each. */
#define can(n) (!(issued & bit(n)) && may_pass(n) && may_stand(n))
#define all_that_can (can(0) | can(1) << 1 | can(2) << 2 | can(3) << 3)

#define ISSUE(n) \
	atomic { \
		!(issued & bit(n)) && under_way < ROOM && may_pass(n) && may_stand(n) -> \
			issued = issued | bit(n); \
			under_way++; \
			printf("issue %d %d\n", n, all_that_can) \
	}
#define COMPLETE(n) \
	atomic { \
		(issued & ~done & bit(n)) -> \
			done = done | bit(n); \
			under_way--; \
			printf("complete %d %d\n", n, all_that_can); \
			assert(legal(0) && legal(1) && legal(2) && legal(3)) \
	}

active proctype domain() {
	atomic { select(barrier : 0 .. below(REQUESTS)); printf("begin %d %d\n", barrier, all_that_can) };
	run queue();
	run disk();
	run observer()
}

proctype queue() {
end:	do
	:: ISSUE(0)
	:: ISSUE(1)
	:: ISSUE(2)
	:: ISSUE(3)
	od
}

proctype disk() {
end:	do
	:: COMPLETE(0)
	:: COMPLETE(1)
	:: COMPLETE(2)
	:: COMPLETE(3)
	od
}

proctype observer() {
	timeout -> assert(done == below(REQUESTS))
}
