# SPDX-License-Identifier: MIT
"""`atl domains`, `atl domain D`: against what the guest was told at its start, what it asked for, and what the test writes."""

import re
import unittest

import start_day
from sessions import debug, needs_lab

N = len(start_day.ORDERS)


def item(text: str, name: str) -> str:
    """What stands behind a name of the screen, its lines as one."""
    found = re.search(rf"^  {name} .*\n(?:            .*\n)*", text, re.MULTILINE)
    return " ".join(found[0].split()) if found else ""


class Domains(unittest.TestCase):
    def test_a_domain_at_its_first_call(self) -> None:
        """It was told how many frames it has, and where its directory and its shared page are; no ring but ring 1 asks."""
        said = debug(1, "hello", *start_day.ORDERS, "atl domain 0", "output $info[4]", "output/x $dir", "output/x $shared",
                     "output/x domains.slots[0].vcpu.regs.eip", "atl domains", "output sizeof(domains.slots[0].name)").said[N:]  # fmt: skip
        text, frames = said[0], f"{int(said[1]):,}"
        self.assertTrue(text.startswith('domain 0 "domain 0": runs, privileged\n'), text)
        self.assertIn(f"owns {frames} frames, may own {frames}, was promised {frames}; base {said[2]}", item(text, "memory"))
        self.assertIn(f"frame {said[3]}, at 0xff000000 for the hypervisor: upcalls masked, none pending; ports pending: none; masked: none",
                      item(text, "shared"))
        self.assertIn(f"at {int(said[4], 16):#010x} in ring 1", item(text, "at"))
        self.assertIn("cs e019 ss e021 ds e021 es e021", item(text, "at"))
        self.assertRegex(said[5], rf"0  domain 0  runs +{said[1]} +{said[1]} +0  {said[2]}\n")
        for line in text.splitlines():
            self.assertLessEqual(len(line), 80)
        self.assertLessEqual(len(text.splitlines()), 24)

    def test_its_shared_page(self) -> None:
        shared = "domains.slots[0].shared"
        text = debug(1, "hello", *start_day.ORDERS, f"set var {shared}->pending[0] = 0x22", f"set var {shared}->mask[15] = 0x80000000",
                     f"set var {shared}->upcall_mask = 0", f"set var {shared}->upcall_pending = 1", "atl domain 0")[N + 4]  # fmt: skip
        self.assertIn("upcalls open, one is pending; ports pending: 1 5; masked: 511", item(text, "shared"))

    def test_who_runs_has_its_registers_in_the_processor(self) -> None:
        """At a guest's own instruction: where the first call will return to."""
        said = debug(1, "hello", *start_day.ORDERS, "set $at = domains.slots[0].vcpu.regs.eip", "hbreak *$at", "continue", "atl domain 0",
                     "output/x $at", "output/x $esp").said[N:]  # fmt: skip
        text = said[3]
        self.assertIn(f"at {int(said[4], 16):#010x} in ring 1", item(text, "at"))
        self.assertIn("it runs, the registers are the processor's", item(text, "at"))
        self.assertIn(f"esp {int(said[5], 16):08x}", item(text, "at"))

    def test_states_in_words(self) -> None:
        """Written by the test: what the words follow from."""
        slot = "domains.slots[0]"
        said = debug(1, "hello", *start_day.ORDERS, "set var sched.current = 0", "atl domain 0", f"set var {slot}.sched.blocked = 1",
                     "atl domain 0", f"set var {slot}.sched.paused = 1", "atl domain 0", f"set var {slot}.life = LIFE_DYING",
                     f"set var {slot}.reason = 2", f"set var {slot}.status = 7", "atl domain 0",
                     f"set var {slot}.life = LIFE_FREE", "atl domain 0",
                     f"set var {slot}.name[0] = 0", "atl domain 0", "atl domain 500").said[N:]  # fmt: skip
        for i, word in ((1, "can run"), (3, "blocked"), (5, "paused"), (9, "dies"), (11, "free")):
            self.assertIn(f'domain 0 "domain 0": {word}', said[i])
        self.assertIn("crash: the guest gave up, status 7", item(said[9], "end"))
        self.assertEqual(len(said[11].splitlines()), 2)
        self.assertIn("there is no domain 0", said[13])
        self.assertIn("there is no domain 500: slots are 0 to", said[14])

    @needs_lab(2)
    def test_ports_and_entries(self) -> None:
        ports = "domains.slots[0].events.ports"
        said = debug(2, "ports", *start_day.ORDERS, f"set var {ports}[1].state = 1", f"set var {ports}[1].remote = 2",
                     f"set var {ports}[2].state = 2", f"set var {ports}[2].remote = 1", f"set var {ports}[2].remote_port = 9",
                     f"set var {ports}[300].state = 3", f"set var {ports}[300].virq = 0",
                     "set var domains.slots[0].traps.handlers[14].address = 1",
                     "set var domains.slots[0].upcalls.callbacks.event_eip = 0xc0001000", "atl domain 0")[N + 9]  # fmt: skip
        self.assertEqual("ports 1: domain 2 may bind; 2: domain 1, port 9; 300: VIRQ timer", item(said, "ports"))
        self.assertIn("event 0xc0001000, no failsafe callback, 1 trap handler, no fast trap", item(said, "entries"))

    @needs_lab(2)
    def test_a_timer_that_is_armed(self) -> None:
        """The guest is made to ask for 900 ms of real time: afterwards that stands there."""
        said = debug(2, "alarm", "thbreak do_set_timer", "continue", "atl domain 0", "set var *(unsigned long long *)arg.n = 900000000",
                     "set var *(unsigned long long *)(arg.n + 8) = 0", "finish", "atl domain 0")  # fmt: skip
        self.assertIn("; no timer", item(said[2], "time"))
        self.assertIn("; timer at 900 ms", item(said[6], "time"))

    @needs_lab(6)
    def test_rings(self) -> None:
        said = debug(6, "console", "thbreak ring_respond", "continue", "atl domain 1", "atl domain 0")
        self.assertEqual("devices ring console 0", item(said[2], "devices"))
        self.assertEqual("devices none", item(said[3], "devices"))

    @needs_lab(8)
    def test_devices(self) -> None:
        text = debug(8, "receive", "continue", "atl domain 0")[1]
        self.assertIn("VIF 0, VIF 1", item(text, "devices"))


if __name__ == "__main__":
    unittest.main()
