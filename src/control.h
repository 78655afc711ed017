/* SPDX-License-Identifier: MIT */
/* What domain 0 may ask of other domains: public/control.h says what each operation does. */
#ifndef ATELIER_CONTROL_H
#define ATELIER_CONTROL_H

#include "lib/types.h"

struct domain;

/* A domain's share. */
struct control_share {
	bool paused;		/* one of the domain's pauses is domain 0's */
};

int do_control_op(struct domain *d, guest_addr_t op);

#endif
