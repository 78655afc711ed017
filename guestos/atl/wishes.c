// SPDX-License-Identifier: MIT
#include "wishes.h"
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "atl.h"
#include "public/control.h"

#define KEPT		"/run/atelier"	/* one file a domain, named by its number */
#define WEIGHT_MAX	65535

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

static bool wish_device(const char *key, const char *value, char *devices[WISHES_DEVICES])
{
	for (unsigned int i = 0; i < WISHES_DEVICES; i++)
		if (!devices[i])
			return (devices[i] = strdup(value));
	complain("%s=%s: a domain gets at most %d of them", key, value, WISHES_DEVICES);
	return false;
}

static const char *const restarts[] = {
	[RESTART_REBOOT] = "reboot",
	[RESTART_ALWAYS] = "always",
	[RESTART_NEVER] = "never",
};

static bool wish_restart(const char *text, enum restart *restart)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(restarts); i++)
		if (strcmp(text, restarts[i]) == 0) {
			*restart = i;
			return true;
		}
	complain("restart=%s: reboot (when it asks for it), always (also when it crashes), or never", text);
	return false;
}

static bool make_wish(struct wishes *w, const char *key, const char *value)
{
	if (strchr(value, '\n')) {
		complain("%s: a wish is one line", key);
		return false;
	}
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
	if (strcmp(key, "restart") == 0)
		return wish_restart(value, &w->restart);
	complain("%s: not a wish: there are name, mem, limit, kernel, initrd, cmdline, vbd, vif, weight, restart", key);
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
	{ "restart", required_argument, NULL, 0 },
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

bool wishes_read(struct wishes *w, int argc, char **argv)
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

void wishes_free(struct wishes *w)
{
	free(w->name);
	free(w->kernel);
	free(w->initrd);
	free(w->cmdline);
	for (unsigned int i = 0; i < WISHES_DEVICES; i++) {
		free(w->vbds[i]);
		free(w->vifs[i]);
	}
}

/* ---- what is kept ---- */

static char *kept_name(uint32_t domain)
{
	char *name;

	if (asprintf(&name, KEPT "/%u", domain) < 0)
		fail("no memory");
	return name;
}

/* The daemon works in another folder. */
static void keep_file(FILE *f, const char *key, const char *name)
{
	char *whole = name ? realpath(name, NULL) : NULL;

	if (whole)
		fprintf(f, "%s = %s\n", key, whole);
	free(whole);
}

static void keep_wishes(FILE *f, const struct wishes *w)
{
	fprintf(f, "name = %s\nmem = %lluK\n", w->name, (unsigned long long)w->memory >> 10);
	if (w->limit)
		fprintf(f, "limit = %lluK\n", (unsigned long long)w->limit >> 10);
	if (w->weight)
		fprintf(f, "weight = %llu\n", (unsigned long long)w->weight);
	keep_file(f, "kernel", w->kernel);
	keep_file(f, "initrd", w->initrd);
	fprintf(f, "cmdline = %s\n", w->cmdline);
	for (unsigned int i = 0; i < WISHES_DEVICES && w->vbds[i]; i++)
		fprintf(f, "vbd = %s\n", w->vbds[i]);
	for (unsigned int i = 0; i < WISHES_DEVICES && w->vifs[i]; i++)
		fprintf(f, "vif = %s\n", w->vifs[i]);
	fprintf(f, "restart = %s\n", restarts[w->restart]);
}

bool wishes_keep(const struct wishes *w, uint32_t domain)
{
	char *name = kept_name(domain);
	FILE *f = mkdir(KEPT, 0700) == 0 || errno == EEXIST ? fopen(name, "we") : NULL;
	bool ok = f != NULL;

	if (f) {
		keep_wishes(f, w);
		ok = !ferror(f);
		ok = fclose(f) == 0 && ok;
	}
	if (!ok)
		complain("%s: %s", name, strerror(errno));
	free(name);
	return ok;
}

bool wishes_take(struct wishes *w, uint32_t domain, const char *name)
{
	char *file = kept_name(domain);
	bool ok;

	*w = (struct wishes){ .name = NULL };
	ok = access(file, R_OK) == 0 && read_config(w, file);
	unlink(file);
	free(file);
	return ok && w->name && strcmp(w->name, name) == 0;
}
