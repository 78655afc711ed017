/* SPDX-License-Identifier: MIT */
/*
 * The interface between Atelier and its guests: numbers, addresses, the shared page, the start of
 * day.
 *
 * This folder is all that a guest includes; a header per subsystem goes on from here. Every call is
 * `int 0x82` from ring 1 (hypercall.h). Three conventions hold for all of them:
 *
 *   - A call answers 0 (or a count) or a negative number of errno.h in EAX; no other register
 *     changes.
 *   - A call that is refused has changed nothing. A batch says exactly how many entries were done.
 *   - Addresses that a guest gives are virtual and must end at or below ATELIER_LINE; frames are
 *     machine
 *     frame numbers. Structures are copied once, then judged. Reserved fields must be zero.
 *
 * Source: Barham et al., Xen and the Art of Virtualization (SOSP 2003), section 3; below "the
 * paper".
 */
#ifndef ATELIER_PUBLIC_ATELIER_H
#define ATELIER_PUBLIC_ATELIER_H

/* Changes when a guest built for the older one could no longer run. */
#define ATELIER_INTERFACE	1

/* The hypervisor's part of every address space: the last sixteen slots of a page directory. */
#define ATELIER_LINE		0xfc000000	/* what a guest names must end at or below this */
#define ATELIER_FENCE		0xfc400000	/* guests' segments end here: the M2P can be read */
#define ATELIER_SLOT		(ATELIER_LINE >> 22)

/* The machine-to-physical table: uint32_t for each machine frame; read-only; rings 0 to 2. */
#define ATELIER_M2P		ATELIER_LINE
#define ATELIER_NO_PFN		0xffffffff	/* in the M2P and the P2M: no such frame */

/* Selectors that every descriptor table holds (segment.h says which slots are reserved). */
#define ATELIER_RING1_CODE	0xe019
#define ATELIER_RING1_DATA	0xe021
#define ATELIER_RING3_CODE	0xe02b
#define ATELIER_RING3_DATA	0xe033

#define ATELIER_PAGE_SIZE	4096

/* Domains. A call that takes a domain takes these two as well. */
#define DOMID_SELF		0xfff0		/* the caller */
#define DOMID_NONE		0xffff		/* nobody: no owner, no peer */

#define EVENT_PORTS		512
#define EVENT_WORDS		(EVENT_PORTS / 32)

/* Offsets in the shared page for a guest's assembly. */
#define SHARED_UPCALL_PENDING	0
#define SHARED_UPCALL_MASK	1

#ifndef __ASSEMBLY__
#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdint.h>
#endif
#include "errno.h"

typedef uint16_t domid_t;

/*
 * The three times of a domain (paper, section 3.3.2), in nanoseconds. Valid while @version is even
 * and the same before and after the reading; all as of the moment when the time stamp counter was
 * @tsc_stamp:
 *
 *   real time     system_time + scale(rdtsc() - tsc_stamp)
 *   virtual time  virtual_time + scale(rdtsc() - tsc_stamp): moves only while the domain runs
 *   wall clock    real time + wall_offset (since 1970-01-01 00:00 UTC)
 *
 *   scale(x) = ((x << tsc_shift) * tsc_mul) >> 32, or x >> -tsc_shift where tsc_shift is negative.
 */
struct shared_time {
	uint32_t version;
	uint32_t tsc_mul;
	int32_t tsc_shift;
	uint32_t tsc_khz;
	uint64_t tsc_stamp;
	uint64_t system_time;
	uint64_t virtual_time;
	uint64_t wall_offset;
};

/*
 * The page that hypervisor and domain both write. The hypervisor believes nothing in it: whatever a
 * guest writes here, only the guest's own events and clock suffer. Bits of @pending, @mask and
 * @selector are changed with LOCKed instructions only.
 *
 * A port is raised by setting its bit in @pending, then its word's bit in @selector, then (if it is
 * not masked) @upcall_pending. The callback comes when @upcall_pending is set and @upcall_mask is
 * clear, and sets @upcall_mask. A guest that clears a bit of @mask looks at @pending and, if it is
 * set, sets @selector and @upcall_pending itself; one that clears @upcall_mask looks at
 * @upcall_pending after that and, if it is set, makes any hypercall: the callback comes on the way
 * out.
 */
struct shared_info {
	uint8_t upcall_pending;
	uint8_t upcall_mask;
	uint16_t reserved;
	uint32_t selector;			/* bit w: pending[w] may hold news */
	uint32_t pending[EVENT_WORDS];
	uint32_t mask[EVENT_WORDS];		/* 1: raising sets the bit and no more */
	struct shared_time time;
};

/*
 * What a domain finds at its first instruction: ESI points here; EAX is START_MAGIC; CS is
 * ATELIER_RING1_CODE; DS, ES, FS, GS, SS are ATELIER_RING1_DATA; events are masked; the other
 * registers are 0, ESP too. All addresses are virtual, 0 where there is no such thing.
 */
#define START_MAGIC		0x6c746131	/* "atl1" */
#define START_PRIVILEGED	1		/* this is domain 0 */
#define START_SEEDED		2		/* it has a @seed */
#define START_CMDLINE		1024
#define START_SEED		32

struct start_info {
	uint32_t magic;
	uint32_t interface;		/* ATELIER_INTERFACE of the hypervisor */
	uint32_t flags;			/* START_... */
	uint32_t domid;
	uint32_t frames;		/* of the domain: pseudo-physical frames 0 to frames - 1 */
	uint32_t virt_base;		/* pseudo-physical 0 is mapped here, writable, ... */
	uint32_t mapped_frames;		/* ... and so are all frames up to this one, but the tables */
	uint32_t p2m;			/* uint32_t for each of the @frames */
	uint32_t shared;		/* struct shared_info, the place that the image's note asked for */
	uint32_t directory;		/* the page directory that is loaded */
	uint32_t tables;		/* page-table frames, the directory being the first, in a row */
	uint32_t initrd;		/* the module given with the kernel */
	uint32_t initrd_size;		/* bytes */
	uint32_t first_used;		/* pseudo-physical frames that the builder filled behind the image, */
	uint32_t first_free;		/* from @first_used to @first_free - 1 */
	uint32_t windows;		/* see IMAGE_WINDOWS */
	char cmdline[START_CMDLINE];	/* ends in NUL */
	/* With START_SEEDED: random bytes that nobody else has, from who loaded the domain. The guest
	 * uses them once and forgets them. */
	uint8_t seed[START_SEED];
};

/*
 * A guest's image is an ELF file for the i386, loaded by physical address as if that were
 * pseudo-physical, with this note (name "Atelier", type 1).
 */
#define IMAGE_NOTE_NAME		"Atelier"
#define IMAGE_NOTE_TYPE		1
#define IMAGE_WINDOWS		1	/* flag: make the four windows */

struct image_note {
	uint32_t interface;	/* ATELIER_INTERFACE that it was built for */
	uint32_t flags;		/* IMAGE_... */
	uint32_t virt_base;	/* 4 MiB aligned, above 4 MiB, below ATELIER_LINE */
	uint32_t entry;		/* the first instruction */
	uint32_t shared;	/* a page-aligned page of the image that becomes the shared page */
};

/*
 * The four windows: sixteen pages at virt_base - 4 MiB, for guests that have no page tables of
 * their own yet: four that ring 1 may read and write, four it may only read (they hold the bytes 0,
 * 1, 2, ... of the offset in the page), a hole of four, and four that ring 3 may read and write
 * too.
 */
#define WINDOW_WRITABLE		0
#define WINDOW_READONLY		4
#define WINDOW_HOLE		8
#define WINDOW_USER		12
#define WINDOW_PAGES		16

#endif /* __ASSEMBLY__ */
#endif
