/* SPDX-License-Identifier: MIT */
#ifndef ATL_VBD_H
#define ATL_VBD_H

#include "lib/types.h"

/*
 * Gives a domain one more virtual disk: the extent of that name (disk.h), "NAME", "NAME:ro" or "NAME:shared". 0, or an
 * error that has been complained of.
 */
int vbd_attach(uint32_t domain, const char *extent);

#endif
