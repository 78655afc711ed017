// SPDX-License-Identifier: MIT
#include "build.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include "atl.h"
#include "hypervisor.h"
#include "image.h"

/* The domain that is being built: one at a time. */
static struct {
	const struct plan *plan;
	struct image_build image;
	struct image_layout layout;
	uint8_t seed[START_SEED];
	uint32_t domain;
	uint32_t *mfns;		/* by pseudo-physical frame */
	char *memory;		/* its frames from layout.p2m to layout.end */
	int load_error;		/* of the first file that could not be loaded */
} b;

/* ---- how the image reader gets at files and frames ---- */

/* @start is the file's descriptor. What a file that shrinks meanwhile has lost is zeros. */
static void read_file(const struct image_file *f, uint32_t offset, void *to, uint32_t n)
{
	ssize_t did;

	for (uint32_t done = 0; done < n; done += did) {
		did = pread(f->start, (char *)to + done, n - done, offset + done);
		if (did <= 0) {
			memset((char *)to + done, 0, n - done);
			return;
		}
	}
}

static void load_file(const struct image_file *f, uint32_t offset, uint32_t to, uint32_t n)
{
	if (!b.load_error)
		b.load_error = hv_fill(b.domain, &b.mfns[to / PAGE_SIZE], to % PAGE_SIZE, f->start, offset, n);
}

static void *data_of(uint32_t pfn)
{
	return b.memory + (pfn - b.layout.p2m) * PAGE_SIZE;
}

static uint32_t *p2m_entry(uint32_t pfn)
{
	return &b.mfns[pfn];
}

static const struct image_io io = { .read = read_file, .load = load_file, .data = data_of, .p2m = p2m_entry };

/* ---- before there is a domain ---- */

static bool open_file(const char *name, struct image_file *f)
{
	struct stat st;
	int fd = open(name, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st)) {
		complain("%s: %s", name, strerror(errno));
		return false;
	}
	if (!S_ISREG(st.st_mode) || st.st_size > INT32_MAX) {
		complain("%s: not a file of less than 2 GiB", name);
		close(fd);
		return false;
	}
	*f = (struct image_file){ fd, st.st_size };
	return true;
}

static bool read_image(const struct plan *p)
{
	const char *wrong;

	b.image = (struct image_build){
		.io = &io, .cmdline = p->cmdline, .frames = p->memory / PAGE_SIZE, .zeroed = true,
	};
	if (!open_file(p->kernel, &b.image.image) || (p->initrd && !open_file(p->initrd, &b.image.initrd)))
		return false;
	if (strlen(p->cmdline) >= START_CMDLINE) {
		complain("the command line is longer than %u characters", START_CMDLINE - 1);
		return false;
	}
	wrong = image_read(&b.image, &b.layout);
	if (wrong)
		complain("%s: %s", p->kernel, wrong);
	return !wrong;
}

/* ---- steps, each 0 or an error ---- */

static int create(void)
{
	struct control_op op = { .op = CONTROL_create };
	int err;

	op.u.create.frames = b.plan->memory / PAGE_SIZE;
	op.u.create.limit = b.plan->limit / PAGE_SIZE;
	snprintf(op.u.create.name, sizeof(op.u.create.name), "%s", b.plan->name);
	err = hv_control(&op);
	b.domain = b.image.domain = op.domain;
	return err;
}

static int take_frames(void)
{
	uint32_t done = 0;

	while (done < b.image.frames) {
		struct control_op op = { .op = CONTROL_frame_list, .domain = b.domain };
		int err;

		op.u.frames = (struct control_frames){ done, b.image.frames - done, (uintptr_t)&b.mfns[done] };
		err = hv_control(&op);
		if (err || op.u.frames.count == 0)
			return err ? err : -ENOMEM;
		done += op.u.frames.count;
	}
	return 0;
}

/* None from a generator that is not ready: it would be waited for, or give what could be guessed. */
static void take_seed(void)
{
	if (getrandom(b.seed, sizeof(b.seed), GRND_NONBLOCK) == sizeof(b.seed))
		b.image.seed = b.seed;
}

/* Given up again at once: a frame that we can write cannot become a page table. */
static int fill(void)
{
	uint32_t count = b.layout.end - b.layout.p2m;
	size_t size = count * PAGE_SIZE;
	int err;

	b.memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, hv_device(), 0);
	if (b.memory == MAP_FAILED)
		return -errno;
	err = hv_map(b.domain, b.memory, &b.mfns[b.layout.p2m], count);
	if (!err) {
		take_seed();
		image_fill(&b.image, &b.layout);
		explicit_bzero(b.seed, sizeof(b.seed));
		memcpy(data_of(b.layout.p2m), b.mfns, b.image.frames * sizeof(*b.mfns));
	}
	munmap(b.memory, size);
	return err ? err : b.load_error;
}

static int table_command(uint32_t table, uint32_t command)
{
	struct mmu_request r = { b.mfns[b.layout.tables + table] << PAGE_SHIFT | MMU_COMMAND, command };

	return hv_mmu(b.domain, &r, 1);
}

/* The tables one by one, as the directory would be too much at once; in the end it alone keeps them. */
static int pin_tables(void)
{
	int err = 0;

	for (uint32_t i = 1; i < b.layout.table_count && !err; i++)
		err = table_command(i, MMU_PIN_TABLE);
	if (!err)
		err = table_command(0, MMU_PIN_DIRECTORY);
	for (uint32_t i = 1; i < b.layout.table_count && !err; i++)
		err = table_command(i, MMU_UNPIN);
	return err;
}

/*
 * Its console is looked at once, so that what it prints from its first instruction on comes to domain 0: unless a console is
 * nothing that this hypervisor has.
 */
static int equip(void)
{
	struct control_op op;
	int err = hv_ask(&op, CONTROL_console, b.domain);

	if (err && err != -ENOSYS)
		return err;
	if (b.plan->equip && !b.plan->equip(b.plan, b.domain))
		return -ECANCELED;
	return b.plan->paused ? hv_ask(&op, CONTROL_pause, b.domain) : 0;
}

static int start(void)
{
	struct control_op op = { .op = CONTROL_start, .domain = b.domain };

	op.u.start.directory = b.mfns[b.layout.tables];
	op.u.start.shared = b.mfns[image_shared(&b.layout)];
	op.u.start.eip = b.layout.note.entry;
	op.u.start.esi = image_virt(&b.layout, b.layout.start_info);
	return hv_control(&op);
}

/* ---- all of them ---- */

static const struct step {
	int (*take)(void);
	const char *what;
} steps[] = {
	{ create, "it cannot be created" },
	{ take_frames, "its memory cannot be had" },
	{ fill, "its memory cannot be filled" },
	{ pin_tables, "its page tables are refused" },
	{ equip, "its devices cannot be made" },
	{ start, "it cannot be started" },
};

static int take_steps(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(steps); i++) {
		int err = steps[i].take();

		if (!err)
			continue;
		if (err != -ECANCELED)		/* that one has been explained */
			complain("%s: %s: %s", b.plan->name, steps[i].what, hv_error(err));
		if (i > 0 && hv_destroy(b.domain))
			complain("domain %u stays half built: `atl destroy %u`", b.domain, b.domain);
		return -1;
	}
	return b.domain;
}

/* No signal but SIGKILL comes between the steps. */
int build_domain(const struct plan *p)
{
	sigset_t all, before;
	int domain = -1;

	memset(&b, 0, sizeof(b));
	b.plan = p;
	if (!read_image(p))
		return -1;
	b.mfns = calloc(b.image.frames, sizeof(*b.mfns));
	if (!b.mfns)
		fail("domain 0 itself has not enough memory to build a domain");
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	domain = take_steps();
	sigprocmask(SIG_SETMASK, &before, NULL);
	free(b.mfns);
	close(b.image.image.start);
	if (p->initrd)
		close(b.image.initrd.start);
	return domain;
}
