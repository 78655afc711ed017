// SPDX-License-Identifier: MIT
#include "start.h"
#include <string.h>
#include "frame.h"
#include "host/audit.h"
#include "host/domains.h"
#include "host/image.h"
#include "unit/test.h"

#define KERNEL		1u	/* first frames of the modules */
#define INITRD		10u
#define SECOND		20u

static struct image *image;

static void module(unsigned int i, uint32_t first, uint32_t size, const char *string)
{
	host.modules[i] = (struct machine_module){ first << PAGE_SHIFT, size, string };
	host.module_count = i + 1;
	for (uint32_t at = 0; at < size; at += PAGE_SIZE)
		host.usable[first + at / PAGE_SIZE] = false;
}

/* A machine of 300 frames with a kernel for domain 0. */
static void fresh(void)
{
	struct machine_module m;

	host_setup(300);
	m = image_make(KERNEL, &image);
	module(0, KERNEL, m.size, "kernel one two");
}

static void call_start(void *unused)
{
	start();
}

static void expect_refusal(const char *why)
{
	struct host_end end = host_run(call_start, NULL);

	EXPECT(end.stopped, "%s", why);
	EXPECT_EQ(end.how, END_CRASH, "%s", why);
	EXPECT(strchr(host_output(NULL), '\n'), "%s", why);
}

static const struct start_info *info(struct domain *d)
{
	host.base = d->paging.base;
	return host_frame(host_walk(d->vcpu.regs.esi, false).n);
}

TEST(the_first_module_becomes_domain_0_with_all_memory_that_nobody_else_gets)
{
	struct domain *d;

	fresh();
	start();
	d = sched_return();
	EXPECT(d && d->id == 0 && d->privileged);
	EXPECT_TEXT(info(d)->cmdline, "one two");
	EXPECT_EQ(info(d)->frames, 300 - IMAGE_FRAMES - 1);
	EXPECT(frame_pool_free_count() >= IMAGE_FRAMES - 1, "the module's frames are free again");
	audit_all();
}

TEST(an_initrd_goes_with_the_kernel_before_it_and_other_domains_get_what_they_ask)
{
	struct machine_module m;
	struct domain *second;

	fresh();
	module(1, INITRD, 5000, "initrd");
	m = image_make(SECOND, &image);
	module(2, SECOND, m.size, "domain mem=160K rest of it");
	start();
	second = domain_find(NULL, 1);
	EXPECT(second && !second->privileged);
	EXPECT_EQ(second->memory.owned.count, 40);
	EXPECT_TEXT(info(second)->cmdline, "mem=160K rest of it");
	EXPECT_EQ(info(second)->initrd_size, 0);
	EXPECT_EQ(info(domain_find(NULL, 0))->initrd_size, 5000);
	audit_all();
}

TEST(domain_0_can_be_given_less)
{
	fresh();
	host.cmdline = "dom0_mem=200K audit=on";
	start();
	EXPECT_EQ(domain_find(NULL, 0)->memory.owned.count, 50);
	audit_all();
}

#define SEED		"000102030405060708090a0b0c0d0e0f101112131415161718191a1B1C1D1E1F"

/* Two domains; the second one finds nothing of the hypervisor's @options, nor does who reads the console. */
static void start_with(const char *options)
{
	struct machine_module m;

	fresh();
	m = image_make(SECOND, &image);
	module(1, SECOND, m.size, "domain mem=160K seed=" SEED);
	host.cmdline = options;
	start();
	EXPECT_EQ(info(domain_find(NULL, 1))->flags, 0, "the other domain's: %s", options);
	EXPECT(!strstr(host_output(NULL), "0405"), "it is printed: %s", options);
	audit_all();
}

TEST(domain_0_alone_gets_the_random_bytes_that_the_loader_gives)
{
	start_with("dom0_mem=200K seed=" SEED " audit=on");
	EXPECT_EQ(info(domain_find(NULL, 0))->flags, START_PRIVILEGED | START_SEEDED);
	for (unsigned int i = 0; i < START_SEED; i++)
		EXPECT_EQ(info(domain_find(NULL, 0))->seed[i], i);
	EXPECT(!strstr(host_output(NULL), "seed"));
}

TEST(what_is_no_seed_is_said_in_a_line_and_left_out)
{
	static const char *const bad[] = { "seed=", "seed=none", "seed=" SEED "20", "seed=0405" };

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		start_with(bad[i]);
		EXPECT_EQ(info(domain_find(NULL, 0))->flags, START_PRIVILEGED, "%s", bad[i]);
		EXPECT(strstr(host_output(NULL), "seed: not 64 hexadecimal digits; domain 0 starts without"), "%s", bad[i]);
	}
	start_with("");
	EXPECT_EQ(info(domain_find(NULL, 0))->flags, START_PRIVILEGED);
	EXPECT(!strstr(host_output(NULL), "seed"));
}

TEST(what_cannot_be_started_is_said_in_a_line)
{
	fresh();
	host.module_count = 0;
	expect_refusal("no module");

	fresh();
	host.cmdline = "dom0_mem=lots";
	expect_refusal("not a size");

	fresh();
	host.cmdline = "dom0_mem=10000000000";
	expect_refusal("a size beyond 32 bits");

	fresh();
	image->machine = 62;
	expect_refusal("not an image");

	fresh();
	module(1, INITRD, 100, "something else");
	expect_refusal("not a kind of module");

	fresh();
	module(1, INITRD, 100, "domain mem=64K");
	expect_refusal("not an image either");

	fresh();
	host.cmdline = "dom0_mem=4K";
	expect_refusal("too little memory");
}

static bool sound;

static bool answer(void)
{
	return sound;
}

static void call_version(void *guest)
{
	CALL((struct guest *)guest, version);
}

TEST(an_audit_after_each_call_stops_the_machine_when_it_objects)
{
	struct guest g;

	host_start(64);
	g = host_domain(6);
	host_enter(&g);
	hypercall_set_audit(answer);
	sound = true;
	EXPECT(!host_run(call_version, &g).stopped);
	sound = false;
	EXPECT(host_run(call_version, &g).stopped);
	EXPECT(strstr(host_output(NULL), "auditor"));
}
