/* SPDX-License-Identifier: MIT */
#ifndef ATL_VIF_H
#define ATL_VIF_H

#include "lib/types.h"

/*
 * Gives a domain one more interface, by wishes such as "ip=10.0.2.20,rate=1000" or "", and the rules that
 * let its packets pass. 0, or an error that has been complained of.
 */
int vif_attach(uint32_t domain, const char *wishes);

#endif
