// SPDX-License-Identifier: MIT
/*
 * disk ROW DEVICE OPERATIONS BYTES [write] [random] [cached] [sync]: that many reads or writes of a disk, as a row of
 * the evaluation. They go past the page cache, one after the other; `cached`: through it, and what was
 * written is on the disk at the end. `random`: anywhere on the disk. `sync`: fdatasync() behind each.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "mark.h"

#define ALIGNMENT	4096

struct work {
	int file;
	unsigned int operations, bytes;
	uint64_t blocks;			/* of so many bytes on the disk */
	bool write, random, cached, sync;
	void *buffer;
};

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* The same sequence in every run (Marsaglia's xorshift32). */
static uint32_t next_random(void)
{
	static uint32_t x = 2003;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return x;
}

static void one_operation(const struct work *w, unsigned int i)
{
	uint64_t block = w->random ? next_random() % w->blocks : i;
	off_t place = block * w->bytes;
	ssize_t moved = w->write ? pwrite(w->file, w->buffer, w->bytes, place) : pread(w->file, w->buffer, w->bytes, place);

	if (moved != (ssize_t)w->bytes)
		fail("disk: transfer");
	if (w->sync && fdatasync(w->file))
		fail("disk: fdatasync");
}

static void measure(const struct work *w)
{
	MARK(MARK_ROW);
	MARK(MARK_OPEN);
	for (unsigned int i = 0; i < w->operations; i++)
		one_operation(w, i);
	if (w->write && w->cached && fsync(w->file))
		fail("disk: fsync");
	MARK(MARK_CLOSE);
}

static void read_words(struct work *w, char **words)
{
	for (; *words; words++) {
		w->write |= !strcmp(*words, "write");
		w->random |= !strcmp(*words, "random");
		w->cached |= !strcmp(*words, "cached");
		w->sync |= !strcmp(*words, "sync");
	}
}

static void prepare(struct work *w, const char *device)
{
	off_t end;

	w->file = open(device, O_RDWR | (w->cached ? 0 : O_DIRECT));
	if (w->file < 0)
		fail(device);
	end = lseek(w->file, 0, SEEK_END);
	if (posix_memalign(&w->buffer, ALIGNMENT, w->bytes))
		fail("disk: memory");
	memset(w->buffer, 'a', w->bytes);
	w->blocks = end / w->bytes;
	if (w->blocks < w->operations) {
		fprintf(stderr, "disk: %s is too small\n", device);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	struct work w = { 0 };

	if (argc < 5) {
		fprintf(stderr, "disk: say ROW DEVICE OPERATIONS BYTES [write] [random] [cached] [sync]\n");
		return 2;
	}
	w.operations = atoi(argv[3]);
	w.bytes = atoi(argv[4]);
	read_words(&w, argv + 5);
	prepare(&w, argv[2]);
	printf("row %s %s\n", argv[1], argv[3]);
	fflush(stdout);
	tcdrain(STDOUT_FILENO);		/* sending it is no part of the row */
	measure(&w);
	return 0;
}
