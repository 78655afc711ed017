// SPDX-License-Identifier: MIT
/* atl create: from wishes, on the command line or in a file, to a domain. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "atl.h"
#include "build.h"
#include "create.h"
#include "daemon.h"
#include "hypervisor.h"
#include "vbd.h"
#include "vif.h"
#include "wishes.h"

#define KERNEL		"/boot/vmlinux"
#define INITRD		"/boot/initrd"
#define CONSOLE		"console=hvc0"
#define MEMORY		(48u << 20)

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
	for (unsigned int i = 0; i < WISHES_DEVICES && w->vbds[i] && !err; i++)
		err = vbd_attach(domain, w->vbds[i]);
	for (unsigned int i = 0; i < WISHES_DEVICES && w->vifs[i] && !err; i++)
		err = vif_attach(domain, w->vifs[i]);
	return !err && wishes_keep(w, domain);
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

int create_domain(struct wishes *w)
{
	struct plan p = { .equip = equip, .equipment = w };

	choose_root(w);
	p.name = w->name;
	p.kernel = w->kernel ? w->kernel : KERNEL;
	p.initrd = w->initrd;
	p.cmdline = w->cmdline;
	p.memory = w->memory;
	p.limit = MAX(w->limit, w->memory);
	p.paused = w->paused;
	check_name(w->name);
	return build_domain(&p);
}

int run_create(int argc, char **argv)
{
	struct wishes w = { .memory = MEMORY };
	int domain;

	if (!wishes_read(&w, argc, argv))
		return USAGE;
	daemon_start();
	domain = create_domain(&w);
	if (domain < 0)
		return 1;
	if (w.console)
		return run_console(2, (char *[]){ "console", w.name, NULL });
	printf("%d\n", domain);
	return 0;
}
