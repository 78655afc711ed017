// SPDX-License-Identifier: MIT
#include "crash.h"
#include "console.h"
#include "domain.h"
#include "lib/printf.h"
#include "machine.h"
#include "trace.h"

struct crash_context crash_context = { NULL, UINT32_MAX };

static void (*kill_domain)(struct domain *d, uint32_t reason, uint32_t status);

void crash_set_kill(void (*kill)(struct domain *d, uint32_t reason, uint32_t status))
{
	kill_domain = kill;
}

void crash_end(struct domain *d, uint32_t reason, uint32_t status)
{
	if (d->life == LIFE_OPEN)
		kill_domain(d, reason, status);
}

struct text {
	char bytes[160];
	size_t used;
};

static void put_text(void *to, char c)
{
	struct text *t = to;

	if (t->used + 1 < sizeof(t->bytes))
		t->bytes[t->used++] = c;
}

/* The formatted text in one piece, whatever its length. */
static struct text render(const char *format, va_list args)
{
	struct text t = { .used = 0 };

	format_text(put_text, &t, format, args);
	t.bytes[t.used] = '\0';
	return t;
}

static void print_regs(void (*print)(const char *, ...), const struct regs *r)
{
	print("  eip %x:%08x eflags %08x esp %x:%08x\n", r->cs & 0xffff, r->eip, r->eflags, r->ss & 0xffff, r->esp);
	print("  eax %08x ebx %08x ecx %08x edx %08x esi %08x edi %08x ebp %08x\n",
	      r->eax, r->ebx, r->ecx, r->edx, r->esi, r->edi, r->ebp);
	print("  ds %x es %x fs %x gs %x vector %u error %x\n", r->ds & 0xffff, r->es & 0xffff,
	      r->fs & 0xffff, r->gs & 0xffff, r->vector, r->error);
}

void crash_domain(struct domain *d, const char *format, ...)
{
	va_list args;
	struct text why;

	if (d->life != LIFE_OPEN)
		return;
	va_start(args, format);
	why = render(format, args);
	va_end(args);
	trace_words(d->id, why.bytes, &d->vcpu.regs, __builtin_return_address(0));
	console_guest_printf("domain %u (%s) dies: %s\n", d->id, d->name, why.bytes);
	print_regs(console_guest_printf, &d->vcpu.regs);
	crash_end(d, SHUTDOWN_killed, 0);
}

void crash_machine(const struct regs *regs, const char *format, ...)
{
	static bool crashing;
	va_list args;
	struct text why;

	/* A fault while reporting: stop with what has been said. */
	if (crashing)
		machine_stop(END_CRASH, 0);
	crashing = true;
	va_start(args, format);
	why = render(format, args);
	va_end(args);

	trace_words(TRACE_NO_DOMAIN, why.bytes, regs, __builtin_return_address(0));
	console_printf("CRASH: %s\n", why.bytes);
	if (crash_context.domain)
		console_printf("  for domain %u (%s), call %d\n", crash_context.domain->id,
			       crash_context.domain->name, (int)crash_context.call);
	if (regs)
		print_regs(console_printf, regs);
	if (crash_context.domain) {
		console_printf("  its own registers:\n");
		print_regs(console_printf, &crash_context.domain->vcpu.regs);
	}
	machine_backtrace();
	machine_stop(END_CRASH, 0);
}
