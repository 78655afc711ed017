# SPDX-License-Identifier: MIT
"""`atl events` and `atl ports`, against what the judges told the guests to do and what the guests themselves know of their ports."""

import struct
import unittest

from sessions import debug, guest_symbol, needs_lab, raw, read_raw, rows, told, value

PORTS = 40  # of pending.c
PORT = struct.Struct("<BBHH")
CLOSED, UNBOUND, INTERDOMAIN, VIRQ = range(4)
NAMES = ("closed", "unbound", "interdomain", "VIRQ")


def pending_session(*orders: str):
    """pending.c in its first round in which all is raised while events are off; first printed: its ports, and their other ends."""
    place = guest_symbol(2, "pending", "ports")
    return debug(2, "pending", "break do_yield", "continue", raw(str(place), "320"), *orders)


def own_ports(printed: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    words = struct.unpack("<80I", read_raw(printed))
    return words[:PORTS], words[PORTS:]


@needs_lab(2)
class Events(unittest.TestCase):
    def test_what_is_pending_and_masked_is_what_the_judge_asked_for(self) -> None:
        said = pending_session("atl events 0")
        own, other = own_ports(said[2])
        first = next(r for r in told(2, "pending")["rounds"] if r["what"] == 1)
        pending, masked = {own[i] for i in first["sent"]}, {own[i] for i in first["masked"]}
        want = [[str(port), *(["yes"] if port in pending else []), *(["yes"] if port in masked else []),
                 *(["yes"] if port in pending - masked else []), *(["yes"] if any(port // 32 == p // 32 for p in pending) else []),
                 f"domain 0, port {other[own.index(port)]}"] for port in sorted(pending | masked)]
        self.assertEqual([row for row in rows(said[3], "PORT") if row[0].isdigit()], want)
        self.assertIn("set: events are off", said[3])
        self.assertIn("upcall due (upcall_pending): " + ("yes" if pending - masked else "no"), said[3])
        self.assertIn("The upcall waits: events are off" if pending - masked else "nothing is to be delivered", said[3])

    def test_a_sleeper_whose_port_is_masked(self) -> None:
        place = str(guest_symbol(2, "pending", "ports"))
        said = debug(2, "pending", "break sched_sleep", "continue", "finish", raw(place, "320"), "atl events 0",
                     "print domains.slots[0].timers.deadline", "print domains.slots[0].events.virq_port[0]", "atl domains")
        own, _ = own_ports(said[3])
        self.assertRegex(said[4], "domain 0 .*: blocked")
        self.assertIn(f"all that is pending is masked (port {own[0]}).", said[4].replace("\n", " "))
        deadline = value(said[5])
        self.assertIn(f"Its alarm is for {deadline / 1e6:.3f}".rstrip("0"), said[4].replace("\n", " "))
        self.assertIn(f"raises port {value(said[6])}.", said[4].replace("\n", " "))
        self.assertIn("clear: events are on", said[4])

    def test_a_lost_wake_up_is_called_one(self) -> None:
        port = "domains.slots[0].events.virq_port[0]"
        page = "((struct shared_info *)domains.slots[0].shared)"
        said = debug(2, "pending", "break sched_sleep", "continue", "finish",
                     f"set var {page}->pending[{port} / 32] |= 1 << {port} % 32", "atl events 0",
                     f"set var {page}->upcall_pending = 1", "atl events 0", f"print {port}")
        number = value(said[7])
        self.assertIn(f"It sleeps, and port {number} can be delivered, but no upcall is due", said[4].replace("\n", " "))
        self.assertIn(f"although an upcall is due for port {number}, which E3 forbids", said[6].replace("\n", " "))

    def test_one_that_sleeps_for_its_peer(self) -> None:
        """The first of all to sleep in wake-phase: nothing is pending, and nothing else will wake it."""
        said = debug(2, "wake-phase", "break sched_sleep if d == &domains.slots[0]", "continue", "finish", "atl events 0", "atl events 1")
        self.assertIn("It sleeps: nothing is pending. It has set no alarm: only an event from somebody else wakes it.",
                      said[3].replace("\n", " "))
        self.assertNotIn("It sleeps:", said[4])

    def test_paused_dying_and_not_yet_there(self) -> None:
        said = pending_session("set var domains.slots[0].sched.paused = 2", "atl events 0",
                               "set var domains.slots[0].life = 2", "atl events 0",
                               "set var domains.slots[0].shared = 0", "atl events 0", "atl ports 0")
        self.assertIn("paused (2 times)", said[4])
        self.assertIn("The domain dies", said[6])
        self.assertIn("no shared page", said[8])
        self.assertEqual(len(rows(said[9], "PORT")), 2 * PORTS)


@needs_lab(2)
class Ports(unittest.TestCase):
    def test_pairs_are_those_that_the_guest_was_given(self) -> None:
        said = pending_session("atl ports 0")
        own, other = own_ports(said[2])
        peer = dict(zip(own, other, strict=True)) | dict(zip(other, own, strict=True))
        sent = {own[i] for i in next(r for r in told(2, "pending")["rounds"] if r["what"] == 1)["sent"]}
        listed = {int(row[0]): row for row in rows(said[3], "PORT")}
        self.assertEqual(listed.keys(), peer.keys())
        for port, row in listed.items():
            self.assertEqual((row[1], row[-1]), ("interdomain", f"domain 0, port {peer[port]}"))
            self.assertEqual("yes" in row, port in sent)

    def test_ports_of_all_states_and_two_domains(self) -> None:
        """After some hundreds of steps of both, again and again, against the bytes of the hypervisor's table."""
        at = "(unsigned int)domains.slots[{}].events.ports"
        looks = [order for d in (0, 1) for order in (raw(at.format(d), "3072"), f"atl ports {d}")]
        said = debug(2, "ports", "break do_yield", *[order for _ in range(8) for order in ("ignore 2 40", "continue", *looks)])
        seen: set[str] = set()
        for look in range(8):
            for d in (0, 1):
                place = 3 + 6 * look + 2 * d
                seen |= self.compare(read_raw(said[place]), said[place + 1])
        self.assertEqual(seen, set(NAMES[1:]))

    def compare(self, table: bytes, printed: str) -> set[str]:
        """The states that were there."""
        want = {}
        for number, (state, _, remote, remote_port) in enumerate(PORT.iter_unpack(table)):
            if state != CLOSED:
                ends = {UNBOUND: f"domain {remote} may bind", INTERDOMAIN: f"domain {remote}, port {remote_port}", VIRQ: "VIRQ "}
                want[number] = NAMES[state], ends[state]
        self.assertIn(f": {len(want)} of 511 ports are open", printed)
        self.assertNotIn("which says", printed)
        got = {int(row[0]): row for row in rows(printed, "PORT")} if want else {}
        self.assertEqual(got.keys(), want.keys())
        for number, (state, end) in want.items():
            self.assertEqual(got[number][1], state)
            self.assertTrue(got[number][-1].startswith(end), got[number])
        return {state for state, _ in want.values()}

    def test_ends_that_disagree_are_shown(self) -> None:
        port = "domains.slots[0].events.ports[5]"
        said = pending_session("atl ports 0", f"set var {port}.remote_port = 500", "atl ports 0",
                               f"set var {port}.remote = 40000", "atl ports 0",
                               f"set var {port}.state = 77", "atl ports 0")
        self.assertNotIn("which says", said[3])
        self.assertRegex(said[5], "domain 0, port 500 - which says: closed")
        self.assertRegex(said[7], "domain 40000, port 500, which cannot be")
        self.assertRegex(said[9], r"\n +5  broken .*state 77, which is none")
        self.assertNotIn("Traceback", said.whole)
