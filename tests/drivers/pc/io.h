/* SPDX-License-Identifier: MIT */
/* Takes the place of src/pc/io.h under a driver that is tested on the host: the ports are drives.c's. */
#ifndef DRIVERS_PC_IO_H
#define DRIVERS_PC_IO_H

#include "lib/types.h"

void outb(uint16_t port, uint8_t value);
void outl(uint16_t port, uint32_t value);
uint8_t inb(uint16_t port);
uint16_t inw(uint16_t port);

#endif
