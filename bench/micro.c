// SPDX-License-Identifier: MIT
/*
 * Microbenchmarks: the rows of lmbench that the paper has (Tables 3 to 5), each counted with the time
 * stamp counter. Under QEMU's -icount that counter counts instructions, and the figures repeat.
 *
 *	micro [ROW...]		all rows, or these; prints for each
 *		row NAME OPERATIONS TICKS...
 *	the operations of one batch, and the ticks that each batch took
 *
 * As the first program of a machine (rdinit=/micro on the kernel's command line, rows behind `--`) it
 * mounts what it needs, runs the rows in a child, and powers the machine off.
 *
 * Marks tell plugin.c, which watches from outside the machine, what is being measured.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mark.h"

#define BATCHES		5
#define PAGE		4096
#define PAGES		1024		/* of the rows about page faults: 4 MiB */
#define RING_MAX	16		/* processes */
#define TINY		"/tiny"		/* this program again: it ends at once under that name */
#define STATUS_FILE	"/tmp/status"
#define DATA_FILE	"/tmp/data"

struct row {
	const char *name;
	unsigned int operations;		/* of a batch */
	void (*run)(unsigned int n);
	void (*open)(void), (*close)(void);	/* around the row */
	void (*before)(void), (*after)(void);	/* around each batch; not measured */
};

static struct {
	int file, zero, null;
	int to[2], from[2];			/* pipe to the partner and back; sockets: to[0] and to[1] */
	pid_t partner;
	char *pages;
	int ring[RING_MAX][2];
	pid_t ring_pid[RING_MAX];
	unsigned int ring_size, set_words;
	uint32_t *set;
} at;

static volatile unsigned int sink;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* @result of a system call, which must not have failed. */
static int must(int result, const char *what)
{
	if (result < 0)
		fail(what);
	return result;
}

static uint64_t ticks(void)
{
	uint64_t tsc;

	asm volatile("rdtsc" : "=A"(tsc));
	return tsc;
}

/* ---- system calls ---- */

static void calibration(unsigned int n)
{
	for (volatile unsigned int i = 0; i < n; i++)
		;
}

static void null_call(unsigned int n)
{
	while (n--)
		syscall(SYS_getppid);
}

static void null_call_int80(unsigned int n)
{
	while (n--) {
		int result = SYS_getppid;

		asm volatile("int $0x80" : "+a"(result));
	}
}

static void open_devices(void)
{
	at.zero = must(open("/dev/zero", O_RDONLY), "/dev/zero");
	at.null = must(open("/dev/null", O_WRONLY), "/dev/null");
}

static void close_devices(void)
{
	close(at.zero);
	close(at.null);
}

static void read_byte(unsigned int n)
{
	char c;

	while (n--)
		must(read(at.zero, &c, 1), "read");
}

static void write_byte(unsigned int n)
{
	while (n--)
		must(write(at.null, "x", 1), "write");
}

static void open_status(void)
{
	close(must(open(STATUS_FILE, O_CREAT | O_RDWR, 0600), STATUS_FILE));
}

static void close_status(void)
{
	unlink(STATUS_FILE);
}

static void stat_file(unsigned int n)
{
	struct stat st;

	while (n--)
		must(stat(STATUS_FILE, &st), "stat");
}

static void open_close(unsigned int n)
{
	while (n--)
		close(must(open(STATUS_FILE, O_RDONLY), STATUS_FILE));
}

/* ---- signals ---- */

static void on_signal(int number)
{
	sink++;
}

static void signal_install(unsigned int n)
{
	struct sigaction action = { .sa_handler = on_signal };

	while (n--)
		sigaction(SIGUSR1, &action, NULL);
}

static void open_signal(void)
{
	signal_install(1);
}

static void signal_handle(unsigned int n)
{
	pid_t self = getpid();

	while (n--)
		kill(self, SIGUSR1);
}

/* ---- protection ---- */

static char *anonymous(size_t size)
{
	char *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (pages == MAP_FAILED)
		fail("mmap");
	return pages;
}

static void make_writable(int number, siginfo_t *info, void *context)
{
	mprotect(at.pages, PAGE, PROT_READ | PROT_WRITE);
}

static void open_page(void)
{
	struct sigaction action = { .sa_sigaction = make_writable, .sa_flags = SA_SIGINFO };

	sigaction(SIGSEGV, &action, NULL);
	at.pages = anonymous(PAGE);
	at.pages[0] = 1;
}

static void close_page(void)
{
	signal(SIGSEGV, SIG_DFL);
	munmap(at.pages, PAGE);
}

static void protection_fault(unsigned int n)
{
	while (n--) {
		mprotect(at.pages, PAGE, PROT_READ);
		*(volatile char *)at.pages = 1;
	}
}

static void mprotect_pair(unsigned int n)
{
	while (n--) {
		mprotect(at.pages, PAGE, PROT_READ);
		mprotect(at.pages, PAGE, PROT_READ | PROT_WRITE);
	}
}

/* ---- memory ---- */

static void mmap_page(unsigned int n)
{
	while (n--)
		munmap(anonymous(PAGE), PAGE);
}

static void touch_write(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		*(volatile char *)(at.pages + i * PAGE) = 1;
}

static void touch_read(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		*(volatile char *)(at.pages + i * PAGE);
}

static void open_data(void)
{
	static char block[16 * PAGE];

	at.file = must(open(DATA_FILE, O_CREAT | O_RDWR, 0600), DATA_FILE);
	for (unsigned int i = 0; i < PAGES / 16; i++)
		if (write(at.file, block, sizeof(block)) != sizeof(block))
			fail(DATA_FILE);
}

static void close_data(void)
{
	close(at.file);
	unlink(DATA_FILE);
}

static void map_anonymous(void)
{
	at.pages = anonymous(PAGES * PAGE);
}

static void map_file(int sharing)
{
	at.pages = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, sharing, at.file, 0);
	if (at.pages == MAP_FAILED)
		fail("mmap");
}

static void map_shared(void)
{
	map_file(MAP_SHARED);
}

static void map_private(void)
{
	map_file(MAP_PRIVATE);
}

static void unmap(void)
{
	munmap(at.pages, PAGES * PAGE);
}

static void mmap_4m(unsigned int n)
{
	while (n--) {
		map_shared();
		touch_read(PAGES);
		unmap();
	}
}

/* ---- two processes ---- */

static void give(int fd)
{
	if (write(fd, "x", 1) != 1)
		fail("write");
}

/* False: the other side is gone. */
static bool take(int fd)
{
	char c;

	return read(fd, &c, 1) == 1;
}

static pid_t fork_or_fail(void)
{
	return must(fork(), "fork");
}

static void end_process(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void open_pipes(void)
{
	must(pipe(at.to) | pipe(at.from), "pipe");
	at.partner = fork_or_fail();
	if (at.partner)
		return;
	while (take(at.to[0]))
		give(at.from[1]);
	_exit(0);
}

static void close_pipes(void)
{
	end_process(at.partner);
	for (unsigned int i = 0; i < 2; i++) {
		close(at.to[i]);
		close(at.from[i]);
	}
}

static void pipe_latency(unsigned int n)
{
	while (n--) {
		give(at.to[1]);
		take(at.from[0]);
	}
}

static void open_sockets(void)
{
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, at.to), "socketpair");
	at.partner = fork_or_fail();
	if (at.partner)
		return;
	while (take(at.to[1]))
		give(at.to[1]);
	_exit(0);
}

static void close_sockets(void)
{
	end_process(at.partner);
	close(at.to[0]);
	close(at.to[1]);
}

static void unix_latency(unsigned int n)
{
	while (n--) {
		give(at.to[0]);
		take(at.to[0]);
	}
}

/* ---- a ring of processes that pass a token on, each with a working set that it reads ---- */

static void read_set(void)
{
	const volatile uint32_t *set = at.set;
	uint32_t sum = 0;

	for (unsigned int i = 0; i < at.set_words; i++)
		sum += set[i];
	sink = sum;
}

/* Each has a working set of its own: written, so that no two share its pages. */
static void make_set(void)
{
	if (at.set_words)
		at.set = memset(malloc(at.set_words * 4), 1, at.set_words * 4);
}

static void ring_member(unsigned int i)
{
	make_set();
	while (take(at.ring[i - 1][0])) {
		read_set();
		give(at.ring[i][1]);
	}
	_exit(0);
}

static void open_ring(unsigned int size, unsigned int set_bytes)
{
	at.ring_size = size;
	at.set_words = set_bytes / 4;
	for (unsigned int i = 0; i < size; i++)
		must(pipe(at.ring[i]), "pipe");
	for (unsigned int i = 1; i < size; i++) {
		at.ring_pid[i] = fork_or_fail();
		if (!at.ring_pid[i])
			ring_member(i);
	}
	make_set();
}

static void close_ring(void)
{
	for (unsigned int i = 1; i < at.ring_size; i++)
		end_process(at.ring_pid[i]);
	for (unsigned int i = 0; i < at.ring_size; i++) {
		close(at.ring[i][0]);
		close(at.ring[i][1]);
	}
	free(at.set);
	at.set = NULL;
}

static void open_ring_2p_0k(void)
{
	open_ring(2, 0);
}

static void open_ring_8p_16k(void)
{
	open_ring(8, 16 << 10);
}

static void open_ring_16p_64k(void)
{
	open_ring(16, 64 << 10);
}

/* @n hops, a multiple of the ring's size. */
static void pass_token(unsigned int n)
{
	for (; n >= at.ring_size; n -= at.ring_size) {
		give(at.ring[0][1]);
		take(at.ring[at.ring_size - 1][0]);
		read_set();
	}
}

/* ---- new processes ---- */

static void wait_for(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || status != 0)
		fail("a child failed");
}

static void fork_exit(unsigned int n)
{
	while (n--) {
		pid_t pid = fork_or_fail();

		if (!pid)
			_exit(0);
		wait_for(pid);
	}
}

static void fork_exec(unsigned int n)
{
	while (n--) {
		pid_t pid = fork_or_fail();

		if (!pid) {
			execl(TINY, TINY, NULL);
			_exit(1);
		}
		wait_for(pid);
	}
}

static void shell(unsigned int n)
{
	while (n--) {
		pid_t pid = fork_or_fail();

		if (!pid) {
			execl("/bin/busybox", "sh", "-c", TINY, NULL);
			_exit(1);
		}
		wait_for(pid);
	}
}

/* ---- the rows ---- */

#define ROW(name_, operations_, run_, ...) \
	{ .name = name_, .operations = operations_, .run = run_, ##__VA_ARGS__ }

static const struct row rows[] = {
	ROW("calibration", 100000, calibration),
	ROW("null_call", 4000, null_call),
	ROW("null_call_int80", 4000, null_call_int80),
	ROW("read", 4000, read_byte, .open = open_devices, .close = close_devices),
	ROW("write", 4000, write_byte, .open = open_devices, .close = close_devices),
	ROW("stat", 1000, stat_file, .open = open_status, .close = close_status),
	ROW("open_close", 500, open_close, .open = open_status, .close = close_status),
	ROW("signal_install", 4000, signal_install),
	ROW("signal_handle", 1000, signal_handle, .open = open_signal),
	ROW("protection_fault", 500, protection_fault, .open = open_page, .close = close_page),
	ROW("mprotect_pair", 1000, mprotect_pair, .open = open_page, .close = close_page),
	ROW("mmap_page", 500, mmap_page),
	ROW("fault_anonymous", PAGES, touch_write, .before = map_anonymous, .after = unmap),
	ROW("fault_cow", PAGES, touch_write, .open = open_data, .close = close_data,
	    .before = map_private, .after = unmap),
	ROW("fault_file", PAGES, touch_read, .open = open_data, .close = close_data,
	    .before = map_shared, .after = unmap),
	ROW("mmap_4m", 4, mmap_4m, .open = open_data, .close = close_data),
	ROW("pipe_latency", 2000, pipe_latency, .open = open_pipes, .close = close_pipes),
	ROW("unix_latency", 2000, unix_latency, .open = open_sockets, .close = close_sockets),
	ROW("switch_2p_0k", 4000, pass_token, .open = open_ring_2p_0k, .close = close_ring),
	ROW("switch_8p_16k", 160, pass_token, .open = open_ring_8p_16k, .close = close_ring),
	ROW("switch_16p_64k", 80, pass_token, .open = open_ring_16p_64k, .close = close_ring),
	ROW("fork_exit", 20, fork_exit),
	ROW("fork_exec", 20, fork_exec),
	ROW("shell", 10, shell),
};

#define ROW_COUNT	(sizeof(rows) / sizeof(rows[0]))

static void call(void (*function)(void))
{
	if (function)
		function();
}

/* The first batch warms up, and is not reported. */
static void run_row(const struct row *row)
{
	uint64_t start, took[BATCHES + 1];

	call(row->open);
	MARK(MARK_ROW);
	for (unsigned int i = 0; i <= BATCHES; i++) {
		call(row->before);
		if (i > 0)
			MARK(MARK_OPEN);
		start = ticks();
		row->run(row->operations);
		took[i] = ticks() - start;
		if (i > 0)
			MARK(MARK_CLOSE);
		call(row->after);
	}
	call(row->close);

	printf("row %s %u", row->name, row->operations);
	for (unsigned int i = 1; i <= BATCHES; i++)
		printf(" %llu", (unsigned long long)took[i]);
	printf("\n");
}

static const struct row *find_row(const char *name)
{
	for (unsigned int i = 0; i < ROW_COUNT; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	fprintf(stderr, "micro: there is no row %s\n", name);
	exit(1);
}

static void run_rows(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 1; i < argc; i++)
		find_row(argv[i]);
	for (int i = 1; i < argc; i++)
		run_row(find_row(argv[i]));
	for (unsigned int i = 0; argc == 1 && i < ROW_COUNT; i++)
		run_row(&rows[i]);
	printf("end\n");
}

/* What a kernel still does in the background after it has started init is over in a second. */
static void first_program(int argc, char **argv)
{
	MARK(MARK_FIRST_LINE);
	printf("first line %llu\n", (unsigned long long)ticks());
	must(mount("devtmpfs", "/dev", "devtmpfs", 0, NULL), "/dev");
	must(mount("tmpfs", "/tmp", "tmpfs", 0, NULL), "/tmp");
	sleep(1);
	if (!fork_or_fail()) {
		run_rows(argc, argv);
		exit(0);
	}
	wait(NULL);
	reboot(RB_POWER_OFF);
}

int main(int argc, char **argv)
{
	if (strcmp(argv[0], TINY) == 0)
		return 0;
	if (getpid() == 1)
		first_program(argc, argv);
	run_rows(argc, argv);
	return 0;
}
