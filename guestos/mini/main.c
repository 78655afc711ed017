// SPDX-License-Identifier: MIT
#include "mini.h"
#include "console.h"
#include "hypercall.h"
#include "lib/string.h"
#include "paging.h"
#include "public/vcpu.h"

#define OBSERVED_PAGES	64	/* unless the command line has "pages=" */

const struct start_info *start_info;

static uint32_t random_state;

/* What makes this ELF file a guest. */
extern const char mini_base[], mini_entry[];	/* mini.lds, entry.S */
static const struct {
	uint32_t name_size, note_size, type;
	char name[sizeof(IMAGE_NOTE_NAME)];
	struct image_note note;
} note __attribute__((section(".note.Atelier"), used, aligned(4))) = {
	.name_size = sizeof(IMAGE_NOTE_NAME),
	.note_size = sizeof(struct image_note),
	.type = IMAGE_NOTE_TYPE,
	.name = IMAGE_NOTE_NAME,
	.note = {
		.interface = ATELIER_INTERFACE,
		.flags = IMAGE_WINDOWS,
		.virt_base = (uint32_t)mini_base,
		.entry = (uint32_t)mini_entry,
		.shared = (uint32_t)&shared_info,
	},
};

const char *argument(const char *name)
{
	return string_option(start_info->cmdline, name);
}

uint32_t argument_number(const char *name, uint32_t otherwise)
{
	const char *text = argument(name);
	uint32_t number;

	return text && string_number(&text, &number) ? number : otherwise;
}

/* Eight hexadecimal digits without 0x, as the runner writes them. */
static void seed_random(const char *text)
{
	random_state = 1;
	for (; text && *text && *text != ' '; text++)
		random_state = random_state << 4 | (*text <= '9' ? *text - '0' : (*text | 32) - 'a' + 10);
	if (random_state == 0)		/* the one number that xorshift never leaves */
		random_state = 1;
}

uint32_t random_word(void)
{
	/* Marsaglia, Xorshift RNGs (2003), and a multiplication to spread the low bits. */
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state * 0x9e3779b1u;
}

uint32_t random_below(uint32_t n)
{
	return (uint64_t)random_word() * n >> 32;
}

void panic(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	for (;;)
		hypercall_shutdown(SHUTDOWN_crash, 0);
}

static void open_observations(void)
{
	unsigned int count = argument_number("pages", OBSERVED_PAGES);

	observe_open(page_alloc_run(count), count, argument("magic"), argument_number("domain", 0));
	if (start_info->initrd)
		input_open((const void *)start_info->initrd, start_info->initrd_size);
}

/* From mini_entry. */
NORETURN void mini_main(const struct start_info *start);
void mini_main(const struct start_info *start)
{
	int status;

	start_info = start;
	if (start->magic != START_MAGIC || start->interface != ATELIER_INTERFACE)
		panic("mini: this hypervisor speaks another interface");
	page_init();
	seed_random(argument("seed"));
	open_observations();
	status = test_main(start);
	observe_end();
	for (;;)
		hypercall_shutdown(SHUTDOWN_poweroff, status);
}
