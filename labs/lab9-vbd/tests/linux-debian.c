// SPDX-License-Identifier: MIT
/* Linux test */
/*
 * Domain 0 makes a virtual disk of the pieces of a Debian that lie about on the machine's, and a domain that boots from it. It logs in
 * there by the console, and has a script done that comes from its own web server; what that found it gets from Debian's.
 */
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include "guestos/linux/include/uapi/linux/atelier.h"
#include "linux/consoles.h"
#include "src/public/control.h"

#define PAGES		"/tmp/www"
#define WISHES		"/tmp/wishes"
#define REPORT		"/tmp/report"
#define DOMAIN		1u
#define SECONDS		200u

static void write_file(const char *path, struct words content)
{
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (file < 0 || write(file, content.bytes, content.length) != (ssize_t)content.length)
		give_up(path);
	close(file);
}

static int control(struct control_op *op, uint32_t number)
{
	static int device = -1;

	if (device < 0)
		device = open("/dev/atelier", O_RDWR | O_CLOEXEC);
	op->interface = ATELIER_INTERFACE;
	op->op = number;
	op->domain = DOMAIN;
	return ioctl(device, ATELIER_CONTROL, op) ? -errno : 0;
}

/* [[first, count: sectors of disk 0]]: one after the other they are the domain's first disk. */
static void make_disk(void)
{
	struct control_op op = { 0 };
	uint32_t count;

	observe("vbd answer:int", 0, control(&op, CONTROL_vbd_create));
	count = input_word();
	for (uint32_t i = 0; i < count; i++) {
		op = (struct control_op){ .u.extent = { .rights = EXTENT_READ | EXTENT_WRITE, .first = input_word() } };
		op.u.extent.count = input_word();
		observe("extent answer:int", i, control(&op, CONTROL_extent_add));
	}
}

/* Gets the report as soon as it is there, and says so on a page of its own. */
static void wait_for_report(const char *url)
{
	char *const wget[] = { "/bin/busybox", "wget", "-q", "-O", REPORT, (char *)url, NULL };

	while (status_of(start_program(wget, -1, -1)))
		sleep_ms(200);
	close(open(PAGES "/fetched", O_WRONLY | O_CREAT, 0644));
	_exit(0);
}

static void tell_report(void)
{
	static char report[TEXT_MAX];
	int file = open(REPORT, O_RDONLY);
	uint32_t got = file < 0 ? 0 : read_all(file, report, sizeof(report));

	observe_bytes("report text:bytes", 0, report, got);
}

/* [wishes for the domain, its pieces, script, file, where the report will be, [(what to wait for, what to type)]] */
static void test_main(void)
{
	static struct console_talk console;
	const char *report;
	uint32_t length;

	write_file(WISHES, input_words());
	atl("create --paused --config " WISHES);
	make_disk();
	mkdir(PAGES, 0755);
	write_file(PAGES "/script", input_words());
	write_file(PAGES "/file", input_words());
	status_of(start_program((char *[]){ "/bin/busybox", "httpd", "-p", "80", "-h", PAGES, NULL }, -1, -1));
	report = (const char *)input_bytes(&length);
	if (new_process() == 0)
		wait_for_report(report);
	open_console(&console, DOMAIN);
	atl("unpause %u", DOMAIN);
	talk(&console, 1, SECONDS * 1000);
	tell_heard(&console);
	tell_report();
	observe("left domains", 0, count_domains());
}
