/* SPDX-License-Identifier: MIT */
/*
 * Errors: what a call returns, negated. The numbers are those of Linux, so that a Linux guest may
 * hand them on; a guest that has its own <errno.h> includes that one first.
 */
#ifndef ATELIER_PUBLIC_ERRNO_H
#define ATELIER_PUBLIC_ERRNO_H

#ifndef EPERM
#define EPERM	1	/* the caller may not ask this */
#define ESRCH	3	/* no such domain, or it is dying */
#define EIO	5	/* the device failed */
#define ENXIO	6	/* nothing lies at that place of the device */
#define E2BIG	7	/* too many for one call */
#define EAGAIN	11	/* bounded work was done or must be done first: ask again */
#define ENOMEM	12	/* no free frame, or the domain's limit is reached */
#define EACCES	13	/* the thing exists, the right does not */
#define EFAULT	14	/* an address that cannot be read or written, or lies above the line */
#define EBUSY	16	/* in use in another way */
#define EEXIST	17	/* is there already */
#define ENODEV	19	/* no such device */
#define EINVAL	22	/* malformed, whatever the state */
#define ENOSPC	28	/* a table is full */
#define ENOSYS	38	/* no such call */
#endif

#endif
