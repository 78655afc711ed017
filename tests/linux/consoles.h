/* SPDX-License-Identifier: MIT */
/*
 * Domain 0 at the consoles of other domains, with `atl console`, at all of them at once: waits for what a domain is to print, types, and
 * so on, as the judge wrote it down. All that was heard is told as it came.
 */
#ifndef LINUX_CONSOLES_H
#define LINUX_CONSOLES_H

#include <poll.h>
#include "domains.h"

#define CONSOLES_MAX	4u
#define STEPS_MAX	16u
#define HEARD_MAX	(64u << 10)

struct words {
	const uint8_t *bytes;
	uint32_t length;
};

struct console_talk {
	unsigned int domain;
	pid_t atl;
	int in, out;			/* of atl; -1: closed */
	char *heard;
	uint32_t count;
	uint32_t searched;		/* bytes of it in which what was waited for before was found */
	struct {
		struct words await, type;
	} steps[STEPS_MAX];
	uint32_t step_count, step;
	uint32_t typed;			/* bytes of this step's */
	bool typing;			/* what this step waits for has come */
};

static inline struct words input_words(void)
{
	struct words w;

	w.bytes = input_bytes(&w.length);
	return w;
}

/* A domain's console. Input: [(what to wait for, what to type then)]. */
static inline void open_console(struct console_talk *c, unsigned int domain)
{
	char number[12];
	int in[2], out[2];

	*c = (struct console_talk){ .domain = domain, .heard = new_pages(HEARD_MAX / OBSERVE_PAGE, MAP_PRIVATE) };
	c->step_count = input_word();
	for (uint32_t i = 0; i < c->step_count && i < STEPS_MAX; i++) {
		c->steps[i].await = input_words();
		c->steps[i].type = input_words();
	}
	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		give_up("pipe");
	snprintf(number, sizeof(number), "%u", domain);
	c->atl = start_program((char *[]){ "/sbin/atl", "console", number, NULL }, in[0], out[1]);
	close(in[0]);
	close(out[1]);
	c->in = in[1];
	c->out = out[0];
	fcntl(c->in, F_SETFL, O_NONBLOCK);
}

static inline void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static inline void hear(struct console_talk *c)
{
	ssize_t n = read(c->out, c->heard + c->count, HEARD_MAX - c->count);

	if (n > 0)
		c->count += n;
	else
		close_end(&c->out);
}

/* Goes on with the steps as far as it can now. */
static inline void step(struct console_talk *c)
{
	while (c->step < c->step_count && c->in >= 0) {
		const struct words *await = &c->steps[c->step].await, *type = &c->steps[c->step].type;
		ssize_t n;

		if (!c->typing) {
			const char *at = memmem(c->heard + c->searched, c->count - c->searched, await->bytes, await->length);

			if (!at)
				return;
			c->searched = at - c->heard + await->length;
			c->typing = true;
		}
		if (c->typed < type->length) {
			n = write(c->in, type->bytes + c->typed, type->length - c->typed);
			if (n <= 0)
				return;
			c->typed += n;
			continue;
		}
		c->step++;
		c->typed = 0;
		c->typing = false;
	}
}

/* Until all consoles are closed, because their domains are gone, or so long. */
static inline void talk(struct console_talk *consoles, unsigned int count, uint32_t ms)
{
	uint64_t end = machine_time() + ms * 1000000ull;
	bool open = true;

	while (open && machine_time() < end) {
		struct pollfd p[2 * CONSOLES_MAX];

		open = false;
		for (unsigned int i = 0; i < count; i++) {
			struct console_talk *c = &consoles[i];

			p[2 * i] = (struct pollfd){ c->out, POLLIN, 0 };
			p[2 * i + 1] = (struct pollfd){ c->typing ? c->in : -1, POLLOUT, 0 };
			open = open || c->out >= 0;
		}
		poll(p, 2 * count, 1000);
		for (unsigned int i = 0; i < count; i++) {
			if (p[2 * i].revents)
				hear(&consoles[i]);
			step(&consoles[i]);
		}
	}
}

static inline void tell_heard(struct console_talk *c)
{
	observe("steps done", c->domain, c->step);
	observe_bytes("heard text:bytes", c->domain, c->heard, c->count);
	close_end(&c->in);
	close_end(&c->out);
	status_of(c->atl);
}

#endif
