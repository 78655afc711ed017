// SPDX-License-Identifier: MIT
#include "processes.h"
#include "console.h"
#include "lib/string.h"
#include "mini.h"
#include "paging.h"
#include "trap.h"

#define SHARED		(PTE_P | PTE_US | PTE_A)
#define OWN		(SHARED | PTE_RW | PTE_D)

/* A page of some processes' memory. */
struct shared_page {
	uint32_t mfn;
	uint32_t users;
	void *page;		/* to give back; NULL: one that the hypervisor made */
};

struct process {
	uint32_t number;	/* 0: there is none */
	uint32_t *directory;
	uint32_t *table;	/* of the user pages; NULL: the one that the hypervisor made */
	struct shared_page *pages[USER_PAGES];
	struct frame regs;
};

static struct {
	struct process table[PROCESSES];
	struct shared_page pages[PROCESSES * USER_PAGES];
	struct process *current;
	uint32_t numbers;
} processes;

static uint32_t user_va(uint32_t i)
{
	return (uint32_t)user_page(i);
}

static void must(int err, const char *what)
{
	if (err)
		panic("%s: the hypervisor answers %d", what, err);
}

static struct process *free_process(void)
{
	for (uint32_t i = 0; i < PROCESSES; i++)
		if (!processes.table[i].number)
			return &processes.table[i];
	panic("too many processes");
}

/* ---- pages ---- */

static struct shared_page *new_page(uint32_t mfn, void *page)
{
	struct shared_page *p = processes.pages;

	while (p->users > 0)
		p++;
	*p = (struct shared_page){ mfn, 1, page };
	return p;
}

static void drop_page(struct shared_page *p)
{
	if (--p->users == 0 && p->page)
		page_free(p->page);
}

/* The current process writes to its page @i. */
static void write_page(uint32_t i)
{
	struct process *p = processes.current;
	struct shared_page *old = p->pages[i];

	if (old->users > 1) {
		void *copy = page_alloc();

		memcpy(copy, user_page(i), PAGE_SIZE);
		p->pages[i] = new_page(page_mfn(copy), copy);
		drop_page(old);
		printf("process %u writes to page %u: copied, %u still share it\n", p->number, i, old->users);
	} else {
		printf("process %u writes to page %u: nobody else has it any more\n", p->number, i);
	}
	must(page_map(user_va(i), p->pages[i]->mfn, OWN), "a page to write");
}

/* ---- a life ---- */

void process_start(uint32_t eip)
{
	struct process *p = free_process();

	*p = (struct process){ .number = ++processes.numbers, .directory = directory_loaded(), .regs = user_start(eip) };
	for (uint32_t i = 0; i < USER_PAGES; i++)
		p->pages[i] = new_page(*page_entry(user_va(i)) >> PAGE_SHIFT, NULL);
}

/* A copy of the current process's table of user pages, and a directory with it in the place of that one. */
static void make_tables(struct process *child)
{
	uint32_t entry = directory_loaded()[user_va(0) >> 22];

	child->table = page_alloc();
	memcpy(child->table, pfn_page(mfn_pfn(entry >> PAGE_SHIFT)), PAGE_SIZE);
	must(page_protect(child->table, PTE_P | PTE_A), "a page table");
	child->directory = directory_create();
	if (!child->directory)
		panic("no directory for a process");
	must(page_set_entry(&child->directory[user_va(0) >> 22], page_mfn(child->table) << PAGE_SHIFT | (entry & PTE_FLAGS)),
	     "a directory's entry");
}

static void fork(void)
{
	struct process *parent = processes.current, *child = free_process();

	for (uint32_t i = 0; i < USER_PAGES; i++) {
		parent->pages[i]->users++;
		must(page_map(user_va(i), parent->pages[i]->mfn, SHARED), "a shared page");
	}
	*child = *parent;
	child->number = ++processes.numbers;
	make_tables(child);
	parent->regs.eax = child->number;
	child->regs.eax = 0;
	printf("process %u forks: process %u has the same %u pages, read-only for both\n", parent->number, child->number, USER_PAGES);
}

/* The first one's tables stay: everybody else's are made from them. */
static void end(struct process *p)
{
	printf("process %u ends\n", p->number);
	for (uint32_t i = 0; i < USER_PAGES; i++)
		drop_page(p->pages[i]);
	if (p->table) {
		must(directory_load(processes.table[0].directory), "the first directory");
		directory_destroy(p->directory);
		must(page_protect(p->table, PTE_P | PTE_RW | PTE_A | PTE_D), "a table that was");
		page_free(p->table);
	}
	p->number = 0;
}

static void system_call(struct process *p)
{
	switch (p->regs.eax) {
	case CALL_fork:
		fork();
		break;
	case CALL_number:
		p->regs.eax = p->number;
		break;
	case CALL_say:
		printf("process %u says: %u\n", p->number, p->regs.ebx);
		break;
	default:
		end(p);
	}
}

static struct process *next_process(void)
{
	uint32_t last = processes.current ? (uint32_t)(processes.current - processes.table) : PROCESSES - 1;

	for (uint32_t i = 1; i <= PROCESSES; i++) {
		struct process *p = &processes.table[(last + i) % PROCESSES];

		if (p->number)
			return p;
	}
	return NULL;
}

bool process_step(void)
{
	struct process *p = next_process();

	if (!p)
		return false;
	processes.current = p;
	if (directory_loaded() != p->directory)
		must(directory_load(p->directory), "a process's directory");
	user_run(&p->regs);
	if (p->regs.vector == TRAP_SYSTEM_CALL)
		system_call(p);
	else if (p->regs.vector == TRAP_PAGE_FAULT && p->regs.address - user_va(0) < USER_PAGES * PAGE_SIZE)
		write_page((p->regs.address - user_va(0)) / PAGE_SIZE);
	else
		end(p);
	return true;
}
