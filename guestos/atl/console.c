// SPDX-License-Identifier: MIT
/* atl console: this terminal at a domain's console. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include "atl.h"
#include "daemon.h"
#include "hypervisor.h"

#define KEY	('[' + 2 - '@')	/* Ctrl-] */

static struct termios before;

static void restore(void)
{
	tcsetattr(0, TCSADRAIN, &before);
}

static void make_raw(void)
{
	struct termios raw;

	if (tcgetattr(0, &before))
		return;			/* no terminal */
	raw = before;
	cfmakeraw(&raw);
	tcsetattr(0, TCSADRAIN, &raw);
	atexit(restore);
}

static bool write_all(int fd, const char *bytes, size_t n)
{
	while (n > 0) {
		ssize_t did = write(fd, bytes, n);

		if (did <= 0)
			return false;
		bytes += did;
		n -= did;
	}
	return true;
}

enum carried { GOES_ON, ENDED, KEY_PRESSED };

/* From @from to @to. The key counts only where somebody types. */
static enum carried carry(int from, int to, bool keys)
{
	char bytes[2048], *key;
	ssize_t n = read(from, bytes, sizeof(bytes));

	if (n <= 0)
		return ENDED;
	key = keys ? memchr(bytes, KEY, n) : NULL;
	if (key)
		n = key - bytes;
	if (!write_all(to, bytes, n))
		return ENDED;
	return key ? KEY_PRESSED : GOES_ON;
}

static void say_end(uint32_t domain, const char *name)
{
	struct control_op op;
	bool known = hv_ask(&op, CONTROL_ended, domain) == 0 && op.domain == domain;

	fprintf(stderr, "\r\n%s is gone%s%s.\r\n", name, known ? ": " : "", known ? hv_end(op.u.ended.reason) : "");
}

int run_console(int argc, char **argv)
{
	struct pollfd p[2] = { { 0, POLLIN, 0 }, { -1, POLLIN, 0 } };
	enum carried typed;
	char line[16];
	uint32_t domain;

	if (argc != 2) {
		complain("which domain? atl console DOMAIN");
		return USAGE;
	}
	domain = hv_find(argv[1]);
	if (domain == 0)
		fail("domain 0's console is the machine's");
	p[1].fd = daemon_connect();
	snprintf(line, sizeof(line), "%u\n", domain);
	write_all(p[1].fd, line, strlen(line));
	fprintf(stderr, "The console of %s; Ctrl-] ends this.\r\n", argv[1]);
	make_raw();
	for (;;) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return 1;
		if (p[1].revents && carry(p[1].fd, 1, false) != GOES_ON)
			break;
		if (!p[0].revents)
			continue;
		typed = carry(0, p[1].fd, true);
		if (typed == KEY_PRESSED || (typed == ENDED && isatty(0)))
			return 0;
		if (typed == ENDED)
			p[0].fd = -1;	/* no more input: the rest of the output is still to come */
	}
	say_end(domain, argv[1]);
	return 0;
}
