// SPDX-License-Identifier: MIT
/* atl pause, unpause, destroy, shutdown, sched, mem: what is done to a domain that there is. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include "atl.h"
#include "hypervisor.h"

static bool one_word(int argc, char **argv)
{
	if (argc == 2)
		return true;
	complain("which domain? atl %s DOMAIN", argv[0]);
	return false;
}

/* @word names the domain. Domain 0 is refused here, with words. */
static int on_another(const char *command, const char *word, uint32_t number)
{
	uint32_t domain = hv_find(word);
	struct control_op op;
	int err;

	if (domain == 0)
		fail("%s: domain 0 is this one: it can only power off", command);
	err = number == CONTROL_destroy ? hv_destroy(domain) : hv_ask(&op, number, domain);
	if (err)
		fail("%s %s: %s", command, word, hv_error(err));
	return 0;
}

int run_pause(int argc, char **argv)
{
	return one_word(argc, argv) ? on_another("pause", argv[1], CONTROL_pause) : USAGE;
}

int run_unpause(int argc, char **argv)
{
	return one_word(argc, argv) ? on_another("unpause", argv[1], CONTROL_unpause) : USAGE;
}

int run_destroy(int argc, char **argv)
{
	return one_word(argc, argv) ? on_another("destroy", argv[1], CONTROL_destroy) : USAGE;
}

int run_shutdown(int argc, char **argv)
{
	return one_word(argc, argv) ? on_another("shutdown", argv[1], CONTROL_shutdown) : USAGE;
}

/* ---- shares of the processor ---- */

static const struct option sched_options[] = {
	{ "weight", required_argument, NULL, 'w' },
	{ "warp", required_argument, NULL, 'b' },
	{ "warp-limit", required_argument, NULL, 'l' },
	{ "unwarp", required_argument, NULL, 'u' },
	{ "allowance", required_argument, NULL, 'a' },
	{ 0 },
};

static void print_share(uint32_t domain)
{
	struct control_op op = { .op = CONTROL_sched, .domain = domain, .u.sched = { .flags = SCHED_GET } };
	int err = hv_control(&op);
	struct control_sched *s = &op.u.sched;

	if (err)
		fail("%s", hv_error(err));
	printf("weight %u\nwarp %u us\nwarp-limit %u us\nunwarp %u us\nallowance %u us (of the whole machine)\n", s->weight,
	       s->warp / 1000, s->warp_limit / 1000, s->unwarp / 1000, s->allowance / 1000);
}

static bool set_share(struct control_sched *s, int option, const char *text)
{
	uint64_t value;

	if (!parse_number(text, option == 'w' ? 65535 : UINT32_MAX / 1000, &value)) {
		complain("%s: not a number %s", text, option == 'w' ? "from 1 to 65535" : "of microseconds up to 4 seconds");
		return false;
	}
	switch (option) {
	case 'w':
		s->weight = value;
		break;
	case 'b':
		s->warp = value * 1000;
		break;
	case 'l':
		s->warp_limit = value * 1000;
		break;
	case 'u':
		s->unwarp = value * 1000;
		break;
	case 'a':
		s->allowance = value * 1000;
		break;
	}
	return true;
}

/* What is not named stays as it is. */
int run_sched(int argc, char **argv)
{
	struct control_op op = { .op = CONTROL_sched, .u.sched = { .flags = SCHED_GET } };
	bool change = false;
	int c, err;

	if (argc < 2 || argv[1][0] == '-') {
		complain("which domain? atl sched DOMAIN [--weight N] ...");
		return USAGE;
	}
	op.domain = hv_find(argv[1]);
	err = hv_control(&op);
	op.u.sched.flags = 0;
	op.u.sched.allowance = 0;
	for (optind = 2; !err && (c = getopt_long(argc, argv, "", sched_options, NULL)) >= 0; change = true)
		if (c == '?' || !set_share(&op.u.sched, c, optarg))
			return USAGE;
	if (!err && change)
		err = hv_control(&op);
	if (err == -EINVAL)
		fail("sched: these values are refused: a weight is at least 1, and a warp needs a limit");
	if (err)
		fail("sched: %s", hv_error(err));
	if (!change)
		print_share(op.domain);
	return 0;
}

/* ---- memory ---- */

int run_mem(int argc, char **argv)
{
	struct control_op op;
	uint64_t bytes;
	uint32_t domain;
	int err;

	if (argc < 2 || argc > 3) {
		complain("atl mem DOMAIN [SIZE]");
		return USAGE;
	}
	domain = hv_find(argv[1]);
	if (argc == 2) {
		if (!hv_next(&op, domain) || op.domain != domain)
			fail("%s: %s", argv[1], hv_error(-ESRCH));
		printf("%u KiB of at most %u KiB\n", op.u.info.frames * 4, op.u.info.limit * 4);
		return 0;
	}
	if (!parse_size(argv[2], &bytes)) {
		complain("%s: not a size such as 48M", argv[2]);
		return USAGE;
	}
	op = (struct control_op){ .op = CONTROL_limit, .domain = domain, .u.limit = { bytes / PAGE_SIZE } };
	err = hv_control(&op);
	if (err)
		fail("mem %s: %s", argv[1], hv_error(err));
	return 0;
}
