# SPDX-License-Identifier: MIT
"""What the labs have to show, and the vandal: each of its crimes comes back as an error or costs it its life, while the clock in
domain 0 ticks on; and against a hypervisor with a mistake (solutions/*/wrong/) it succeeds."""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from boots import CRASHED, FAILED, ROOT, Done, expect, refused, run

LATE = 500_000  # microseconds: a tick that somebody else has eaten never comes at all
DIES, GOES_ON = "dies", "goes on"  # what becomes of a vandal, if its crime is not answered
FAULT = "trap 14"

CRIMES = {
    1: {"a": "EFAULT", "b": "EFAULT", "c": "ENOSYS", "d": "EFAULT", "e": "EINVAL", "f": "trap 13", "g": "trap 13"},
    2: {"a": DIES, "b": DIES, "c": "EPERM", "d": "EPERM", "e": DIES, "f": "EPERM", "g": "EINVAL", "h": "EPERM", "i": GOES_ON, "j": GOES_ON},
    3: {"a": FAULT, "b": "EPERM", "c": "EPERM", "d": "EPERM", "e": "EBUSY", "f": "EINVAL", "g": "EPERM", "h": "EINVAL", "i": "EINVAL",
        "j": "EPERM", "k": "EPERM", "l": "EPERM", "m": "EPERM", "n": FAULT, "o": "EINVAL", "p": "EFAULT"},
    4: {"a": "EACCES", "b": "EACCES", "c": "EACCES", "d": "EACCES", "e": "EACCES", "f": "EBUSY", "g": "EBUSY", "h": "EBUSY", "i": "EPERM"},
    5: {"a": GOES_ON, "b": GOES_ON, "c": GOES_ON, "d": GOES_ON, "e": GOES_ON, "f": "EPERM", "g": GOES_ON, "h": GOES_ON},
    6: {"a": "EBUSY", "b": "EPERM", "c": "EIO", "d": "EIO", "e": "EBUSY", "f": "EEXIST", "g": "ENOSPC"},
    7: {"a": "EBUSY", "b": "EBUSY", "c": "EBUSY", "d": "EINVAL", "e": "EINVAL", "f": "ENOMEM", "g": "EFAULT", "h": FAULT, "i": "ENXIO"},
    8: {"a": "EACCES", "b": "EACCES", "c": "EACCES", "d": "EINVAL", "e": "EINVAL", "f": "EINVAL", "g": "ENOSPC", "h": "EBUSY",
        "i": "EBUSY", "j": "EINVAL"},
    9: {"a": "ENXIO", "b": "ENXIO", "c": "EACCES", "d": "EACCES", "e": "ENODEV", "f": "EINVAL", "g": "EINVAL", "h": "EBUSY"},
}  # fmt: skip

# A mistake, the crime that it lets succeed, and how that is seen. The machine need not notice what was done to it.
STOPS, SUCCEEDS = "the machine stops", "it says so"
MISTAKES = (
    ("lab1-hypercalls/wrong/array-product", 1, "b", SUCCEEDS),
    ("lab2-events/wrong/double-is-panic", 2, "a", STOPS),
    ("lab2-events/wrong/bind-stranger", 2, "h", SUCCEEDS),
    ("lab3-paging/wrong/ro-to-rw", 3, "e", SUCCEEDS),
    ("lab3-paging/wrong/refs-any-owner", 3, "c", SUCCEEDS),
    ("lab3-paging/wrong/no-flush", 3, "n", SUCCEEDS),
    ("lab4-segmentation/wrong/system-types", 4, "a", SUCCEEDS),
    ("lab5-bvt/wrong/weight-zero", 5, "g", STOPS),
    ("lab6-rings/wrong/producer-believed", 6, "c", SUCCEEDS),
    ("lab7-balloon/wrong/types-only", 7, "b", SUCCEEDS),
    ("lab8-vif/wrong/post-trusting", 8, "h", SUCCEEDS),
    ("lab9-vbd/wrong/not-typed", 9, "h", SUCCEEDS),
)
# Time is the host's here: on a busy one another domain may run between two steps of a crime, and with that the processor forgets what
# it was to write by.
TRIES = 3


def _demo(lab: int, *words: str, seconds: int = 120) -> Done:
    return run("tools/demo", f"--lab={lab}", *words, seconds=seconds)


def _outcome(text: str, domain: int, key: str) -> str:
    """What became of the vandal in a domain."""
    answer = re.search(rf"^\({domain}\) {key}: (?:refused, -(\w+)|(trap \d+)|(succeeded))", text, re.MULTILINE)
    if answer:
        return next(filter(None, answer.groups()))
    if f"domain {domain} (domain) dies" in text:
        return DIES
    return GOES_ON if re.search(rf"^\({domain}\) {key}: ", text, re.MULTILINE) else "was never there"


def _all_refused(lab: int) -> None:
    keys = "".join(CRIMES[lab])
    done = _demo(lab, f"--keys={keys}")
    expect(done.status == 0, "the machine did not come to its end", done)
    for domain, (key, wanted) in enumerate(CRIMES[lab].items(), 1):
        got = _outcome(done.out, domain, key)
        expect(got == wanted, f"crime {key}: {got}, not {wanted}")
    ticks = [(int(n), int(late)) for n, late in re.findall(r"^tick (\d+), (\d+) us late", done.out, re.MULTILINE)]
    expect([n for n, _ in ticks] == list(range(1, len(ticks) + 1)) and len(ticks) > 2 * len(keys), "the clock missed a tick", done)
    expect(max(late for _, late in ticks) < LATE, f"the clock was {max(late for _, late in ticks)} us late")


def a_bad_call_is_refused():
    _all_refused(1)


def a_bad_stack_handler_or_alarm_is_refused():
    _all_refused(2)


def sixteen_forged_page_tables_are_refused():
    _all_refused(3)


def a_forged_descriptor_is_refused():
    _all_refused(4)


def stolen_time_is_not_given():
    _all_refused(5)
    done = _demo(5, "--keys=gh")
    expect(done.out.count(": refused (-22)") == 2, "domain 0 could be talked into it", done)


def a_lie_about_a_ring_stops_the_ring():
    _all_refused(6)


def memory_changes_hands_only_when_nobody_holds_it():
    _all_refused(7)


def a_false_sender_is_refused():
    _all_refused(8)


def others_sectors_are_refused():
    _all_refused(9)


def the_menu_names_each_crime_that_is_tried_here():
    for lab, crimes in CRIMES.items():
        (source,) = (ROOT / "labs").glob(f"lab{lab}-*/demo/crimes.c")
        keys = re.findall(rf"^CRIME\({lab}, '(.)'", source.read_text(), re.MULTILINE)
        expect(keys == list(crimes), f"lab {lab}: {source.name} has {''.join(keys)}, and {''.join(crimes)} are tried")


# --- the same against hypervisors with a mistake


def _spoil(folder: Path, mistake: str) -> Path:
    """A hypervisor with a mistake; only what the patch changes is compiled again."""
    shutil.copytree(ROOT / "src", folder / "src")
    shutil.copytree(ROOT / "build/hv", folder / "build/hv")
    shutil.copy2(ROOT / "Makefile", folder / "Makefile")
    (folder / "tools").symlink_to(ROOT / "tools")
    patched = run("patch", "-s", "-p1", "-d", str(folder), "-i", str(ROOT / f"solutions/{mistake}.patch"))
    expect(patched.status == 0, f"{mistake} does not apply", patched)
    built = run("make", "--silent", "-j1", "-C", str(folder), "build/atelier.elf")
    expect(built.status == 0, f"{mistake} does not compile", built)
    return folder / "build/atelier.elf"


def _succeeds(mistake: str, lab: int, key: str, how: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        hypervisor = _spoil(Path(name), mistake)
        for _ in range(TRIES):
            done = _demo(lab, f"--keys={key}", f"--hypervisor={hypervisor}")
            if how == STOPS or _outcome(done.out, 1, key) == "succeeded":
                break
    if how == STOPS:
        expect(done.status == CRASHED and "The machine has stopped" in done.out, f"{mistake}: crime {key} did not stop it", done)
    else:
        expect(_outcome(done.out, 1, key) == "succeeded", f"{mistake}: crime {key} {_outcome(done.out, 1, key)}", done)


def a_crime_succeeds_where_the_hypervisor_has_the_mistake_for_it():
    for mistake in MISTAKES:
        _succeeds(*mistake)


# --- what a person gets wrong


def a_lab_or_crime_that_is_not_there_is_refused():
    refused(_demo(0), "LAB=0")
    refused(_demo(3, "--keys=a!"), "KEYS=a!")
    refused(run("make", "--silent", "demo"), "LAB=N")
    done = _demo(1, "--keys=a", "--hypervisor=build/nothing.elf")
    expect(done.status == FAILED and "build/nothing.elf" in done.err, "not refused", done)


def calls_and_multicalls_draw_the_same_picture():
    done = _demo(1)
    pictures = re.findall(r"(?:^[ .,:;=+*oO8&%#@-]{78}\r?\n){20}", done.out, re.MULTILINE)
    expect(len(pictures) == 3 and len(set(pictures)) == 1, f"{len(pictures)} pictures", done)
    calls, multicalls = (int(n) for n in re.findall(r"calls: +1?6?0?0?2?0? times.*?(\d+) instructions", done.out)[:2])
    expect(0 < multicalls < calls, f"calls took {calls} instructions, multicalls {multicalls}", done)


def system_calls_of_ring_3_never_enter_the_hypervisor():
    done = _demo(2)
    expect(len(re.findall(r"\d\d:\d\d:\d\d UTC", done.out)) == 3, "the clock", done)
    expect("ping-pong: 1000 rounds" in done.out, "the game did not come to its end", done)
    slow, fast = (float(n) for n in re.findall(r"(\d+\.\d{3})", done.out))
    expect(fast < 5 < 50 < slow, f"a fast call takes {fast} instructions, another one {slow}", done)


def forked_processes_share_pages_until_they_write_and_f2_shows_the_frames():
    f2 = "\033OQ"
    done = run("tools/demo", "--lab=3", typed=(("forks", f2), ("capitals", f2), ("ends", f2)), seconds=120)
    said = sorted(re.findall(r"process (\d) says: (\d)", done.out))
    expect(said == [(n, n) for n in "1234"], "somebody read what another one wrote", done)
    expect(done.out.count(": copied, ") == 3 and done.out.count("nobody else has it any more") == 1, "not three copies", done)
    maps = re.findall(r"^ +([0-9a-f]+) ([-.hwtdglWTDGL]{64})\r?$", done.out, re.MULTILINE)
    expect(done.out.count("capitals: another domain's") >= 2 and any("D" in row for _, row in maps), "no map of two domains", done)
    tables = [int(n) for n in re.findall(r"t page table: (\d+)", done.out)]
    expect(tables and min(tables) > 0, f"page tables on the maps: {tables}", done)


# --- what is typed in domain 0: one for each session


def _session(lab: int, *cues: str) -> None:
    done = _demo(lab, seconds=500)
    for cue in cues:
        expect(re.search(cue, done.out), f"nowhere is `{cue}`", done)


def linux_runs_beside_the_vandal():
    _session(4, r"6\.1\.\d+-atelier i686", r"\(1\) h: refused, -EBUSY[^#]*\d\d:\d\d:\d\d")


def four_linuxes_share_by_weight_beside_the_vandal():
    _session(5, r"three +[345]\d\.\d", r"vandal +\d+\.\d", r"(?s)\d ms late each time.*\d ms late each time")


def each_domain_has_its_console():
    _session(6, "I am domain2", "d: refused, -EIO", "a: refused, -EBUSY", "here is still domain1")


def a_fifth_domain_gets_what_four_gave_back():
    _session(7, "fifth: it cannot be created", r"(?s)fifth +49152.*i: refused, -ENXIO")


def a_domain_serves_pages_and_cannot_forge_its_sender():
    _session(8, r"domain1\r?\n", r"real\s+0m([89]|1\d)\.", "100% packet loss", r"02:61:74:00:01:00 +\d+ +\d+ +0 +[1-9]")


def a_debian_outlives_a_power_cut():
    _session(9, "the power fails", r"(?s)the power fails.*mounted filesystem", r"Pass 5[^\n]*\n[^\n]*\d+/\d+ files")
