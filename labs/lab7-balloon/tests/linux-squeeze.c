// SPDX-License-Identifier: MIT
/* Linux test */
/*
 * Domain 0 creates four Linuxes and has no memory for a fifth domain; it lowers the limits of the four, and creates the fifth in what they
 * gave back (newcomer.c); then it raises a limit again. In each Linux a program leaves secrets in what is free, works on memory of its own
 * meanwhile, and looks how much there is.
 */
#include <sys/sysinfo.h>
#include "linux/domains.h"

#define FOUR		4u
#define NEWCOMER	5u
#define READY		3000u		/* milliseconds of the machine's time: by then the four are up, and idle time costs nothing */
#define LINGER		2000u		/* until domain 0 has seen it */
#define WAIT		8000u		/* for anything, at most */
#define FOLDER		"/sys/kernel/atelier/balloon/"

/* ---- domain 0 ---- */

/* A number of @text behind a name, from @at on; 0: there is none. */
static uint32_t number_behind(const char *text, const char *name)
{
	const char *at = text ? strstr(text, name) : NULL;

	return at ? strtoul(at + strlen(name), NULL, 10) : 0;
}

/* What atl lists of a domain, by its name; NULL: nothing. */
static const char *listed(uint32_t domain)
{
	char name[32];

	snprintf(name, sizeof(name), "\"name\": \"domain%u\"", domain);
	return strstr(atl_text("list --json"), name);
}

static uint32_t memory_of(uint32_t domain)
{
	return number_behind(listed(domain), "\"mem_kib\": ");
}

static void tell_memory(uint32_t key)
{
	observe("free kib", key, number_behind(atl_text("info --json"), "\"free_kib\": "));
	for (uint32_t d = 1; d <= FOUR; d++)
		observe("has kib", key << 8 | d, memory_of(d));
}

static void wait_for_memory(const uint32_t *wanted)
{
	for (uint32_t waited = 0; waited < WAIT; waited += 200) {
		uint32_t there = 0;

		for (uint32_t d = 1; d <= FOUR; d++)
			there += memory_of(d) == wanted[d];
		if (there == FOUR)
			return;
		sleep_ms(200);
	}
}

static void wait_until_blocked(uint32_t domain)
{
	for (uint32_t waited = 0; waited < WAIT; waited += 200) {
		const char *state = strstr(listed(domain) ?: "", "\"state\": ");

		if (state && strncmp(state, "\"state\": \"blocked\"", 18) == 0)
			return;
		sleep_ms(200);
	}
}

static void set_limits(const uint32_t *wanted)
{
	for (uint32_t d = 1; d <= FOUR; d++)
		atl("mem %u %uK", d, wanted[d]);
	wait_for_memory(wanted);
}

/* [what each is to be squeezed to, what it is to have then; KiB] */
static void direct(void)
{
	uint32_t squeezed[FOUR + 1], then[FOUR + 1];

	for (uint32_t d = 1; d <= FOUR; d++) {
		squeezed[d] = input_word();
		then[d] = input_word();
		create_domain(d);
	}
	sleep_until_ms(READY);
	tell_memory(0);
	create_domain(NEWCOMER);		/* there is not enough memory */
	set_limits(squeezed);
	tell_memory(1);
	create_domain(NEWCOMER);
	wait_until_blocked(NEWCOMER);
	tell_memory(2);
	set_limits(then);
	tell_memory(3);
	wait_for_ends(2, WAIT);
	tell_memory(4);
}

/* ---- the others ---- */

static uint32_t balloon_kib(const char *name)
{
	char path[64], text[16] = "";
	int file;

	snprintf(path, sizeof(path), FOLDER "%s", name);
	file = open(path, O_RDONLY);
	if (file < 0 || read(file, text, sizeof(text) - 1) <= 0)
		give_up(path);
	close(file);
	return strtoul(text, NULL, 10);
}

static void leave_secrets(uint32_t bytes, uint32_t secret)
{
	uint32_t *words = new_pages(bytes / OBSERVE_PAGE, MAP_PRIVATE);

	for (uint32_t i = 0; i < bytes / sizeof(*words); i++)
		words[i] = secret;
	munmap(words, bytes);
}

/* A sum that tells in which order its words came. */
static uint32_t mix(const uint32_t *words, uint32_t count)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < count; i++)
		sum = (sum << 5 | sum >> 27) ^ words[i];
	return sum;
}

static void tell_state(uint32_t key, uint32_t sum)
{
	struct sysinfo s;

	sysinfo(&s);
	observe("state ms owned limit total sum", key, (uint32_t)(machine_time() / 1000000), balloon_kib("current_kb"),
		balloon_kib("limit_kb"), (uint32_t)((uint64_t)s.totalram * s.mem_unit >> 10), sum);
}

/* Reads all its own until the limit is another, and the domain has come to it. How often the sum was another. */
static uint32_t read_until_changed(const uint32_t *words, uint32_t count)
{
	uint32_t sum = mix(words, count), before = balloon_kib("limit_kb"), wrong = 0, limit;

	do {
		sleep_ms(100);
		wrong += mix(words, count) != sum;
		limit = balloon_kib("limit_kb");
	} while (limit == before || balloon_kib("current_kb") != limit);
	return wrong;
}

/* [bytes of secrets, the secret, words of its own] */
static void live(void)
{
	uint32_t secrets = input_word(), secret = input_word(), count = input_word(), value = secret;
	uint32_t *words = new_pages(count * sizeof(*words) / OBSERVE_PAGE, MAP_PRIVATE);

	for (uint32_t i = 0; i < count; i++) {
		value = value * 1664525 + 1013904223;
		words[i] = value;
	}
	leave_secrets(secrets, secret);
	tell_state(0, mix(words, count));
	for (uint32_t key = 1; key <= 2; key++) {
		observe("read wrong", key, read_until_changed(words, count));
		tell_state(key, mix(words, count));
	}
	sleep_ms(LINGER);
}

static void test_main(void)
{
	if (program_domain == 0) {
		direct();
		return;
	}
	for (uint32_t i = 0; i < 2 * FOUR + 3 * (program_domain - 1); i++)
		input_word();
	live();
}
