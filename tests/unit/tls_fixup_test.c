// SPDX-License-Identifier: MIT
#include "tls_fixup.h"
#include <string.h>
#include "frame.h"
#include "host/audit.h"
#include "host/domains.h"
#include "segment.h"
#include "unit/test.h"

#define CODE_AT	(host_va(PFN_DATA) + 0x100)
#define LOOSE	10u

static struct guest g;
static struct regs regs;

static void start(void)
{
	host_start(64);
	host_domain(4);
	g = host_domain(20);
	host_enter(&g);
	regs = (struct regs){
		.eax = 0x10000001, .ecx = 0x20000002, .edx = 0x30000003, .ebx = 0x40000004,
		.esp = 0x50000005, .ebp = 0x60000006, .esi = 0x70000007, .edi = 0x80000008,
		.eip = CODE_AT, .cs = ATELIER_RING3_CODE,
	};
}

/* ---- decoding ---- */

static enum tls_decode decode(const uint8_t *code, size_t n, uint8_t *segment, uint32_t *offset)
{
	uint8_t bytes[16] = { 0 };

	memcpy(bytes, code, n);
	host_store(CODE_AT, bytes, sizeof(bytes));
	return tls_offset(&regs, CODE_AT, segment, offset);
}

TEST(the_offset_of_every_addressing_form_is_found)
{
	static const struct { const char *what; uint8_t code[12]; uint32_t offset; } rows[] = {
		{ "mov %gs:0xfffffffc,%eax", { 0x65, 0xa1, 0xfc, 0xff, 0xff, 0xff }, 0xfffffffc },
		{ "mov %al,%gs:0x12345678", { 0x65, 0xa2, 0x78, 0x56, 0x34, 0x12 }, 0x12345678 },
		{ "mov %gs:0xfffffff0,%al", { 0x65, 0xa0, 0xf0, 0xff, 0xff, 0xff }, 0xfffffff0 },
		{ "mov %eax,%gs:0xfffffff0", { 0x65, 0xa3, 0xf0, 0xff, 0xff, 0xff }, 0xfffffff0 },
		{ "mov %gs:disp32,%ecx", { 0x65, 0x8b, 0x0d, 0xfc, 0xff, 0xff, 0xff }, 0xfffffffc },
		{ "mov %gs:(%eax),%ecx", { 0x65, 0x8b, 0x08 }, 0x10000001 },
		{ "mov %gs:(%edi),%ecx", { 0x65, 0x8b, 0x0f }, 0x80000008 },
		{ "mov %gs:-4(%ebx),%ecx", { 0x65, 0x8b, 0x4b, 0xfc }, 0x40000000 },
		{ "mov %gs:127(%esi),%ecx", { 0x65, 0x8b, 0x4e, 0x7f }, 0x70000086 },
		{ "mov %gs:-8(%ebp),%ecx", { 0x65, 0x8b, 0x4d, 0xf8 }, 0x5ffffffe },
		{ "mov %gs:disp32(%edx),%ecx", { 0x65, 0x8b, 0x8a, 0, 0, 0, 0xf0 }, 0x20000003 },
		{ "mov %gs:(%esp),%ecx", { 0x65, 0x8b, 0x0c, 0x24 }, 0x50000005 },
		{ "mov %gs:(%eax,%ecx,4),%edx", { 0x65, 0x8b, 0x14, 0x88 }, 0x90000009 },
		{ "mov %gs:8(%ebp,%edi,2),%edx", { 0x65, 0x8b, 0x54, 0x7d, 0x08 }, 0x6000001e },
		{ "mov %gs:disp32(,%ecx,8),%edx", { 0x65, 0x8b, 0x14, 0xcd, 0xfc, 0xff, 0xff, 0xff }, 0x0000000c },
		{ "mov %gs:disp32(%eax,%eiz,1)", { 0x65, 0x8b, 0x94, 0x20, 4, 0, 0, 0 }, 0x10000005 },
		{ "movl $imm,%gs:disp32", { 0x65, 0xc7, 0x05, 0xfc, 0xff, 0xff, 0xff, 1 }, 0xfffffffc },
		{ "addl $imm8,%gs:disp32", { 0x65, 0x83, 0x05, 0xf8, 0xff, 0xff, 0xff, 1 }, 0xfffffff8 },
		{ "movzbl %gs:disp32,%eax", { 0x65, 0x0f, 0xb6, 0x05, 0xf4, 0xff, 0xff, 0xff }, 0xfffffff4 },
		{ "lock cmpxchg %ecx,%gs:disp32", { 0xf0, 0x65, 0x0f, 0xb1, 0x0d, 0xf4, 0xff, 0xff, 0xff }, 0xfffffff4 },
		{ "movw: operand size", { 0x66, 0x65, 0x8b, 0x0d, 0xfc, 0xff, 0xff, 0xff }, 0xfffffffc },
		{ "the prefixes the other way", { 0x65, 0x66, 0x8b, 0x0d, 0xfc, 0xff, 0xff, 0xff }, 0xfffffffc },
		{ "pshufb %gs:disp32,%mm0: three bytes", { 0x65, 0x0f, 0x38, 0x00, 0x05, 0xf0, 0xff, 0xff, 0xff }, 0xfffffff0 },
		{ "pinsrb $1,%gs:disp32,%xmm0", { 0x65, 0x66, 0x0f, 0x3a, 0x20, 0x05, 0xec, 0xff, 0xff, 0xff, 1 }, 0xffffffec },
		{ "push %gs:disp32", { 0x65, 0xff, 0x35, 0xfc, 0xff, 0xff, 0xff }, 0xfffffffc },
		{ "call *%gs:0x10", { 0x65, 0xff, 0x15, 0x10, 0, 0, 0 }, 0x10 },
		{ "fldl %gs:disp32", { 0x65, 0xdd, 0x05, 0xf0, 0xff, 0xff, 0xff }, 0xfffffff0 },
		{ "movaps %gs:disp32,%xmm0", { 0x65, 0x0f, 0x28, 0x05, 0xf0, 0xff, 0xff, 0xff }, 0xfffffff0 },
		{ "lods %gs:(%esi),%eax", { 0x65, 0xad }, 0x70000007 },
		{ "movs %gs:(%esi),%es:(%edi)", { 0x65, 0xa5 }, 0x70000007 },
		{ "xlat %gs:(%ebx)", { 0x65, 0xd7 }, 0x40000005 },
	};

	start();
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t offset = 0;
		uint8_t segment = 0;

		EXPECT_EQ(decode(rows[i].code, sizeof(rows[i].code), &segment, &offset), TLS_OFFSET, "%s", rows[i].what);
		EXPECT_EQ(segment, 0x65, "%s", rows[i].what);
		EXPECT_EQ(offset, rows[i].offset, "%s", rows[i].what);
	}
}

TEST(the_last_segment_prefix_counts)
{
	static const uint8_t prefixes[] = { 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65 };

	start();
	for (unsigned int i = 0; i < ARRAY_SIZE(prefixes); i++) {
		const uint8_t code[] = { 0x65, prefixes[i], 0x8b, 0x08 };
		uint32_t offset;
		uint8_t segment;

		EXPECT_EQ(decode(code, sizeof(code), &segment, &offset), TLS_OFFSET, "prefix 0x%x", prefixes[i]);
		EXPECT_EQ(segment, prefixes[i]);
	}
}

TEST(what_is_no_such_access_is_the_guests_own)
{
	static const struct { const char *what; uint8_t code[15]; } rows[] = {
		{ "no override", { 0x8b, 0x08 } },
		{ "a register operand", { 0x65, 0x8b, 0xc8 } },
		{ "no operand: nop", { 0x65, 0x90 } },
		{ "16-bit addressing", { 0x65, 0x67, 0x8b, 0x08 } },
		{ "no operand after 0f: rdtsc", { 0x65, 0x0f, 0x31 } },
		{ "prefixes for ever", { 0x65, 0x65, 0x65, 0x65, 0x65, 0x65, 0x65, 0x65, 0x65, 0x65, 0x65, 0x65, 0x65, 0x65, 0x65 } },
		{ "int3", { 0x65, 0xcc } },
		{ "push %eax", { 0x65, 0x50 } },
		{ "jmp", { 0x65, 0xeb, 0xfe } },
		{ "stos goes to %es whatever the prefix", { 0x65, 0xab } },
	};

	start();
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t offset;
		uint8_t segment;

		EXPECT_EQ(decode(rows[i].code, sizeof(rows[i].code), &segment, &offset), TLS_NO, "%s", rows[i].what);
	}
}

TEST(an_instruction_that_runs_into_a_hole_is_a_page_fault_there)
{
	static const uint8_t code[] = { 0x65, 0x8b, 0x0d, 0xfc, 0xff, 0xff, 0xff };
	uint32_t hole;

	start();
	hole = host_va(20);
	for (unsigned int left = 0; left < sizeof(code); left++) {
		uint32_t offset;
		uint8_t segment;

		host_store(hole - left, code, left);
		EXPECT_EQ(tls_offset(&regs, hole - left, &segment, &offset), TLS_FETCH, "%u bytes", left);
		EXPECT_EQ(offset, hole, "%u bytes", left);
	}
	for (unsigned int left = sizeof(code); left < 10; left++) {
		uint32_t offset;
		uint8_t segment;

		host_store(hole - left, code, sizeof(code));
		EXPECT_EQ(tls_offset(&regs, hole - left, &segment, &offset), TLS_OFFSET, "%u bytes", left);
	}
}

TEST(an_instruction_above_the_line_is_not_read)
{
	uint32_t offset;
	uint8_t segment;

	start();
	EXPECT_EQ(tls_offset(&regs, 0xfc000000, &segment, &offset), TLS_NO);
	EXPECT_EQ(tls_offset(&regs, 0xffffffff, &segment, &offset), TLS_NO);
	EXPECT(tls_offset(&regs, 0xfbfffffe, &segment, &offset) != TLS_OFFSET);
}

/* ---- turning over ---- */

static struct descriptor up(uint32_t base)
{
	uint32_t pages = (0xfc400000 - base) / 4096 - 1;

	return (struct descriptor){
		base << 16 | (pages & 0xffff),
		(base & 0xff000000) | (base >> 16 & 0xff) | (pages & 0xf0000) | 0x00c0f200,
	};
}

TEST(a_segment_is_turned_over_for_an_offset_that_only_the_other_way_reaches)
{
	static const uint32_t bases[] = { 0x1000, 0x08050980, 0xb7d01234, 0xfc3fe000, 4096 + 1 };

	for (unsigned int i = 0; i < ARRAY_SIZE(bases); i++) {
		struct descriptor d = up(bases[i]), first = d;

		EXPECT(!tls_flip(&d, 0), "row %u", i);
		EXPECT(!tls_flip(&d, 0x100), "row %u", i);
		EXPECT(memcmp(&d, &first, sizeof(d)) == 0, "row %u", i);
		EXPECT(tls_flip(&d, 0xfffffffc), "row %u", i);
		EXPECT(d.high & DESC_EXPAND, "row %u", i);
		EXPECT(audit_descriptor_ok(d.low, d.high), "row %u", i);
		EXPECT(!tls_flip(&d, 0xfffffffc), "row %u: no second time", i);
		EXPECT(tls_flip(&d, 0x14), "row %u", i);
		EXPECT(memcmp(&d, &first, sizeof(d)) == 0, "row %u: as it was", i);
	}
}

TEST(a_segment_that_is_not_a_cut_off_flat_one_is_left_alone)
{
	static const struct { const char *what; uint32_t low, high; } rows[] = {
		{ "code", 0x1000c3ff, 0x00cffa00 }, { "ring 1", 0x1000c3fe, 0x00cfb200 }, { "absent", 0x1000c3fe, 0x00cf7200 },
		{ "read-only", 0x1000c3fe, 0x00cff000 }, { "read-only, expand-down", 0x1000fffe, 0x00cff400 },
		{ "16-bit", 0x1000c3fe, 0x008ff200 }, { "bytes", 0x1000c3fe, 0x004ff200 },
		{ "shorter", 0x1000c3fd, 0x00cff200 }, { "system", 0x1000c3fe, 0x00cfe200 },
		{ "base at the fence", 0x0000ffff, 0xfccff240 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct descriptor d = { rows[i].low, rows[i].high };

		EXPECT(!tls_flip(&d, 0xfffffffc), "%s", rows[i].what);
		EXPECT(!tls_flip(&d, 0x14), "%s", rows[i].what);
		EXPECT(d.low == rows[i].low && d.high == rows[i].high, "%s", rows[i].what);
	}
}

TEST(an_offset_that_neither_way_reaches_changes_nothing)
{
	struct descriptor d = up(0x10000000), was = d;

	EXPECT(!tls_flip(&d, 0xec400000), "the first byte of the hypervisor");
	EXPECT(!tls_flip(&d, 0xefffffff), "its last");
	EXPECT(memcmp(&d, &was, sizeof(d)) == 0);
	EXPECT(tls_flip(&d, 0xf0000000), "linear 0");
	EXPECT(!tls_flip(&d, 0xec400000));
	EXPECT(tls_flip(&d, 0xec3fffff), "the last byte below the fence");
}

/* ---- together ---- */

/* A GDT of one frame with a thread's segment in slot 6. */
static struct descriptor *with_segment(uint32_t base)
{
	uint32_t list[1];
	struct descriptor *gdt;
	const struct mmu_request unmap = { g.mfn[PFN_TABLE] << PAGE_SHIFT | 4 * LOOSE, 0 };

	CALL(&g, mmu_update, ARG(unmap), 1, 0, DOMID_SELF);
	gdt = host_frame(g.mfn[LOOSE]);
	gdt[6] = up(base);
	list[0] = g.mfn[LOOSE];
	EXPECT_EQ(CALL(&g, set_gdt, ARG(list), 512), 0);
	regs.gs = 6 << 3 | 3;
	return &gdt[6];
}

TEST(a_fault_through_gs_is_retried_once_it_can_succeed)
{
	static const uint8_t code[] = { 0x65, 0xa1, 0xfc, 0xff, 0xff, 0xff };
	struct descriptor *d;
	uint32_t fault;

	start();
	d = with_segment(0x08050000);
	host_store(CODE_AT, code, sizeof(code));
	EXPECT_EQ(tls_fixup(g.d, &regs, &fault), TLS_RETRY);
	EXPECT(d->high & DESC_EXPAND);
	EXPECT_EQ(tls_fixup(g.d, &regs, &fault), TLS_GIVE_GP, "the same again cannot be helped");
	audit_all();
}

TEST(any_segment_register_may_hold_the_segment)
{
	static const struct { uint8_t prefix; size_t reg; } rows[] = {
		{ 0x26, offsetof(struct regs, es) }, { 0x36, offsetof(struct regs, ss) }, { 0x3e, offsetof(struct regs, ds) },
		{ 0x64, offsetof(struct regs, fs) }, { 0x65, offsetof(struct regs, gs) },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		const uint8_t code[] = { rows[i].prefix, 0xa1, 0xfc, 0xff, 0xff, 0xff };
		struct descriptor *d;
		uint32_t fault;

		start();
		d = with_segment(0x08050000);
		regs.gs = 0;
		*(uint32_t *)((char *)&regs + rows[i].reg) = 6 << 3 | 3;
		host_store(CODE_AT, code, sizeof(code));
		EXPECT_EQ(tls_fixup(g.d, &regs, &fault), TLS_RETRY, "prefix 0x%x", rows[i].prefix);
		EXPECT(d->high & DESC_EXPAND, "prefix 0x%x", rows[i].prefix);
	}
}

TEST(code_without_an_override_gets_its_fault)
{
	static const uint8_t code[] = { 0xa1, 0xfc, 0xff, 0xff, 0xff };
	uint32_t fault;

	start();
	with_segment(0x08050000);
	host_store(CODE_AT, code, sizeof(code));
	EXPECT_EQ(tls_fixup(g.d, &regs, &fault), TLS_GIVE_GP);
}

TEST(the_code_segments_base_counts)
{
	static const uint8_t code[] = { 0x65, 0xa1, 0xfc, 0xff, 0xff, 0xff };
	struct descriptor *d;
	uint32_t fault;

	start();
	d = with_segment(0x08050000);
	d[1] = (struct descriptor){ 0x10000000 | 0xffff, 0x00cffa00 };	/* slot 7: code with base 0x1000 */
	regs.cs = 7 << 3 | 3;
	regs.eip = CODE_AT - 0x1000;
	host_store(CODE_AT, code, sizeof(code));
	EXPECT_EQ(tls_fixup(g.d, &regs, &fault), TLS_RETRY);
}

TEST(progress_is_made_however_often_the_offsets_alternate)
{
	static const uint8_t below[] = { 0x65, 0xa1, 0xfc, 0xff, 0xff, 0xff }, above[] = { 0x65, 0xa1, 0, 0, 0, 0 };
	uint32_t fault;

	start();
	with_segment(0x08050000);
	for (unsigned int i = 0; i < 1000; i++) {
		host_store(CODE_AT, i % 2 ? above : below, sizeof(above));
		EXPECT_EQ(tls_fixup(g.d, &regs, &fault), TLS_RETRY, "round %u", i);
	}
	audit_all();
}

TEST(a_fault_that_is_not_of_this_kind_is_given_to_the_guest)
{
	static const uint8_t code[] = { 0x65, 0xa1, 0xfc, 0xff, 0xff, 0xff };
	static const uint16_t selectors[] = { 0, 3, 7 << 3 | 3, 600 << 3 | 3, 6 << 3 | 7, ATELIER_RING3_DATA, 0xe010 };
	struct descriptor *d, was;
	uint32_t fault;

	start();
	d = with_segment(0x08050000);
	d[-6] = up(0x08050000);		/* what the null selector does not name */
	was = *d;
	host_store(CODE_AT, code, sizeof(code));
	for (unsigned int i = 0; i < ARRAY_SIZE(selectors); i++) {
		regs.gs = selectors[i];
		EXPECT_EQ(tls_fixup(g.d, &regs, &fault), TLS_GIVE_GP, "selector 0x%x", selectors[i]);
	}
	EXPECT(memcmp(d, &was, sizeof(was)) == 0);
	audit_all();
}

TEST(code_that_cannot_be_read_is_a_page_fault_at_that_address)
{
	uint32_t fault = 0;

	start();
	with_segment(0x08050000);
	regs.eip = host_va(30);
	EXPECT_EQ(tls_fixup(g.d, &regs, &fault), TLS_GIVE_PF);
	EXPECT_EQ(fault, host_va(30));
}
