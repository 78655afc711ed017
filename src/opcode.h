/* SPDX-License-Identifier: MIT */
/* Opcodes of the i386: which of them a ModRM byte follows. A bit each, 32 opcodes a word. */
#ifndef ATELIER_OPCODE_H
#define ATELIER_OPCODE_H

#include "lib/types.h"

/* Of one byte (SDM 2D, Table A-2). */
bool opcode_has_modrm(uint8_t op);

/* After 0F (Table A-3), but for 38 and 3A, behind which the opcode proper is one byte more. */
bool opcode_0f_has_modrm(uint8_t op);

#endif
