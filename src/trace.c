// SPDX-License-Identifier: MIT
#include "trace.h"
#include "lib/string.h"
#include "machine.h"

#if TRACE

/* A number of 0: nothing has been written there. */
struct traced_call {
	uint32_t number, domain;
	bool entry;		/* of a multicall */
	bool entered;		/* a handler was found: @handler */
	bool returned;		/* @result */
	uint32_t call, handler;
	uint32_t args[5];
	uint32_t eip;		/* behind the caller's INT */
	int32_t result;
};

struct traced_exception {
	uint32_t number, domain;
	bool own, mended;
	uint32_t vector, error, eip, cs, address;
};

struct traced_words {
	uint32_t number, domain;
	uint32_t from;
	char text[TRACE_TEXT];
	bool has_regs;
	struct regs regs;
};

static struct {
	uint32_t count;		/* records of all kinds */
	uint32_t call_count, exception_count, words_count;
	uint32_t eip;		/* of the call under way */
	struct traced_call *top;	/* that call; NULL: none, or overwritten by its own entries */
	struct traced_call calls[TRACE_CALLS];
	struct traced_exception exceptions[TRACE_EXCEPTIONS];
	struct traced_words words[TRACE_WORDS];
} trace;

static struct traced_call *new_call(uint32_t domain, uint32_t call, const uint32_t *args)
{
	struct traced_call *t = &trace.calls[trace.call_count++ % TRACE_CALLS];

	if (t == trace.top)
		trace.top = NULL;
	/* Each member is named: clearing them all before would take longer than the rest. */
	*t = (struct traced_call){
		.number = ++trace.count, .domain = domain, .entry = false, .entered = false, .returned = false,
		.call = call, .handler = 0, .args = { args[0], args[1], args[2], args[3], args[4] }, .eip = trace.eip, .result = 0,
	};
	return t;
}

void trace_call(uint32_t domain, const struct regs *regs)
{
	const uint32_t args[5] = { regs->ebx, regs->ecx, regs->edx, regs->esi, regs->edi };

	trace.eip = regs->eip;
	trace.top = new_call(domain, regs->eax, args);
}

static void answer(struct traced_call *t, int32_t result)
{
	t->returned = true;
	t->result = result;
}

void trace_answer(uint32_t result)
{
	if (trace.top)
		answer(trace.top, result);
	trace.top = NULL;
}

uint32_t trace_enter(uint32_t domain, uint32_t handler, const uint32_t *args)
{
	struct traced_call *t = trace.top;

	if (!t || t->entered) {
		t = new_call(domain, handler, args);
		t->entry = true;
	}
	t->entered = true;
	t->handler = handler;
	return t->number;
}

int trace_leave(uint32_t number, int result)
{
	for (uint32_t i = 1; i <= MIN(trace.call_count, TRACE_CALLS); i++) {
		struct traced_call *t = &trace.calls[(trace.call_count - i) % TRACE_CALLS];

		if (t->number == number)
			answer(t, result);
		if (t->number <= number)
			break;
	}
	return result;
}

void trace_exception(uint32_t domain, bool own, const struct regs *regs, uint32_t address)
{
	trace.exceptions[trace.exception_count++ % TRACE_EXCEPTIONS] = (struct traced_exception){
		.number = ++trace.count, .domain = domain, .own = own, .mended = false,
		.vector = regs->vector, .error = regs->error, .eip = regs->eip, .cs = regs->cs & 0xffff,
		.address = address,
	};
}

void trace_mended(void)
{
	trace.exceptions[(trace.exception_count - 1) % TRACE_EXCEPTIONS].mended = true;
}

void trace_words(uint32_t domain, const char *text, const struct regs *regs, const void *from)
{
	struct traced_words *w = &trace.words[trace.words_count++ % TRACE_WORDS];

	*w = (struct traced_words){
		.number = ++trace.count, .domain = domain, .from = (uint32_t)from, .has_regs = regs != NULL,
	};
	for (size_t i = 0; i + 1 < sizeof(w->text) && text[i]; i++)
		w->text[i] = text[i];
	if (regs)
		w->regs = *regs;
}

#endif
