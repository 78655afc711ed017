/* SPDX-License-Identifier: MIT */
/*
 * Fewer states that stand for all: for machines whose states are too many to be kept one by one.
 *
 * 1. Contents. A frame is *open* while the guest can put any words into it, each with one mmu_update that changes nothing else. So of
 *    states that differ in the contents of open frames alone, all can be reached if one can, and one stands for them: zeros. That is
 *    enough for a call that never looks into such a frame; the pretend machine knows which frames a call maps (host.mapped), since the
 *    hypervisor reads memory in no other way. A call that looks into one is made again with each contents that the frame can have;
 *    but for those that only store a word there, whatever it was (actions_stores_to()). Death looks into none, which is checked.
 *
 * 2. The TLB. No call asks what the processor remembers. A processor that remembers more lets the guest store to more, is objected to
 *    in more ways (M7 is a rule for each translation by itself), and remembers more whatever follows: filling and flushing keep the
 *    order of two sets. So a state is covered by one that differs only in that its processor remembers more.
 *
 * 3. The type of a frame without uses says which flush is owed when it gets another one. None is owed for FRAME_WRITABLE, nor for
 *    FRAME_NONE.
 *
 * Slots may not be permuted as frames are: a table is judged from its first entry on, and if it is refused, only what stood before the
 * bad entry is given back, and marked as perhaps remembered.
 *
 * A *class* is what is left of a state when contents of open frames, such types and the TLB are left out. `explore -b` explores with
 * and without reduction: both must find as many classes, and each state of the one must be covered by one of the other.
 */
#ifndef EXPLORE_REDUCE_H
#define EXPLORE_REDUCE_H

#include "explore/tiny.h"

/* Makes @t the state that stands for all that differ in open frames' contents, in types without uses, or in numbers. */
void reduce_canonical(struct tiny *t);

/* Which frames of such a state are open, a bit each. */
unsigned int reduce_open(const struct tiny *t);

/* Whether the processor remembers all in @a that it does in @b; they are of one class. */
bool reduce_covers(const struct tiny *a, const struct tiny *b);

/* The guest may put @value into that word. Told before the first reduce_fill(). */
void reduce_choice(unsigned int word, uint32_t value);

/* Gives frame @i the @n-th contents that a guest may have put there; false: there are not so many. */
bool reduce_fill(struct tiny *t, unsigned int i, unsigned int n);

/* The frames of the OWN that the hypervisor has looked into since reduce_look_away(), a bit each. */
void reduce_look_away(void);
unsigned int reduce_looked_into(void);

#endif
