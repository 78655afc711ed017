// SPDX-License-Identifier: MIT
/*
 * Only as much of an instruction is decoded as says which offset it goes to. Its bytes are a
 * stranger's: they are copied once, and whatever is not understood is simply the guest's own #GP.
 */
#include "tls_fixup.h"
#include "domain.h"
#include "guest_copy.h"
#include "opcode.h"

#define LONGEST	15	/* bytes of an instruction (SDM 2A, 2.3.11) */

struct code {
	uint8_t bytes[LONGEST];
	unsigned int got, used;
	bool short_fetch;
};

static uint8_t next_byte(struct code *c)
{
	if (c->used == c->got) {
		c->short_fetch = true;
		return 0;
	}
	return c->bytes[c->used++];
}

static uint32_t next_word(struct code *c)
{
	uint32_t v = 0;

	for (unsigned int i = 0; i < 32; i += 8)
		v |= (uint32_t)next_byte(c) << i;
	return v;
}

static uint32_t register_value(const struct regs *r, unsigned int n)
{
	const uint32_t values[8] = { r->eax, r->ecx, r->edx, r->ebx, r->esp, r->ebp, r->esi, r->edi };

	return values[n];
}

static uint32_t sib_offset(struct code *c, const struct regs *r, unsigned int mod)
{
	uint8_t sib = next_byte(c);
	unsigned int base = sib & 7, index = sib >> 3 & 7;
	uint32_t offset = base == 5 && mod == 0 ? next_word(c) : register_value(r, base);

	if (index != 4)
		offset += register_value(r, index) << (sib >> 6);
	return offset;
}

/* False: the operand is a register. */
static bool modrm_offset(struct code *c, const struct regs *r, uint32_t *offset)
{
	uint8_t modrm = next_byte(c);
	unsigned int mod = modrm >> 6, rm = modrm & 7;

	if (mod == 3)
		return false;
	if (rm == 4)
		*offset = sib_offset(c, r, mod);
	else if (rm == 5 && mod == 0)
		*offset = next_word(c);
	else
		*offset = register_value(r, rm);
	if (mod == 1)
		*offset += (int8_t)next_byte(c);
	else if (mod == 2)
		*offset += next_word(c);
	return true;
}

static bool is_segment_prefix(uint8_t b)
{
	return b == 0x26 || b == 0x2e || b == 0x36 || b == 0x3e || b == 0x64 || b == 0x65;
}

static bool is_other_prefix(uint8_t b)
{
	return b == 0x66 || b == 0xf0 || b == 0xf2 || b == 0xf3;
}

/* The prefixes; returns the first byte behind them. */
static uint8_t opcode(struct code *c, uint8_t *segment)
{
	uint8_t b;

	for (b = next_byte(c); is_segment_prefix(b) || is_other_prefix(b); b = next_byte(c))
		if (is_segment_prefix(b))
			*segment = b;
	return b;
}

/* String moves, stores and compares from [ESI], XLAT from [EBX + AL]. */
static bool implicit_offset(uint8_t op, const struct regs *r, uint32_t *offset)
{
	switch (op) {
	case 0xa4 ... 0xa7:
	case 0xac ... 0xad:
		*offset = r->esi;
		return true;
	case 0xd7:
		*offset = r->ebx + (r->eax & 0xff);
		return true;
	}
	return false;
}

static bool operand_offset_0f(struct code *c, const struct regs *r, uint32_t *offset)
{
	uint8_t op = next_byte(c);

	if (op == 0x38 || op == 0x3a) {		/* the opcode proper is a third byte; all have a ModRM byte */
		next_byte(c);
		return modrm_offset(c, r, offset);
	}
	return opcode_0f_has_modrm(op) && modrm_offset(c, r, offset);
}

static bool operand_offset(struct code *c, uint8_t op, const struct regs *r, uint32_t *offset)
{
	if (op >= 0xa0 && op <= 0xa3) {
		*offset = next_word(c);		/* four bytes for all four of them */
		return true;
	}
	if (implicit_offset(op, r, offset))
		return true;
	if (op == 0x0f)
		return operand_offset_0f(c, r, offset);
	return opcode_has_modrm(op) && modrm_offset(c, r, offset);
}

enum tls_decode tls_offset(const struct regs *regs, uint32_t eip, uint8_t *segment, uint32_t *offset)
{
	struct code c = { .used = 0 };
	uint8_t op;
	bool known;

	if (eip >= ATELIER_LINE)
		return TLS_NO;
	c.got = MIN(LONGEST, ATELIER_LINE - eip);
	c.got -= copy_from_guest(c.bytes, GUEST_ADDR(eip), c.got);
	*segment = 0;
	op = opcode(&c, segment);
	known = operand_offset(&c, op, regs, offset);
	if (c.short_fetch && c.got < LONGEST) {
		*offset = eip + c.got;
		return *offset < ATELIER_LINE ? TLS_FETCH : TLS_NO;
	}
	return known && *segment && !c.short_fetch ? TLS_OFFSET : TLS_NO;
}

/* ---- turning over ---- */

static uint32_t base_of(const struct descriptor *d)
{
	return d->low >> 16 | (d->high & 0xff) << 16 | (d->high & 0xff000000u);
}

static uint32_t limit_pages(const struct descriptor *d)
{
	return (d->low & 0xffff) | (d->high & 0xf0000);
}

/* Present, of ring 3, data that can be written, 32-bit, page-granular. */
static bool may_turn(const struct descriptor *d)
{
	const uint32_t must = DESC_P | DESC_S | DESC_DPL | DESC_WRITE | DESC_DB | DESC_G;

	return (d->high & must) == must && !(d->high & DESC_CODE);
}

static void turn(struct descriptor *d, uint32_t pages)
{
	d->low = (d->low & 0xffff0000u) | (pages & 0xffff);
	d->high = ((d->high & ~0xf0000u) | (pages & 0xf0000)) ^ DESC_EXPAND;
}

bool tls_flip(struct descriptor *d, uint32_t offset)
{
	uint32_t base = base_of(d), up, down;

	if (!may_turn(d) || base >= ATELIER_FENCE || ATELIER_FENCE - base < PAGE_SIZE)
		return false;
	up = (ATELIER_FENCE - base) / PAGE_SIZE - 1;	/* offsets 0 to the fence, a page short at most */
	down = ~base >> 12;				/* offsets above it are addresses below the base; rounded inwards */
	if (!(d->high & DESC_EXPAND)) {
		if (limit_pages(d) != up || offset <= (down << 12 | 0xfff))
			return false;
		turn(d, down);
		return true;
	}
	if (limit_pages(d) != down || offset > (up << 12 | 0xfff))
		return false;
	turn(d, up);
	return true;
}

static uint32_t selector_of(const struct regs *r, uint8_t prefix)
{
	switch (prefix) {
	case 0x26:
		return r->es;
	case 0x2e:
		return r->cs;
	case 0x36:
		return r->ss;
	case 0x3e:
		return r->ds;
	case 0x64:
		return r->fs;
	}
	return r->gs;
}

/* The linear address of the instruction: through CS, which may have a base. */
static uint32_t linear_eip(struct domain *d, const struct regs *r)
{
	const struct descriptor *cs = segment_find(d, r->cs);

	return (cs ? base_of(cs) : 0) + r->eip;
}

enum tls_result tls_fixup(struct domain *d, struct regs *regs, uint32_t *fault)
{
	struct descriptor *desc;
	uint32_t offset;
	uint8_t segment;

	switch (tls_offset(regs, linear_eip(d, regs), &segment, &offset)) {
	case TLS_NO:
		return TLS_GIVE_GP;
	case TLS_FETCH:
		*fault = offset;
		return TLS_GIVE_PF;
	case TLS_OFFSET:
		break;
	}
	desc = segment_find(d, selector_of(regs, segment));
	return desc && tls_flip(desc, offset) ? TLS_RETRY : TLS_GIVE_GP;
}
