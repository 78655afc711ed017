// SPDX-License-Identifier: MIT
#include "disk_queue.h"

/*
 * Exercise 9.3. Adds the jobs of one request of a domain, whose order is @o: @jobs is a list of them by
 * @waiting, in the order of their sectors, with @kind and @run filled in; afterwards it is empty. Each
 * goes to the disk of its run; they may be jobs for several disks. @barrier: all that was added to @o
 * before goes, and is done, before them, and all that is added to it later goes when they are done.
 * Without @barrier the jobs may go in any order, but for the barriers before them. Cannot fail: a job's
 * memory is the caller's, from here until disk_queue_done(). Keeps D3. Handout, part 9.3.
 */
void disk_queue_add(struct disk_order *o, struct list *jobs, bool barrier)
{
	exercise_missing("9.3");
}

/*
 * Exercise 9.3. The job that goes to @disk now, which leaves the disk's queue; NULL: none may. Of those
 * that no barrier of their own domain holds back, whatever other domains wait for, it is the next one
 * on the disk's sweep: the sweep goes up from where the last job ended, and begins again at the
 * lowest sector. But who was passed by DISK_PATIENCE jobs that came later, while it could have gone
 * itself, goes first. A flush has no sectors, and moves no sweep. Keeps D3, and that nobody waits for
 * ever. Handout, part 9.3.
 */
struct disk_job *disk_queue_next(uint32_t disk)
{
	exercise_missing("9.3");
	return NULL;
}

/*
 * Exercise 9.3. The device says that @j, which disk_queue_next() gave out, is done, well or not: only
 * now does it hold nobody back any more. Afterwards nothing here points to it. Keeps D3. Handout,
 * part 9.3.
 */
void disk_queue_done(struct disk_job *j)
{
	exercise_missing("9.3");
}
