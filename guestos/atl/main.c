// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>
#include "atl.h"
#include "daemon.h"

static int run_help(int argc, char **argv);

static const struct command commands[] = {
	{ "console", run_console, "DOMAIN", "connects this terminal with a domain's console (Ctrl-] ends it)", NULL },
	{ "create", run_create, "NAME [OPTIONS]", "builds a domain and starts it; prints its number",
	  "  --mem SIZE       memory: 48M\n"
	  "  --limit SIZE     what it may grow to\n"
	  "  --kernel FILE    an ELF image: /boot/vmlinux\n"
	  "  --initrd FILE    /boot/initrd, if there is neither a kernel nor a disk nor root= among the words\n"
	  "  --cmdline WORDS  console=hvc0, and with a disk root=/dev/vbda rw hostname=NAME\n"
	  "  --vbd EXTENT     a virtual disk, NAME, NAME:ro or NAME:shared as `atl disk` has them; up to four times\n"
	  "  --vif[=WISHES]   a network interface, with wishes as `atl help vif` has them; up to four times\n"
	  "  --weight N       its share of the processor, 1 to 65535: 256\n"
	  "  --restart WHEN   makes it again: reboot (the default: when it asks for that), always (also after a crash), never\n"
	  "  --config FILE    these wishes from a file, KEY = VALUE one a line (also name = NAME)\n"
	  "  --paused         does not run before `atl unpause`\n"
	  "  -c, --console    connects this terminal with its console at once\n" },
	{ "daemon", run_daemon, "", "keeps what domains print; starts by itself when it is needed", NULL },
	{ "destroy", run_destroy, "DOMAIN", "ends a domain at once and takes back all that it has", NULL },
	{ "disk", run_disk, "list | make | ...", "the disks' extents, by name",
	  "  list             the extents, and which domain has each\n"
	  "  make NAME SIZE   a new one, of what is free\n"
	  "  grow NAME SIZE   makes it larger by so much; a domain sees that when it is created the next time\n"
	  "  delete NAME      gives its place back\n"
	  "  copy FROM TO     all of one to the beginning of another\n" },
	{ "dmesg", run_dmesg, "", "what the hypervisor and other domains printed on the machine's console", NULL },
	{ "help", run_help, "[COMMAND]", "this list, or more about one of them", NULL },
	{ "info", run_info, "[--json]", "the machine: memory, domains, processor", NULL },
	{ "list", run_list, "[--ended] [--json]", "the domains; --ended: those that are gone, and how they ended",
	  "  What is known of a domain that ended is forgotten when another one gets its number.\n" },
	{ "mem", run_mem, "DOMAIN [SIZE]", "a domain's memory; with SIZE: what it may have from now on", NULL },
	{ "net", run_net, "list | add | remove", "the rules by which packets go from one interface to another",
	  "  list             the rules, in the order in which they are tried: the first that fits decides\n"
	  "  add accept|drop [from END] [to END] [proto icmp|tcp|udp|N] [src NET] [dst NET] [sport N[-N]] [dport N[-N]] [rank N]\n"
	  "                   END is any, wire, DOMAIN or DOMAIN.VIF; NET is 10.0.2.0/24 or one address; low ranks come first: 1000\n"
	  "  remove NUMBER    as `atl net list` counts\n" },
	{ "pause", run_pause, "DOMAIN", "stops a domain where it is", NULL },
	{ "sched", run_sched, "DOMAIN [OPTIONS]", "a domain's share of the processor, or a change of it",
	  "  --weight N         its share, 1 to 65535\n"
	  "  --warp US          microseconds of virtual time that it may borrow to run sooner; 0: none\n"
	  "  --warp-limit US    how long it may run so at a time\n"
	  "  --unwarp US        how long it may not, after that\n"
	  "  --allowance US     of the whole machine: the least time between two switches\n" },
	{ "shutdown", run_shutdown, "DOMAIN", "asks a domain to come to an orderly end", NULL },
	{ "top", run_top, "[-d SECONDS] [-n TIMES]", "who uses the processor, again and again", NULL },
	{ "unpause", run_unpause, "DOMAIN", "lets a paused domain go on", NULL },
	{ "vbd", run_vbd, "list | add | remove", "domains' virtual disks",
	  "  list [DOMAIN]           what there is, and what went through it\n"
	  "  add DOMAIN EXTENT       NAME, NAME:ro or NAME:shared, as `atl disk` has them\n"
	  "  remove DOMAIN NUMBER    when what is under way has been done\n" },
	{ "vif", run_vif, "list | add | remove", "domains' network interfaces",
	  "  list [DOMAIN]           what there is, and what went through it\n"
	  "  add DOMAIN [WISHES]     mac=02:...,ip=10.0.2.20,rate=KIB_A_SECOND,closed: with ip no other address passes; closed: no\n"
	  "                          rules are made, so that nothing passes before `atl net add`\n"
	  "  remove DOMAIN NUMBER    with the rules that name it\n" },
};

static const struct command *find(const char *name)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	complain("%s is no command: `atl help` lists them", name);
	return NULL;
}

static void print_list(void)
{
	printf("atl COMMAND ...: controls the domains of Atelier. A DOMAIN is a name or a number.\n\n");
	for (unsigned int i = 0; i < ARRAY_SIZE(commands); i++)
		printf("  atl %-8s %-24s %s\n", commands[i].name, commands[i].arguments, commands[i].purpose);
}

static int run_help(int argc, char **argv)
{
	const struct command *c;

	if (argc < 2) {
		print_list();
		return 0;
	}
	c = find(argv[1]);
	if (!c)
		return USAGE;
	printf("atl %s %s: %s\n%s", c->name, c->arguments, c->purpose, c->details ? c->details : "");
	return 0;
}

int main(int argc, char **argv)
{
	const struct command *c;

	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		print_list();
		return argc < 2 ? USAGE : 0;
	}
	c = find(argv[1]);
	if (!c)
		return USAGE;
	if (argc > 2 && strcmp(argv[2], "--help") == 0)
		return run_help(2, (char *[]){ "help", argv[1], NULL });
	return c->run(argc - 1, argv + 1);
}
