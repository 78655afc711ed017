// SPDX-License-Identifier: MIT
/* atl create: from wishes, on the command line or in a file, to a domain. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "atl.h"
#include "build.h"
#include "daemon.h"
#include "hypervisor.h"
#include "vbd.h"
#include "vif.h"

#define KERNEL		"/boot/vmlinux"
#define INITRD		"/boot/initrd"
#define CONSOLE		"console=hvc0"
#define MEMORY		(48u << 20)
#define WEIGHT_MAX	65535

#define DEVICES		4	/* of a kind */

struct wishes {
	char *name, *kernel, *initrd, *cmdline;
	uint64_t memory, limit, weight;
	char *vbds[DEVICES], *vifs[DEVICES];
	bool paused, console;
};

/* ---- one wish ---- */

static bool wish_size(const char *key, const char *text, uint64_t *bytes)
{
	if (parse_size(text, bytes) && *bytes >= PAGE_SIZE)
		return true;
	complain("%s=%s: not a size such as 48M (K, M or G; below 4G)", key, text);
	return false;
}

static bool wish_name(const char *text)
{
	if (*text && strlen(text) < DOMAIN_NAME && strcspn(text, " \t\n/\"\\") == strlen(text))
		return true;
	complain("a domain's name has 1 to %d characters, none of them a blank, a slash, a quote or a backslash",
		 DOMAIN_NAME - 1);
	return false;
}

static bool wish_device(const char *key, const char *value, char *devices[DEVICES])
{
	for (unsigned int i = 0; i < DEVICES; i++)
		if (!devices[i])
			return (devices[i] = strdup(value));
	complain("%s=%s: a domain gets at most %d of them", key, value, DEVICES);
	return false;
}

static bool make_wish(struct wishes *w, const char *key, const char *value)
{
	if (strcmp(key, "mem") == 0)
		return wish_size(key, value, &w->memory);
	if (strcmp(key, "limit") == 0)
		return wish_size(key, value, &w->limit);
	if (strcmp(key, "weight") == 0) {
		if (parse_number(value, WEIGHT_MAX, &w->weight) && w->weight > 0)
			return true;
		complain("weight=%s: a number from 1 to %d", value, WEIGHT_MAX);
		return false;
	}
	if (strcmp(key, "vbd") == 0)
		return wish_device(key, value, w->vbds);
	if (strcmp(key, "vif") == 0)
		return wish_device(key, value, w->vifs);
	if (strcmp(key, "name") == 0)
		return wish_name(value) && (w->name = strdup(value));
	if (strcmp(key, "kernel") == 0)
		return (w->kernel = strdup(value));
	if (strcmp(key, "initrd") == 0)
		return (w->initrd = strdup(value));
	if (strcmp(key, "cmdline") == 0)
		return (w->cmdline = strdup(value));
	complain("%s: not a wish: there are name, mem, limit, kernel, initrd, cmdline, vbd, vif, weight", key);
	return false;
}

/* ---- a file of wishes: KEY = VALUE, one a line ---- */

static char *trimmed(char *s)
{
	char *end;

	s += strspn(s, " \t");
	for (end = s + strlen(s); end > s && strchr(" \t\n", end[-1]); end--)
		;
	*end = '\0';
	return s;
}

static bool read_line(struct wishes *w, char *line)
{
	char *value = strchr(line, '=');

	line = trimmed(line);
	if (*line == '\0' || *line == '#')
		return true;
	if (!value) {
		complain("not KEY = VALUE: %s", line);
		return false;
	}
	*value++ = '\0';
	return make_wish(w, trimmed(line), trimmed(value));
}

static bool read_config(struct wishes *w, const char *file)
{
	FILE *f = fopen(file, "re");
	unsigned int number = 0;
	char *line = NULL;
	size_t size = 0;
	bool ok = true;

	if (!f) {
		complain("%s: %s", file, strerror(errno));
		return false;
	}
	while (ok && getline(&line, &size, f) >= 0) {
		number++;
		ok = read_line(w, line);
	}
	if (!ok)
		complain("this was line %u of %s", number, file);
	free(line);
	fclose(f);
	return ok;
}

/* ---- the command line ---- */

static const struct option options[] = {
	{ "mem", required_argument, NULL, 0 },
	{ "limit", required_argument, NULL, 0 },
	{ "kernel", required_argument, NULL, 0 },
	{ "initrd", required_argument, NULL, 0 },
	{ "cmdline", required_argument, NULL, 0 },
	{ "vbd", required_argument, NULL, 0 },
	{ "vif", optional_argument, NULL, 0 },
	{ "weight", required_argument, NULL, 0 },
	{ "config", required_argument, NULL, 'f' },
	{ "paused", no_argument, NULL, 'p' },
	{ "console", no_argument, NULL, 'c' },
	{ 0 },
};

/* The file first, wherever it stands: the command line has the last word. */
static bool read_configs(struct wishes *w, int argc, char **argv)
{
	bool ok = true;
	int c;

	opterr = 0;
	for (optind = 1; ok && (c = getopt_long(argc, argv, "c", options, NULL)) >= 0;)
		if (c == 'f')
			ok = read_config(w, optarg);
	opterr = 1;
	return ok;
}

static bool read_words(struct wishes *w, int argc, char **argv)
{
	bool ok = read_configs(w, argc, argv);
	int c, i;

	for (optind = 1; ok && (c = getopt_long(argc, argv, "c", options, &i)) >= 0;) {
		if (c == 0)
			ok = make_wish(w, options[i].name, optarg ? optarg : "");
		else if (c == 'p')
			w->paused = true;
		else if (c == 'c')
			w->console = true;
		else if (c == '?')
			ok = false;
	}
	if (ok && optind < argc)
		ok = make_wish(w, "name", argv[optind++]);
	if (ok && optind < argc) {
		complain("one name is enough: what is %s?", argv[optind]);
		ok = false;
	}
	if (ok && !w->name) {
		complain("which name? atl create NAME ...");
		ok = false;
	}
	return ok;
}

/* ---- the domain ---- */

static void check_name(const char *name)
{
	struct control_op op;

	if (hv_named(&op, name) == 0)
		fail("there is a domain %s already, number %u", name, op.domain);
}

static bool equip(const struct plan *p, uint32_t domain)
{
	const struct wishes *w = p->equipment;
	struct control_op op = { .op = CONTROL_sched, .domain = domain, .u.sched = { .weight = w->weight } };
	int err = w->weight ? hv_control(&op) : 0;

	if (err)
		complain("weight: %s", hv_error(err));
	for (unsigned int i = 0; i < DEVICES && w->vbds[i] && !err; i++)
		err = vbd_attach(domain, w->vbds[i]);
	for (unsigned int i = 0; i < DEVICES && w->vifs[i] && !err; i++)
		err = vif_attach(domain, w->vifs[i]);
	return !err;
}

/* What Linux has as its root, where nothing is said: the first disk, or else the file system that lies in /boot. */
static void choose_root(struct wishes *w)
{
	bool disk = w->vbds[0] && !w->initrd && !w->cmdline && !w->kernel;

	if (!w->cmdline && asprintf(&w->cmdline, disk ? CONSOLE " root=/dev/vbda rw hostname=%s" : CONSOLE, w->name) < 0)
		fail("no memory");
	if (!w->kernel && !w->initrd && !strstr(w->cmdline, "root=") && access(INITRD, R_OK) == 0)
		w->initrd = INITRD;
}

int run_create(int argc, char **argv)
{
	struct wishes w = { .memory = MEMORY };
	struct plan p = { .equip = equip, .equipment = &w };
	int domain;

	if (!read_words(&w, argc, argv))
		return USAGE;
	choose_root(&w);
	p.name = w.name;
	p.kernel = w.kernel ? w.kernel : KERNEL;
	p.initrd = w.initrd;
	p.cmdline = w.cmdline;
	p.memory = w.memory;
	p.limit = MAX(w.limit, w.memory);
	p.paused = w.paused;
	check_name(w.name);
	daemon_start();
	domain = build_domain(&p);
	if (domain < 0)
		return 1;
	if (w.console)
		return run_console(2, (char *[]){ "console", w.name, NULL });
	printf("%d\n", domain);
	return 0;
}
