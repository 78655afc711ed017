// SPDX-License-Identifier: MIT
/*
 * A TCG plugin: which instructions a measured stretch of a run executes, block by block.
 *
 *   -plugin plugin.so,out=FILE[,start=HEX][,line=HEX]
 *
 * Stretches are windows. Window 0 is what happens from reset to the first execution of address `start`; window
 * 1 is boot, from there to the first line of the first program. The others are the rows of a benchmark, in the
 * order in which the marks of mark.h begin them. Only what is executed inside a window, by whomever, is
 * counted for it.
 *
 * `line` is where the hypervisor begins. A stay is what is executed from an entry into it until it is left, halts or
 * lets interrupts in; as it runs with interrupts off, the longest stay is for how long an interrupt may have to wait.
 *
 * Counting is by translation block, when a block is entered: one that a fault cuts short counts whole, so
 * that a sum is a little higher than what the time stamp counter says. Other counts (a load of CR3, an
 * INVLPG) are of what the first figure hides: it charges one instruction for them.
 *
 * The file that is written, numbers in decimal but for addresses:
 *
 *   window W STAYS LONGEST CR3 INVLPG        (W 40: outside of all of them)
 *   path W ADDRESS...          the first blocks of the longest stay, one after the other
 *   block ADDRESS LENGTH W:EXECUTIONS...
 *   whole
 *
 * QEMU 7.2 ships no header for plugins in Debian; this declares what is used of API version 1.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mark.h"

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { CALLBACK_NO_REGS };
typedef void (*exec_cb)(unsigned int vcpu, void *data);

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id,
					   void (*cb)(plugin_id, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, exec_cb cb, int flags,
					  void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, exec_cb cb, int flags,
					    void *data);
void qemu_plugin_register_atexit_cb(plugin_id id, void (*cb)(plugin_id, void *), void *data);

#define EXPORT __attribute__((visibility("default")))
EXPORT int qemu_plugin_version = 1;

#define WINDOWS		40
#define BOOT		1
#define OUTSIDE		WINDOWS		/* no window is open */
#define PATH_LENGTH	96
#define BUCKETS		65536

/* Blocks at one address may differ in length: code changes, and a counter of QEMU's may run out in one. */
struct block {
	struct block *next;		/* in its bucket */
	uint32_t address;
	uint16_t length;		/* instructions */
	bool opens;			/* its last one is HLT or STI, behind which interrupts may come */
	uint64_t executions[WINDOWS + 1];
};

struct path {
	unsigned int length;
	uint32_t address[PATH_LENGTH];
};

struct window {
	uint64_t stays, longest, cr3, invlpg;
	struct path path;		/* of the longest stay */
};

static struct {
	FILE *out;
	uint32_t start, line;
	unsigned int window, row;	/* the one that is open; the last that was begun */
	struct block *bucket[BUCKETS];
	struct window windows[WINDOWS + 1];
	uint64_t stay;			/* instructions so far; 0: not in the hypervisor */
	struct path path;
} run;

static void end_stay(void)
{
	struct window *w = &run.windows[run.window];

	w->stays++;
	if (run.stay > w->longest) {
		w->longest = run.stay;
		w->path = run.path;
	}
	run.stay = 0;
	run.path.length = 0;
}

static void enter_block(unsigned int vcpu, void *data)
{
	struct block *b = data;

	b->executions[run.window]++;
	if (b->address >= run.line) {
		run.stay += b->length;
		if (run.path.length < PATH_LENGTH)
			run.path.address[run.path.length++] = b->address;
		if (b->opens)
			end_stay();
	} else if (run.stay) {
		end_stay();
	}
}

static void note_start(unsigned int vcpu, void *data)
{
	if (run.row)
		return;
	run.row = run.window = BOOT;
}

static void note_mark(unsigned int vcpu, void *data)
{
	switch ((uintptr_t)data) {
	case MARK_ROW:
		if (run.row + 1 < WINDOWS)
			run.row++;
		return;
	case MARK_OPEN:
		run.window = run.row;
		return;
	case MARK_FIRST_LINE:
	case MARK_CLOSE:
		run.window = OUTSIDE;
		return;
	}
}

static void note_cr3(unsigned int vcpu, void *data)
{
	run.windows[run.window].cr3++;
}

static void note_invlpg(unsigned int vcpu, void *data)
{
	run.windows[run.window].invlpg++;
}

/* ---- translation ---- */

static void on_execution(struct qemu_plugin_insn *insn, exec_cb cb, uintptr_t data)
{
	qemu_plugin_register_vcpu_insn_exec_cb(insn, cb, CALLBACK_NO_REGS, (void *)data);
}

/* Encodings: SDM 2B, MOV to control registers (0f 22 /r, a register) and INVLPG (0f 01 /7, memory). */
static void translate_instruction(struct qemu_plugin_insn *insn)
{
	const uint8_t *bytes = qemu_plugin_insn_data(insn);
	size_t size = qemu_plugin_insn_size(insn);
	uint32_t message;

	if (qemu_plugin_insn_vaddr(insn) == run.start && !run.row)
		on_execution(insn, note_start, 0);
	if (size < 3 || bytes[0] != 0x0f)
		return;
	if (bytes[1] == 0x22 && (bytes[2] >> 3 & 7) == 3)
		on_execution(insn, note_cr3, 0);
	if (bytes[1] == 0x01 && (bytes[2] >> 3 & 7) == 7 && bytes[2] < 0xc0)
		on_execution(insn, note_invlpg, 0);
	if (bytes[1] == 0x1f && bytes[2] == 0x80 && size == 7) {
		memcpy(&message, bytes + 3, sizeof(message));
		on_execution(insn, note_mark, message);
	}
}

static bool ends_open(struct qemu_plugin_tb *tb, size_t n)
{
	struct qemu_plugin_insn *last = qemu_plugin_tb_get_insn(tb, n - 1);
	uint8_t code = *(const uint8_t *)qemu_plugin_insn_data(last);

	return qemu_plugin_insn_size(last) == 1 && (code == 0xf4 || code == 0xfb);
}

static struct block *find_block(uint32_t address, uint16_t length, bool opens)
{
	struct block **bucket = &run.bucket[(address ^ address >> 16) % BUCKETS];
	struct block *b;

	for (b = *bucket; b; b = b->next)
		if (b->address == address && b->length == length && b->opens == opens)
			return b;
	b = calloc(1, sizeof(*b));
	if (!b)
		abort();
	*b = (struct block){ .next = *bucket, .address = address, .length = length, .opens = opens };
	*bucket = b;
	return b;
}

static void translate_block(plugin_id id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);
	struct block *b = find_block(qemu_plugin_tb_vaddr(tb), n, ends_open(tb, n));

	qemu_plugin_register_vcpu_tb_exec_cb(tb, enter_block, CALLBACK_NO_REGS, b);
	for (size_t i = 0; i < n; i++)
		translate_instruction(qemu_plugin_tb_get_insn(tb, i));
}

/* ---- what comes out ---- */

static void write_window(unsigned int number)
{
	const struct window *w = &run.windows[number];

	fprintf(run.out, "window %u %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\npath %u", number, w->stays,
		w->longest, w->cr3, w->invlpg, number);
	for (unsigned int i = 0; i < w->path.length; i++)
		fprintf(run.out, " %08" PRIx32, w->path.address[i]);
	fprintf(run.out, "\n");
}

static void write_block(const struct block *b)
{
	bool any = false;

	for (unsigned int i = 0; i < WINDOWS; i++) {
		if (!b->executions[i])
			continue;
		if (!any)
			fprintf(run.out, "block %08" PRIx32 " %u", b->address, b->length);
		any = true;
		fprintf(run.out, " %u:%" PRIu64, i, b->executions[i]);
	}
	if (any)
		fprintf(run.out, "\n");
}

/* The last line is the proof that the file is whole. */
static void at_exit(plugin_id id, void *data)
{
	for (unsigned int i = 0; i <= run.row; i++)
		write_window(i);
	write_window(OUTSIDE);
	for (unsigned int i = 0; i < BUCKETS; i++)
		for (const struct block *b = run.bucket[i]; b; b = b->next)
			write_block(b);
	fprintf(run.out, "whole\n");
	fclose(run.out);
}

/* One argument "name=value"; 0 or -1. */
static int read_argument(const char *argument)
{
	const char *equals = strchr(argument, '=');
	const char *value = equals ? equals + 1 : "";
	size_t length = value - argument;

	if (!strncmp(argument, "out=", length))
		return (run.out = fopen(value, "w")) ? 0 : -1;
	if (!strncmp(argument, "start=", length))
		run.start = strtoul(value, NULL, 16);
	else if (!strncmp(argument, "line=", length))
		run.line = strtoul(value, NULL, 16);
	else
		return -1;
	return 0;
}

EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
	run.line = UINT32_MAX;
	for (int i = 0; i < argc; i++)
		if (read_argument(argv[i])) {
			fprintf(stderr, "plugin: cannot use the argument %s\n", argv[i]);
			return -1;
		}
	if (!run.out)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate_block);
	qemu_plugin_register_atexit_cb(id, at_exit, NULL);
	return 0;
}
