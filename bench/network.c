// SPDX-License-Identifier: MIT
/*
 * network ROW OPERATIONS ADDRESS PORT send|receive|both BYTES: moves that many bytes over a TCP connection, as a row of the
 * evaluation, from connect() until the other side has all of them, or we. `both`: sends them, and then receives as many
 * from the next port.
 *
 * network ROW OPERATIONS ADDRESS PORT wait: until the other side ends the connection.
 *
 * network sink PORT: takes whatever comes, from one after the other.
 *
 * network tso INTERFACE off|on: whether the card makes segments; fails if it does not obey.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "mark.h"

#define BUFFER		(128 * 1024)	/* of the socket: the paper's */
#define CHUNK		(32 * 1024)

static void fail(const char *what)
{
	fprintf(stderr, "bench: network: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int set_segments(const char *interface, bool on)
{
	struct ethtool_value value = { .cmd = ETHTOOL_STSO, .data = on };
	struct ifreq request = { .ifr_data = (void *)&value };
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	strncpy(request.ifr_name, interface, IFNAMSIZ - 1);
	if (s < 0 || (ioctl(s, SIOCETHTOOL, &request) && errno != EOPNOTSUPP))
		fail(interface);
	value.cmd = ETHTOOL_GTSO;
	if (ioctl(s, SIOCETHTOOL, &request) || !value.data == on)
		fail("segments");
	return 0;
}

/* What is still under way when it is closed is waited for. */
static int open_socket(void)
{
	const struct linger linger = { .l_onoff = 1, .l_linger = 60 };
	const int size = BUFFER;
	int s = socket(AF_INET, SOCK_STREAM, 0);

	if (s < 0 || setsockopt(s, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) ||
	    setsockopt(s, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) ||
	    setsockopt(s, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)))
		fail("socket");
	return s;
}

static void move(int s, char mode, long bytes)
{
	static char chunk[CHUNK];
	ssize_t n;

	for (; mode == 'w' || bytes > 0; bytes -= n) {
		n = mode == 's' ? write(s, chunk, sizeof(chunk)) : read(s, chunk, sizeof(chunk));
		if (n == 0 && mode == 'w')
			return;
		if (n <= 0)
			fail("transfer");
	}
}

static struct sockaddr_in address_of(const char *address, int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };

	if (inet_pton(AF_INET, address, &a.sin_addr) != 1)
		fail(address);
	return a;
}

static int sink(int port)
{
	const struct sockaddr_in here = address_of("0.0.0.0", port);
	static char chunk[CHUNK];
	int door = open_socket(), s;

	if (bind(door, (const struct sockaddr *)&here, sizeof(here)) || listen(door, 1))
		fail("listen");
	while ((s = accept(door, NULL, NULL)) >= 0) {
		while (read(s, chunk, sizeof(chunk)) > 0)
			;
		close(s);
	}
	fail("accept");
	return 1;
}

static void run(const struct sockaddr_in *to, char mode, long bytes)
{
	int s = open_socket();

	if (connect(s, (const struct sockaddr *)to, sizeof(*to)))
		fail("connect");
	move(s, mode, bytes);
	close(s);
}

int main(int argc, char **argv)
{
	struct sockaddr_in to;
	bool both;
	long bytes;

	if (argc == 3 && !strcmp(argv[1], "sink"))
		return sink(atoi(argv[2]));
	if (argc == 4 && !strcmp(argv[1], "tso"))
		return set_segments(argv[2], !strcmp(argv[3], "on"));
	if (argc < 6) {
		fprintf(stderr, "network: say ROW OPERATIONS ADDRESS PORT send|receive|both BYTES, or wait\n");
		return 2;
	}
	to = address_of(argv[3], atoi(argv[4]));
	both = argv[5][0] == 'b';
	bytes = argc > 6 ? atol(argv[6]) : 0;
	printf("row %s %s\n", argv[1], argv[2]);
	fflush(stdout);
	tcdrain(STDOUT_FILENO);		/* sending it is no part of the row */
	MARK(MARK_ROW);
	MARK(MARK_OPEN);
	run(&to, both ? 's' : argv[5][0], bytes);
	to.sin_port = htons(ntohs(to.sin_port) + 1);
	if (both)
		run(&to, 'r', bytes);
	MARK(MARK_CLOSE);
	return 0;
}
