// SPDX-License-Identifier: MIT
/* Domain 0: lets two spinners (shares.c) run with one allowance after the other, and has the machine counted at each change. */
#include "director.h"

MINI_BASE(0x80000000);		/* observe_mark() is at an address where no other guest of this test has code */

int test_main(const struct start_info *start)
{
	uint32_t phases, length;

	director_open();
	input_word();		/* how many domains there are */
	input_word();		/* until when they run */
	phases = input_word();
	length = input_word();
	for (uint32_t i = 0; i < phases; i++) {
		director_set_all(i);
		observe_mark();
		sleep_until(time_now() + length * MILLISECOND);
		observe("phase cycles", i, (uint32_t)read_tsc());
	}
	observe_mark();
	director_wait_for_all(SECOND);
	return 0;
}
