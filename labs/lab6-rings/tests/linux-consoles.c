// SPDX-License-Identifier: MIT
/* Linux test */
/*
 * Domain 0 at the consoles of three other Linuxes, all at once. In each a program prints its text while it reads what is typed, byte
 * for byte; and then there is a shell, as for whoever logs in.
 */
#include <termios.h>
#include "linux/consoles.h"

#define SECONDS		20u

/* [[(what to wait for, what to type)] of each domain] */
static void direct(uint32_t count)
{
	static struct console_talk consoles[CONSOLES_MAX];

	for (uint32_t d = 1; d <= count; d++)
		create_domain(d);
	for (uint32_t i = 0; i < count; i++)
		open_console(&consoles[i], i + 1);
	talk(consoles, count, SECONDS * 1000);
	for (uint32_t i = 0; i < count; i++)
		tell_heard(&consoles[i]);
}

static void say(const uint8_t *bytes, uint32_t length, uint32_t at_once)
{
	while (length > 0) {
		ssize_t n = write(STDOUT_FILENO, bytes, length < at_once ? length : at_once);

		if (n <= 0)
			give_up("write");
		bytes += n;
		length -= n;
	}
}

/* [ready, shell, text, bytes at once, how many bytes will be typed] */
static void converse(void)
{
	struct words ready = input_words(), shell = input_words(), text = input_words();
	uint32_t at_once = input_word(), count = input_word(), got;
	char *typed = new_pages(1 + count / OBSERVE_PAGE, MAP_PRIVATE);
	struct termios before, raw;
	pid_t child;

	tcgetattr(STDIN_FILENO, &before);
	raw = before;
	cfmakeraw(&raw);
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	say(ready.bytes, ready.length, ready.length);
	child = new_process();
	if (child == 0) {
		say(text.bytes, text.length, at_once);
		_exit(0);
	}
	got = read_all(STDIN_FILENO, typed, count);
	status_of(child);
	observe_bytes("typed text:bytes", 0, typed, got);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
	say(shell.bytes, shell.length, shell.length);
	observe("left status", 0, status_of(start_program((char *[]){ "/bin/busybox", "sh", "-i", NULL }, -1, -1)));
}

/* Each domain finds its own part of the input. */
static void test_main(void)
{
	uint32_t count = input_word();

	if (program_domain == 0) {
		direct(count);
		return;
	}
	for (uint32_t d = 1; d <= count; d++)
		for (uint32_t steps = input_word(); steps > 0; steps--) {
			input_words();
			input_words();
		}
	for (uint32_t d = 1; d < program_domain; d++) {
		for (int i = 0; i < 3; i++)
			input_words();
		input_word();
		input_word();
	}
	converse();
}
