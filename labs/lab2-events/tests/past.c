// SPDX-License-Identifier: MIT
/* Sets alarms at the ends of time and in the past, and then again in each alarm's handler, as fast as it can. */
#include "event.h"
#include "mini.h"
#include "time.h"

#define LINGER	(400 * MICROSECOND)

enum { FROM_NOW, FROM_ZERO };

static struct {
	volatile uint32_t count;
	uint32_t again;		/* times that the handler sets another one */
} alarms;

static void on_alarm(uint32_t port, void *arg)
{
	alarms.count++;
	if (alarms.again > 0) {
		alarms.again--;
		time_alarm(alarms.again % 2 ? time_now() : 1 + random_word() % 1000);
	}
}

static void linger(void)
{
	uint64_t end = time_now() + LINGER;

	while (time_now() < end)
		;
}

static void do_one(uint32_t key)
{
	uint32_t from = input_word(), armed = input_word(), low = input_word(), high = input_word();
	uint64_t deadline = (uint64_t)high << 32 | low;
	uint32_t at_once;
	int32_t answer;

	alarms.count = 0;
	if (armed)
		time_alarm(time_now() + LINGER / 2);	/* to be replaced */
	answer = time_alarm(from == FROM_NOW ? time_now() + deadline : deadline);
	at_once = alarms.count;
	linger();
	observe("alarm answer:int once count", key, answer, at_once, alarms.count);

	/* Whatever that was, another one works. */
	alarms.count = 0;
	time_alarm(time_now() + 1000);
	linger();
	observe("then count", key, alarms.count);
}

static void do_refused(uint32_t key)
{
	struct set_timer op = { .deadline = 1, .flags = input_word(), .reserved = input_word() };

	alarms.count = 0;
	observe("refused answer:int count", key, hypercall_set_timer(&op), alarms.count);
}

int test_main(const struct start_info *start)
{
	uint32_t count = input_word(), storm;

	event_init();
	event_bind_virq(VIRQ_TIMER, on_alarm, NULL);
	events_enable();
	for (uint32_t i = 0; i < count; i++)
		do_one(i);
	count = input_word();
	for (uint32_t i = 0; i < count; i++)
		do_refused(i);
	storm = input_word();
	alarms.count = 0;
	alarms.again = storm;
	time_alarm(1);
	while (alarms.count < storm + 1)
		;
	linger();
	observe("storm alarms come", 0, storm + 1, alarms.count);
	return 0;
}
