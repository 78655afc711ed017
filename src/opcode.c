// SPDX-License-Identifier: MIT
#include "opcode.h"

bool opcode_has_modrm(uint8_t op)
{
	static const uint32_t map[8] = {
		0x0f0f0f0f, 0x0f0f0f0f, 0x00000000, 0x00000a0c,
		0x0000ffff, 0x00000000, 0xff0f00f3, 0xc0c00000,
	};

	return map[op / 32] >> op % 32 & 1;
}

bool opcode_0f_has_modrm(uint8_t op)
{
	static const uint32_t map[8] = {
		0xffff200f, 0x0000ff0f, 0xffffffff, 0xf37fffff,
		0xffff0000, 0xfffff838, 0xffff00ff, 0x7fffffff,
	};

	return map[op / 32] >> op % 32 & 1;
}
