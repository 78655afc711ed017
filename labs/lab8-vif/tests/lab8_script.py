# SPDX-License-Identifier: MIT
"""Steps for the guests of lab 8 (net_script.h), and what each must see: a model of VIFs, rules and the wire.

A step's key is its number among its domain's. The model sends at a kick and receives at a sleep; so between a kick and the next look
at the other side there is a sleep that is long enough for the wire.
"""

import errno
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import lab8_packet as net
from atelier_grader import observe, wire
from atelier_grader.judge import Finding
from atelier_grader.observe import Seen
from lab8_packet import LONGEST, End, Rule

(CREATE, DESTROY, RULE, OPEN, POST, POST_FRAME, PUBLISH, PUT, KICK, ANSWERS, DRAIN, START, SLEEP, INFO, GIVE_BACK, TABLE, MEMORY, KILL,
 MAP_POSTED, END) = range(20)  # fmt: skip
SCRATCH, FRAME, IN_TABLE, POSTED = range(4)
PAGE = 4096
WIRE_MAC = bytes([0x52, 0x54, 0, 0x12, 0x34, 0x56])
STRANGER = bytes([0x52, 0x55, 10, 0, 2, 2])
COUNTERS = ("tx_packets", "tx_bytes", "tx_dropped", "tx_refused", "rx_packets", "rx_bytes", "rx_dropped")


def mac_of(domain: int, vif: int) -> bytes:
    return WIRE_MAC if (domain, vif) == (0, 0) else bytes([2, 0, 0, 0, domain, vif & 255])


@dataclass(frozen=True)
class Piece:
    """Bytes of a packet's in a page: of the scratch pages, a machine frame, or the table that maps the guest."""

    length: int
    offset: int = 0
    page: int = 0
    kind: int = SCRATCH


@dataclass
class Vif:
    end: End
    mac: bytes
    queue: list[tuple[int, bytes | int]] = field(default_factory=list)  # id, packet or the error that it is answered with
    posted: deque[int] = field(default_factory=deque)  # the numbers of the pages, in the order of posting
    posts: int = 0  # so far
    counters: Counter = field(default_factory=Counter)
    answers: dict[int, int] = field(default_factory=dict)
    got: list[tuple[int, bytes]] = field(default_factory=list)  # page, packet
    answered: int = 0  # of the answers, asked for already


class Script:
    """The steps of all domains, and the model that they change."""

    def __init__(self, domains: int = 1):
        self.steps: list[list[int]] = [[] for _ in range(domains)]
        self.count = [0] * domains
        self.vifs: dict[End, Vif] = {End(0): Vif(End(0), WIRE_MAC)}
        self.rules: list[Rule] = [Rule(1000, from_domain=0, from_vif=0, to_domain=net.WIRE_DOMAIN),
                                  Rule(1000, from_domain=net.WIRE_DOMAIN, to_domain=0, to_vif=0)]
        self.out: list[bytes] = []  # what must have left
        self.arrivals: deque[wire.Packet] = deque()
        self.expected: list[tuple] = []  # domain, tag, key, what, fields

    # --- writing

    def _step(self, domain: int, *words: int | bytes) -> int:
        for word in words:
            data = observe.encode(word)
            self.steps[domain] += [int.from_bytes(data[i:i + 4], "little") for i in range(0, len(data), 4)]
        self.count[domain] += 1
        return self.count[domain] - 1

    def _expect(self, domain: int, tag: str, key: int, what: str, **fields: object) -> None:
        self.expected.append((domain, tag, key, what, fields))

    def words(self) -> list[int]:
        """The input: for each domain the number of its words, and these."""
        all_words: list[int] = []
        for steps in self.steps:
            all_words += [len(steps) + 1, *steps, END]
        return all_words

    # --- what domain 0 does

    def create(self, domain: int, vif: int, credit_bytes: int = 0, credit_us: int = 0, mac: bytes | None = None) -> None:
        end, mac = End(domain, vif), mac or mac_of(domain, vif)
        key = self._step(0, CREATE, domain, vif, mac + bytes(2), credit_bytes, credit_us)
        error = 0
        if mac[0] & 1 or not any(mac) or vif >= 4:
            error = -errno.EINVAL
        elif end in self.vifs or mac in (v.mac for v in self.vifs.values()):
            error = -errno.EEXIST
        else:
            self.vifs[end] = Vif(end, mac)
        self._expect(0, "control", key, f"creation of VIF {vif} of domain {domain}", answer=error)

    def destroy(self, domain: int, vif: int) -> None:
        key = self._step(0, DESTROY, domain, vif)
        gone = self.vifs.pop(End(domain, vif), None)
        self._expect(0, "control", key, f"the end of VIF {vif} of domain {domain}", answer=0 if gone else -errno.ENODEV)
        self.rules = [r for r in self.rules if (domain, vif) not in ((r.from_domain, r.from_vif), (r.to_domain, r.to_vif))]

    def rule(self, rule: Rule, remove: bool = False) -> None:
        key = self._step(0, RULE, int(remove), *rule.words())
        error = 0
        if remove and rule in self.rules:
            self.rules.remove(rule)
        elif remove:
            error = -errno.ENODEV
        else:
            self.rules.append(rule)
        self._expect(0, "control", key, f"{'removal' if remove else 'addition'} of a rule", answer=error)

    def info(self, domain: int, vif: int) -> None:
        key = self._step(0, INFO, domain, vif)
        counters = self.vifs[End(domain, vif)].counters
        self._expect(0, "info", key, f"counters of VIF {vif} of domain {domain}", **{name: counters[name] for name in COUNTERS})

    def memory(self) -> int:
        return self._step(0, MEMORY)

    def kill(self, domain: int) -> None:
        key = self._step(0, KILL, domain)
        self._expect(0, "kill", key, f"destruction of domain {domain}", answer=0)
        self.vifs = {end: v for end, v in self.vifs.items() if end.domain != domain}
        self.rules = [r for r in self.rules if domain not in (r.from_domain, r.to_domain)]

    # --- what a domain does

    def open(self, domain: int, vif: int) -> None:
        self._step(domain, OPEN, vif)

    def post(self, domain: int, vif: int, count: int) -> None:
        self._step(domain, POST, vif, count)
        v = self.vifs[End(domain, vif)]
        v.posted.extend(range(v.posts, v.posts + count))
        v.posts += count

    def start(self, domain: int = 0) -> None:
        self._step(domain, START)

    def sleep(self, us: int, domain: int = 0) -> None:
        """Until so many microseconds after the start; what came by wire until then is there."""
        self._step(domain, SLEEP, us)
        while self.arrivals and self.arrivals[0].when <= us * 1000:
            self._arrive(self.arrivals.popleft().data)

    def put(self, domain: int, vif: int, number: int, packet: bytes, pieces: list[Piece] | None = None, error: int = 0) -> None:
        """A request; `error` is what makes no packet of it, if it is none."""
        if pieces is None:
            pieces = [Piece(len(packet), page=number % 16)]
        words = [w for p in pieces[:4] for w in (p.kind, p.page, p.offset, p.length)]
        segment = packet.segment if isinstance(packet, net.Large) else 0
        self._step(domain, PUT, vif, number, len(pieces), segment, *words, bytes(packet))
        self.vifs[End(domain, vif)].queue.append((number, -error if error else packet))

    def kick(self, domain: int, vif: int) -> None:
        self._step(domain, KICK, vif)
        v = self.vifs[End(domain, vif)]
        for number, packet in v.queue:
            v.answers[number] = self._send(v, packet)
        v.queue = []

    def answers(self, domain: int, vif: int) -> None:
        """Waits for all answers, of packets that were kicked, that nobody has waited for."""
        v = self.vifs[End(domain, vif)]
        key = self._step(domain, ANSWERS, vif, len(v.answers) - v.answered)
        new = dict(list(v.answers.items())[v.answered:])
        v.answered = len(v.answers)
        self._expect(domain, "answer", key, f"answers to VIF {vif}", answers=new)

    def drain(self, domain: int, vif: int) -> None:
        key = self._step(domain, DRAIN, vif)
        v = self.vifs[End(domain, vif)]
        self._expect(domain, "got", key, f"packets to VIF {vif} of domain {domain}", packets=v.got)
        v.got = []

    def give_back(self, domain: int, page: int, answer: int) -> None:
        key = self._step(domain, GIVE_BACK, page)
        self._expect(domain, "given", key, f"giving back page {page}", answer=answer)

    def table(self, domain: int = 0) -> int:
        return self._step(domain, TABLE)

    def post_frame(self, domain: int, vif: int, number: int, kind: int, page: int) -> None:
        self._step(domain, POST_FRAME, vif, number, kind, page)

    def publish(self, domain: int, vif: int, refused: dict[int, int]) -> None:
        key = self._step(domain, PUBLISH, vif)
        self._expect(domain, "posted", key, f"frames posted to VIF {vif}", refused=refused)

    # --- the model

    def _send(self, v: Vif, packet: bytes | int) -> int:
        parts = net.segments(packet) if isinstance(packet, net.Large) else [packet]
        if isinstance(packet, int) or len(parts[0]) > LONGEST or (p := net.parse(packet)) is None:
            v.counters["tx_refused" if packet == -errno.EACCES else "tx_dropped"] += 1
            return packet if isinstance(packet, int) else -errno.EINVAL
        passed = p.sender == v.mac and (not p.is_arp or p.arp_sender == v.mac) and self._pass_on(v, p, parts)
        if not passed:
            v.counters["tx_refused"] += 1
            return -errno.EACCES
        v.counters["tx_packets"] += len(parts)
        v.counters["tx_bytes"] += sum(map(len, parts))
        return 0

    def _pass_on(self, v: Vif, p: net.Parsed, packets: list[bytes]) -> bool:
        many = bool(p.to[0] & 1)
        inside = [t for t in self.vifs.values() if (t is not v if many else t.mac == p.to)]
        targets = [t for t in inside if net.verdict(self.rules, p, v.end, t.end) == net.ACCEPT]
        for target in targets:
            for packet in packets:
                self._receive(target, packet)
        outside = (many or not inside) and net.verdict(self.rules, p, v.end, net.WIRE) == net.ACCEPT
        if outside:
            self.out += packets
        return bool(targets) or outside

    def _receive(self, v: Vif, packet: bytes) -> None:
        if not v.posted:
            v.counters["rx_dropped"] += 1
            return
        v.counters["rx_packets"] += 1
        v.counters["rx_bytes"] += len(packet)
        v.got.append((v.posted.popleft(), packet))

    def _arrive(self, packet: bytes) -> None:
        p = net.parse(packet)
        if len(packet) > LONGEST or p is None or p.sender in (v.mac for v in self.vifs.values()):
            return
        for v in self.vifs.values():
            if (p.to[0] & 1 or v.mac == p.to) and net.verdict(self.rules, p, net.WIRE, v.end) == net.ACCEPT:
                self._receive(v, packet)


# --- what a judge needs; `given` has a script and a wire


def encode(given: dict) -> bytes:
    return observe.encode(tuple(given["script"].words()))


def devices(given: dict) -> list:
    return [given["wire"]]


# --- judging


def _packets(exercise: str, what: str, want: list[bytes], got: list[bytes]) -> Iterator[Finding]:
    if len(got) != len(want):
        yield Finding(exercise, f"{what}: how many", len(want), len(got))
    for i, (a, b) in enumerate(zip(want, got, strict=False)):
        if a != b:
            at = next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
            yield Finding(exercise, f"{what}: number {i}, from byte {at} on", f"{len(a)} bytes, ...{a[at:at + 8].hex()}",
                          f"{len(b)} bytes, ...{b[at:at + 8].hex()}")
            return


def judge(exercise: str, script: Script, seen: Seen) -> Iterator[Finding]:
    """All that was observed against all that the model says."""
    for domain, tag, key, what, fields in script.expected:
        if tag == "answer":
            got = {o.id: o.status for o in seen.all("answer", domain) if o.key == key}
            if got != fields["answers"]:
                wrong = {i: (fields["answers"].get(i), got.get(i)) for i in sorted(fields["answers"].keys() | got.keys())
                         if fields["answers"].get(i) != got.get(i)}
                number, (a, b) = next(iter(wrong.items()))
                yield Finding(exercise, f"step {key}, {what}: request {number}", a, b)
        elif tag == "got":
            yield from _judge_got(exercise, f"step {key}, {what}", fields["packets"],
                                  [o for o in seen.all("got", domain) if o.key == key],
                                  [bytes(o.data) for o in seen.all("packet", domain) if o.key == key])
        elif tag == "posted":
            got = {o.id: o.length for o in seen.all("posted", domain) if o.key == key}
            if got != fields["refused"]:
                yield Finding(exercise, f"step {key}, {what}: which are refused", fields["refused"], got)
        else:
            o = seen.one(tag, key, domain)
            for name, want in fields.items():
                if (value := getattr(o, name)) != want:
                    yield Finding(exercise, f"step {key}, {what}: {name}", want, value)


def _judge_got(exercise: str, what: str, want: list[tuple[int, bytes]], got: list, data: list[bytes]) -> Iterator[Finding]:
    yield from _packets(exercise, what, [packet for _, packet in want], data)
    pages = [page for page, _ in want]
    if pages != (have := [o.posted for o in got]):
        yield Finding(exercise, f"{what}: the posted pages that they came in, by number", pages, have)
    for o in got:
        if o.around:
            yield Finding(exercise, f"{what}: bytes around one that are not zero", 0, o.around)
        if not o.named:
            yield Finding(exercise, f"{what}: the machine-to-physical entry of a new frame", "its page", "another")


def judge_wire(exercise: str, script: Script, log: wire.Log, ordered: bool = True) -> Iterator[Finding]:
    """What has left the machine, seen from outside."""
    want, got = script.out, [p.data for p in log.packets]
    if not ordered:
        want, got = sorted(want), sorted(got)
    yield from _packets(exercise, "packets on the wire", want, got)
