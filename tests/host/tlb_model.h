/* SPDX-License-Identifier: MIT */
/*
 * What the processor may remember of page tables (SDM 3A, 4.10): translations of pages, and directory entries through which it
 * may go on walking a table that is none any more. A real one remembers some; this one remembers all that it ever could, and
 * forgets only when told to.
 *
 * Invariant: filled by walking the loaded tables in raw memory, emptied by flushes; the hypervisor's own marks play no part.
 */
#ifndef HOST_TLB_MODEL_H
#define HOST_TLB_MODEL_H

#include "lib/types.h"

struct tlb_translation {
	uint32_t page;		/* virtual address / 4,096 */
	uint32_t mfn;
	bool writable;
	bool large;		/* of a directory entry with PS */
};

struct tlb_walk {
	uint32_t slot;		/* of the directory */
	uint32_t mfn;		/* of the table */
	bool writable;
};

/* Remembers everything that can be reached now. Called by machine.c whenever tables may have changed. */
void tlb_model_fill(void);
void tlb_model_flush(void);
void tlb_model_flush_page(uint32_t va);

/* For restoring a state: one translation or walk that may be remembered. */
void tlb_model_add(struct tlb_translation t);
void tlb_model_add_walk(struct tlb_walk w);

unsigned int tlb_model_count(void);
struct tlb_translation tlb_model_get(unsigned int i);
unsigned int tlb_model_walks(void);
struct tlb_walk tlb_model_walk(unsigned int i);

/* A store of the guest through any translation of @va that is remembered as writable; false: there is none. */
bool tlb_model_store(uint32_t va, uint32_t value);

/* Off: nothing is filled (a test that only counts calls). On after host_setup(). */
void tlb_model_enable(bool on);

#endif
