// SPDX-License-Identifier: MIT
/* Reads and writes the machine's ports, in rings 1 and 3: each attempt has to come back as a general protection fault of ours. */
#include "mini.h"
#include "trap.h"
#include "user.h"

#define WORD_PREFIX 0x66
#define IN_AL_DX 0xec
#define OUT_EAX_DX 0xef

/* Ports from DX on, ECX apart: by bytes, or by twos and by fours. @r is how a register's name begins. */
#define IN(r)					\
	"1: in (" r "dx), " r "al\n" NEXT(r)
#define OUT(r)					\
	"1: out " r "al, (" r "dx)\n" NEXT(r)
#define WIDE(r)					\
	"1: in (" r "dx), " r "ax\n"		\
	"out " r "ax, (" r "dx)\n"		\
	"in (" r "dx), " r "eax\n"		\
	"out " r "eax, (" r "dx)\n" NEXT(r)
#define NEXT(r)					\
	"add " r "ecx, " r "edx\n"		\
	"cmp $0x10000, " r "edx\n"		\
	"jb 1b\n"

enum access { ACCESS_IN, ACCESS_OUT, ACCESS_WIDE };

USER_CODE(in, IN("%") "int $0x80\n");
USER_CODE(out, OUT("%") "int $0x80\n");
USER_CODE(wide, WIDE("%") "int $0x80\n");

static struct {
	uint32_t faults, strange;	/* @strange: of another ring than runs, or with an error code */
	unsigned int ring;
} seen;

/* Goes on behind the instruction. */
static void skip(struct frame *f)
{
	const uint8_t *code = (const uint8_t *)f->eip;

	code += *code == WORD_PREFIX;
	if (*code < IN_AL_DX || *code > OUT_EAX_DX)
		panic("a fault at 0x%x", f->eip);
	seen.faults++;
	seen.strange += f->error != 0 || frame_ring(f) != seen.ring;
	f->eip = (uint32_t)code + 1;
}

#define SWEEP(code, port, step, eax) \
	asm volatile(code("%%") : "+a"(eax), "+d"(port) : "c"(step) : "cc", "memory")

static uint32_t in_ring_1(enum access access, uint32_t port, uint32_t step, uint32_t eax)
{
	if (access == ACCESS_IN)
		SWEEP(IN, port, step, eax);
	else if (access == ACCESS_OUT)
		SWEEP(OUT, port, step, eax);
	else
		SWEEP(WIDE, port, step, eax);
	return eax;
}

static struct frame code_of(enum access access)
{
	if (access == ACCESS_IN)
		return user_start(USER_LOAD(in));
	if (access == ACCESS_OUT)
		return user_start(USER_LOAD(out));
	return user_start(USER_LOAD(wide));
}

static uint32_t in_ring_3(enum access access, uint32_t port, uint32_t step, uint32_t eax)
{
	struct frame regs = code_of(access);

	regs.eax = eax;
	regs.edx = port;
	regs.ecx = step;
	user_run(&regs);
	if (regs.vector != TRAP_SYSTEM_CALL)
		panic("vector %u at 0x%x", regs.vector, regs.eip);
	return regs.eax;
}

int test_main(const struct start_info *start)
{
	uint32_t count = input_word();

	trap_init();
	trap_set_handler(TRAP_PROTECTION, skip);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t ring = input_word(), access = input_word(), port = input_word(), step = input_word(), eax = input_word();

		seen.faults = seen.strange = 0;
		seen.ring = ring;
		eax = ring == 1 ? in_ring_1(access, port, step, eax) : in_ring_3(access, port, step, eax);
		observe("ports faults strange eax", i, seen.faults, seen.strange, eax);
	}
	return 0;
}
