/* SPDX-License-Identifier: MIT */
/*
 * Virtual block devices: disks of domains, made of extents of real ones (paper, section 3.3.6).
 *
 * A domain's requests come over one ring for all of its devices. Each is copied once, judged, cut
 * into runs of real sectors; its memory is held; jobs go into the disks' queues; and when the device
 * has done the last one there is one answer. Domains with requests take turns of VBD_BATCH, in a
 * round: who kicks joins it, who is left with requests joins it again at its end. There is room for
 * VBD_REQUESTS at a time, of all domains together. When it is used up the round rests until half of it
 * is free, so that turns are whole and a domain's neighbouring sectors come to the disk together.
 *
 * Invariants (vbd_check): D1: two domains but domain 0 have the same sectors only if neither writes
 * there or it was said to be shared; D2: every frame that a device may still touch is held, as
 * writable if it is written; what is under way of a domain's requests is what its ring says.
 */
#ifndef ATELIER_VBD_H
#define ATELIER_VBD_H

#include "disk_queue.h"
#include "extent.h"
#include "frame.h"
#include "lib/list.h"
#include "lib/types.h"
#include "public/control.h"
#include "public/ring.h"

struct domain;
struct ring;

#define VBD_BATCH	16u	/* requests a turn */
#ifndef VBD_REQUESTS
#define VBD_REQUESTS	64u	/* under way at a time */
#endif
#ifndef VBD_POOL
#define VBD_POOL	192u	/* VBDs of all domains */
#endif

struct vbd;

/* A domain's share. */
struct vbds {
	struct vbd *devices[VBD_DEVICES];
	struct list round;		/* in the round, if there may be requests */
	struct disk_order order;
};

void vbd_init(void);
void vbds_open(struct domain *d);

/* Domain 0's raw access: VBD i is all of disk i, whoever else has parts of it. */
void vbd_give_disks(struct domain *d);

/* For a dying domain, whose rings are gone: all of its VBDs. */
void vbds_destroy(struct domain *d);
unsigned int vbd_count(const struct domain *d);

/* ---- domain 0's operations; contracts in public/control.h ---- */

/* -EINVAL: no such number; -EEXIST; -ENOSPC: the pool is empty. */
int vbd_create(struct domain *d, uint32_t number);

/*
 * Takes no more requests for a VBD, and takes it away when none is under way: then no device will touch
 * its sectors on its behalf any more. -ENODEV; -EAGAIN: some are, ask again.
 */
int vbd_destroy(struct domain *d, uint32_t number);

int vbd_get_info(struct domain *d, struct control_vbd *info);

/* Requests that were taken before go on as they were translated. */
int vbd_add_extent(struct domain *d, uint32_t number, const struct control_extent *e);
int vbd_remove_extent(struct domain *d, uint32_t number);
int vbd_get_extent(struct domain *d, uint32_t number, struct control_extent *e);

/* ---- requests ---- */

/* @d may have requests: it joins the round, if it is not in it. */
void vbd_wake(struct domain *d);

/* Takes requests, turn by turn, until the round is empty or there is no room for a batch. */
void vbd_poll(void);

/*
 * Takes up one request of the ring, which is our own copy: its jobs wait in the queues, and memory is
 * held; or it is answered at once, and nothing is left of it. There is room for it.
 */
void vbd_request(struct ring *r, const struct vbd_request *request);

/*
 * A job has ended, with 0 or a negative error. After the last one of its request the holds are dropped
 * and the answer is out, -EIO if one of them failed.
 */
void vbd_done(struct disk_job *job, int error);

/* A door for pc/: a transfer has ended, with 0 or -EIO. */
void disk_done(void *tag, int error);

/* For auditors: each frame that a request holds, with what it is held as. */
void vbd_each_hold(frame_see_fn *see);
bool vbd_check(void);

#endif
