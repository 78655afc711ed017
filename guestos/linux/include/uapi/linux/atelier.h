/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/atelier: how a program in domain 0 builds, watches and ends other domains.
 *
 * The device is there in domain 0 alone, and is root's (CAP_SYS_ADMIN at open: -EPERM). Structures
 * that it passes through are the hypervisor's own, from control.h and paging.h of its public headers,
 * which a program includes besides this file: under <atelier/...>, or where it has them. All
 * addresses are the program's.
 *
 * open()	any number of times.
 * ioctl()	below.
 * mmap()	reserves addresses for frames of other domains: MAP_SHARED, offset 0, PROT_READ and
 *		perhaps PROT_WRITE. Nothing is there (SIGBUS) until ATELIER_MAP. munmap(), exec and the
 *		program's end give the frames up. A child of fork() has nothing there. mprotect() is
 *		-EACCES, mremap() -EFAULT.
 * read()	a __u32: bit 1 << VIRQ_DOMAIN, VIRQ_CONSOLE (event.h): which of these have been raised
 *		since this open file was last read, or was opened. Waits until there is one, unless
 *		O_NONBLOCK (-EAGAIN). -EINVAL: less than 4 bytes asked for.
 * poll()	POLLIN: read() would not wait.
 */
#ifndef _UAPI_LINUX_ATELIER_H
#define _UAPI_LINUX_ATELIER_H

#include <linux/ioctl.h>
#include <linux/types.h>

/*
 * Passes a struct control_op on, answers what the hypervisor does, and writes the structure back as
 * the hypervisor left it, also after an error. Buffers that it names (frames.list; log.buffer,
 * console.buffer) are copied, ATELIER_BUFFER_MAX bytes of them at most: what is more is not asked
 * for, and the count that comes back says how much was. -EFAULT; -ENOMEM. -EINVAL: CONTROL_fill,
 * which names domain 0's frames: that is ATELIER_FILL.
 */
#define ATELIER_CONTROL		_IOWR('Z', 0, struct control_op)
#define ATELIER_BUFFER_MAX	(1 << 20)

/*
 * Makes @count machine frames of @domain appear at @address, which must lie in one mapping of this
 * open file: writable if that mapping is. What was there before is given up. @done says how many
 * of them were done, in order; 0, or why the next one was not: -EINVAL (alignment, or no mapping of
 * this file), -EFAULT, -ENOMEM, -EINTR (a signal came: ask for the rest), -ESRCH, or what the
 * hypervisor says of an entry for it (-EBUSY: writable, but in use as a page table).
 */
struct atelier_map {
	__u32 domain;
	__u32 address;		/* page-aligned */
	__u32 frames;		/* address of __u32[@count]: machine frame numbers */
	__u32 count;
	__u32 done;		/* out */
};
#define ATELIER_MAP		_IOWR('Z', 1, struct atelier_map)

/*
 * mmu_update() in the name of @domain, which must be another one (-EINVAL): M2P entries, pins, and
 * entries of its own tables. @done as above. -EFAULT; -EINTR (ask for the rest); what mmu_update()
 * answers, -EAGAIN only where more was asked of one request than a call does.
 */
struct atelier_mmu {
	__u32 domain;
	__u32 requests;		/* address of struct mmu_request[@count] */
	__u32 count;
	__u32 done;		/* out */
};
#define ATELIER_MMU		_IOWR('Z', 2, struct atelier_mmu)

/*
 * Copies @size bytes of a file, from @offset on, into frames of a domain that is being built, from
 * byte @at of the first one on: the hypervisor takes them from where Linux keeps the file's pages.
 * @done says how many bytes were copied, in order; 0, and then fewer than @size only if the file ends
 * there, or why the next ones were not: -EBADF (not open for reading), -EOPNOTSUPP (no regular file,
 * or on a file system that keeps no pages of it), -EINVAL (ends beyond 4 GiB), -EFAULT, -ENOMEM,
 * -EINTR (ask for the rest), -EIO, or what CONTROL_fill answers.
 */
struct atelier_fill {
	__u32 domain;
	__u32 frames;		/* address of __u32[]: machine frame numbers, as many as @at + @size reach into */
	__u32 at;
	__u32 file;		/* descriptor */
	__u32 offset;
	__u32 size;
	__u32 done;		/* out */
};
#define ATELIER_FILL		_IOWR('Z', 3, struct atelier_fill)

#endif
