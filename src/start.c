// SPDX-License-Identifier: MIT
/*
 * The hypervisor's life in one function, start(); then domains run, and everything happens on their
 * behalf.
 *
 * Boot modules: the first is domain 0's kernel, its string "NAME COMMAND-LINE". Then, in any
 * number, "domain mem=SIZE COMMAND-LINE": the kernel of another domain; "initrd": goes with the
 * kernel before it; "disk" and "wire": pc/ramdisk.c's and pc/ramwire.c's. Of the first word only what
 * follows its last slash counts.
 *
 * Options on the hypervisor's own command line: dom0_mem=SIZE; console=com1 or vga (pc/); audit=on: the
 * auditors run after each call; scrub=late: free memory keeps what was in it until somebody gets it, for
 * those who look at the dead from outside; seed=DIGITS (64 hexadecimal ones, of random bytes): for domain 0's
 * own generator, and shown to nobody.
 */
#include "start.h"
#include "builder.h"
#include "console.h"
#include "crash.h"
#include "domain.h"
#include "frame.h"
#include "frame_pool.h"
#include "hypercall_table.h"
#include "lib/string.h"
#include "machine.h"
#include "tlb.h"	/* lab 3 */

#define FRAMES(bytes)	((bytes) / PAGE_SIZE)
#define DOMAIN_DEFAULT	(8u << 20)	/* bytes, for a module that does not say */

/* Ends before any domain runs: what a person did wrong, in one line. */
static NORETURN void refuse(const char *what, const char *why)
{
	console_printf("%s: %s\n", what, why);
	machine_stop(END_CRASH, 0);
}

/* One that plays a device, which the machine has found and keeps. */
static bool is_device(const char *string)
{
	bool is = false;

	is |= string_keyword(string, "disk");	/* lab 9 */
	is |= string_keyword(string, "wire");	/* lab 8 */
	return is;
}

static const char *after_first_word(const char *s)
{
	while (*s && *s != ' ')
		s++;
	while (*s == ' ')
		s++;
	return s;
}

/* A size in bytes from "@name=" of a command line, @otherwise if it is not there. */
static uint32_t size_option(const char *cmdline, const char *name, uint32_t otherwise)
{
	const char *s = string_option(cmdline, name);
	uint32_t size;

	if (!s)
		return otherwise;
	if (!string_number(&s, &size) || (*s != '\0' && *s != ' '))
		refuse(name, "not a size (a number, with K, M or G)");
	return size;
}

/* Domain 0's random bytes, into @seed; NULL if there are none. */
static const uint8_t *seed_option(uint8_t *seed)
{
	const char *s = string_option(machine_cmdline(), "seed");

	if (!s)
		return NULL;
	if (string_bytes(s, seed, START_SEED))
		return seed;
	console_printf("seed: not %u hexadecimal digits; domain 0 starts without\n", 2 * START_SEED);
	return NULL;
}

static bool option_is(const char *name, const char *value)
{
	const char *s = string_option(machine_cmdline(), name);

	return s && strncmp(s, value, strlen(value)) == 0;
}

static struct machine_module initrd_of(unsigned int i)
{
	if (i + 1 < machine_module_count() && string_keyword(machine_module(i + 1).string, "initrd"))
		return machine_module(i + 1);
	return (struct machine_module){ 0 };
}

static void start_domain(const char *name, unsigned int module, const char *cmdline, uint32_t frames, const uint8_t *seed)
{
	struct build b = { machine_module(module), initrd_of(module), cmdline, frames, seed };
	struct domain *d = domain_open(name, frames);
	const char *wrong;

	if (!d)
		refuse(name, "no room for another domain");
	wrong = builder_build(d, &b);
	if (wrong)
		refuse(name, wrong);
	frame_pool_promise(d, frames);
	sched_unpause(d);
}

/* What the other modules' domains will take, so that domain 0 leaves it. */
static uint32_t frames_of_others(void)
{
	uint32_t n = 0;

	for (unsigned int i = 1; i < machine_module_count(); i++)
		if (string_keyword(machine_module(i).string, "domain"))
			n += FRAMES(size_option(machine_module(i).string, "mem", DOMAIN_DEFAULT)) + 1;
	return n;
}

static void start_domain_0(void)
{
	uint32_t others = frames_of_others() + 1, all = frame_pool_free_count();	/* + its windows' page table */
	uint32_t frames = FRAMES(size_option(machine_cmdline(), "dom0_mem", UINT32_MAX));
	uint8_t seed[START_SEED];

	others += vif_frames();		/* lab 8 */
	frames = MIN(frames, all > others ? all - others : 0);
	if (machine_module_count() == 0)
		refuse("domain 0", "there is no boot module: its kernel must be the first one");
	start_domain("domain 0", 0, after_first_word(machine_module(0).string), frames, seed_option(seed));
	vbd_give_disks(domain_find(NULL, 0));	/* lab 9 */
}

static void start_others(void)
{
	for (unsigned int i = 1; i < machine_module_count(); i++) {
		const char *string = machine_module(i).string;

		if (string_keyword(string, "domain"))
			start_domain("domain", i, after_first_word(string),
				     FRAMES(size_option(string, "mem", DOMAIN_DEFAULT)), NULL);
		else if (!string_keyword(string, "initrd") && !is_device(string))
			refuse(string, "not a kind of boot module (domain, initrd, disk, wire)");
	}
}

void start_subsystems(void)
{
	frame_init();
	domain_init();
	tlb_init();		/* lab 3 */
	frame_pool_init();
	sched_init();
	hypercall_init(hypercall_table, HYPERCALL_COUNT);
	event_init();		/* lab 2 */
	timer_init();
	paging_init();		/* lab 3 */
	segment_init();		/* lab 4 */
	ring_init();		/* lab 6 */
	console_ring_init();	/* lab 6 */
	vbd_init();		/* lab 9 */
	vif_init();		/* lab 8 */
}

void start(void)
{
	start_subsystems();
	console_printf("Atelier: %u MiB free\n", frame_pool_free_count() >> (20 - PAGE_SHIFT));
	start_domain_0();
	frame_pool_scrub(!option_is("scrub", "late"));
	vif_start();		/* lab 8 */
	start_others();
	machine_release_modules(frame_pool_add);
	if (option_is("audit", "on"))
		hypercall_set_audit(domain_check);
}
