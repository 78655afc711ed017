/* SPDX-License-Identifier: MIT */
/*
 * atl, the control tool of domain 0: each command is a function that main.c's table names.
 *
 * A command says what is wrong in one line, with the remedy, and ends with status 1; words that it does not understand end
 * it with 2. Nothing that it began stays half done: see build.h.
 */
#ifndef ATL_H
#define ATL_H

#include "lib/types.h"

#define USAGE	2	/* a command's answer: its words make no sense, and it has said why */

struct command {
	const char *name;
	int (*run)(int argc, char **argv);	/* argv[0] is the command's name; the status to end with */
	const char *arguments;
	const char *purpose;			/* one line */
	const char *details;			/* more lines for `atl help NAME`, or NULL */
};

/* One line on standard error, "atl: " in front. */
void complain(const char *format, ...) PRINTF_LIKE(1, 2);

/* The same, and the end, with status 1. Not while a domain is half built. */
NORETURN void fail(const char *format, ...) PRINTF_LIKE(1, 2);

/* A size with K, M or G behind it, in bytes; a plain number is MiB. False: it is none, or not below 4 GiB. */
bool parse_size(const char *text, uint64_t *bytes);

/* A number in decimal or, after 0x, hexadecimal, up to @max. */
bool parse_number(const char *text, uint64_t max, uint64_t *value);

/* Prints a string as JSON has it. */
void print_json_string(const char *s);

int run_console(int argc, char **argv);
int run_create(int argc, char **argv);
int run_destroy(int argc, char **argv);
int run_disk(int argc, char **argv);
int run_dmesg(int argc, char **argv);
int run_info(int argc, char **argv);
int run_list(int argc, char **argv);
int run_mem(int argc, char **argv);
int run_net(int argc, char **argv);
int run_pause(int argc, char **argv);
int run_sched(int argc, char **argv);
int run_shutdown(int argc, char **argv);
int run_top(int argc, char **argv);
int run_unpause(int argc, char **argv);
int run_vbd(int argc, char **argv);
int run_vif(int argc, char **argv);

#endif
