// SPDX-License-Identifier: MIT
#include "control.h"
#include <string.h>
#include "console.h"
#include "frame.h"
#include "frame_pool.h"
#include "host/audit.h"
#include "host/disk.h"
#include "host/domains.h"
#include "unit/test.h"

#define FRAMES	900u

static struct guest zero, one, two;
static struct control_op answer;

static void start(void)
{
	host_start(FRAMES);
	zero = host_domain(6);
	one = host_domain(6);
	two = host_domain(6);
	host_enter(&zero);
	sched_unpause(one.d);
}

static int ask(struct guest *who, struct control_op op)
{
	uint32_t at;
	int err;

	op.interface = ATELIER_INTERFACE;
	at = ARG(op);
	err = CALL(who, control_op, at);
	memcpy(&answer, host_arg_bytes(at), sizeof(answer));
	return err;
}

static int on(uint32_t op, uint32_t domain)
{
	return ask(&zero, (struct control_op){ .op = op, .domain = domain });
}

TEST(only_domain_0_may_ask)
{
	start();
	for (uint32_t op = 0; op < 40; op++)
		EXPECT_EQ(ask(&one, (struct control_op){ .op = op, .domain = 2 }), -EPERM, "operation %u", op);
}

TEST(what_makes_no_sense_is_refused)
{
	struct control_op old = { .interface = ATELIER_INTERFACE + 1, .op = CONTROL_info };

	start();
	EXPECT_EQ(CALL(&zero, control_op, ARG(old)), -EINVAL);
	EXPECT_EQ(CALL(&zero, control_op, ATELIER_LINE - 8), -EFAULT);
	EXPECT_EQ(on(0, 1), -EINVAL);
	EXPECT_EQ(on(CONTROL_fill + 1, 1), -EINVAL);
	EXPECT_EQ(on(UINT32_MAX, 1), -EINVAL);
	EXPECT_EQ(on(CONTROL_pause, 3), -ESRCH);
	EXPECT_EQ(on(CONTROL_pause, UINT32_MAX), -ESRCH);
	EXPECT_EQ(on(CONTROL_destroy, 3), -ESRCH);
	EXPECT_EQ(on(CONTROL_pause, 0), -EINVAL);
	EXPECT_EQ(on(CONTROL_destroy, 0), -EINVAL);
	audit_all();
}

/* J2, XSA-410: what domain 0 might begin with a domain that is on its way out. */
TEST(nothing_can_be_begun_with_the_dying)
{
	static const uint32_t for_one[] = {
		CONTROL_pause, CONTROL_unpause, CONTROL_start, CONTROL_frame_list, CONTROL_fill, CONTROL_sched, CONTROL_limit,
		CONTROL_console, CONTROL_vif_create, CONTROL_vif_destroy, CONTROL_vif_info, CONTROL_event_bind, CONTROL_shutdown,
		CONTROL_vbd_create, CONTROL_vbd_destroy, CONTROL_vbd_info, CONTROL_extent_add, CONTROL_extent_remove, CONTROL_extent_info,
	};
	struct mmu_request map;
	uint32_t before;

	start();
	before = frame_pool_free_count();
	map = (struct mmu_request){ zero.mfn[PFN_TABLE] << PAGE_SHIFT | 4 * 100, one.mfn[PFN_DATA] << PAGE_SHIFT | PTE_P };
	EXPECT_EQ(CALL(&zero, mmu_update, ARG(map), 1, 0, 1), 0);
	EXPECT_EQ(on(CONTROL_destroy, 1), -EAGAIN, "domain 0 maps a frame of it");
	for (unsigned int i = 0; i < ARRAY_SIZE(for_one); i++)
		EXPECT_EQ(on(for_one[i], 1), -ESRCH, "operation %u", for_one[i]);
	EXPECT_EQ(ask(&zero, (struct control_op){ .op = CONTROL_event_bind, .domain = 2, .u.event.peer = 1 }), -ESRCH);
	map.where += 4;
	EXPECT_EQ(CALL(&zero, mmu_update, ARG(map), 1, 0, 1), -ESRCH);
	EXPECT_EQ(CALL(&zero, update_va_mapping, host_va(101), map.value, 0, 1), -ESRCH);
	map = (struct mmu_request){ map.where - 4, 0 };
	EXPECT_EQ(CALL(&zero, mmu_update, ARG(map), 1, 0, DOMID_SELF), 0);
	EXPECT_EQ(on(CONTROL_destroy, 1), 0);
	EXPECT_EQ(frame_pool_free_count(), before + 6 + 1);
	audit_all();
}

TEST(info_goes_from_domain_to_domain)
{
	static const uint32_t states[] = { DOMAIN_RUNNABLE, DOMAIN_RUNNABLE, DOMAIN_BUILDING };

	start();
	for (uint32_t i = 0; i < 3; i++) {
		EXPECT_EQ(on(CONTROL_info, i), 0);
		EXPECT_EQ(answer.domain, i);
		EXPECT_EQ(answer.u.info.state, states[i], "domain %u", i);
		EXPECT_EQ(answer.u.info.frames, 6);
		EXPECT_EQ(strcmp(answer.u.info.name, "guest"), 0);
	}
	EXPECT_EQ(on(CONTROL_info, 3), -ESRCH);
	domain_kill(one.d, SHUTDOWN_crash, 0);
	EXPECT_EQ(on(CONTROL_info, 1), 0);
	EXPECT_EQ(answer.u.info.state, DOMAIN_DYING);
	EXPECT_EQ(answer.u.info.reason, SHUTDOWN_crash);
	EXPECT_EQ(on(CONTROL_pause, 1), -ESRCH);
}

static int find(const char *name)
{
	struct control_op op = { .op = CONTROL_find };

	memcpy(op.u.info.name, name, strnlen(name, DOMAIN_NAME));
	return ask(&zero, op);
}

TEST(a_living_domain_is_found_by_its_name)
{
	struct control_op op = { .op = CONTROL_create, .u.create = { .frames = 5, .limit = 5, .name = "seven" } };
	char long_name[DOMAIN_NAME];

	start();
	EXPECT_EQ(ask(&zero, op), 0);
	EXPECT_EQ(find("seven"), 0);
	EXPECT_EQ(answer.domain, 3);
	EXPECT_EQ(answer.u.info.limit, 5);
	EXPECT_EQ(find("guest"), 0);
	EXPECT_EQ(answer.domain, 0);
	EXPECT_EQ(find("seve"), -ESRCH);
	EXPECT_EQ(find(""), -EINVAL);
	memset(long_name, 'x', sizeof(long_name));
	EXPECT_EQ(find(long_name), -EINVAL, "it has no end");
	domain_kill(domain_next(3), SHUTDOWN_crash, 0);
	EXPECT_EQ(find("seven"), -ESRCH);
}

TEST(whose_output_waits_is_said_from_number_to_number)
{
	start();
	EXPECT_EQ(on(CONTROL_unread, 0), -ESRCH);
	for (uint32_t i = 1; i < 3; i++) {
		EXPECT_EQ(on(CONTROL_console, i), 0);
		console_emit(domain_next(i), "something\n", 10);
	}
	EXPECT_EQ(on(CONTROL_unread, 0), 0);
	EXPECT_EQ(answer.domain, 1);
	EXPECT_EQ(on(CONTROL_unread, 2), 0);
	EXPECT_EQ(answer.domain, 2);
	EXPECT_EQ(on(CONTROL_unread, 3), -ESRCH);
	answer.u.console = (struct control_bytes){ .buffer = ARG(answer), .size = 100 };
	EXPECT_EQ(ask(&zero, (struct control_op){ .op = CONTROL_console, .domain = 1, .u.console = answer.u.console }), 0);
	EXPECT_EQ(on(CONTROL_unread, 0), 0);
	EXPECT_EQ(answer.domain, 2, "the first one's was taken");
	domain_kill(two.d, SHUTDOWN_crash, 0);
	EXPECT_EQ(on(CONTROL_unread, 0), -ESRCH);
}

TEST(who_is_gone_is_remembered_until_another_has_the_number)
{
	start();
	EXPECT_EQ(on(CONTROL_ended, 0), -ESRCH);
	CALL(&two, shutdown, SHUTDOWN_reboot, 7);
	EXPECT_EQ(on(CONTROL_destroy, 1), 0);
	EXPECT_EQ(on(CONTROL_ended, 0), 0);
	EXPECT_EQ(answer.domain, 1);
	EXPECT_EQ(answer.u.ended.reason, SHUTDOWN_destroyed);
	EXPECT_EQ(on(CONTROL_ended, 2), 0);
	EXPECT_EQ(answer.domain, 2);
	EXPECT_EQ(answer.u.ended.reason, SHUTDOWN_reboot);
	EXPECT_EQ(answer.u.ended.status, 7);
	EXPECT_EQ(answer.u.ended.at, machine_now());
	EXPECT_EQ(strcmp(answer.u.ended.name, "guest"), 0);
	EXPECT_EQ(on(CONTROL_ended, 3), -ESRCH);
	for (unsigned int i = 0; i < MAX_DOMAINS - 2; i++) {
		struct control_op op = { .op = CONTROL_create, .u.create = { .frames = 1, .limit = 1, .name = "next" } };

		EXPECT_EQ(ask(&zero, op), 0);
		EXPECT_EQ(on(CONTROL_destroy, answer.domain), 0);
	}
	EXPECT_EQ(on(CONTROL_ended, 1), 0);
	EXPECT_EQ(answer.domain, 1);
	EXPECT_EQ(strcmp(answer.u.ended.name, "next"), 0);
}

TEST(the_machine_says_what_it_has)
{
	start();
	EXPECT_EQ(on(CONTROL_machine, 0), 0);
	EXPECT_EQ(answer.u.machine.total_kib, FRAMES * 4);
	EXPECT_EQ(answer.u.machine.free_kib, frame_pool_free_count() * 4);
	EXPECT_EQ(answer.u.machine.domains, 3);
	EXPECT(answer.u.machine.build[0]);
}

TEST(a_pause_is_one_pause_and_its_end_is_no_start)
{
	start();
	EXPECT_EQ(on(CONTROL_pause, 1), 0);
	EXPECT_EQ(on(CONTROL_pause, 1), 0);
	on(CONTROL_info, 1);
	EXPECT_EQ(answer.u.info.state, DOMAIN_PAUSED);
	EXPECT_EQ(on(CONTROL_unpause, 1), 0);
	on(CONTROL_info, 1);
	EXPECT_EQ(answer.u.info.state, DOMAIN_RUNNABLE);
	EXPECT_EQ(on(CONTROL_unpause, 2), 0);
	EXPECT_EQ(on(CONTROL_unpause, 2), 0);
	on(CONTROL_info, 2);
	EXPECT_EQ(answer.u.info.state, DOMAIN_BUILDING, "it is still being built");
	EXPECT_EQ(on(CONTROL_pause, 2), 0);
	EXPECT_EQ(on(CONTROL_unpause, 2), 0);
	on(CONTROL_info, 2);
	EXPECT_EQ(answer.u.info.state, DOMAIN_BUILDING);
}

TEST(destroy_gives_everything_back_in_pieces_if_it_must)
{
	static uint32_t mfns[800];
	uint32_t before, calls = 1;

	start();
	before = frame_pool_free_count();
	EXPECT_EQ(on(CONTROL_destroy, 2), 0);
	EXPECT_EQ(frame_pool_free_count(), before + 6 + 1);
	EXPECT_EQ(on(CONTROL_destroy, 2), -ESRCH);
	one.d->memory.limit = 6 + 800;
	EXPECT_EQ(frame_pool_take(one.d, mfns, 800), 800);
	host.interrupt = true;
	while (on(CONTROL_destroy, 1) == -EAGAIN && calls++ < 100)
		audit_all();
	EXPECT(calls > 2);
	EXPECT_EQ(frame_pool_free_count(), before + 2 * (6 + 1));
	EXPECT_EQ(on(CONTROL_info, 1), -ESRCH);
	audit_all();
}

TEST(shares_and_limits_are_set_and_read)
{
	struct control_op op = { .op = CONTROL_sched, .domain = 1, .u.sched = { .weight = 7, .allowance = 1000000 } };

	start();
	EXPECT_EQ(ask(&zero, op), 0);
	op.u.sched = (struct control_sched){ .flags = SCHED_GET };
	EXPECT_EQ(ask(&zero, op), 0);
	EXPECT_EQ(answer.u.sched.weight, 7);
	EXPECT_EQ(answer.u.sched.allowance, 1000000);
	op.u.sched = (struct control_sched){ .weight = 0 };
	EXPECT_EQ(ask(&zero, op), -EINVAL);
	op.u.sched = (struct control_sched){ .flags = SCHED_GET + 1, .weight = 9 };
	EXPECT_EQ(ask(&zero, op), -EINVAL);
	on(CONTROL_info, 1);
	EXPECT_EQ(answer.u.info.weight, 7);
	op = (struct control_op){ .op = CONTROL_limit, .domain = 1, .u.limit = { 2 } };
	EXPECT_EQ(ask(&zero, op), 0);
	EXPECT_EQ(frame_pool_alloc(one.d).n, MFN_NONE.n);
	op.u.limit.frames = 7;
	EXPECT_EQ(ask(&zero, op), 0);
	EXPECT(frame_pool_alloc(one.d).n != MFN_NONE.n);
	EXPECT_EQ(frame_pool_alloc(one.d).n, MFN_NONE.n);
}

/* ---- building ---- */

#define BUILT	3u	/* the number that the next domain gets */

static uint32_t frames[64];	/* of the domain that is being built */

static int create(const char *name, uint32_t count, uint32_t limit)
{
	struct control_op op = { .op = CONTROL_create, .u.create = { count, limit, "" } };

	strncpy(op.u.create.name, name, DOMAIN_NAME);
	return ask(&zero, op);
}

static int list(uint32_t first, uint32_t count)
{
	uint32_t at = host_arg(frames, sizeof(frames));
	int err = ask(&zero, (struct control_op){ .op = CONTROL_frame_list, .domain = BUILT,
						  .u.frames = { first, count, at } });

	if (!err)
		memcpy(frames + first, host_arg_bytes(at), answer.u.frames.count * sizeof(uint32_t));
	return err ? err : (int)answer.u.frames.count;
}

static int mmu(uint32_t where, uint32_t value)
{
	struct mmu_request r = { where, value };

	return CALL(&zero, mmu_update, ARG(r), 1, 0, BUILT);
}

static int pin(uint32_t mfn, uint32_t command)
{
	return mmu(mfn << PAGE_SHIFT | MMU_COMMAND, command);
}

/* A directory, a table that maps all but these two for writing. */
static void write_tables(uint32_t count)
{
	EXPECT_EQ(mmu(frames[0] << PAGE_SHIFT | HOST_VA >> 20, frames[1] << PAGE_SHIFT | PTE_P | PTE_RW | PTE_US), 0);
	for (uint32_t i = 2; i < count; i++)
		EXPECT_EQ(mmu(frames[1] << PAGE_SHIFT | i * 4, frames[i] << PAGE_SHIFT | PTE_P | PTE_RW), 0);
}

static int begin(uint32_t directory, uint32_t shared)
{
	return ask(&zero, (struct control_op){ .op = CONTROL_start, .domain = BUILT,
					       .u.start = { directory, shared, HOST_VA + 5 * PAGE_SIZE, 77 } });
}

TEST(domain_0_builds_a_domain_that_runs)
{
	const struct domain *d;

	start();
	EXPECT_EQ(create("web", 6, 8), 0);
	EXPECT_EQ(answer.domain, BUILT);
	EXPECT_EQ(list(0, 4), 4);
	EXPECT_EQ(list(0, 4), -EINVAL, "it has four already");
	EXPECT_EQ(list(4, 60), 2);
	EXPECT_EQ(list(6, 60), 0);
	for (uint32_t i = 0; i < 6; i++)
		EXPECT_EQ(machine_m2p_get(MFN(frames[i])), i, "frames are numbered in their order");
	write_tables(6);
	EXPECT_EQ(pin(frames[1], MMU_PIN_TABLE), 0);
	EXPECT_EQ(pin(frames[0], MMU_PIN_DIRECTORY), 0);
	on(CONTROL_info, BUILT);
	EXPECT_EQ(answer.u.info.state, DOMAIN_BUILDING);
	EXPECT_EQ(answer.u.info.limit, 8);
	EXPECT_EQ(begin(frames[0], frames[2]), 0);
	audit_all();
	on(CONTROL_info, BUILT);
	EXPECT_EQ(answer.u.info.state, DOMAIN_RUNNABLE);
	EXPECT_EQ(answer.u.info.frames, 6);
	EXPECT_TEXT(answer.u.info.name, "web");
	EXPECT_EQ(begin(frames[0], frames[2]), -EEXIST);
	EXPECT_EQ(list(6, 1), -EEXIST);
	sched_sleep(zero.d);
	sched_sleep(one.d);
	d = sched_return();
	EXPECT_EQ(d->id, BUILT);
	EXPECT_EQ(d->vcpu.regs.eip, HOST_VA + 5 * PAGE_SIZE);
	EXPECT_EQ(d->vcpu.regs.esi, 77);
	EXPECT_EQ(d->vcpu.regs.eax, START_MAGIC);
	EXPECT_EQ(d->shared->upcall_mask, 1);
	EXPECT_EQ(host.base.n, frames[0]);
}

TEST(what_domain_0_cannot_have_built_is_refused)
{
	start();
	EXPECT_EQ(create("", 6, 8), -EINVAL);
	EXPECT_EQ(create("a b", 6, 8), -EINVAL);
	EXPECT_EQ(create("a\n", 6, 8), -EINVAL);
	EXPECT_EQ(create("0123456789012345678901234567890", 6, 8), 0);
	EXPECT_EQ(on(CONTROL_destroy, BUILT), 0);
	EXPECT_EQ(create("01234567890123456789012345678901", 6, 8), -EINVAL, "no end");
	EXPECT_EQ(create("a", 0, 8), -EINVAL);
	EXPECT_EQ(create("a", 9, 8), -EINVAL);
	EXPECT_EQ(create("a", UINT32_MAX, UINT32_MAX), -ENOMEM);
	EXPECT_EQ(create("a", frame_pool_free_count(), UINT32_MAX), -ENOMEM, "its windows need one");
	EXPECT_EQ(create("a", frame_pool_free_count() - 1, UINT32_MAX), 0);
	EXPECT_EQ(create("b", 1, 1), -ENOMEM, "they were promised to another");
	audit_all();
}

static uint32_t promise(uint32_t frames)
{
	struct control_op op = { .op = CONTROL_create, .u.create = { .frames = frames, .limit = frames, .name = "next" } };

	EXPECT_EQ(ask(&zero, op), 0);
	return answer.domain;
}

/* A limit that comes down releases the promise; when it goes up again the frames may be others'. */
TEST(a_promise_that_was_let_go_is_not_filled_with_what_others_were_promised)
{
	static uint32_t mfns[FRAMES];
	uint32_t first;

	start();
	first = promise(100);
	promise(100);
	balloon_set_limit(domain_next(first), 0);
	one.d->memory.limit = FRAMES;
	balloon_take(one.d, mfns, FRAMES);
	EXPECT_EQ(frame_pool_free_count(), 100);
	balloon_set_limit(domain_next(first), 100);
	EXPECT_EQ(ask(&zero, (struct control_op){ .op = CONTROL_frame_list, .domain = first, .u.frames = { 0, 100, ARG(mfns) } }), 0);
	EXPECT_EQ(answer.u.frames.count, 0);
}

TEST(there_are_so_many_domains_and_no_more)
{
	start();
	for (uint32_t i = BUILT; i < MAX_DOMAINS; i++)
		EXPECT_EQ(create("a", 1, 1), 0);
	EXPECT_EQ(create("a", 1, 1), -ENOSPC);
}

TEST(promised_frames_are_nobody_elses_and_come_as_zeros)
{
	static uint32_t taken[FRAMES];
	struct memory_op all = { MEMORY_increase, 0, FRAMES, 0 };
	uint32_t before;

	start();
	frame_pool_scrub(true);
	for (uint32_t i = 0; i < FRAMES; i++)
		if (frame_record(MFN(i))->owner == OWNER_NONE)
			memset(host_frame(i), 0xee, PAGE_SIZE);
	before = frame_pool_free_count();
	EXPECT_EQ(create("a", 30, 30), 0);
	zero.d->memory.limit = FRAMES;
	all.list = host_arg(taken, sizeof(taken));
	EXPECT_EQ(CALL(&zero, memory_op, ARG(all)), (int)before - 30 - 1);
	EXPECT_EQ(list(0, 64), 30);
	for (uint32_t i = 0; i < 30; i++)
		EXPECT_EQ(((uint8_t *)host_frame(frames[i]))[PAGE_SIZE - 1], 0);
	audit_all();
}

TEST(frames_whose_numbers_cannot_be_told_stay_free)
{
	struct control_op op = { .op = CONTROL_frame_list, .domain = BUILT, .u.frames = { 0, 20, 0 } };
	uint32_t before;

	start();
	EXPECT_EQ(create("a", 30, 30), 0);
	before = frame_pool_free_count();
	op.u.frames.list = host_va(PFN_TABLE);
	EXPECT_EQ(ask(&zero, op), -EFAULT, "a page to read only");
	op.u.frames.list = ATELIER_LINE - 4;
	EXPECT_EQ(ask(&zero, op), -EFAULT);
	op.u.frames.list = host_va(PFN_DATA) + 2;
	EXPECT_EQ(ask(&zero, op), -EINVAL);
	op.u.frames.list = host_va(6) - 8;	/* the sixth page is not there */
	EXPECT_EQ(ask(&zero, op), 0);
	EXPECT_EQ(answer.u.frames.count, 2);
	EXPECT_EQ(frame_pool_free_count(), before - 2);
	host.interrupt = true;
	op.u.frames = (struct control_frames){ 2, 28, host_arg(frames, sizeof(frames)) };
	EXPECT_EQ(ask(&zero, op), 0);
	EXPECT(answer.u.frames.count > 0 && answer.u.frames.count < 28);
	audit_all();
}

/* From domain 0's data on, bytes that say where they lie. */
static void write_source(void)
{
	for (uint32_t i = 0; i < 3 * PAGE_SIZE; i++)
		((uint8_t *)host_frame(zero.mfn[PFN_DATA + i / PAGE_SIZE]))[i % PAGE_SIZE] = i * 7 + i / 256;
}

static int fill_from(const uint32_t *from, uint32_t at, uint32_t to, uint32_t size)
{
	struct control_fill f = { host_arg(from, 3 * sizeof(uint32_t)), host_arg(frames, sizeof(frames)), at, to, size, 0 };
	int err = ask(&zero, (struct control_op){ .op = CONTROL_fill, .domain = BUILT, .u.fill = f });

	return err ? err : (int)answer.u.fill.done;
}

static int fill(uint32_t at, uint32_t to, uint32_t size)
{
	return fill_from(&zero.mfn[PFN_DATA], at, to, size);
}

/* Whether byte @i of the domain's is byte @at of domain 0's; a zero, if that is below 0. */
static bool is_byte(uint32_t i, int at)
{
	uint8_t byte = ((uint8_t *)host_frame(frames[i / PAGE_SIZE]))[i % PAGE_SIZE];

	return byte == (at < 0 ? 0 : (uint8_t)(at * 7 + at / 256));
}

TEST(frames_are_filled_with_bytes_of_domain_0s_own)
{
	static const struct {
		uint32_t from, to, size;
	} cases[] = {
		{ 0, 0, 0 }, { 0, 0, 1 }, { 0, 0, 3 * PAGE_SIZE }, { 5, 5, 2 * PAGE_SIZE }, { 100, PAGE_SIZE - 1, 2 * PAGE_SIZE },
		{ PAGE_SIZE - 3, 2 * PAGE_SIZE, PAGE_SIZE + 4 }, { 3 * PAGE_SIZE - 1, 3 * PAGE_SIZE - 1, 1 },
	};

	for (uint32_t c = 0; c < ARRAY_SIZE(cases); c++) {
		uint32_t from = cases[c].from, to = cases[c].to, size = cases[c].size, wrong = 0;

		start();
		create("web", 6, 6);
		list(0, 6);
		write_source();
		EXPECT_EQ(fill(from, to, size), (int)size, "case %u", c);
		for (uint32_t i = 0; i < 6 * PAGE_SIZE; i++)
			wrong += !is_byte(i, i >= to && i < to + size ? (int)(i - to + from) : -1);
		EXPECT_EQ(wrong, 0, "case %u", c);
		audit_all();
	}
}

/* M1, M6: what may be read is the caller's, what is written the domain's, and no table; and it is known to have been written. */
TEST(what_cannot_be_filled_is_refused)
{
	const struct frame *f;
	uint32_t from[3];

	start();
	create("web", 6, 6);
	list(0, 6);
	write_tables(6);
	EXPECT_EQ(pin(frames[1], MMU_PIN_TABLE), 0);
	EXPECT_EQ(fill(0, PAGE_SIZE, 1), -EBUSY, "a page table");
	EXPECT_EQ(fill(0, PAGE_SIZE - 4, 8), 4, "up to there");
	f = frame_record(MFN(frames[0]));
	EXPECT(f->type == FRAME_WRITABLE && f->uses == 0 && f->refs == 1);
	memcpy(from, &zero.mfn[PFN_DATA], sizeof(from));
	from[1] = one.mfn[PFN_DATA];
	EXPECT_EQ(fill_from(from, PAGE_SIZE, 2 * PAGE_SIZE, 1), -EPERM);
	EXPECT_EQ(fill_from(from, 10, 2 * PAGE_SIZE, PAGE_SIZE), PAGE_SIZE - 10);
	from[1] = frames[3];
	EXPECT_EQ(fill_from(from, PAGE_SIZE, 2 * PAGE_SIZE, 1), -EPERM, "from its own");
	from[1] = UINT32_MAX;
	EXPECT_EQ(fill_from(from, PAGE_SIZE, 2 * PAGE_SIZE, 1), -EINVAL);
	from[1] = zero.mfn[PFN_TABLE];
	EXPECT_EQ(fill_from(from, PAGE_SIZE, 2 * PAGE_SIZE, 1), 1, "a table is only read");
	frames[4] = zero.mfn[PFN_DATA];
	EXPECT_EQ(fill(0, 4 * PAGE_SIZE, 1), -EPERM, "to domain 0's own");
	frames[4] = one.mfn[PFN_DATA];
	EXPECT_EQ(fill(0, 4 * PAGE_SIZE, 1), -EPERM);
	frames[4] = UINT32_MAX;
	EXPECT_EQ(fill(0, 4 * PAGE_SIZE, 1), -EINVAL);
	EXPECT_EQ(fill(UINT32_MAX, 0, 1), -EINVAL);
	EXPECT_EQ(fill(0, 1, UINT32_MAX), -EINVAL);
	audit_all();
}

TEST(lists_of_frames_to_fill_are_read_as_far_as_they_are_there)
{
	uint32_t edge = host_va(6) - 2 * sizeof(uint32_t);	/* the sixth page is not there */
	struct control_op op = { .op = CONTROL_fill, .domain = BUILT };

	start();
	create("web", 40, 40);
	list(0, 40);
	op.u.fill = (struct control_fill){ edge, host_arg(frames, sizeof(frames)), 0, 0, 3 * PAGE_SIZE, 0 };
	EXPECT_EQ(ask(&zero, op), -EFAULT);
	op.u.fill.size = 2 * PAGE_SIZE;
	memcpy((uint8_t *)host_frame(zero.mfn[5]) + PAGE_SIZE - 8, &zero.mfn[PFN_DATA], 8);
	EXPECT_EQ(ask(&zero, op), 0);
	EXPECT_EQ(answer.u.fill.done, 2 * PAGE_SIZE);
	op.u.fill.from_list = ATELIER_LINE - 4;
	EXPECT_EQ(ask(&zero, op), -EFAULT);
	op.u.fill = (struct control_fill){ host_arg(zero.mfn, sizeof(zero.mfn)), ATELIER_LINE - 4, 0, 0, 2 * PAGE_SIZE, 0 };
	EXPECT_EQ(ask(&zero, op), -EFAULT);
	audit_all();
}

TEST(filling_stops_for_an_interrupt_and_at_the_start)
{
	uint32_t from[40], done = 0, calls = 0;
	struct control_op op = { .op = CONTROL_fill, .domain = BUILT };

	start();
	create("web", 40, 40);
	list(0, 40);
	write_source();
	for (uint32_t i = 0; i < 40; i++)
		from[i] = zero.mfn[PFN_DATA];
	op.u.fill = (struct control_fill){ ARG(from), host_arg(frames, sizeof(frames)), 0, 0, 40 * PAGE_SIZE, 0 };
	host.interrupt = true;
	for (; done < 40 * PAGE_SIZE && calls < 40; done += answer.u.fill.done, calls++) {
		op.u.fill.from = op.u.fill.to = done;
		op.u.fill.size = 40 * PAGE_SIZE - done;
		EXPECT_EQ(ask(&zero, op), 0);
	}
	EXPECT_EQ(done, 40 * PAGE_SIZE);
	EXPECT(calls > 2);
	EXPECT(is_byte(40 * PAGE_SIZE - 1, PAGE_SIZE - 1));
	host.interrupt = false;
	memset(host_frame(frames[0]), 0, PAGE_SIZE);
	memset(host_frame(frames[1]), 0, PAGE_SIZE);
	write_tables(6);
	EXPECT_EQ(begin(frames[0], frames[2]), 0);
	EXPECT_EQ(fill(0, 30 * PAGE_SIZE, 1), -EEXIST);
	audit_all();
}

TEST(a_start_that_is_refused_leaves_nothing)
{
	static const struct {
		uint32_t directory, shared;
	} bad[] = { { 0, 0 }, { 0, 1 }, { 0, UINT32_MAX }, { 1, 2 }, { UINT32_MAX, 2 } };

	start();
	create("web", 6, 6);
	list(0, 6);
	write_tables(6);
	for (uint32_t i = 0; i < ARRAY_SIZE(bad); i++) {
		uint32_t directory = bad[i].directory > 6 ? UINT32_MAX : frames[bad[i].directory];
		uint32_t shared = bad[i].shared > 6 ? UINT32_MAX : frames[bad[i].shared];

		EXPECT(begin(directory, shared) < 0, "case %u", i);
		audit_all();
	}
	EXPECT_EQ(begin(zero.mfn[PFN_DIRECTORY], frames[2]), -EPERM);
	EXPECT_EQ(begin(frames[0], zero.mfn[PFN_DATA]), -EPERM);
	EXPECT_EQ(begin(frames[0], frames[2]), 0);
	audit_all();
}

TEST(a_domain_half_built_is_taken_back_whole)
{
	uint32_t before;

	start();
	before = frame_pool_free_count();
	for (uint32_t step = 0; step < 6; step++) {
		create("web", 6, 6);
		if (step > 0)
			list(0, 3);
		if (step > 1)
			list(3, 3), write_tables(6);
		if (step > 2)
			pin(frames[1], MMU_PIN_TABLE);
		if (step > 3)
			pin(frames[0], MMU_PIN_DIRECTORY);
		if (step > 4)
			begin(frames[0], frames[2]);
		EXPECT_EQ(on(CONTROL_destroy, answer.domain), 0, "step %u", step);
		audit_all();
		EXPECT_EQ(frame_pool_free_count(), before, "step %u", step);
		host_start(FRAMES);
		start();
	}
}

TEST(an_answer_that_cannot_be_told_is_not_worked_for)
{
	struct control_op *op;
	struct mmu_request r;
	uint32_t bits = zero.mfn[PFN_DATA] << PAGE_SHIFT | PTE_P;

	start();
	op = host_frame(zero.mfn[PFN_DATA]);
	*op = (struct control_op){ .interface = ATELIER_INTERFACE, .op = CONTROL_create, .u.create = { 1, 1, "a" } };
	bits = zero.mfn[PFN_DATA] << PAGE_SHIFT | PTE_P;
	r = (struct mmu_request){ zero.mfn[PFN_TABLE] << PAGE_SHIFT | PFN_DATA * 4, bits };
	EXPECT_EQ(CALL(&zero, mmu_update, ARG(r), 1, 0, DOMID_SELF), 0);
	EXPECT_EQ(CALL(&zero, control_op, host_va(PFN_DATA)), -EFAULT);
	EXPECT_EQ(on(CONTROL_info, BUILT), -ESRCH);
}

/* ---- channels, the log ---- */

TEST(domain_0_connects_two_others)
{
	struct control_op op = { .op = CONTROL_event_bind, .domain = 1, .u.event = { .peer = 2 } };

	start();
	EXPECT_EQ(ask(&zero, op), 0);
	EXPECT_EQ(one.d->events.ports[answer.u.event.port].remote, 2);
	EXPECT_EQ(two.d->events.ports[answer.u.event.peer_port].remote, 1);
	event_raise(two.d, answer.u.event.peer_port);
	audit_all();
	op.u.event.peer = 5;
	EXPECT_EQ(ask(&zero, op), -ESRCH);
	for (uint32_t i = 2; i < EVENT_PORTS; i++)
		two.d->events.ports[i] = (struct event_port){ .state = EVENT_UNBOUND, .remote = 0 };
	op.u.event.peer = 2;
	EXPECT_EQ(ask(&zero, op), -ENOSPC);
	EXPECT_EQ(one.d->events.ports[2].state, EVENT_CLOSED, "the half of a channel is taken back");
	audit_all();
}

TEST(the_log_is_what_others_printed_last)
{
	struct control_op op = { .op = CONTROL_log };
	static char text[20000];

	start();
	console_emit(one.d, "hello\n", 6);
	console_emit(zero.d, "secret\n", 7);
	console_printf("there\n");
	op.u.log = (struct control_bytes){ .buffer = host_va(PFN_DATA), .size = 14 };
	EXPECT_EQ(ask(&zero, op), 0);
	EXPECT_EQ(answer.u.log.count, 14);
	EXPECT(memcmp(host_frame(zero.mfn[PFN_DATA]), "lier) there\r\n", 13) != 0);
	EXPECT(memcmp(host_frame(zero.mfn[PFN_DATA]), "elier) there\r\n", 14) == 0);
	op.u.log.size = 4000;
	EXPECT_EQ(ask(&zero, op), 0);
	memcpy(text, host_frame(zero.mfn[PFN_DATA]), answer.u.log.count);
	EXPECT_TEXT(text, "(1) hello\n(atelier) there\r\n");
	memset(text, 'x', sizeof(text));
	console_emit(one.d, text, sizeof(text));
	EXPECT_EQ(ask(&zero, op), 0);
	EXPECT_EQ(answer.u.log.count, 4000);
	EXPECT_EQ(((char *)host_frame(zero.mfn[PFN_DATA]))[3999], 'x');
	op.u.log.buffer = host_va(PFN_TABLE);
	EXPECT_EQ(ask(&zero, op), -EFAULT);
	op.u.log.flags = 1;
	EXPECT_EQ(ask(&zero, op), -EINVAL);
}

/* Has @g a port for this interrupt? Opens it. */
static uint32_t bind(struct guest *g, uint32_t virq)
{
	uint32_t at = ARG(((struct event_channel_op){ .op = EVENT_bind_virq, .virq = virq }));

	EXPECT_EQ(CALL(g, event_channel_op, at), 0);
	return ((struct event_channel_op *)host_arg_bytes(at))->port;
}

TEST(a_domain_hears_of_its_limit_and_of_a_wish_for_its_end)
{
	uint32_t limit, end;

	start();
	EXPECT_EQ(on(CONTROL_shutdown, 1), 0);		/* unbound: lost */
	limit = bind(&one, VIRQ_LIMIT);
	end = bind(&one, VIRQ_SHUTDOWN);
	EXPECT_EQ(one.d->shared->pending[0], 0);
	EXPECT_EQ(ask(&zero, (struct control_op){ .op = CONTROL_limit, .domain = 1, .u.limit = { 2 } }), 0);
	EXPECT_EQ(one.d->shared->pending[0], 1u << limit);
	EXPECT_EQ(on(CONTROL_shutdown, 1), 0);
	EXPECT_EQ(one.d->shared->pending[0], 1u << limit | 1u << end);
	EXPECT_EQ(one.d->life, LIFE_OPEN);
	EXPECT_EQ(on(CONTROL_shutdown, 0), -EINVAL);
	EXPECT_EQ(on(CONTROL_shutdown, 3), -ESRCH);
	audit_all();
}

static bool heard(uint32_t port)
{
	bool was = one.d->shared->pending[0] == 1u << port;

	one.d->shared->pending[0] = 0;
	return was;
}

TEST(a_domain_hears_that_its_devices_change)
{
	struct control_op vif = { .op = CONTROL_vif_create, .domain = 1, .u.vif = { .mac = { 2, 0, 0, 0, 0, 1 } } };
	struct control_op extent = { .op = CONTROL_extent_add, .domain = 1, .u.extent = { .rights = EXTENT_READ, .count = 8 } };
	uint32_t port;

	start();
	host_disk_add(64, 1, false);
	port = bind(&one, VIRQ_DEVICES);
	EXPECT_EQ(ask(&zero, vif), 0);
	EXPECT(heard(port));
	EXPECT_EQ(ask(&zero, vif), -EEXIST);
	EXPECT_EQ(one.d->shared->pending[0], 0);
	EXPECT_EQ(on(CONTROL_vif_destroy, 1), 0);
	EXPECT(heard(port));
	EXPECT_EQ(on(CONTROL_vbd_create, 1), 0);
	EXPECT_EQ(ask(&zero, extent), 0);
	EXPECT(heard(port));
	EXPECT_EQ(on(CONTROL_extent_remove, 1), 0);
	EXPECT(heard(port));
	EXPECT_EQ(on(CONTROL_vbd_destroy, 1), 0);
	EXPECT(heard(port));
	audit_all();
}
