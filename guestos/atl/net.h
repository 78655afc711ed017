/* SPDX-License-Identifier: MIT */
#ifndef ATL_NET_H
#define ATL_NET_H

#include "lib/types.h"
#include "public/control.h"

#define NET_RANK	1000	/* of rules that nobody gave a rank */

/* "10.0.2.20", in network byte order. */
bool net_parse_address(const char *text, uint32_t *address);

int net_add(const struct control_rule *rule);

#endif
