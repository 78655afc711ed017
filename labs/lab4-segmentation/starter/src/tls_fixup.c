// SPDX-License-Identifier: MIT
#include "tls_fixup.h"

/*
 * Exercise 4.5. Reads the instruction at the linear address @eip, which faulted with @regs, as far as says which segment
 * register it overrides, as the prefix byte in *@segment, and which offset it goes to, in *@offset:
 *
 *   TLS_OFFSET  both are known. The last segment prefix counts; operand-size, LOCK and REP prefixes mean nothing here.
 *               Offsets come from ModRM, SIB and displacements in 32-bit form; from the four bytes behind A0 to A3;
 *               of MOVS, CMPS and LODS it is ESI, of XLAT EBX + AL
 *   TLS_FETCH   a byte that is needed cannot be read: its address is in *@offset, and lies below the line
 *   TLS_NO      anything else: no override; no operand in memory; an address-size prefix; more than 15 bytes; code at
 *               or above the line
 *
 * Which opcodes a ModRM byte follows is known to opcode.h; behind 0F 38 and 0F 3A all have one. The bytes are a
 * stranger's, who may change them meanwhile: they are copied once. Handout: "Negative offsets".
 */
enum tls_decode tls_offset(const struct regs *regs, uint32_t eip, uint8_t *segment, uint32_t *offset)
{
	exercise_missing("4.5");
	return TLS_NO;
}

/*
 * Exercise 4.5. Turns a descriptor over if that makes @offset reachable; false, and unchanged, otherwise. Turned are
 * present, 32-bit, page-granular, writable data segments of ring 3, based a page or more below the fence, in one of two forms:
 *
 *   expand-up    with the limit to which segment_fit() would cut the largest
 *   expand-down  reaching all whole pages of offsets whose addresses, modulo 2^32, lie below the base, and no others
 *
 * Invariant (S5): a descriptor is changed only if the access then succeeds, and both forms satisfy segment_fit(). Where
 * pages and bytes do not agree, it is the hypervisor's side that gains. Handout: "Negative offsets".
 */
bool tls_flip(struct descriptor *desc, uint32_t offset)
{
	exercise_missing("4.5");
	return false;
}

/*
 * Exercise 4.5. A #GP(0) from ring 3, with @regs. TLS_RETRY: it was an access by an override that can be helped, its
 * descriptor (segment_find()) has been turned over, and the instruction will be executed again. TLS_GIVE_PF: the guest gets
 * a page fault at *@fault, as its instruction cannot be read there. TLS_GIVE_GP: the #GP is its own. The code segment may
 * have a base.
 *
 * Invariant (S5): no instruction is retried for ever. Handout: "Negative offsets".
 */
enum tls_result tls_fixup(struct domain *d, struct regs *regs, uint32_t *fault)
{
	exercise_missing("4.5");
	return TLS_GIVE_GP;
}
