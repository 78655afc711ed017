// SPDX-License-Identifier: MIT
/* atl vbd: domains' virtual disks. */
#include "vbd.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "atl.h"
#include "disk.h"
#include "hypervisor.h"
#include "public/ring.h"

static bool read_extent(const char *text, char name[DISK_NAME + 1], uint32_t *rights)
{
	const char *colon = strchr(text, ':');
	size_t n = colon ? (size_t)(colon - text) : strlen(text);

	*rights = EXTENT_READ | EXTENT_WRITE;
	if (n > DISK_NAME)
		return false;
	memcpy(name, text, n);
	name[n] = '\0';
	if (!colon)
		return true;
	if (strcmp(colon, ":ro") == 0)
		*rights = EXTENT_READ;
	else if (strcmp(colon, ":shared") == 0)
		*rights |= EXTENT_SHARED;
	else
		return false;
	return true;
}

static int create(uint32_t domain, uint32_t *number)
{
	int err = -EEXIST;

	for (*number = 0; *number < VBD_DEVICES; ++*number) {
		struct control_op op = { .op = CONTROL_vbd_create, .domain = domain, .u.vbd = { .number = *number } };

		err = hv_control(&op);
		if (err != -EEXIST)
			break;
	}
	return err;
}

static int destroy(uint32_t domain, uint32_t number)
{
	struct control_op op;
	int err;

	do {
		op = (struct control_op){ .op = CONTROL_vbd_destroy, .domain = domain, .u.vbd = { .number = number } };
		err = hv_control(&op);
		if (err == -EAGAIN)
			hv_rest();
	} while (err == -EAGAIN);
	return err;
}

static int add_piece(uint32_t domain, uint32_t number, const struct piece *p, uint32_t rights)
{
	struct control_op op = { .op = CONTROL_extent_add, .domain = domain, .vbd_number = number };

	op.u.extent = (struct control_extent){ .disk = p->disk, .rights = rights, .first = p->first, .count = p->count };
	return hv_control(&op);
}

/* All pieces of that name; -ENOENT: there is none. */
static int add_pieces(uint32_t domain, uint32_t number, const char *name, uint32_t rights)
{
	struct piece pieces[DISK_PIECES];
	uint32_t n = disk_read(pieces);
	int err = -ENOENT;

	for (uint32_t i = 0; i < n && (err == 0 || err == -ENOENT); i++)
		if (strcmp(pieces[i].name, name) == 0)
			err = add_piece(domain, number, &pieces[i], rights);
	return err;
}

int vbd_attach(uint32_t domain, const char *extent)
{
	char name[DISK_NAME + 1];
	uint32_t number, rights;
	int err;

	if (!read_extent(extent, name, &rights)) {
		complain("vbd %s: an extent is NAME, NAME:ro or NAME:shared", extent);
		return -EINVAL;
	}
	err = create(domain, &number);
	if (!err) {
		err = add_pieces(domain, number, name, rights);
		if (err)
			destroy(domain, number);
	}
	if (err == -ENOENT)
		complain("there is no extent %s: `atl disk make %s SIZE` makes it", name, name);
	else if (err == -EEXIST)
		complain("vbd %s: another domain has it, and may write: see `atl disk`, or say :shared for both", extent);
	else if (err)
		complain("vbd %s: %s", extent, hv_error(err));
	return err;
}

/* ---- the command ---- */

static void print(uint32_t domain)
{
	struct control_op op;

	for (uint32_t number = 0;; number = op.u.vbd.number + 1) {
		op = (struct control_op){ .op = CONTROL_vbd_info, .domain = domain, .u.vbd = { .number = number } };
		if (hv_control(&op))
			return;
		printf("%3u.%u  %7u  %12llu  %10llu  %10llu  %6llu\n", domain, op.u.vbd.number, op.u.vbd.extents,
		       (unsigned long long)op.u.vbd.sectors / 2, (unsigned long long)op.u.vbd.reads,
		       (unsigned long long)op.u.vbd.writes, (unsigned long long)op.u.vbd.errors);
	}
}

static int list(int argc, char **argv)
{
	printf("  VBD  EXTENTS      SIZE KiB       READS      WRITES  ERRORS\n");
	hv_each(argc > 2 ? argv[2] : NULL, print);
	return 0;
}

static int removal(const char *domain, const char *number)
{
	uint64_t n;
	int err;

	if (!parse_number(number, VBD_DEVICES - 1, &n))
		fail("%s: not the number of a virtual disk", number);
	err = destroy(hv_find(domain), n);
	if (err)
		fail("vbd %s.%s: %s", domain, number, hv_error(err));
	return 0;
}

int run_vbd(int argc, char **argv)
{
	if (argc == 1 || (argc <= 3 && strcmp(argv[1], "list") == 0))
		return list(argc, argv);
	if (argc == 4 && strcmp(argv[1], "add") == 0)
		return vbd_attach(hv_find(argv[2]), argv[3]) ? 1 : 0;
	if (argc == 4 && strcmp(argv[1], "remove") == 0)
		return removal(argv[2], argv[3]);
	complain("atl vbd list [DOMAIN], add DOMAIN EXTENT, remove DOMAIN NUMBER");
	return USAGE;
}
