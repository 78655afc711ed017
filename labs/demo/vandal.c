// SPDX-License-Identifier: MIT
/*
 * As domain 0 the clock: it ticks, which is all that its neighbours' crimes should leave it to do. As any other domain the
 * vandal: commits the crime that its command line names.
 *
 *   lab=3 crimes=ab ticks=10	domain 0: ends the machine after so many; domain 1's crime is a, domain 2's b
 *   lab=3 crime=a after=2	others: after so many ticks' time
 */
#include "vandal.h"
#include "console.h"
#include "event.h"
#include "mini.h"
#include "time.h"			/* lab 2 */
#include "trap.h"

#define TICK	500000000ull	/* nanoseconds */

extern const struct crime __start_crimes[], __stop_crimes[];
extern const struct accomplice __start_accomplices[] __attribute__((weak)), __stop_accomplices[] __attribute__((weak));

/* ---- time ---- */

/*
 * In nanoseconds. Before lab 2 there is no clock but the processor's counter, and we know no better than that it counts those, which
 * makes for faster ticks.
 */
static uint64_t now(void)
{
	if (shared_info.time.tsc_mul != 0)	/* lab 2 */
		return time_now();		/* lab 2 */
	return read_tsc();
}

/* No alarm: a lab's crimes are to be seen in the middle of that lab, too, and yield works from the first one on. */
static void wait_until(uint64_t time)
{
	while ((int64_t)(time - now()) > 0)
		hypercall_yield();
}

/* ---- the clock ---- */

/* @keys: the first domain's crime, the second's, and so on. */
static void help_vandals(uint32_t lab, const char *keys)
{
	for (uint32_t domain = 1; *keys && *keys != ' '; domain++, keys++)
		for (const struct accomplice *a = __start_accomplices; a < __stop_accomplices; a++)
			if (a->lab == lab)
				a->help(domain, *keys);
}

static void tick_on(uint32_t ticks)
{
	uint64_t start = now();

	for (uint32_t i = 1; i <= ticks; i++) {
		uint64_t due = start + i * TICK;

		wait_until(due);
		printf("tick %u, %u us late\n", i, (uint32_t)((now() - due) / 1000));
	}
}

/* ---- the vandal ---- */

static const char *const errors[] = {
	[EPERM] = "EPERM", [ESRCH] = "ESRCH", [EIO] = "EIO", [ENXIO] = "ENXIO", [E2BIG] = "E2BIG", [EAGAIN] = "EAGAIN",
	[ENOMEM] = "ENOMEM", [EACCES] = "EACCES", [EFAULT] = "EFAULT", [EBUSY] = "EBUSY", [EEXIST] = "EEXIST",
	[ENODEV] = "ENODEV", [EINVAL] = "EINVAL", [ENOSPC] = "ENOSPC", [ENOSYS] = "ENOSYS",
};

static const struct crime *find_crime(uint32_t lab, char key)
{
	for (const struct crime *c = __start_crimes; c < __stop_crimes; c++)
		if (c->lab == lab && c->key == key)
			return c;
	panic("there is no crime %c in lab %u", key, lab);
}

static void run_crime(void *arg)
{
	const struct crime *crime = arg;
	int result = crime->commit();

	if (result >= 0)
		printf("%c: succeeded (%d)\n", crime->key, result);
	else if (-result < (int)ARRAY_SIZE(errors) && errors[-result])
		printf("%c: refused, -%s\n", crime->key, errors[-result]);
	else
		printf("%c: refused, %d\n", crime->key, result);
}

static void commit(const struct crime *crime)
{
	struct fault fault;

	printf("%c: %s\n", crime->key, crime->what);
	fault = try_call(run_crime, (void *)crime);
	if (fault.happened)
		printf("%c: trap %u, error 0x%x\n", crime->key, fault.vector, fault.error);
}

int test_main(const struct start_info *start)
{
	uint32_t lab = argument_number("lab", 0);
	const char *crime = argument("crime"), *crimes = argument("crimes");

	trap_init();		/* these two fail before lab 2, and that is all right */
	event_init();
	if (start->flags & START_PRIVILEGED) {
		help_vandals(lab, crimes ? crimes : "");
		tick_on(argument_number("ticks", 10));
		return 0;
	}
	wait_until(now() + argument_number("after", 0) * TICK);
	commit(find_crime(lab, crime ? *crime : ' '));
	wait_until(now() + 2 * TICK);		/* whoever is at its console reads its last words */
	return 0;
}
