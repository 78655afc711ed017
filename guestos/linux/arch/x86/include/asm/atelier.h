/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest of Atelier, in ring 1: how it calls the hypervisor, and what its files and drivers share.
 *
 * The interface itself is <atelier/...>, the hypervisor's own public headers. What the rest of Linux does in a
 * guest's way (interrupt flag, page tables, segments, ...) is asm/atelier_paravirt.h.
 */
#ifndef _ASM_X86_ATELIER_H
#define _ASM_X86_ATELIER_H

#include <linux/errno.h>
#include <atelier/hypercall.h>

#ifndef __ASSEMBLY__
#include <linux/types.h>

struct page;

extern struct shared_info atelier_shared;
extern struct start_info *atelier_start_info;

/* Pseudo-physical to machine frame, for each of the domain's frames and those that it may get; ATELIER_NO_PFN: none there. */
extern u32 *atelier_p2m;
extern u32 atelier_frames;

/*
 * Hypercalls: the number in EAX, up to five arguments; the answer in EAX, and no other register changes. What the
 * call reads or writes in memory the compiler does not see.
 */
static __always_inline int hypercall5(u32 call, unsigned long a, unsigned long b, unsigned long c,
				      unsigned long d, unsigned long e)
{
	int answer;

	asm volatile("int %1"
		     : "=a" (answer)
		     : "i" (HYPERCALL_VECTOR), "0" (call), "b" (a), "c" (b), "d" (c), "S" (d), "D" (e)
		     : "memory");
	return answer;
}

static __always_inline int hypercall4(u32 call, unsigned long a, unsigned long b, unsigned long c,
				      unsigned long d)
{
	int answer;

	asm volatile("int %1"
		     : "=a" (answer)
		     : "i" (HYPERCALL_VECTOR), "0" (call), "b" (a), "c" (b), "d" (c), "S" (d)
		     : "memory");
	return answer;
}

static __always_inline int hypercall3(u32 call, unsigned long a, unsigned long b, unsigned long c)
{
	int answer;

	asm volatile("int %1"
		     : "=a" (answer)
		     : "i" (HYPERCALL_VECTOR), "0" (call), "b" (a), "c" (b), "d" (c)
		     : "memory");
	return answer;
}

static __always_inline int hypercall2(u32 call, unsigned long a, unsigned long b)
{
	int answer;

	asm volatile("int %1"
		     : "=a" (answer)
		     : "i" (HYPERCALL_VECTOR), "0" (call), "b" (a), "c" (b)
		     : "memory");
	return answer;
}

static __always_inline int hypercall1(u32 call, unsigned long a)
{
	int answer;

	asm volatile("int %1"
		     : "=a" (answer)
		     : "i" (HYPERCALL_VECTOR), "0" (call), "b" (a)
		     : "memory");
	return answer;
}

static __always_inline int hypercall0(u32 call)
{
	int answer;

	asm volatile("int %1"
		     : "=a" (answer)
		     : "i" (HYPERCALL_VECTOR), "0" (call)
		     : "memory");
	return answer;
}

/* ---- events: a port is an interrupt number (irq.c) ---- */

/* Binds a virtual interrupt; answers the interrupt number or a negative error. */
int atelier_bind_virq(unsigned int virq);

/* Opens a port that nobody but the hypervisor raises; answers its interrupt number, or a negative error. */
int atelier_open_port(void);
void atelier_close_port(int irq);

/* The port that is behind an interrupt. */
unsigned int atelier_port_of(int irq);

/* The interrupt of domain 0's consoles, its own and the other domains': to be shared. Or a negative error. */
int atelier_console_irq(void);

/* ---- the machine's console (console.c) ---- */

/* Prints; before there is a console, too. */
void atelier_print(const char *s, unsigned int n);

/* Called before the domain ends, with what was printed last perhaps still unread; NULL: nothing is to be done. */
extern void (*atelier_last_words)(void);

/* ---- memory (mmu.c) ---- */

/* The machine address of something in the direct map. */
u32 atelier_machine_address(const void *at);

/*
 * Parts a page, which is the caller's and mapped by nobody else, from its frame: the frame, which may now change hands. And
 * gives such a page a frame; @number: which the hypervisor does not know yet under the page's number.
 */
u32 atelier_give_frame(struct page *page);
void atelier_take_frame(struct page *page, u32 frame, bool number);

#endif /* __ASSEMBLY__ */
#endif
