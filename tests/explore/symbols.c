// SPDX-License-Identifier: MIT
#include "explore/symbols.h"
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "host/host.h"

/* labs/build.mk gives the core's variables sections of their own; these are the linker's names for their ends. */
extern char __start_core_data[], __stop_core_data[];
extern char __start_core_bss[], __stop_core_bss[];

struct range {
	char *start;
	size_t size;
	const char *name;	/* NULL: no symbol's */
	char *copy;
};

#define MOST	16u

static struct {
	struct range loose[MOST];	/* what may change */
	unsigned int loose_count;
	struct range fixed[MOST + 2];	/* what lies between */
	unsigned int fixed_count;
	const Elf32_Sym *symbols;
	unsigned int symbol_count;
	const char *strings;
	char *program;			/* where it was loaded, against where it was linked */
} table;

extern Elf32_Ehdr __ehdr_start;

static void read_symbols(void)
{
	int fd = table.symbols ? -1 : open("/proc/self/exe", O_RDONLY);
	struct stat st;
	const Elf32_Ehdr *h;
	const Elf32_Shdr *s;

	if (table.symbols)
		return;
	if (fd < 0 || fstat(fd, &st))
		host_panic("this program cannot read itself");
	h = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	s = (const Elf32_Shdr *)((const char *)h + h->e_shoff);
	for (unsigned int i = 0; i < h->e_shnum; i++)
		if (s[i].sh_type == SHT_SYMTAB) {
			table.symbols = (const Elf32_Sym *)((const char *)h + s[i].sh_offset);
			table.symbol_count = s[i].sh_size / sizeof(Elf32_Sym);
			table.strings = (const char *)h + s[s[i].sh_link].sh_offset;
		}
	table.program = h->e_type == ET_DYN ? (char *)&__ehdr_start : NULL;
	if (!table.symbols)
		host_panic("this program has no symbols");
}

static bool in_core(const char *p)
{
	return (p >= __start_core_data && p < __stop_core_data) || (p >= __start_core_bss && p < __stop_core_bss);
}

static struct range find(const char *name)
{
	for (unsigned int i = 0; i < table.symbol_count; i++) {
		const Elf32_Sym *s = &table.symbols[i];
		char *at = table.program + s->st_value;

		if (ELF32_ST_TYPE(s->st_info) == STT_OBJECT && in_core(at) &&
		    strcmp(table.strings + s->st_name, name) == 0)
			return (struct range){ at, s->st_size, name, NULL };
	}
	host_panic("the hypervisor has no variable %s", name);
}

struct symbols_part symbols_find(const char *name)
{
	struct range r;

	read_symbols();
	r = find(name);
	return (struct symbols_part){ r.start, r.size };
}

static struct range remembered(char *start, size_t size, const char *name)
{
	struct range r = { start, size, name, malloc(size) };

	memcpy(r.copy, r.start, r.size);
	return r;
}

static int by_address(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static void add_loose(char *start, size_t size, const char *name)
{
	if (table.loose_count == MOST)
		host_panic("more that may change than there is room for");
	table.loose[table.loose_count++] = remembered(start, size, name);
}

/* The rest of a section, between what may change. */
static void add_fixed(char *from, char *end)
{
	for (unsigned int i = 0; i < table.loose_count; i++) {
		const struct range *l = &table.loose[i];

		if (l->start < from || l->start >= end)
			continue;
		table.fixed[table.fixed_count++] = remembered(from, l->start - from, NULL);
		from = l->start + l->size;
	}
	table.fixed[table.fixed_count++] = remembered(from, end - from, NULL);
}

void symbols_remember(const char *const *names, const struct symbols_part *parts, unsigned int n)
{
	read_symbols();
	for (; *names; names++) {
		struct range r = find(*names);

		add_loose(r.start, r.size, r.name);
	}
	for (unsigned int i = 0; i < n; i++)
		add_loose(parts[i].start, parts[i].size, NULL);
	qsort(table.loose, table.loose_count, sizeof(table.loose[0]), by_address);
	add_fixed(__start_core_data, __stop_core_data);
	add_fixed(__start_core_bss, __stop_core_bss);
}

static void put_back(const struct range *r)
{
	memcpy(r->start, r->copy, r->size);
}

void symbols_restore(void)
{
	for (unsigned int i = 0; i < table.loose_count; i++)
		put_back(&table.loose[i]);
}

void symbols_restore_all(void)
{
	symbols_restore();
	for (unsigned int i = 0; i < table.fixed_count; i++)
		put_back(&table.fixed[i]);
}

void symbols_restore_one(const char *name)
{
	for (unsigned int i = 0; i < table.loose_count; i++)
		if (table.loose[i].name && strcmp(table.loose[i].name, name) == 0)
			put_back(&table.loose[i]);
}

static const char *name_of(const char *at)
{
	static char text[80];

	for (unsigned int i = 0; i < table.symbol_count; i++) {
		const Elf32_Sym *s = &table.symbols[i];
		const char *start = table.program + s->st_value;

		if (ELF32_ST_TYPE(s->st_info) == STT_OBJECT && at >= start && at < start + s->st_size) {
			snprintf(text, sizeof(text), "%s, byte %zu", table.strings + s->st_name, (size_t)(at - start));
			return text;
		}
	}
	return "a variable without a name";
}

const char *symbols_changed(void)
{
	for (unsigned int i = 0; i < table.fixed_count; i++) {
		const struct range *r = &table.fixed[i];
		size_t at = 0;

		if (memcmp(r->start, r->copy, r->size) == 0)
			continue;
		while (r->start[at] == r->copy[at])
			at++;
		return name_of(r->start + at);
	}
	return NULL;
}
