// SPDX-License-Identifier: MIT
/* Linux test */
/* Busybox's shell at work, and below it by hand: copies on write, pages that fault, signals that queue. */
#include <setjmp.h>
#include <signal.h>
#include "linux_script.h"

#define PAGE		4096u
#define PAGE_WORDS	(PAGE / sizeof(uint32_t))

/* A sum that tells in which order its words came. */
static uint32_t mix(uint32_t sum, uint32_t word)
{
	return (sum << 5 | sum >> 27) ^ word;
}

static uint32_t mix_words(const uint32_t *words, uint32_t count)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < count; i++)
		sum = mix(sum, words[i]);
	return sum;
}

static void fill(uint32_t *words, uint32_t count, uint32_t value)
{
	for (uint32_t i = 0; i < count; i++) {
		value = value * 1664525 + 1013904223;
		words[i] = value;
	}
}

/*
 * [pages, seed, [(word, value) that a child writes; for each child]]: every child has its own copy, and leaves its sum
 * in a page that all share.
 */
static void do_copies(void)
{
	uint32_t count = input_word() * PAGE_WORDS, children;
	uint32_t *words = new_pages(count / PAGE_WORDS, MAP_PRIVATE), *sums = new_pages(1, MAP_SHARED);

	fill(words, count, input_word());
	children = input_word();
	for (uint32_t i = 0; i < children; i++) {
		uint32_t at = input_word(), value = input_word();

		if (new_process())
			continue;
		words[at] = value;
		sums[i] = mix_words(words, count);
		_exit(0);
	}
	while (wait(NULL) > 0)
		;
	for (uint32_t i = 0; i < children; i++)
		observe("copy sum", i, sums[i]);
	observe("original sum", 0, mix_words(words, count));
	munmap(words, count * sizeof(*words));
}

static sigjmp_buf back;
static volatile uint32_t fault_address, fault_code;

static void on_fault(int number, siginfo_t *info, void *context)
{
	fault_address = (uint32_t)info->si_addr;
	fault_code = info->si_code;
	siglongjmp(back, 1);
}

static void listen(int number, void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };

	sigfillset(&action.sa_mask);
	sigaction(number, &action, NULL);
}

/* Whether the word could be written; if not, on_fault() was told why. */
static int try_write(volatile uint32_t *word, uint32_t value)
{
	if (sigsetjmp(back, 1))
		return 0;
	*word = value;
	return 1;
}

/*
 * [pages, seed, [(page, kind)]]: takes the right to write a page away (0), or all rights (1), or the page (2), or moves it to
 * the end (3) and back; then writes into it, mends it, and writes once more.
 */
static void do_fault(uint32_t key, uint8_t *pages, uint32_t spare)
{
	uint32_t number = input_word(), kind = input_word();
	uint8_t *page = pages + number * PAGE;
	uint32_t *word = (uint32_t *)(page + 4 * (key % PAGE_WORDS));
	int first, second;

	if (kind < 2)
		mprotect(page, PAGE, kind ? PROT_NONE : PROT_READ);
	else if (kind == 2)
		munmap(page, PAGE);
	else
		mremap(page, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, pages + spare * PAGE);
	fault_address = (uint32_t)pages;
	fault_code = 0;
	first = try_write(word, key);
	if (kind < 2)
		mprotect(page, PAGE, PROT_READ | PROT_WRITE);
	else if (kind == 2)
		mmap(page, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	else
		mremap(pages + spare * PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, page);
	second = try_write(word, key);
	observe("fault first at code second", key, first, fault_address - (uint32_t)pages, fault_code, second);
}

static void do_faults(void)
{
	uint32_t count = input_word(), seed = input_word(), faults;
	uint8_t *pages = new_pages(count + 1, MAP_PRIVATE);

	munmap(pages + count * PAGE, PAGE);	/* the spare place behind them */
	listen(SIGSEGV, on_fault);
	fill((uint32_t *)pages, count * PAGE_WORDS, seed);
	faults = input_word();
	for (uint32_t i = 0; i < faults; i++)
		do_fault(i, pages, count);
	observe("pages sum", 0, mix_words((uint32_t *)pages, count * PAGE_WORDS));
}

static volatile uint32_t heard, heard_sum;

static void on_queued(int number, siginfo_t *info, void *context)
{
	heard++;
	heard_sum = mix(heard_sum, info->si_value.sival_int ^ (number - SIGRTMIN) << 24);
}

/* A child of do_queue(): when all have been sent, lets them in, one at a time and in the order that POSIX gives them. */
static void hear(uint32_t count, int sent, uint32_t *told)
{
	sigset_t none;
	char byte;

	sigemptyset(&none);
	if (read(sent, &byte, 1) != 1)
		_exit(1);
	while (heard < count)
		sigsuspend(&none);
	told[0] = heard_sum;
	raise(SIGSTOP);
	for (;;)
		sigsuspend(&none);
}

static void send_all(pid_t child, uint32_t count, int sent)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t number = input_word();

		if (sigqueue(child, SIGRTMIN + number, (union sigval){ .sival_int = input_word() }))
			give_up("sigqueue");
	}
	if (write(sent, "", 1) != 1)
		give_up("write");
}

/* [[(signal, value)], end]: signals with values queue at a child; it stops, goes on, and is ended by a last one. */
static void do_queue(void)
{
	uint32_t *told = new_pages(1, MAP_SHARED), count = input_word();
	int ends[2], status;
	sigset_t held;
	pid_t child;

	sigfillset(&held);
	sigprocmask(SIG_SETMASK, &held, NULL);
	for (int i = 0; i < 4; i++)
		listen(SIGRTMIN + i, on_queued);
	if (pipe(ends))
		give_up("pipe");
	child = new_process();
	if (child == 0)
		hear(count, ends[0], told);
	send_all(child, count, ends[1]);
	waitpid(child, &status, WUNTRACED);
	observe("stopped status sum", 0, status, told[0]);
	kill(child, SIGCONT);
	kill(child, input_word());
	waitpid(child, &status, 0);
	observe("killed status", 0, status);
}

static void test_main(void)
{
	do_scripts();
	do_copies();
	do_faults();
	do_queue();
}
