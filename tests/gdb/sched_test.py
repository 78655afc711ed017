# SPDX-License-Identifier: MIT
"""`atl runq` and `atl timers`: who is next, against whom policy_pick() then picks; the numbers, against raw ones and what judges wish."""

import ast
import re
import unittest

from sessions import ROOT, Session, debug, needs_lab, read_raw, rows, raw, told, value

UNIT, US = 65536, 1000
WRAP = 1 << 64
NEVER = WRAP - 1
FIELDS = ("avt", "weight", "warp", "warp_limit", "warped", "rest_until")

# Of all domains, in a line each: what the hypervisor has, read by name.
PEEK = ("python import gdb; v = gdb.parse_and_eval('domains.slots'); "
        "print([[int(v[i]['policy'][f]) for f in {}] + [int(v[i]['sched']['blocked']), int(v[i]['sched']['paused'])] "
        "for i in range({})])")
NEXT = re.compile(r"Next is domain (\d+)")


PICKED = "python v = gdb.parse_and_eval('$'); print('=', int(v['id']) if int(v) else 'nobody')"


def picks(times: int, more: int) -> list[str]:
    """At the beginning of policy_pick(), so often: what `atl runq` says, and whom it picks."""
    return [order for _ in range(times) for order in (f"ignore 2 {more}", "continue", "atl runq", "finish", PICKED)]


def sentence(printed: str) -> str:
    return " ".join(printed.splitlines())


class RunQueue(unittest.TestCase):
    def follow(self, said: Session, times: int) -> list[str]:
        """Whether each pick was foretold; what was said about it."""
        for i in range(times):
            printed = said[3 + 5 * i]
            found = NEXT.search(sentence(printed))
            if not found:
                self.assertIn("Nobody can run", printed)
            self.assertEqual(said[5 + 5 * i].split()[-1], found[1] if found else "nobody", printed)
        return [sentence(said[3 + 5 * i]) for i in range(times)]

    @needs_lab(2)
    def test_two_that_yield_in_turns(self) -> None:
        """Before lab 5, and after it."""
        said = debug(2, "ports", "break policy_pick", *picks(8, 3), reverse=True)
        texts = self.follow(said, 8)
        if (ROOT / "labs/lab5-bvt").exists():
            self.assertTrue(any("yielded, and of the others it has the least claim" in text for text in texts), texts)
        else:
            self.assertTrue(all("first in the queue" in text or "has used its turn" in text for text in texts), texts)

    @needs_lab(5)
    def test_spinners_by_weight(self) -> None:
        said = debug(5, "shares", "break policy_pick", *picks(12, 7), reverse=True)
        texts = self.follow(said, 12)
        self.assertTrue(any("no less than its allowance" in text for text in texts), texts)

    @needs_lab(5)
    def test_sleepers_and_one_that_borrows(self) -> None:
        for name in ("sleepers", "warp"):
            with self.subTest(name):
                self.follow(debug(5, name, "break policy_pick", *picks(12, 9), reverse=True), 12)

    @needs_lab(5)
    def test_the_numbers_are_the_raw_ones_and_the_wishes(self) -> None:
        given = told(5, "warp")
        said = debug(5, "warp", "break policy_pick", "ignore 2 60", "continue", "atl runq", PEEK.format(FIELDS, 5), "print policy.svt",
                     "print policy.allowance", "print timer.slice", "print sched.current->vtime.since", reverse=True)
        peeked = dict(enumerate(ast.literal_eval(said[4].strip())))
        svt, now = value(said[5]), value(said[8])
        lines = [line for line in said[3].splitlines() if re.match(r"\d  ", line)]
        self.assertEqual(len(lines), 5)
        claims = []
        for line in lines:
            cells = re.split(" {2,}", line.strip())
            avt, weight, warp, limit, warped, rest, blocked, paused = peeked[int(cells[0])]
            borrows = warp > 0 and now >= rest
            self.assertEqual(cells[3], f"{signed(avt - svt) / UNIT / US:+.1f}")
            can = not blocked and not paused
            if can:
                claims.append(signed(avt - svt) - (warp * UNIT if borrows else 0))
                self.assertEqual(cells[4], f"{claims[-1] / UNIT / US:+.1f}")
            self.assertEqual(cells[5 if can else 4], str(weight))
            if warp:
                used = f"{warped / 1e6:.2f} of {limit / 1e6:g} used" if borrows else f"rests {(rest - now) / 1e6:.2f}"
                self.assertEqual(cells[-1], f"{warp / 1e6:g} ms, {used}")
        self.assertEqual(claims, sorted(claims))
        wishes = {wish[0]: wish for wish in given["wishes"]}
        for number, wish in wishes.items():
            self.assertEqual(tuple(peeked[number][1:4]), wish[1:4])
        self.assertIn(f"C {given['wishes'][0][5] / 1e6:g} ms; the slice ends in", said[3])

    def test_without_a_domain_and_with_a_broken_queue(self) -> None:
        said = debug(1, "numbers", "atl runq", "atl timers", "atl runq 3", "break hypercall_dispatch", "continue",
                     "set var sched.current = 0",
                     "set var domains.slots[0].sched.queue.next = &domains.slots[0].sched.queue", "atl runq", "atl timers")
        for printed in said[0], said[1]:
            self.assertIn("not there yet", printed)
            self.assertEqual(len(printed.splitlines()), 1)
        self.assertIn("say: atl runq", said[2])
        self.assertIn("does not come back", said[7])
        self.assertNotIn("Traceback", said.whole)


def signed(difference: int) -> int:
    return (difference + WRAP // 2) % WRAP - WRAP // 2


@needs_lab(2)
class Timers(unittest.TestCase):
    def test_an_alarm_is_what_the_guest_set(self) -> None:
        look = ("continue", raw("arg", "16"), "finish", "atl timers", "print timer.slice", "print timer.programmed",
                "print sched.current->vtime.since", "print domains.slots[0].events.virq_port[0]", "print timer.armed.next == &timer.armed")
        said = debug(2, "alarm", "break do_set_timer", *look * 5, reverse=True)
        armed = [i for i in range(5) if not value(said[9 + 9 * i])]
        self.assertTrue(armed)
        for i in armed:
            self.compare(*said.said[2 + 9 * i:9 + 9 * i])

    def compare(self, asked: str, _: str, printed: str, slice_: str, program: str, since: str, port: str) -> None:
        deadline, slice_end, programmed, now = int.from_bytes(read_raw(asked)[:8], "little"), *map(value, (slice_, program, since))
        table = [row for row in rows(printed, "DEADLINE") if row[0][0].isdigit()]
        self.assertEqual([int(row[0].replace(",", "")) for row in table], sorted((deadline, slice_end)))
        alarm = next(row for row in table if row[3].startswith("alarm"))
        self.assertEqual(int(alarm[0].replace(",", "")), deadline)
        self.assertEqual(alarm[2:], ["domain 0", f"alarm, port {value(port)}"])
        self.assertAlmostEqual(nanoseconds(alarm[1]), deadline - now, delta=1000)
        self.assertIn(f"programmed for {programmed:,}", printed)
        self.assertIn("the first of these" if programmed == deadline else "before the first of these", sentence(printed))

    def test_a_machine_that_was_programmed_too_late(self) -> None:
        said = debug(2, "alarm", "break do_set_timer", "continue", "finish", "set var timer.programmed = timer.programmed + 1500000000",
                     "atl timers", "set var timer.programmed = -1", "atl timers")
        self.assertIn("too late for the first of these!", sentence(said[4]))
        self.assertIn("not programmed: nothing of this will come!", sentence(said[6]))

    @needs_lab(5)
    def test_alarms_in_virtual_time(self) -> None:
        of = "domains.slots[0].vtime"
        said = debug(2, "alarm", "break do_set_timer", "continue", f"set var {of}.used = 7000000",
                     f"set var {of}.alarm = {of}.used + 5250000", "atl timers")
        row = next(row for row in rows(said[4], "DEADLINE") if row[-1].startswith("of its own time"))
        self.assertEqual(row[:2], ["5.25 ms", "domain 0"])


def nanoseconds(text: str) -> float:
    number, unit = text.split()
    return float(number) * {"s": 1e9, "ms": 1e6, "us": 1e3, "ns": 1}[unit]
