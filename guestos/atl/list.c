// SPDX-License-Identifier: MIT
/* atl list, info, dmesg: what there is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "atl.h"
#include "hypervisor.h"
#include "public/vcpu.h"

#define LOG_SIZE	(64u << 10)	/* bytes; more than the hypervisor keeps */

static const char *state_name(uint32_t state)
{
	static const char *const names[] = {
		[DOMAIN_BUILDING] = "building",
		[DOMAIN_RUNNABLE] = "running",
		[DOMAIN_BLOCKED] = "blocked",
		[DOMAIN_PAUSED] = "paused",
		[DOMAIN_DYING] = "dying",
	};

	return state < ARRAY_SIZE(names) && names[state] ? names[state] : "?";
}

static void print_ended_json(uint32_t id, const struct control_ended *e, bool first)
{
	static const char *const reasons[] = {
		[SHUTDOWN_poweroff] = "poweroff",
		[SHUTDOWN_reboot] = "reboot",
		[SHUTDOWN_crash] = "crash",
		[SHUTDOWN_killed] = "killed",
		[SHUTDOWN_destroyed] = "destroyed",
	};

	printf("%s\n{\"domain\": %u, \"name\": ", first ? "" : ",", id);
	print_json_string(e->name);
	printf(", \"reason\": \"%s\", \"status\": %u, \"at_ns\": %llu}", e->reason < ARRAY_SIZE(reasons) ? reasons[e->reason] : "?",
	       e->status, (unsigned long long)e->at);
}

static void list_ended(bool json)
{
	struct control_op op;
	uint32_t count = 0;

	printf(json ? "[" : " ID  NAME                    ENDED s  HOW\n");
	for (uint32_t id = 0; hv_ask(&op, CONTROL_ended, id) == 0; id = op.domain + 1) {
		const struct control_ended *e = &op.u.ended;

		if (json)
			print_ended_json(op.domain, e, count++ == 0);
		else
			printf("%3u  %-20s %10.1f  %s\n", op.domain, e->name, e->at / 1e9, hv_end(e->reason));
	}
	if (json)
		printf("\n]\n");
}

/* Whether the only word, if there is any, is --json. */
static bool read_json(int argc, char **argv, bool *json)
{
	*json = argc == 2 && strcmp(argv[1], "--json") == 0;
	if (argc == 1 || *json)
		return true;
	complain("%s: only --json is understood here", argv[1]);
	return false;
}

static void print_json(uint32_t id, const struct control_info *i, bool first)
{
	printf("%s\n{\"domain\": %u, \"name\": ", first ? "" : ",", id);
	print_json_string(i->name);
	printf(", \"state\": \"%s\", \"mem_kib\": %u, \"limit_kib\": %u, \"run_time_ns\": %llu, \"weight\": %u, \"warp_ns\": %u, "
	       "\"vifs\": %u, \"vbds\": %u}",
	       state_name(i->state), i->frames * (PAGE_SIZE / 1024), i->limit * (PAGE_SIZE / 1024),
	       (unsigned long long)i->run_time, i->weight, i->warp, i->vifs, i->vbds);
}

static void print_row(uint32_t id, const struct control_info *i)
{
	printf("%3u  %-20s %9u  %-8s %10.1f  %6u  %4u %4u\n", id, i->name, i->frames * (PAGE_SIZE / 1024),
	       state_name(i->state), i->run_time / 1e9, i->weight, i->vifs, i->vbds);
}

int run_list(int argc, char **argv)
{
	struct control_op op;
	bool json, ended = argc > 1 && strcmp(argv[1], "--ended") == 0;

	if (!read_json(argc - ended, argv + ended, &json))
		return USAGE;
	if (ended) {
		list_ended(json);
		return 0;
	}
	if (json)
		printf("[");
	else
		printf(" ID  NAME                   MEM KiB  STATE        TIME s  WEIGHT  VIFS VBDS\n");
	for (uint32_t id = 0; hv_next(&op, id); id = op.domain + 1) {
		if (json)
			print_json(op.domain, &op.u.info, id == 0);
		else
			print_row(op.domain, &op.u.info);
	}
	if (json)
		printf("\n]\n");
	return 0;
}

int run_info(int argc, char **argv)
{
	struct control_machine *m;
	struct control_op op;
	bool json;
	int err;

	if (!read_json(argc, argv, &json))
		return USAGE;
	err = hv_ask(&op, CONTROL_machine, 0);
	if (err)
		fail("%s", hv_error(err));
	m = &op.u.machine;
	m->build[sizeof(m->build) - 1] = '\0';
	if (json) {
		printf("{\"interface\": %u, \"total_kib\": %u, \"free_kib\": %u, \"domains\": %u, \"tsc_khz\": %u, \"up_ns\": %llu, "
		       "\"build\": ", m->interface, m->total_kib, m->free_kib, m->domains, m->tsc_khz,
		       (unsigned long long)m->up_time);
		print_json_string(m->build);
		printf("}\n");
		return 0;
	}
	printf("interface  %u\ntotal      %u KiB\nfree       %u KiB\ndomains    %u\nprocessor  %u MHz\nup         %.1f s\nbuild      %s\n",
	       m->interface, m->total_kib, m->free_kib, m->domains, m->tsc_khz / 1000, m->up_time / 1e9, m->build);
	return 0;
}

int run_dmesg(int argc, char **argv)
{
	struct control_op op = { .op = CONTROL_log };
	char *text = malloc(LOG_SIZE);
	int err;

	if (argc > 1) {
		complain("dmesg takes no words");
		return USAGE;
	}
	if (!text)
		fail("no memory");
	op.u.log = (struct control_bytes){ .buffer = (uintptr_t)text, .size = LOG_SIZE };
	err = hv_control(&op);
	if (err)
		fail("%s", hv_error(err));
	for (uint32_t i = 0; i < op.u.log.count; i++)
		if (text[i] != '\r')
			putchar(text[i]);
	free(text);
	return 0;
}
