# SPDX-License-Identifier: MIT
"""Debian 12 in domains, on the disk that comes with `make run`: the session of the README, and the same in Bochs.

The one in Bochs takes minutes: `make check` runs the others.
"""

import json
import re

from boots import Done, expect, make_run

DISK = ("DISK=build/disk/debian.img", "SNAPSHOT=1", "NET=user", "MEM=768", "OPTIONS=dom0_mem=256M")
# A key leaves a console; `up NAME` waits until that domain asks for a name.
WORDS = r"q='printf \035';up(){ until (sleep 2;$q)|atl console $1 2>&1|grep -q login:;do sleep 3;done;};"
FREE = "atl info | sed -n 's/^free *//p'"


def _session(command: str, *words: str, seconds: int) -> Done:
    done = make_run(f"CMD={WORDS}{command}", *DISK, *words, seconds=seconds)
    expect(done.status == 0, "the session did not end well", done)
    return done


def two_debians_one_has_the_others_page_and_is_destroyed_while_it_writes():
    done = _session(
        f"{FREE};atl disk make second 1G;atl disk copy debian second;atl create web --mem 96M --vbd debian --vif;up web;"
        "atl create second --mem 96M --vbd second --vif;up second;(sleep 1;echo root;sleep 4;echo 'curl -s 10.0.2.15;"
        "while dd if=/dev/zero of=x bs=1M count=99;do :;done &';sleep 4;$q)|atl console second;atl top -d 2 -n 1;atl destroy second;"
        f"atl net;atl shutdown web;sleep 15;atl list --json;{FREE}",
        seconds=400,
    )  # fmt: skip
    expect(re.search(r"<p>This is web, Debian 12", done.out), "the page did not come", done)
    shares = {name: float(percent) for name, percent in re.findall(r"^ +\d+  (\w+) +([\d.]+) ", done.out, re.MULTILINE)}
    expect(shares.get("second", 0) > 10, f"who writes has {shares} of the processor", done)
    expect("accept from 1.0 to any" in done.out and "accept from 2.0" not in done.out, "the wrong rules are left", done)
    expect([d["domain"] for d in json.loads(re.search(r"\[\n.*\n\]", done.out, re.DOTALL)[0])] == [0], "a domain is left", done)
    memory = re.findall(r"^(\d+) KiB$", done.out, re.MULTILINE)
    expect(len(memory) == 2 and memory[0] == memory[1], f"free memory was and is {memory}", done)


def a_debian_serves_a_page_in_bochs_too():
    done = _session("atl create web --mem 96M --vbd debian --vif;up web;wget -qO- http://10.0.2.16/", "EMU=bochs", "CMDLINE=ip=dhcp",
                    seconds=1200)  # fmt: skip
    expect(re.search(r"<p>This is web, Debian 12", done.out), "the page did not come", done)
