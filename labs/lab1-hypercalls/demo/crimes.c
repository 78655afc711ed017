// SPDX-License-Identifier: MIT
/* The vandal of lab 1: what can be wrong with a call. */
#include "vandal.h"
#include "hypercall.h"
#include "mini.h"
#include "paging.h"

CRIME(1, 'a', print_hypervisor, "has bytes of the hypervisor printed")
{
	return hypercall_console_write((const void *)HYPERVISOR, 64);
}

CRIME(1, 'b', wrap_around, "asks for 4 GiB of calls: their list would wrap around address 0")
{
	return hypercall_multicall(window_page(WINDOW_WRITABLE, 0), 0x08000001);
}

CRIME(1, 'c', before_the_table, "makes call number -1, whose handler would lie before the table")
{
	return hypercall(0xffffffff, 0, 0, 0, 0, 0);
}

CRIME(1, 'd', write_hypervisor, "has a call's result written into the hypervisor")
{
	return hypercall_multicall((struct multicall_entry *)HYPERVISOR_DATA, 1);
}

CRIME(1, 'e', nest, "makes a call of calls that contains itself")
{
	struct multicall_entry e = { .call = HYPERCALL_multicall, .args = { (uint32_t)&e, 1 } };

	return hypercall_multicall(&e, 1) == 1 ? e.result : -ENOSYS;
}

CRIME(1, 'f', reset, "resets the machine by the keyboard's controller")
{
	asm volatile("outb %0, $0x64" : : "a" ((uint8_t)0xfe));
	return 0;
}

CRIME(1, 'g', halt, "halts the processor")
{
	asm volatile("cli\n"
		     "hlt");
	return 0;
}
