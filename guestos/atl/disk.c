// SPDX-License-Identifier: MIT
/* atl disk: extents by name. */
#include "disk.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "atl.h"
#include "hypervisor.h"
#include "public/ring.h"

#define DEVICE		"/dev/vbd%c"	/* domain 0's VBD i is disk i: a, b, ... */
#define DISKS		6
#define SECTOR		512u
#define COPY		(1u << 20)	/* bytes at a time */
#define LEAST		(1u << 20)	/* bytes of an extent */

/* ---- sfdisk ---- */

static void device_name(char name[16], uint32_t disk)
{
	snprintf(name, 16, DEVICE, 'a' + disk);
}

static bool there(uint32_t disk)
{
	char name[16];

	device_name(name, disk);
	return access(name, F_OK) == 0;
}

/* A line of `sfdisk --dump`: "/dev/vbda1 : start= 2048, size= 4096, type=..., name="web"". */
static bool read_line(const char *line, uint32_t disk, struct piece *p)
{
	unsigned long long first, count;
	const char *name = strstr(line, "name=\"");
	char form[16];

	snprintf(form, sizeof(form), DEVICE "%%u :", 'a' + disk);
	p->disk = disk;
	p->name[0] = '\0';
	if (sscanf(line, form, &p->partition) != 1 || !strchr(line, ':') ||
	    sscanf(strchr(line, ':'), ": start= %llu, size= %llu", &first, &count) != 2)
		return false;
	p->first = first;
	p->count = count;
	if (name)
		sscanf(name, "name=\"%36[^\"]", p->name);
	return true;
}

static uint32_t read_disk(uint32_t disk, struct piece *pieces, uint32_t room)
{
	char command[64], line[512];
	uint32_t n = 0;
	FILE *f;

	snprintf(command, sizeof(command), "sfdisk --dump " DEVICE " 2>/dev/null", 'a' + disk);
	f = popen(command, "r");
	if (!f)
		fail("sfdisk: %s", strerror(errno));
	while (fgets(line, sizeof(line), f))
		if (n < room && read_line(line, disk, &pieces[n]))
			n++;
	pclose(f);	/* an empty disk has no table: that is no error */
	return n;
}

uint32_t disk_read(struct piece pieces[DISK_PIECES])
{
	uint32_t n = 0;

	for (uint32_t disk = 0; disk < DISKS && there(disk); disk++)
		n += read_disk(disk, pieces + n, DISK_PIECES - n);
	return n;
}

/* Runs sfdisk on a disk, with a line to read; its own words are the complaint. */
static int sfdisk(uint32_t disk, const char *options, const char *behind, const char *line)
{
	char command[200];
	FILE *f;

	snprintf(command, sizeof(command), "sfdisk --quiet --no-reread --no-tell-kernel %s " DEVICE " %s >/dev/null", options,
		 'a' + disk, behind);
	f = popen(command, "w");
	if (!f)
		fail("sfdisk: %s", strerror(errno));
	if (line)
		fputs(line, f);
	if (pclose(f)) {
		complain("the table is as it was");
		return 1;
	}
	sync();
	return 0;
}

/* ---- who has it ---- */

/* The first domain but domain 0 that has some of these sectors: its number, or -1. */
static int holder(const struct piece *p)
{
	struct control_op d, e;

	for (uint32_t id = 1; hv_next(&d, id); id = d.domain + 1)
		for (uint32_t n = 0; n < VBD_DEVICES; n++)
			for (uint32_t i = 0;; i++) {
				e = (struct control_op){ .op = CONTROL_extent_info, .domain = d.domain, .vbd_number = n };
				e.u.extent.index = i;
				if (hv_control(&e))
					break;
				if (e.u.extent.disk == p->disk && e.u.extent.first < p->first + p->count &&
				    p->first < e.u.extent.first + e.u.extent.count)
					return d.domain;
			}
	return -1;
}

static uint32_t named(const char *name, struct piece pieces[DISK_PIECES])
{
	struct piece all[DISK_PIECES];
	uint32_t n = disk_read(all), found = 0;

	for (uint32_t i = 0; i < n; i++)
		if (strcmp(all[i].name, name) == 0)
			pieces[found++] = all[i];
	return found;
}

static uint32_t must_find(const char *name, struct piece pieces[DISK_PIECES])
{
	uint32_t n = named(name, pieces);

	if (n == 0)
		fail("there is no extent %s: `atl disk` lists them", name);
	return n;
}

static void must_be_free(const char *name, const struct piece *pieces, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (holder(&pieces[i]) >= 0)
			fail("domain %d has %s: take it away first (`atl vbd remove`)", holder(&pieces[i]), name);
}

/* ---- the commands ---- */

static int list(void)
{
	struct piece pieces[DISK_PIECES];
	uint32_t n = disk_read(pieces);

	printf("NAME                  DISK  PART     FIRST SECTOR     SIZE KiB  DOMAIN\n");
	for (uint32_t i = 0; i < n; i++) {
		int domain = holder(&pieces[i]);

		printf("%-20s  %4u  %4u  %15llu  %11llu  ", *pieces[i].name ? pieces[i].name : "-", pieces[i].disk,
		       pieces[i].partition, (unsigned long long)pieces[i].first, (unsigned long long)pieces[i].count / 2);
		if (domain < 0)
			printf("-\n");
		else
			printf("%d\n", domain);
	}
	return 0;
}

static int append(uint32_t disk, const char *name, const char *size)
{
	struct piece pieces[DISK_PIECES];
	bool table = read_disk(disk, pieces, DISK_PIECES) > 0;
	char line[160];
	uint64_t bytes;

	if (!parse_size(size, &bytes) || bytes < LEAST) {
		complain("%s: not a size such as 600M (at least 1M)", size);
		return USAGE;
	}
	snprintf(line, sizeof(line), "%ssize=%llu, name=\"%s\"\n", table ? "" : "label: gpt\n",
		 (unsigned long long)bytes / SECTOR, name);
	return sfdisk(disk, table ? "--wipe-partitions never --append" : "", "", line);
}

static bool name_ok(const char *name)
{
	if (*name && strlen(name) <= DISK_NAME && strcspn(name, " \t\n\"\\,:/") == strlen(name))
		return true;
	complain("an extent's name has 1 to %d characters, no blank, quote, backslash, comma, colon or slash", DISK_NAME);
	return false;
}

static int make(const char *name, const char *size)
{
	struct piece pieces[DISK_PIECES];

	if (!there(0))
		fail("this machine has no disk");
	if (!name_ok(name))
		return USAGE;
	if (named(name, pieces))
		fail("there is an extent %s already: `atl disk grow` makes it larger", name);
	return append(0, name, size);
}

/* Another piece of the same name. Whoever has the extent gets it when it is created the next time. */
static int grow(const char *name, const char *size)
{
	struct piece pieces[DISK_PIECES];

	must_find(name, pieces);
	return append(pieces[0].disk, name, size);
}

static int delete_piece(const struct piece *p)
{
	char number[16];

	snprintf(number, sizeof(number), "%u", p->partition);
	return sfdisk(p->disk, "--delete", number, NULL);
}

static int removal(const char *name)
{
	struct piece pieces[DISK_PIECES];
	uint32_t n = must_find(name, pieces);
	int status = 0;

	must_be_free(name, pieces, n);
	for (uint32_t i = 0; i < n && !status; i++)
		status = delete_piece(&pieces[i]);
	return status;
}

/* ---- copying ---- */

static uint64_t sectors_of(const struct piece *pieces, uint32_t n)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < n; i++)
		sum += pieces[i].count;
	return sum;
}

static int open_disk(uint32_t disk, int how)
{
	char name[16];
	int fd;

	device_name(name, disk);
	fd = open(name, how | O_CLOEXEC);
	if (fd < 0)
		fail("%s: %s", name, strerror(errno));
	return fd;
}

/* Reads or writes @n bytes from byte @at of an extent on, in one piece of it; how many that were. */
static uint32_t transfer(const struct piece *pieces, uint64_t at, char *bytes, uint32_t n, bool write)
{
	int fd = open_disk(pieces->disk, write ? O_WRONLY : O_RDONLY);
	ssize_t did;

	while (at >= pieces->count * SECTOR)
		at -= pieces++->count * SECTOR;
	n = MIN(n, pieces->count * SECTOR - at);
	at += pieces->first * SECTOR;
	did = write ? pwrite(fd, bytes, n, at) : pread(fd, bytes, n, at);
	if (did <= 0)
		fail("disk %u: %s", pieces->disk, did ? strerror(errno) : "it ends too early");
	close(fd);
	return did;
}

static bool all_zero(const char *bytes, uint32_t n)
{
	return n == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, n - 1) == 0);
}

/* Whether @n bytes from @at on are zeros already: what is free on a disk is mostly that, and to read it costs less. */
static bool blank(const struct piece *pieces, uint64_t at, uint32_t n)
{
	static char bytes[COPY];

	return transfer(pieces, at, bytes, n, false) == n && all_zero(bytes, n);
}

static int copy(const char *from, const char *to)
{
	struct piece source[DISK_PIECES], target[DISK_PIECES];
	uint32_t sources = must_find(from, source), targets = must_find(to, target);
	uint64_t end = sectors_of(source, sources) * SECTOR;
	char *bytes = malloc(COPY);

	must_be_free(to, target, targets);
	if (sectors_of(target, targets) * SECTOR < end)
		fail("%s is smaller than %s: `atl disk grow` makes it larger", to, from);
	if (!bytes)
		fail("no memory");
	for (uint64_t at = 0; at < end;) {
		uint32_t n = transfer(source, at, bytes, MIN(COPY, end - at), false), done = 0;

		if (all_zero(bytes, n) && blank(target, at, n))
			done = n;
		while (done < n)
			done += transfer(target, at + done, bytes + done, n - done, true);
		at += n;
	}
	free(bytes);
	sync();
	return 0;
}

int run_disk(int argc, char **argv)
{
	if (argc == 1 || (argc == 2 && strcmp(argv[1], "list") == 0))
		return list();
	if (argc == 4 && strcmp(argv[1], "make") == 0)
		return make(argv[2], argv[3]);
	if (argc == 4 && strcmp(argv[1], "grow") == 0)
		return grow(argv[2], argv[3]);
	if (argc == 3 && strcmp(argv[1], "delete") == 0)
		return removal(argv[2]);
	if (argc == 4 && strcmp(argv[1], "copy") == 0)
		return copy(argv[2], argv[3]);
	complain("atl disk list, make NAME SIZE, grow NAME SIZE, delete NAME, copy FROM TO");
	return USAGE;
}
