/* SPDX-License-Identifier: MIT */
/* The frame map: a letter, and on a terminal a colour, for what each frame of the machine is used as right now. */
#ifndef DEMO_MAP_H
#define DEMO_MAP_H

#include "lib/types.h"

/* Prints it, from the screen's top left corner on if it is @live. It comes from debug_op: a hypervisor without that has none. */
void map_print(bool live);

#endif
