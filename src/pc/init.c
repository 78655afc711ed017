// SPDX-License-Identifier: MIT
/*
 * From boot.S to start(), and the machine's two consoles as one.
 */
#include <stdarg.h>
#include "console.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "pc/disk.h"	/* lab 9 */
#include "pc/pc.h"
#include "pc/wire.h"	/* lab 8 */
#include "start.h"

static struct {
	bool serial, screen;
	bool chosen;			/* which of them; until then serial */
} console = { .serial = true };

static void put(char c)
{
	if (console.serial)
		serial_put(c);
	if (console.screen)
		vga_put(c);
}

void machine_console_write(const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put(bytes[i]);
}

static bool option_is(const char *option, const char *value)
{
	size_t n = strlen(value);

	return option && strncmp(option, value, n) == 0 && (option[n] == '\0' || option[n] == ' ');
}

/* console=com1, vga or both; both, if nothing else is said. */
static void choose_console(void)
{
	const char *option = string_option(machine_cmdline(), "console");

	console.chosen = true;
	console.screen = !option_is(option, "com1");
	console.serial = !option_is(option, "vga");
	if (console.screen)
		vga_init();
}

static void put_formatted(void *to, char c)
{
	put(c);
}

void unsuitable(const char *format, ...)
{
	va_list args;

	if (!console.chosen) {
		vga_init();
		console.screen = true;
	}
	machine_console_write("atelier: ", 9);
	va_start(args, format);
	format_text(put_formatted, NULL, format, args);
	va_end(args);
	machine_console_write("\r\n", 2);
	machine_stop(END_CRASH, 0);
}

/* Returns the registers of the first guest. */
struct regs *init(uint32_t magic, uint32_t info)
{
	serial_init();
	multiboot_read(magic, info);
	choose_console();
	cpu_init();
	pic_init();
	pit_init();
	clock_init();
	mmu_init_m2p();
	ide_init();		/* lab 9 */
	ramdisk_init();		/* lab 9 */
	wire_init();		/* lab 8 */
	start();
	serial_enable_input();
	return trap_leave();
}
