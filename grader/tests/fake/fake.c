// SPDX-License-Identifier: MIT
/*
 * A stand-in for hypervisor and guest in one multiboot program, so that the runner's own tests need
 * neither. "how=" in the first module's string says how it ends.
 *
 * It maps the first 4 MiB at 0xFC000000 as well, so that it can "enter the hypervisor" as far as the
 * counters of plugin.c can tell.
 */
#include <stdint.h>
#include "../../../guestos/mini/observe.h"

#ifdef COURSE
#include "first.h"
#include "second.h"
#endif

struct module {
	uint32_t start, end, string, reserved;
};

struct multiboot {
	uint32_t flags, lower, upper, boot_device, cmdline, module_count, modules;
};

__asm__(".section .multiboot, \"a\"\n"
	"	.align 4\n"
	"	.long 0x1badb002, 3, -(0x1badb002 + 3)\n"
	".text\n"
	".globl start\n"
	"start:	mov $stack_top, %esp\n"
	"	push %ebx\n"
	"	call fake_main\n"
	".bss\n"
	"	.space 4096\n"
	"stack_top:\n"
	".text\n");

uint32_t canary = 0x600dcafe;

static uint32_t directory[1024] __attribute__((aligned(4096)));
static uint8_t pages[8 * OBSERVE_PAGE] __attribute__((aligned(4096)));

static void outb(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static uint8_t inb(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static void print(const char *text)
{
	outb(0x3fb, 3);		/* 8 bits: no BIOS has set the line up in Bochs */
	for (; *text; text++) {
		while (!(inb(0x3fd) & 0x20))
			;
		outb(0x3f8, *text);
	}
	while (!(inb(0x3fd) & 0x40))
		;
}

static void stop(void)
{
	__asm__ volatile("xchg %bx, %bx");		/* Bochs stops here */
	__asm__ volatile("outw %w0, %w1" : : "a"(0x2000), "d"(0x604));	/* QEMU: ACPI off */
	for (;;)
		__asm__ volatile("cli; hlt");
}

/* The text behind @word in @text, or the empty text. */
static const char *after(const char *text, const char *word)
{
	for (; *text; text++) {
		unsigned int i = 0;

		while (word[i] && text[i] == word[i])
			i++;
		if (!word[i])
			return text + i;
	}
	return text;
}

static uint32_t length_of(const char *text)
{
	uint32_t length = 0;

	while (text[length])
		length++;
	return length;
}

__attribute__((noinline)) uint32_t fake_hypervisor(uint32_t value)
{
	__asm__ volatile("" : "+r"(value));
#ifdef COURSE	/* course.py: students write this */
	return triple(value) + second();
#else
	return value * 3;
#endif
}

static void page_on(void)
{
	for (uint32_t i = 0; i < 4; i++)
		directory[i] = i << 22 | 0x83;
	directory[0xfc000000 >> 22] = 0x83;
	__asm__ volatile("mov %%cr4, %%eax; or $0x10, %%eax; mov %%eax, %%cr4\n"
			 "mov %0, %%cr3; mov %%cr0, %%eax; or $0x80000000, %%eax; mov %%eax, %%cr0"
			 : : "r"(directory) : "eax", "memory");
}

/* What the boot loader brought: each module's string, size and a sum of its words. */
static void observe_modules(const struct multiboot *boot)
{
	const struct module *module = (void *)boot->modules;

	for (uint32_t i = 0; i < boot->module_count; i++) {
		const char *string = (const char *)module[i].string;
		uint32_t sum = 0;

		for (uint32_t at = module[i].start; at + 3 < module[i].end; at += 4)
			sum = (sum << 1 | sum >> 31) ^ *(const uint32_t *)at;
		observe("module size sum", i, module[i].end - module[i].start, sum);
		observe_bytes("string text:bytes", i, string, length_of(string));
	}
}

static void guest(const struct module *input)
{
	uint32_t (*call)(uint32_t) = (void *)((uint32_t)fake_hypervisor + 0xfc000000);
	uint32_t count, length;
	const uint8_t *bytes;

	input_open((void *)input->start, input->end - input->start);
	count = input_word();
	observe_mark();
	for (uint32_t i = 0; i < count; i++) {
		uint32_t in = input_word();

		observe("triple in out:int", i, in, call(in));
	}
	observe_mark();
	bytes = input_bytes(&length);
	observe_bytes("echo data:bytes", 0, bytes, length);
	observe("last word", 0, input_word());
}

static void fault_three_times(void)
{
	static const struct { uint16_t limit; uint32_t base; } __attribute__((packed)) none;

	__asm__ volatile("lidt %0; .globl fault_here; fault_here: ud2" : : "m"(none));
}

void fake_main(const struct multiboot *boot)
{
	const struct module *module = (void *)boot->modules;
	const char *string = (const char *)module[0].string;
	char how = *after(string, "how=");

	page_on();
	print("(atelier) a fake\r\n");
	if (how == 'm')			/* mute: no page of observations */
		stop();
	observe_open(pages, 8, after(string, "magic="), 0);
	if (how == 't')			/* triple fault */
		fault_three_times();
	if (how == 'r')			/* reset */
		outb(0xcf9, 6);
	if (how == 'd')			/* deaf */
		__asm__ volatile("cli; hlt");
	if (how == 'a')	{		/* asleep, and nothing to wake it */
		outb(0x21, 0xff);
		outb(0xa1, 0xff);
		__asm__ volatile("sti; hlt");
	}
	if (how == 'f')			/* floods the line */
		for (;;)
			outb(0x3f8, '.');
	if (how == 's')			/* spin */
		for (;;)
			fake_hypervisor(1);
	observe_modules(boot);
	guest(&module[1]);
	if (how != 'u' && how != 'k')	/* unclosed, killed */
		observe_end();
	if (how == 'k')			/* killed: in the words of crash.c */
		print("(atelier) domain 0 (domain 0) dies: page fault\r\n");
	if (how == 'c')			/* crash */
		print("(atelier) CRASH: the fake was told to\r\n");
	stop();
}
