// SPDX-License-Identifier: MIT
/* Linux test */
/*
 * Three Linuxes on one network, each with a web server and a file of its own: each gets the files of the two others, all at once, by
 * busybox's httpd, wget and sha256sum. Then some try to send under another address. Domain 0 is one of them, and says when it is over.
 */
#include <sys/stat.h>
#include "linux/domains.h"

#define PAGES		"/tmp/www"
#define TRIES		100u	/* 100 ms apart: who comes last is being created when the first one asks */

/* A shell's command; what it prints is observed as it is. */
static void __attribute__((format(printf, 3, 4))) tell_output(const char *tag, uint32_t key, const char *format, ...)
{
	static char printed[4096];
	char line[512];
	va_list args;
	uint32_t got;
	int ends[2];
	pid_t child;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (pipe(ends))
		give_up("pipe");
	child = start_program((char *[]){ "/bin/busybox", "sh", "-c", line, NULL }, -1, ends[1]);
	close(ends[1]);
	got = read_all(ends[0], printed, sizeof(printed));
	close(ends[0]);
	status_of(child);
	observe_bytes(tag, key, printed, got);
}

/* [words, seed] */
static void make_file(uint32_t domain, uint32_t words, uint32_t value)
{
	uint32_t *content = malloc(words * sizeof(*content));
	int file = open(PAGES "/file", O_WRONLY | O_CREAT | O_TRUNC, 0644);

	for (uint32_t i = 0; i < words; i++) {
		value = value * 1664525 + 1013904223;
		content[i] = value;
	}
	if (file < 0 || write(file, content, words * sizeof(*content)) != (ssize_t)(words * sizeof(*content)))
		give_up(PAGES "/file");
	close(file);
	free(content);
}

static void serve(void)
{
	status_of(start_program((char *[]){ "/bin/busybox", "httpd", "-p", "80", "-h", PAGES, NULL }, -1, -1));
}

static void mark(const char *name)
{
	close(open(name, O_WRONLY | O_CREAT, 0644));
}

/* Until a page is there; whether it ever was. (Not with wget's own -T: busybox 1.35 dies of it, on any machine.) */
static bool wait_for(const char *address, const char *page)
{
	char url[64];

	snprintf(url, sizeof(url), "http://%s/%s", address, page);
	for (uint32_t i = 0; i < TRIES; i++) {
		char *const wget[] = { "/bin/busybox", "timeout", "2", "wget", "-q", "-O", "/dev/null", url, NULL };

		if (status_of(start_program(wget, -1, -1)) == 0)
			return true;
		sleep_ms(100);
	}
	return false;
}

/* One more that does not wait for the others, and leaves what it found, and how long it took, in files. */
static void get_file(const char *address, uint32_t domain)
{
	uint64_t begin = machine_time();
	char line[256];
	FILE *took;

	snprintf(line, sizeof(line), "timeout 20 wget -q -O - http://%s/file | sha256sum | cut -c1-64 >/tmp/%u", address, domain);
	status_of(start_program((char *[]){ "/bin/busybox", "sh", "-c", line, NULL }, -1, -1));
	snprintf(line, sizeof(line), "/tmp/%u.us", domain);
	took = fopen(line, "w");
	fprintf(took, "%u\n", (uint32_t)((machine_time() - begin) / 1000));
	fclose(took);
	_exit(0);
}

/* Gets all at once. */
static void fetch(const char *const *addresses, uint32_t count)
{
	pid_t children[8];

	for (uint32_t d = 0; d < count; d++) {
		if (d == program_domain)
			continue;
		wait_for(addresses[d], "ready");
		children[d] = new_process();
		if (children[d] == 0)
			get_file(addresses[d], d);
	}
	for (uint32_t d = 0; d < count; d++) {
		if (d == program_domain)
			continue;
		status_of(children[d]);
		tell_output("digest text:bytes", d, "cat /tmp/%u", d);
		tell_output("took text:bytes", d, "cat /tmp/%u.us", d);
	}
}

/* A packet there and back: to domain 0, to one from where a rule lets none come back, and under another address. */
static void forge(const char *to, const char *peer, const char *as)
{
	tell_output("honest text:bytes", 0, "ping -qc 1 -W 1 %s >/dev/null; echo $?", to);
	tell_output("ruled text:bytes", 0, "ping -qc 1 -W 1 %s >/dev/null; echo $?", peer);
	tell_output("forged text:bytes", 0, "ip address add %s/24 dev eth0; ping -qc 1 -W 1 -I %s %s >/dev/null; echo $?", as, as, to);
}

/* [another address, [address, words, seed] of each domain] */
static void test_main(void)
{
	uint32_t length, count;
	const char *other = (const char *)input_bytes(&length), *addresses[8];

	count = input_word();
	mkdir(PAGES, 0755);
	for (uint32_t d = 0; d < count; d++) {
		uint32_t words, seed;

		addresses[d] = (const char *)input_bytes(&length);
		words = input_word();
		seed = input_word();
		if (d == program_domain)
			make_file(d, words, seed);
		if (d > 0 && program_domain == 0)
			create_domain(d);
	}
	if (program_domain == 0)
		atl("net add drop from 1 to 2 proto icmp rank 1");
	serve();
	mark(PAGES "/ready");
	fetch(addresses, count);
	mark(PAGES "/done");
	if (program_domain > 0) {
		forge(addresses[0], addresses[3 - program_domain], other);
		observe("over yes", 0, wait_for(addresses[0], "over"));
		return;
	}
	for (uint32_t d = 1; d < count; d++)
		observe("done yes", d, wait_for(addresses[d], "done"));
	mark(PAGES "/over");
	wait_for_ends(1, 10000);
	observe("left domains", 0, count_domains());
}
