/* SPDX-License-Identifier: MIT */
#ifndef ATL_CREATE_H
#define ATL_CREATE_H

#include "wishes.h"

/* A domain with all that is wished; its number, or -1 after a complaint, and then there is none. Fills gaps in *@w. */
int create_domain(struct wishes *w);

#endif
