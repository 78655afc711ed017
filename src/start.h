/* SPDX-License-Identifier: MIT */
#ifndef ATELIER_START_H
#define ATELIER_START_H

/*
 * A door for pc/: the machine is up. Brings up the subsystems and the domains of the boot modules;
 * the caller returns to a guest then.
 */
void start(void);

/* The first part of it: every subsystem, no domain yet. Tests start here. */
void start_subsystems(void);

#endif
