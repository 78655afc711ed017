// SPDX-License-Identifier: MIT
#include "disk_queue.h"
#include <stdlib.h>
#include <string.h>
#include "unit/test.h"

#define JOBS	1024u
#define OWNERS	3u

static struct disk_job jobs[JOBS];
static unsigned int used;
static struct disk_order orders[OWNERS];

static void start(void)
{
	used = 0;
	disk_queue_init();
	for (unsigned int i = 0; i < OWNERS; i++)
		disk_order_open(&orders[i]);
}

/* A request of one job. */
static struct disk_job *add_on(unsigned int owner, uint32_t disk, uint32_t sector, bool barrier)
{
	struct disk_job *j = &jobs[used++ % JOBS];
	struct list one = LIST_INIT(one);

	*j = (struct disk_job){ .kind = TRANSFER_WRITE, .run = { disk, { sector }, 1 } };
	list_insert(&j->waiting, &one);
	disk_queue_add(&orders[owner], &one, barrier);
	EXPECT(list_empty(&one));
	return j;
}

static struct disk_job *add(unsigned int owner, uint32_t sector)
{
	return add_on(owner, 0, sector, false);
}

static struct disk_job *barrier(unsigned int owner, uint32_t sector)
{
	return add_on(owner, 0, sector, true);
}

static int64_t next_sector(uint32_t disk)
{
	struct disk_job *j = disk_queue_next(disk);

	if (!j)
		return -1;
	disk_queue_done(j);
	EXPECT(disk_queue_check());
	return j->run.first.n;
}

/* ---- travel ---- */

TEST(an_empty_queue_gives_nothing)
{
	start();
	EXPECT(!disk_queue_next(0));
	EXPECT(!disk_queue_next(MACHINE_DISKS - 1));
}

TEST(the_head_goes_up_and_begins_again_at_the_bottom)
{
	static const uint32_t sectors[] = { 50, 10, 90, 30 };

	start();
	add(0, 40);
	EXPECT_EQ(next_sector(0), 40);
	for (unsigned int i = 0; i < ARRAY_SIZE(sectors); i++)
		add(0, sectors[i]);
	EXPECT_EQ(next_sector(0), 50);
	EXPECT_EQ(next_sector(0), 90);
	EXPECT_EQ(next_sector(0), 10);
	add(0, 11);
	EXPECT_EQ(next_sector(0), 11);
	EXPECT_EQ(next_sector(0), 30);
	EXPECT_EQ(next_sector(0), -1);
}

TEST(each_disk_has_a_queue_and_a_head_of_its_own)
{
	start();
	add_on(0, 1, 70, false);
	add_on(0, 0, 5, false);
	EXPECT_EQ(next_sector(1), 70);
	add_on(0, 1, 60, false);
	EXPECT_EQ(next_sector(0), 5);
	EXPECT_EQ(next_sector(0), -1);
	EXPECT_EQ(next_sector(1), 60);
}

TEST(the_last_sector_of_all_is_no_end)
{
	start();
	add(0, UINT32_MAX - 1);
	EXPECT_EQ(next_sector(0), UINT32_MAX - 1);
	add(0, UINT32_MAX - 2);
	add(0, 0);
	EXPECT_EQ(next_sector(0), 0);
	EXPECT_EQ(next_sector(0), UINT32_MAX - 2);
}

TEST(a_flush_leaves_the_head_where_it_is)
{
	struct list one = LIST_INIT(one);
	struct disk_job flush = { .kind = TRANSFER_FLUSH };

	start();
	add(0, 50);
	EXPECT_EQ(next_sector(0), 50);
	list_insert(&flush.waiting, &one);
	disk_queue_add(&orders[0], &one, false);
	EXPECT_EQ(next_sector(0), 0);
	add(0, 10);
	add(0, 60);
	EXPECT_EQ(next_sector(0), 60);
}

/* One domain writes on and on just where the head is: another one's sector far below is not forgotten. */
TEST(nobody_waits_for_ever)
{
	unsigned int waited = 0;

	start();
	add(0, 1000);
	EXPECT_EQ(next_sector(0), 1000);
	add(1, 5);
	for (uint32_t sector = 1001;; sector++, waited++) {
		add(0, sector);
		if (next_sector(0) == 5)
			break;
		if (waited > 2 * DISK_PATIENCE)
			break;
	}
	EXPECT_EQ(waited, DISK_PATIENCE);
}

/* ---- barriers ---- */

TEST(nothing_passes_a_barrier_either_way)
{
	struct disk_job *before[2], *b, *after;

	start();
	before[0] = add(0, 30);
	before[1] = add(0, 20);
	b = barrier(0, 10);
	after = add(0, 5);
	EXPECT(disk_queue_next(0) == before[1]);
	EXPECT(disk_queue_next(0) == before[0]);
	EXPECT(!disk_queue_next(0));
	disk_queue_done(before[0]);
	EXPECT(!disk_queue_next(0));
	disk_queue_done(before[1]);
	EXPECT(disk_queue_next(0) == b);
	EXPECT(!disk_queue_next(0));
	disk_queue_done(b);
	EXPECT(disk_queue_next(0) == after);
}

TEST(a_barrier_with_nothing_before_it_goes_at_once)
{
	start();
	barrier(0, 7);
	EXPECT_EQ(next_sector(0), 7);
	barrier(0, 3);
	barrier(0, 2);
	EXPECT_EQ(next_sector(0), 3);
	EXPECT_EQ(next_sector(0), 2);
	add(0, 1);
	EXPECT_EQ(next_sector(0), 1);
}

TEST(other_domains_pass_a_barrier_freely)
{
	struct disk_job *before;

	start();
	before = add(0, 1);
	EXPECT(disk_queue_next(0) == before);
	barrier(0, 2);
	add(0, 3);
	add(1, 4);
	barrier(2, 5);
	EXPECT_EQ(next_sector(0), 4);
	EXPECT_EQ(next_sector(0), 5);
	EXPECT_EQ(next_sector(0), -1);
	disk_queue_done(before);
	EXPECT_EQ(next_sector(0), 2);
	EXPECT_EQ(next_sector(0), 3);
}

TEST(a_barrier_holds_on_all_disks)
{
	struct disk_job *before;

	start();
	before = add_on(0, 0, 9, false);
	add_on(0, 1, 1, true);
	add_on(0, 2, 2, false);
	EXPECT(!disk_queue_next(1));
	EXPECT(disk_queue_next(0) == before);
	EXPECT(!disk_queue_next(1));
	disk_queue_done(before);
	EXPECT(!disk_queue_next(2));
	EXPECT_EQ(next_sector(1), 1);
	EXPECT_EQ(next_sector(2), 2);
}

/* The jobs of one barrier may go in any order, all of them. */
TEST(the_parts_of_a_barrier_do_not_wait_for_each_other)
{
	struct list two = LIST_INIT(two);
	struct disk_job parts[2] = { { .run = { 0, { 8 }, 1 } }, { .run = { 0, { 4 }, 1 } } };

	start();
	for (unsigned int i = 0; i < 2; i++)
		list_insert(&parts[i].waiting, &two);
	disk_queue_add(&orders[0], &two, true);
	add(0, 1);
	EXPECT(disk_queue_next(0) == &parts[1]);
	EXPECT(disk_queue_next(0) == &parts[0]);
	EXPECT(!disk_queue_next(0));
	disk_queue_done(&parts[0]);
	EXPECT(!disk_queue_next(0));
	disk_queue_done(&parts[1]);
	EXPECT_EQ(next_sector(0), 1);
}

/* Whoever has to wait for a barrier of its own has not been passed. */
TEST(patience_counts_from_when_one_could_go)
{
	struct disk_job *before;

	start();
	before = add(0, 500);
	EXPECT(disk_queue_next(0) == before);
	barrier(0, 5);
	for (uint32_t i = 0; i < 2 * DISK_PATIENCE; i++) {
		add(1, 501 + i);
		EXPECT_EQ(next_sector(0), 501 + i);
	}
	disk_queue_done(before);
	add(1, 2000);
	EXPECT_EQ(next_sector(0), 2000);
}

/* ---- random mixes ---- */

enum stage { WAITS, GONE, DONE };

struct asked {
	struct disk_job *job;
	unsigned int owner, group;	/* the groups of an owner count up: a barrier is one, what lies between two is one */
	enum stage stage;
};

static struct {
	struct asked asked[JOBS];
	unsigned int count, done;
	unsigned int group[OWNERS];
} mix;

static void ask(void)
{
	struct asked *a = &mix.asked[mix.count++];
	bool is_barrier = rand() % 5 == 0;

	a->owner = rand() % OWNERS;
	mix.group[a->owner] += is_barrier;
	a->group = mix.group[a->owner];
	mix.group[a->owner] += is_barrier;
	a->job = add_on(a->owner, rand() % 2, rand() % 100, is_barrier);
}

static void expect_nothing_passed(const struct asked *a)
{
	for (unsigned int i = 0; i < mix.count; i++) {
		const struct asked *b = &mix.asked[i];

		if (b->owner == a->owner && b->group < a->group)
			EXPECT_EQ(b->stage, DONE, "job %u was passed", i);
	}
}

static void let_go(void)
{
	struct disk_job *j = disk_queue_next(rand() % 2);

	for (unsigned int i = 0; i < mix.count; i++)
		if (mix.asked[i].job == j) {
			mix.asked[i].stage = GONE;
			expect_nothing_passed(&mix.asked[i]);
		}
}

static void end_one(void)
{
	struct asked *a = mix.count > 0 ? &mix.asked[rand() % mix.count] : NULL;

	if (!a || a->stage != GONE)
		return;
	disk_queue_done(a->job);
	a->stage = DONE;
	mix.done++;
}

/* Three domains, two disks, any number under way. */
TEST(no_order_that_was_asked_for_is_broken)
{
	start();
	memset(&mix, 0, sizeof(mix));
	srand(7);
	while (mix.done < 600) {
		if (mix.count < 600)
			ask();
		let_go();
		for (int i = 0; i < 100; i++)
			end_one();
		EXPECT(disk_queue_check());
	}
}
