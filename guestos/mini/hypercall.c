// SPDX-License-Identifier: MIT
#include "hypercall.h"
#include "mini.h"

int32_t hypercall(uint32_t number, uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t e)
{
	int32_t answer;

	/*
	 * Only EAX and memory change: so says the interface. The compiler is told that the
	 * arguments may, too, as tests must outlive a hypervisor that is still being written.
	 */
	asm volatile("int %[vector]"
		     : "=a" (answer), "+b" (a), "+c" (b), "+d" (c), "+S" (d), "+D" (e)
		     : "0" (number), [vector] "i" (HYPERCALL_VECTOR)
		     : "memory", "cc");
	return answer;
}
