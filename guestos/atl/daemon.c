// SPDX-License-Identifier: MIT
#include "daemon.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "atl.h"
#include "create.h"
#include "hypervisor.h"
#include "public/event.h"
#include "public/vcpu.h"

#define LOCK		"/run/atelier.lock"
#define DOMAINS		512		/* numbers that are looked after */
#define KEPT		16384u		/* bytes of each domain's last output; divides 2^32 */
#define CLIENTS		64
#define TYPED		256		/* bytes a client may have typed ahead */
#define RETRY		50		/* milliseconds between two tries to hand input on */
#define CONNECT_TRIES	100

struct kept {
	char bytes[KEPT];
	uint32_t put;
};

struct client {
	int fd;				/* 0: none */
	int domain;			/* -1: it has not said yet */
	char typed[TYPED];
	uint32_t count;
};

static struct {
	struct kept *kept[DOMAINS];	/* NULL: no such domain, as far as we know */
	struct client clients[CLIENTS];
} self;

/* ---- clients ---- */

static void drop(struct client *c)
{
	close(c->fd);
	c->fd = 0;
}

/* Who does not read misses something: nobody waits for him. */
static void hand_out(uint32_t domain, const char *bytes, size_t n)
{
	for (struct client *c = self.clients; c < self.clients + CLIENTS; c++)
		if (c->fd && c->domain == (int)domain && send(c->fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
		    errno != EAGAIN)
			drop(c);
}

static bool there_is(uint32_t domain)
{
	struct control_op op;

	return hv_next(&op, domain) && op.domain == domain && op.u.info.state != DOMAIN_DYING;
}

/* False: out of memory. */
static bool open_kept(uint32_t domain)
{
	if (!self.kept[domain])
		self.kept[domain] = calloc(1, sizeof(struct kept));
	return self.kept[domain];
}

static void show_kept(struct client *c, const struct kept *k)
{
	uint32_t n = MIN(k->put, KEPT), first = (k->put - n) % KEPT, head = MIN(n, KEPT - first);

	send(c->fd, k->bytes + first, head, MSG_DONTWAIT | MSG_NOSIGNAL);
	send(c->fd, k->bytes, n - head, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* The first line of a client says where it wants to be. */
static void seat(struct client *c)
{
	char *end = memchr(c->typed, '\n', c->count);
	uint64_t domain;

	if (!end)
		return;
	*end++ = '\0';
	if (!parse_number(c->typed, DOMAINS - 1, &domain) || !there_is(domain) || !open_kept(domain)) {
		drop(c);
		return;
	}
	c->domain = domain;
	c->count -= end - c->typed;
	memmove(c->typed, end, c->count);
	show_kept(c, self.kept[domain]);
}

/* Hands on what the domain takes. */
static void type(struct client *c)
{
	struct control_op op = { .op = CONTROL_console, .domain = c->domain };

	op.u.console = (struct control_bytes){ .buffer = (uintptr_t)c->typed, .size = c->count, .flags = 1 };
	if (c->count == 0 || hv_control(&op))
		return;
	c->count -= op.u.console.count;
	memmove(c->typed, c->typed + op.u.console.count, c->count);
}

static void listen_to(struct client *c)
{
	ssize_t n = recv(c->fd, c->typed + c->count, TYPED - c->count, MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN)) {
		drop(c);
		return;
	}
	c->count += MAX(n, 0);
	if (c->domain < 0)
		seat(c);
	if (c->fd && c->domain >= 0)
		type(c);
	else if (c->fd && c->count == TYPED)
		drop(c);
}

static void welcome(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	for (struct client *c = self.clients; fd >= 0 && c < self.clients + CLIENTS; c++)
		if (!c->fd) {
			*c = (struct client){ .fd = fd, .domain = -1 };
			return;
		}
	if (fd >= 0)
		close(fd);
}

/* ---- domains ---- */

static void keep(uint32_t domain, const char *bytes, uint32_t n)
{
	struct kept *k = self.kept[domain];

	for (uint32_t i = 0; i < n; i++)
		k->bytes[k->put++ % KEPT] = bytes[i];
	hand_out(domain, bytes, n);
}

static void drain(uint32_t domain)
{
	char bytes[2048];
	struct control_op op;

	do {
		op = (struct control_op){ .op = CONTROL_console, .domain = domain };
		op.u.console = (struct control_bytes){ .buffer = (uintptr_t)bytes, .size = sizeof(bytes) };
		if (hv_control(&op))
			return;
		keep(domain, bytes, op.u.console.count);
	} while (op.u.console.count > 0);
}

static bool wants_restart(const struct wishes *w, uint32_t reason)
{
	if (w->restart == RESTART_NEVER)
		return false;
	return reason == SHUTDOWN_reboot ||
	       (w->restart == RESTART_ALWAYS && (reason == SHUTDOWN_crash || reason == SHUTDOWN_killed));
}

/* Waits until all that it had is free again, and a while: it might ask for restarts and do nothing else. */
static void make_again(uint32_t domain, struct wishes *w)
{
	struct control_op op;
	int log = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	if (log >= 0)
		dup2(log, STDERR_FILENO);
	do
		sleep(1);
	while (hv_next(&op, domain) && op.domain == domain);
	exit(create_domain(w) < 0);
}

static void see_off(uint32_t domain)
{
	struct wishes w;
	struct control_op op;

	if (hv_ask(&op, CONTROL_ended, domain) || op.domain != domain || !wishes_take(&w, domain, op.u.ended.name))
		return;
	if (wants_restart(&w, op.u.ended.reason) && fork() == 0)
		make_again(domain, &w);
	wishes_free(&w);
}

static void forget(uint32_t domain)
{
	free(self.kept[domain]);
	self.kept[domain] = NULL;
	for (struct client *c = self.clients; c < self.clients + CLIENTS; c++)
		if (c->fd && c->domain == (int)domain)
			drop(c);
	see_off(domain);
}

/* Takes what was printed, whoever it was, and nobody else is looked at. */
static void take_output(void)
{
	struct control_op op;

	for (uint32_t id = 1; hv_ask(&op, CONTROL_unread, id) == 0 && op.domain < DOMAINS; id = op.domain + 1)
		if (open_kept(op.domain))
			drain(op.domain);
}

static void forget_the_dead(void)
{
	for (uint32_t i = 0; i < DOMAINS; i++)
		if (self.kept[i] && !there_is(i))
			forget(i);
}

/* What it prints from now on is for us, even of one that nobody has asked of before. */
static void look_at_all(void)
{
	struct control_op op;

	for (uint32_t id = 1; hv_next(&op, id) && op.domain < DOMAINS; id = op.domain + 1)
		if (open_kept(op.domain))
			drain(op.domain);
}

/* ---- the loop ---- */

static int open_listener(void)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = DAEMON_SOCKET };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	unlink(DAEMON_SOCKET);		/* we hold the lock: it is a dead one's */
	if (fd < 0 || bind(fd, (struct sockaddr *)&name, sizeof(name)) || listen(fd, CLIENTS))
		fail("%s: %s", DAEMON_SOCKET, strerror(errno));
	return fd;
}

static bool somebody_waits(void)
{
	for (const struct client *c = self.clients; c < self.clients + CLIENTS; c++)
		if (c->fd && c->domain >= 0 && c->count > 0)
			return true;
	return false;
}

static void serve(int device, int listener)
{
	struct pollfd p[2 + CLIENTS] = { { device, POLLIN, 0 }, { listener, POLLIN, 0 } };
	uint32_t news;

	while (waitpid(-1, NULL, WNOHANG) > 0)
		;			/* those that made a domain again */
	for (unsigned int i = 0; i < CLIENTS; i++) {
		const struct client *c = &self.clients[i];

		p[2 + i] = (struct pollfd){ c->fd ? c->fd : -1, c->count < TYPED ? POLLIN : 0, 0 };
	}
	if (poll(p, ARRAY_SIZE(p), somebody_waits() ? RETRY : -1) < 0)
		return;
	if (p[0].revents && read(device, &news, sizeof(news)) == sizeof(news)) {
		take_output();
		if (news & 1u << VIRQ_DOMAIN)
			forget_the_dead();
	}
	if (p[1].revents)
		welcome(listener);
	for (unsigned int i = 0; i < CLIENTS; i++) {
		struct client *c = &self.clients[i];

		if (p[2 + i].fd >= 0 && p[2 + i].revents && c->fd == p[2 + i].fd)
			listen_to(c);
		else if (c->fd && c->domain >= 0)
			type(c);
	}
}

int run_daemon(int argc, char **argv)
{
	int lock = open(LOCK, O_RDWR | O_CREAT | O_CLOEXEC, 0600), device, listener;

	if (lock < 0)
		fail("%s: %s", LOCK, strerror(errno));
	if (flock(lock, LOCK_EX | LOCK_NB))
		return 0;		/* there is one */
	device = hv_device();
	listener = open_listener();
	if (argc < 2 && daemon(0, 0))
		fail("cannot go into the background: %s", strerror(errno));
	for (look_at_all();;)
		serve(device, listener);
}

/* ---- for clients ---- */

static int try_connect(void)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = DAEMON_SOCKET };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&name, sizeof(name)) == 0)
		return fd;
	close(fd);
	return -1;
}

void daemon_start(void)
{
	int fd = try_connect();

	if (fd >= 0) {
		close(fd);
		return;
	}
	if (fork() == 0)
		exit(run_daemon(1, NULL));
}

int daemon_connect(void)
{
	int fd;

	daemon_start();
	for (unsigned int i = 0; i < CONNECT_TRIES; i++) {
		fd = try_connect();
		if (fd >= 0)
			return fd;
		usleep(20000);
	}
	fail("the console daemon does not answer");
}
