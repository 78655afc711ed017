// SPDX-License-Identifier: MIT
#include "exercise.h"
#include "../console.h"
#include "../public/errno.h"

#define LABS		9
#define EXERCISES	9	/* of a lab, at most */

int exercise_missing(const char *number)
{
	static bool said[LABS + 1][EXERCISES + 1];
	bool *here = &said[(number[0] - '0') % (LABS + 1)][(number[2] - '0') % (EXERCISES + 1)];

	if (!*here) {
		*here = true;
		console_printf("exercise %s is not written yet\n", number);
	}
	return -ENOSYS;
}
