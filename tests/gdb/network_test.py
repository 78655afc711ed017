# SPDX-License-Identifier: MIT
"""`atl vif` and `atl rules`, against the model of lab 8's judges, and the raw counters."""

import re
import unittest

from sessions import debug, needs_lab, told, value

ANY, WIRE = 0xFFFF, 0xFFFE
COUNTERS = ("tx_packets", "tx_bytes", "tx_dropped", "tx_refused", "rx_packets", "rx_bytes", "rx_dropped")


def joined(printed: str) -> list[str]:
    """Lines, with those that go on put together."""
    return re.sub(r"\n {4,}(?=\S)", " ", printed).splitlines()


def blocks(printed: str) -> dict[str, str]:
    """What is said of each VIF, by name."""
    return {text.split()[0]: text for text in printed.split("VIF ")[1:]}


def end(domain: int, vif: int) -> str:
    return {ANY: "any", WIRE: "wire"}.get(domain, f"{domain}" if vif == ANY else f"{domain}.{vif}")


def network(address: int, mask: int) -> str:
    return ".".join(str(address >> shift & 255) for shift in (24, 16, 8, 0)) + f"/{bin(mask).count('1')}"


def words(rule) -> str:
    """A rule of the judge's, as somebody would type it."""
    said = [("accept", "drop")[rule.action], f"from {end(rule.from_domain, rule.from_vif)} to {end(rule.to_domain, rule.to_vif)}"]
    if rule.protocol:
        said.append(f"proto {rule.protocol}")
    for name, address, mask in (("src", rule.source, rule.source_mask), ("dst", rule.destination, rule.destination_mask)):
        if mask:
            said.append(f"{name} {network(address, mask)}")
    for name, (low, high) in (("sport", rule.source_ports), ("dport", rule.destination_ports)):
        if high:
            said.append(f"{name} {low}-{high}")
    return " ".join([*said, f"rank {rule.rank}"])


@needs_lab(8)
class Rules(unittest.TestCase):
    def test_rules_are_those_that_were_made_and_in_order(self) -> None:
        """When all is done, and counters are asked for."""
        script = told(8, "rules")["script"]
        want = sorted(script.rules, key=lambda rule: rule.rank)
        said = debug(8, "rules", "break vif_info", "continue", "atl rules",
                     f"python print([int(gdb.parse_and_eval('vfr.rules')[i]['hits']) for i in range({len(want)})])")
        lines = [line for line in joined(said[2]) if re.match(" *[0-9]+  ", line)]
        hits = [int(word) for word in re.findall("[0-9]+", said[3])]
        self.assertEqual(lines, [f"{i:3}  {words(rule)}  ({n} hits)" for i, (rule, n) in enumerate(zip(want, hits, strict=True))])
        self.assertGreater(sum(hits), 0)
        self.assertGreater(len(want), 10)
        self.assertTrue(all(len(line) <= 80 for line in said[2].splitlines()))

    def test_no_rules_and_a_broken_count(self) -> None:
        said = debug(8, "rules", "break vif_transmit", "continue", "atl rules", "set var vfr.count = 0xffffffff", "atl rules",
                     "atl rules 3")
        self.assertIn("There are no rules: nothing passes.", said[2])
        self.assertIn("4294967295 rules, of at most 512: broken", said[4])
        self.assertEqual(sum(bool(re.match(" *[0-9]+  ", line)) for line in joined(said[4])), 512)
        self.assertIn("say: atl rules", said[5])


@needs_lab(8)
class Vifs(unittest.TestCase):
    def test_counters_and_addresses_are_the_judges(self) -> None:
        script = told(8, "rules")["script"]
        said = debug(8, "rules", "break vif_info", "continue", "atl vif 0", "atl vif 1")
        got = blocks(said[2])
        self.assertEqual(got.keys(), {f"{e.domain}.{e.vif}" for e in script.vifs})
        for e, vif in script.vifs.items():
            text = got[f"{e.domain}.{e.vif}"]
            self.assertEqual(text.split()[1], vif.mac.hex(":"))
            self.assertEqual([int(word) for word in text.splitlines()[-1].split()], [vif.counters[name] for name in COUNTERS])
            self.assertIn(f"posted: {len(vif.posted)} of 128 frames to exchange", text)
            self.assertIn("credit: no cap", text)
        self.assertIn("there is no domain 1", said[3])

    def test_the_packet_that_is_next(self) -> None:
        """All packets of five VIFs, on a wire that takes one or two at a time: who waits, and what is on the wire."""
        flights = "sum(1 for i in range(64) if int(gdb.parse_and_eval('state.flights')[i]['domain']))"
        said = debug(8, "turns", "break vif_transmit if v->domain == &domains.slots[1]", "continue", "atl vif 1", "print v->number",
                     "condition 2", "ignore 2 30", "continue", "print v->domain->id", "atl vif 0", "print v->number",
                     "print v->packet.id", "print v->packet.length", f"python print({flights})")
        first = blocks(said[2])["1.0"]
        self.assertEqual(value(said[3]), 0)
        self.assertIn("loaded: id 0, 74 bytes, of which 74 are copied and 0 pieces held", first)
        self.assertRegex(first, r"in the row: place (\d) of \1")
        self.assertEqual(value(said[7]), 0)
        got = blocks(said[8])
        current = got[f"0.{value(said[9])}"]
        self.assertIn(f"loaded: id {value(said[10])}, {value(said[11])} bytes", current)
        places = re.findall(r"in the row: place (\d) of", said[8])
        self.assertEqual(len(set(places)), len(places))
        self.assertRegex(current, r"in the row: place (\d) of \1")  # who has its turn goes to the end
        on_wire = sum(int(n) for n in re.findall(r"on the wire: (\d+)", said[8]))
        self.assertEqual(on_wire, value("= " + said[12]))

    def test_credit_and_what_is_broken(self) -> None:
        vif = "domains.slots[0].vifs.vifs[0]"
        fields = {"credit_bytes": 20000, "credit_us": 10000, "credit": 1234}
        said = debug(8, "rules", "break vif_transmit", "continue",
                     *(f"set var {vif}->{name} = {number}" for name, number in fields.items()),
                     "atl vif 0", f"set var {vif}->post = {vif}->take + 4000", f"set var {vif}->domain = 0", "atl vif 0",
                     "set var state.row.next = &state.vifs[0].turn", "set var state.vifs[0].turn.next = &state.vifs[1].turn",
                     "set var state.vifs[1].turn.next = &state.vifs[0].turn", "atl vif 0",
                     "set var state.row.next = &state.row", f"set var {vif} = 16", "atl vif 0")
        self.assertIn("credit: 1234 of 20000 bytes, which it earns in 10 ms", said[5])
        self.assertIn("4000 frames, of at most 128: broken", said[8])
        self.assertIn("BROKEN: it is another domain's", said[8])
        self.assertIn("does not come back to its head", said[12])
        self.assertIn("Cannot access memory", said[15])
        self.assertNotIn("Traceback", said.whole)
