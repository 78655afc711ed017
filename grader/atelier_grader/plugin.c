// SPDX-License-Identifier: MIT
/*
 * A TCG plugin: what QEMU can tell about a run that no guest can forge, and a limit that falls at the
 * same instruction each time.
 *
 *   -plugin plugin.so,out=FILE,progress=FILE,tell=FD,entry=HEX,budget=N,watch=FILE,mark=HEX,...,text=HEX/FILE,...
 *
 * Counting starts when the address `entry` is executed for the first time, so that firmware costs
 * nothing. Everything is counted by translation block when a block is entered: a block that a fault
 * cuts short counts whole. That makes a count an upper bound by a few instructions in such places,
 * and the same bound in each run.
 *
 * `watch` holds one hexadecimal address a line; executions of each are counted. At each execution of a
 * `mark` the counters are written down. `budget` is in instructions; a `hlt` counts as HALT_COST of
 * them, or a guest that only sleeps would never come to its end (-icount sleep=off skips idle time).
 * When it is used up the results are written, a byte goes to `tell`, and the processor stands still
 * where it is, for the parent to look at the machine and to end it.
 *
 * `progress` is mapped, and always holds what has been spent: whether it moves tells a machine that
 * sleeps from one that sleeps for ever.
 *
 * `xchg %bx, %bx` is the sign of the end, which the hypervisor executes before it turns the machine
 * off (Bochs stops there). How far the processor gets after that depends on the host, so counters end
 * at the sign, if it was the end.
 *
 * A `text` is the code of a guest, from an address on. Where texts lie, what is executed has to be what one
 * of them has there, or the address is written down, the first one only: somebody has changed the guest.
 *
 * Loaded by LD_PRELOAD as well, it closes a gap of QEMU's through which a loaded host changes the machine's time: see `moment`.
 *
 * QEMU 7.2 ships no header for plugins in Debian; this declares what is used of API version 1.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { CALLBACK_NO_REGS };
enum { INLINE_ADD_U64 };
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
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, int op, void *counter,
						uint64_t add);
void qemu_plugin_register_atexit_cb(plugin_id id, void (*cb)(plugin_id, void *), void *data);

#define EXPORT __attribute__((visibility("default")))
EXPORT int qemu_plugin_version = 1;

#define HALT_COST	1000
#define STOPPING	(3 * HALT_COST)	/* what may be spent between the sign of the end and the end */
#define MARKS		8	/* addresses */
#define TEXTS		64
#define NOTES		256	/* executions of them that are written down */

/* Where an address lies in the address space that Atelier lays out. */
enum place { USER, GUEST, HYPERVISOR, PLACES };
static const char *const place_name[PLACES] = { "user", "guest", "hypervisor" };

struct watch {
	uint32_t address;
	uint64_t count;
};

struct text {
	uint32_t start;
	size_t size;
	unsigned char *bytes;
};

struct counters {
	uint64_t instructions[PLACES];
	uint64_t entered;		/* changes from elsewhere into the hypervisor */
	uint64_t spent;			/* of the budget */
};

static struct {
	FILE *out;
	int tell;
	uint64_t *progress;
	uint32_t entry;
	bool started;
	uint64_t budget, limit;		/* @limit: none before the start */
	struct counters now, at_stop;
	enum place last;
	struct watch *watches;		/* sorted by address */
	size_t watch_count;
	uint32_t marks[MARKS];
	unsigned int mark_count, notes;
	struct text texts[TEXTS];
	unsigned int text_count;
	bool changed;			/* the code of a guest, and that is written down */
} run;

/*
 * When the processor halts, QEMU's main thread moves the clock on to the next timer (icount_start_warp_timer()). It may see the
 * processor halted (helper_hlt()) a moment before the processor's own thread has put what it executed on the clock
 * (icount_process_data()), and then moves it too far. So the main thread and this moment keep each other out. The main thread
 * holds the lock but for where it waits; the processor's holds it from a halt to the next mutex that it locks, which is QEMU's
 * large one, or to the next block, if that was no halt.
 */
static pthread_mutex_t moment = PTHREAD_MUTEX_INITIALIZER;
enum moment { OUTSIDE, AT_HALT, IN_MAIN };
/* Every block looks at it. As it is preloaded, that needs no call to find the thread's own. */
static __thread enum moment held __attribute__((tls_model("initial-exec")));

/* The function of the C library that one of ours stands before; of several versions, the amd64's of today. */
#define NEXT(name, version) \
	static typeof(name) *next; \
	if (!next) \
		next = (typeof(name) *)(dlvsym(RTLD_NEXT, #name, version) ?: dlsym(RTLD_NEXT, #name))

static int lock(pthread_mutex_t *mutex)
{
	NEXT(pthread_mutex_lock, "GLIBC_2.2.5");
	return next(mutex);
}

static void enter_moment(enum moment where)
{
	lock(&moment);
	held = where;
}

/* True if this thread was in it, there. */
static bool leave_moment(enum moment where)
{
	if (held != where)
		return false;
	held = OUTSIDE;
	pthread_mutex_unlock(&moment);
	return true;
}

EXPORT int pthread_mutex_lock(pthread_mutex_t *mutex)
{
	leave_moment(AT_HALT);
	return lock(mutex);
}

/* Until the processor's thread stands, say. */
EXPORT int pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
	NEXT(pthread_cond_wait, "GLIBC_2.3.2");
	bool in_main = leave_moment(IN_MAIN);
	int error = next(cond, mutex);

	if (in_main)
		enter_moment(IN_MAIN);
	return error;
}

/* With its large mutex unlocked. */
EXPORT int ppoll(struct pollfd *files, nfds_t count, const struct timespec *timeout, const sigset_t *signals)
{
	NEXT(ppoll, "GLIBC_2.4");
	int ready;

	leave_moment(IN_MAIN);
	ready = next(files, count, timeout, signals);
	if (getpid() == gettid())
		enter_moment(IN_MAIN);
	return ready;
}

static void enter_halt(unsigned int vcpu, void *data)
{
	enter_moment(AT_HALT);
}

static enum place place_of(uint32_t address)
{
	if (address >= 0xfc000000)
		return HYPERVISOR;
	return address >= 0xc0000000 ? GUEST : USER;
}

static void write_counters(const struct counters *counters)
{
	for (unsigned int i = 0; i < PLACES; i++)
		fprintf(run.out, " %s=%" PRIu64, place_name[i], counters->instructions[i]);
	fprintf(run.out, " entered=%" PRIu64 "\n", counters->entered);
	for (size_t i = 0; i < run.watch_count; i++)
		if (run.watches[i].count)
			fprintf(run.out, "count %08" PRIx32 " %" PRIu64 "\n", run.watches[i].address,
				run.watches[i].count);
}

/* What was before the start does not count. */
static void forget(void)
{
	for (size_t i = 0; i < run.watch_count; i++)
		run.watches[i].count = 0;
	run.now = run.at_stop = (struct counters){ 0 };
	run.last = USER;
}

/* The last line is the proof that the file is whole. */
static void finish(const char *how, uint32_t address)
{
	bool stopping = run.now.spent - run.at_stop.spent < STOPPING;

	fprintf(run.out, "end %s %08" PRIx32, how, address);
	write_counters(stopping ? &run.at_stop : &run.now);
	fprintf(run.out, "whole\n");
	fflush(run.out);
}

static void at_exit(plugin_id id, void *data)
{
	if (!run.started)
		forget();
	finish(run.started ? "exit" : "unstarted", 0);
}

static void budget_used_up(uint32_t address)
{
	finish("budget", address);
	while (write(run.tell, "b", 1) < 0)
		;
	for (;;)
		pause();
}

static void __attribute__((noinline)) enter_seldom(uint32_t address)
{
	leave_moment(AT_HALT);
	if (run.now.spent >= run.limit)
		budget_used_up(address);
}

/*
 * What a block is, in the one pointer that QEMU hands back: its address, its number of instructions, its
 * place, and whether it ends in a halt.
 */
static void *pack(uint32_t address, size_t instructions, bool halts)
{
	return (void *)((uintptr_t)address << 32 | (uintptr_t)instructions << 3 | place_of(address) << 1 | halts);
}

/* Nothing takes as much of a run's time as this does: it makes no call, but for the rare case. */
static void enter_block(unsigned int vcpu, void *data)
{
	uint32_t instructions = (uint32_t)(uintptr_t)data >> 3;
	enum place place = (uintptr_t)data >> 1 & 3;

	run.now.instructions[place] += instructions;
	if (place != run.last) {
		run.now.entered += place == HYPERVISOR;
		run.last = place;
	}
	run.now.spent += instructions + ((uintptr_t)data & 1 ? HALT_COST : 0);
	*run.progress = run.now.spent;
	if (__builtin_expect(held == AT_HALT || run.now.spent >= run.limit, false))
		enter_seldom((uintptr_t)data >> 32);
}

static void start(unsigned int vcpu, void *data)
{
	if (run.started)
		return;
	forget();
	run.limit = run.budget;
	run.started = true;
}

static void note_mark(unsigned int vcpu, void *data)
{
	if (!run.started || run.notes == NOTES)
		return;
	run.notes++;
	fprintf(run.out, "mark %08" PRIx32, (uint32_t)(uintptr_t)data);
	write_counters(&run.now);
}

static void note_stop(unsigned int vcpu, void *data)
{
	run.at_stop = run.now;
}

static int by_address(const void *a, const void *b)
{
	const struct watch *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

static bool is_bytes(struct qemu_plugin_insn *insn, const void *bytes, size_t size)
{
	return qemu_plugin_insn_size(insn) == size &&
	       !memcmp(qemu_plugin_insn_data(insn), bytes, size);
}

static void note_change(unsigned int vcpu, void *data)
{
	if (run.started && !run.changed)
		fprintf(run.out, "changed %08" PRIx32 "\n", (uint32_t)(uintptr_t)data);
	run.changed = run.changed || run.started;
}

/* Whether an instruction lies where guests' code does, and is that of none. */
static bool is_foreign(struct qemu_plugin_insn *insn)
{
	uint32_t address = qemu_plugin_insn_vaddr(insn);
	size_t size = qemu_plugin_insn_size(insn);
	bool inside = false;

	for (unsigned int i = 0; i < run.text_count; i++) {
		const struct text *text = &run.texts[i];
		size_t at = address - text->start;

		if (address < text->start || at >= text->size)
			continue;
		inside = true;
		if (!memcmp(qemu_plugin_insn_data(insn), text->bytes + at,
			    size < text->size - at ? size : text->size - at))
			return false;
	}
	return inside;
}

static void translate_instruction(struct qemu_plugin_insn *insn)
{
	struct watch key = { .address = qemu_plugin_insn_vaddr(insn) };
	struct watch *watch = bsearch(&key, run.watches, run.watch_count, sizeof(key), by_address);

	if (watch)
		qemu_plugin_register_vcpu_insn_exec_inline(insn, INLINE_ADD_U64, &watch->count, 1);
	if (is_bytes(insn, "\x66\x87\xdb", 3))
		qemu_plugin_register_vcpu_insn_exec_cb(insn, note_stop, CALLBACK_NO_REGS, NULL);
	if (is_foreign(insn))
		qemu_plugin_register_vcpu_insn_exec_cb(insn, note_change, CALLBACK_NO_REGS,
						       (void *)(uintptr_t)key.address);
	if (key.address == run.entry)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, start, CALLBACK_NO_REGS, NULL);
	for (unsigned int i = 0; i < run.mark_count; i++)
		if (key.address == run.marks[i])
			qemu_plugin_register_vcpu_insn_exec_cb(insn, note_mark, CALLBACK_NO_REGS,
							       (void *)(uintptr_t)key.address);
}

static void translate_block(plugin_id id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);
	bool halts = is_bytes(qemu_plugin_tb_get_insn(tb, n - 1), "\xf4", 1);

	qemu_plugin_register_vcpu_tb_exec_cb(tb, enter_block, CALLBACK_NO_REGS,
					     pack(qemu_plugin_tb_vaddr(tb), n, halts));
	if (halts)
		qemu_plugin_register_vcpu_insn_exec_cb(qemu_plugin_tb_get_insn(tb, n - 1), enter_halt, CALLBACK_NO_REGS, NULL);
	for (size_t i = 0; i < n; i++)
		translate_instruction(qemu_plugin_tb_get_insn(tb, i));
}

static int read_watches(const char *name)
{
	FILE *file = fopen(name, "r");
	uint32_t address;

	if (!file)
		return -1;
	while (fscanf(file, "%" SCNx32, &address) == 1) {
		run.watches = realloc(run.watches, (run.watch_count + 1) * sizeof(*run.watches));
		if (!run.watches)
			return -1;
		run.watches[run.watch_count++] = (struct watch){ address, 0 };
	}
	fclose(file);
	qsort(run.watches, run.watch_count, sizeof(*run.watches), by_address);
	return 0;
}

/* "address/file" */
static int read_text(const char *value)
{
	struct text *text = &run.texts[run.text_count];
	char *name;
	FILE *file;

	text->start = strtoul(value, &name, 16);
	if (run.text_count == TEXTS || *name++ != '/')
		return -1;
	file = fopen(name, "r");
	if (!file || fseek(file, 0, SEEK_END))
		return -1;
	text->size = ftell(file);
	text->bytes = malloc(text->size + 1);
	rewind(file);
	if (!text->bytes || fread(text->bytes, 1, text->size, file) != text->size)
		return -1;
	fclose(file);
	run.text_count++;
	return 0;
}

static int map_progress(const char *name)
{
	int fd = open(name, O_RDWR | O_CREAT, 0666);

	if (fd < 0 || ftruncate(fd, sizeof(*run.progress)))
		return -1;
	run.progress = mmap(NULL, sizeof(*run.progress), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return run.progress == MAP_FAILED ? -1 : 0;
}

/* One argument "name=value"; 0 or -1. */
static int read_argument(const char *argument)
{
	const char *equals = strchr(argument, '=');
	const char *value = equals ? equals + 1 : "";
	size_t length = value - argument;

	if (!strncmp(argument, "out=", length))
		return (run.out = fopen(value, "w")) ? 0 : -1;
	if (!strncmp(argument, "progress=", length))
		return map_progress(value);
	if (!strncmp(argument, "watch=", length))
		return read_watches(value);
	if (!strncmp(argument, "text=", length))
		return read_text(value);
	if (!strncmp(argument, "tell=", length))
		run.tell = atoi(value);
	else if (!strncmp(argument, "entry=", length))
		run.entry = strtoul(value, NULL, 16);
	else if (!strncmp(argument, "budget=", length))
		run.budget = strtoull(value, NULL, 10);
	else if (!strncmp(argument, "mark=", length) && run.mark_count < MARKS)
		run.marks[run.mark_count++] = strtoul(value, NULL, 16);
	else
		return -1;
	return 0;
}

EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		if (read_argument(argv[i])) {
			fprintf(stderr, "plugin: cannot use the argument %s\n", argv[i]);
			return -1;
		}
	if (!run.out || !run.progress || !run.budget)
		return -1;
	run.limit = UINT64_MAX;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate_block);
	qemu_plugin_register_atexit_cb(id, at_exit, NULL);
	return 0;
}
