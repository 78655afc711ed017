/* SPDX-License-Identifier: MIT */
#ifndef ATELIER_START_H
#define ATELIER_START_H

/* A door for pc/: the machine is up. Brings up the subsystems and the domains of the boot modules; the caller returns to a guest then. */
void start(void);

#endif
