/* SPDX-License-Identifier: MIT */
/*
 * The vandal: a guest on mini whose crimes are what each lab is about (labs/.../demo/crimes.c). At the start of a lab they
 * succeed, mostly by stopping the machine; at its end they come back as errors, or cost the vandal its own life.
 *
 * A crime is a function: what it answers came of it. Negative: the hypervisor refused, with that error. 0 or more: it is done,
 * and that is bad news. A trap in it ends it, and is told as such, where there are traps (lab 2); before that it ends the domain.
 */
#ifndef LABS_VANDAL_H
#define LABS_VANDAL_H

#include "lib/types.h"

struct crime {
	uint16_t lab;
	char key;
	const char *what;
	int (*commit)(void);
};

/* At file scope, with the function's body behind it. tools/demo reads the menu from these lines. */
#define CRIME(lab, key, name, what)									\
	static int name(void);										\
	static const struct crime crime_##name __attribute__((section("crimes"), used)) =		\
		{ lab, key, what, name };								\
	static int name(void)

/* Places in the hypervisor's image (src/pc/layout.h): its code, and what it writes. */
#define HYPERVISOR		0xfc510000u
#define HYPERVISOR_DATA		0xfc530000u

/*
 * What domain 0 does for the vandals of a lab before they begin, such as to give them a disk: once for each, with the key of its
 * crime. At file scope, like CRIME.
 */
struct accomplice {
	uint32_t lab;
	void (*help)(uint32_t domain, char key);
};

#define ACCOMPLICE(lab, name)										\
	static void name(uint32_t domain, char key);							\
	static const struct accomplice accomplice_##name						\
		__attribute__((section("accomplices"), used)) = { lab, name };				\
	static void name(uint32_t domain, char key)

#endif
