/* SPDX-License-Identifier: MIT */
/* What the host tests of exercise 4.1 share: one question, and what came of it. */
#ifndef LAB4_FITS_H
#define LAB4_FITS_H

#include "host/program.h"
#include "segment.h"

enum { FIT_REFUSED, FIT_SAME, FIT_CHANGED };

/*
 * @desc becomes what segment_fit() made of it. A refused one counts as refused whatever it has
 * become.
 */
static uint32_t fit(struct descriptor *desc)
{
	struct descriptor was = *desc;

	if (!segment_fit(desc))
		return FIT_REFUSED;
	return was.low == desc->low && was.high == desc->high ? FIT_SAME : FIT_CHANGED;
}

#endif
