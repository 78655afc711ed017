# SPDX-License-Identifier: MIT
"""Domain 0 creates, connects, watches and destroys other domains, in QEMU: atl's commands as a person gives them."""

import json
import re
import tempfile

from boots import Done, expect, make_run

ROOM = ("MEM=768", "OPTIONS=dom0_mem=256M")
FREE = "atl info | sed -n 's/^free *//p'"
LEAVE = r"q='printf \035'"  # the key that leaves a console
LINUX = "--mem 32M --cmdline 'console=hvc0 ip=dhcp'"


def _atl(command: str, *words: str, status: int = 0, seconds: int = 240) -> Done:
    """A shell command in domain 0, with room for other domains."""
    done = make_run(f"CMD={LEAVE}; {command}", *ROOM, *words, seconds=seconds)
    expect(done.status == status, f"`{command}` ended with {done.status}, not {status}", done)
    return done


def a_domain_is_built_listed_paused_and_taken_back():
    done = _atl(f"{FREE}; atl create m --kernel /boot/mini --mem 4M; sleep 1; atl list --json; atl pause m; atl list --json; "
                f"atl unpause m; atl destroy m; atl list --json; {FREE}")  # fmt: skip
    free, number, *lists, again = re.match(r"(\d+ KiB)\n(\d+)\n(\[.*?\])\n(\[.*?\])\n(\[.*?\])\n(\d+ KiB)\n", done.out, re.DOTALL).groups()
    running, paused, gone = (json.loads(text) for text in lists)
    expect([d["name"] for d in running] == ["domain 0", "m"], "not two domains", done)
    expect(running[1]["domain"] == int(number) and running[1]["mem_kib"] == 4096, "not as it was asked for", done)
    expect(running[1]["state"] in ("running", "blocked") and paused[1]["state"] == "paused", "not paused", done)
    expect([d["name"] for d in gone] == ["domain 0"], "it is still there", done)
    expect(free == again, f"free memory was {free}, and is {again}", done)


def what_a_domain_prints_and_is_told_goes_through_its_console():
    done = _atl(f"{FREE}; atl create l --mem 32M >/dev/null; sleep 8; (sleep 1; echo 'echo sum $((40+2)) of $(hostname)'; sleep 3; "
                f"echo poweroff; sleep 2) | atl console l 2>&1; sleep 1; atl list --json; {FREE}")  # fmt: skip
    expect("Linux version 6.1" in done.out, "not its first line", done)
    expect("sum 42 of domain1" in done.out, "its shell did not answer", done)
    expect("l is gone: it powered off." in done.out, "its end was not told", done)
    lines = done.out.splitlines()
    expect(lines[0] == lines[-1], f"free memory was {lines[0]}, and is {lines[-1]}", done)


def a_domains_random_bytes_are_there_at_once():
    done = _atl("atl create l --mem 32M >/dev/null; sleep 8; (sleep 1; $q) | atl console l")
    expect(re.search(r"^\[ +0\.0+\] random: crng init done", done.out, re.MULTILINE), "it has to make some first", done)


def domains_reach_each_other_the_wire_and_domain_0():
    done = _atl(f"atl create a {LINUX} --vif; atl create b {LINUX} --vif; sleep 16; "
                "(sleep 1; echo 'hostname >i; httpd -p 80; ip addr show eth0'; sleep 4; $q) | atl console a 2>&1 | grep inet; "
                "(sleep 1; echo 'wget -qO- http://10.0.2.16/i; ping -qc 2 10.0.2.2; ping -qc 2 10.0.2.15'; sleep 7; $q) | atl console b; "
                "atl vif; atl net", "CMDLINE=ip=dhcp")  # fmt: skip
    expect("inet 10.0.2.16/24" in done.out, "DHCP gave the first one no address", done)
    expect(re.search(r"^domain1\s*$", done.out, re.MULTILINE), "the second one got no page from the first", done)
    expect(done.out.count("2 packets transmitted, 2 packets received") == 2, "not both pings were answered", done)
    expect(re.search(r"accept from 1\.0 to any", done.out), "no rule for the first one's interface", done)


def devices_come_and_go_while_a_domain_runs():
    """The domain says what it has whenever that is something else, and uses it; it holds its first disk open."""
    guest = ("cd /sys/class/net;while s=$(echo $(grep -o vbd. /proc/partitions) *);do if [ \"$s\" != \"$o\" ];then echo has $s;"
             "(wc -c;sleep 99)</dev/vbda& ip a a 10.0.2.9/8 dev eth0;ip l set eth0 up;ping -qc1 10.0.2.2;"
             "fi;o=$s;sleep 1;done")  # fmt: skip
    with tempfile.NamedTemporaryFile() as disk:
        disk.truncate(64 << 20)
        done = _atl(f"g='{guest}';atl disk make a 9M;atl disk make b 9M;{FREE};atl create l --cmdline \"console=hvc0 "
                    "atelier.cmd=$(echo \"$g\"|base64 -w0)\";sleep 9;atl vif add l;atl vbd add l a;sleep 5;atl vbd add l b;sleep 4;"
                    f"atl vif remove l 0;atl vbd remove l 0;sleep 4;atl vif add l;sleep 5;(sleep 2;$q)|atl console l;atl destroy l;{FREE}",
                    f"DISK={disk.name}")  # fmt: skip
    had = [line.split()[1:] for line in re.findall(r"^has .*$", done.out, re.MULTILINE)]
    had = [devices for devices, before in zip(had, [None, *had]) if devices != before]
    between = (["eth0", "lo"], ["vbda", "vbdb", "lo"])  # one of two commands is done, the other not yet
    expect([d for d in had if d not in between] == [["lo"], ["vbda", "eth0", "lo"], ["vbda", "vbdb", "eth0", "lo"], ["vbdb", "lo"],
           ["vbdb", "eth0", "lo"]], f"it had {had}", done)  # fmt: skip
    expect(done.out.count("1 packets transmitted, 1 packets received") >= 2, "no answer through both interfaces", done)
    expect(re.search(rf"^{9 << 20}\s*$", done.out, re.MULTILINE), "the disk was not read", done)
    lines = [line for line in done.out.splitlines() if line.endswith("KiB")]
    expect(lines[0] == lines[-1], f"free memory was {lines[0]}, and is {lines[-1]}", done)


def rules_decide_what_passes():
    done = _atl(f"atl create a {LINUX} --vif; sleep 10; atl net add drop from a to wire proto icmp rank 1; "
                "(sleep 1; echo 'ping -qc 2 -W 2 10.0.2.2'; sleep 6; $q) | atl console a; atl net; atl net remove 0; "
                "(sleep 1; echo 'ping -qc 2 10.0.2.2'; sleep 4; $q) | atl console a; atl destroy a; atl net")  # fmt: skip
    expect("2 packets transmitted, 0 packets received" in done.out, "the rule did not stop the packets", done)
    expect("2 packets transmitted, 2 packets received" in done.out, "without the rule they do not pass", done)
    expect(re.search(r"0  drop from 1 to wire proto 1 rank 1  \([1-9]", done.out), "its hits were not counted", done)
    expect(" 1.0 " not in done.out.rsplit("received", 1)[1], "rules outlive the interface", done)


def a_disk_has_extents_that_domains_keep_their_files_on():
    with tempfile.NamedTemporaryFile() as disk:
        disk.truncate(128 << 20)
        words = (f"DISK={disk.name}",)
        done = _atl("atl disk make a 40M; atl disk make b 40M; atl create a --mem 32M --initrd /boot/initrd --vbd a; sleep 9; "
                    "(sleep 1; echo 'mke2fs -q /dev/vbda >/dev/null; mkdir m; mount /dev/vbda m; echo kept >m/f; umount m; poweroff';"
                    " sleep 9) | atl console a; atl create b --mem 24M --vbd b --kernel /boot/mini; atl disk; atl vbd; "
                    "atl create c --mem 24M --vbd b --kernel /boot/mini 2>&1; atl disk delete b 2>&1; atl list", *words)  # fmt: skip
        expect(re.search(r"^a +0 +1 +2048 +40960  -$", done.out, re.MULTILINE), "the first extent is not listed", done)
        expect(re.search(r"^b +0 +2 +83968 +40960  2$", done.out, re.MULTILINE), "the second one's holder is not listed", done)
        expect("another domain has it, and may write" in done.out, "two domains may write the same extent", done)
        expect("domain 2 has b: take it away first" in done.out, "an extent in use was deleted", done)
        expect(" c " not in done.out, "the domain whose disk was refused is there", done)
        again = _atl("atl disk; atl create a --mem 32M --initrd /boot/initrd --vbd a:ro; sleep 9; "
                     "(sleep 1; echo 'mkdir m; mount -r /dev/vbda m; cat m/f'; sleep 3; "
                     "echo 'dd if=/dev/zero of=/dev/vbda count=1; echo wrote $?'; sleep 3; $q) | atl console a", *words)  # fmt: skip
        expect(re.search(r"^a +0 +1 +2048 +40960  -$", again.out, re.MULTILINE), "the table is gone after a reboot", again)
        expect(re.search(r"^kept\s*$", again.out, re.MULTILINE), "the file is gone after a reboot", again)
        expect(re.search(r"^wrote 1\s*$", again.out, re.MULTILINE), "what may only be read was written", again)


def a_domain_destroyed_while_it_writes_leaves_nothing():
    with tempfile.NamedTemporaryFile() as disk:
        disk.truncate(64 << 20)
        done = _atl(f"atl disk make a 20M; {FREE}; for i in 1 2 3; do "
                    "atl create a --mem 24M --initrd /boot/initrd --vbd a --vif >/dev/null; sleep 8; "
                    "(sleep 1; echo 'while :; do dd if=/dev/zero of=/dev/vbda bs=64k count=300; done & ping 10.0.2.2 >/dev/null &'; "
                    f"sleep 3; $q) | atl console a >/dev/null 2>&1; atl destroy a; done; atl list --json; {FREE}; atl net | grep -c .",
                    f"DISK={disk.name}")  # fmt: skip
        lines = done.out.splitlines()
        expect(len(json.loads("".join(lines[1:-2]))) == 1, "a domain is left", done)
        expect(lines[0] == lines[-2], f"free memory was {lines[0]}, and is {lines[-2]}", done)
        expect(lines[-1] == "2", "rules are left", done)


def mistakes_cost_one_line_and_leave_nothing():
    mistakes = {
        "atl fly": (2, "atl: fly is no command: `atl help` lists them"),
        "atl create": (2, "atl: which name?"),
        "atl create a --mem lots": (2, "atl: mem=lots: not a size such as 48M"),
        "atl create a/b": (2, "atl: a domain's name has"),
        "atl create a --kernel /no": (1, "atl: /no: No such file or directory"),
        "atl create a --kernel /etc/passwd": (1, "atl: /etc/passwd: the image is"),
        "atl create a --mem 1M": (1, "atl: /boot/vmlinux: the image does not fit"),
        "atl create a --mem 3000M": (1, "atl: a: it cannot be created: there is not enough free memory"),
        "atl create a --vbd none": (1, "atl: there is no extent none: `atl disk make none SIZE` makes it"),
        "atl create a --vif=mac=x": (1, "atl: vif: mac=x makes no sense"),
        "atl destroy 0": (1, "atl: destroy: domain 0 is this one"),
        "atl console a": (1, "atl: there is no domain a: `atl list` shows"),
        "atl sched 0 --weight 0": (1, "atl: sched: these values are refused"),
    }
    for part in (list(mistakes)[:6], list(mistakes)[6:]):
        done = _atl(f"{FREE}; for c in {' '.join(repr(c) for c in part)}; do echo; $c 2>&1; echo $?; done; echo; atl list --json; {FREE}")
        blocks = done.out.split("\n\n")
        for command, block in zip(part, blocks[1:], strict=False):
            status, said = mistakes[command]
            lines = block.splitlines()
            expect(lines[-1] == str(status), f"`{command}` ended with {lines[-1]}", done)
            expect(lines[0].startswith(said), f"`{command}` said `{lines[0]}`", done)
            expect(len(lines) <= 3, f"`{command}` said more than a line", done)
        expect(done.out.splitlines()[0] == done.out.splitlines()[-1], "memory is lost", done)
        expect(done.out.count('"domain"') == 1, "a domain is left", done)


def a_hundred_and_twenty_eight_domains_run_at_once():
    done = _atl(f"{FREE}; for i in $(seq 128); do atl create m$i --kernel /boot/mini --mem 1M >/dev/null || break; done; sleep 5; "
                f"atl list --json; for i in $(seq 128); do atl destroy m$i; done; atl list --json; {FREE}")  # fmt: skip
    first, then, gone, last = re.match(r"(\d+ KiB)\n(\[.*?\n\])\n(\[.*?\n\])\n(\d+ KiB)\n", done.out, re.DOTALL).groups()
    domains = json.loads(then)
    expect(len(domains) == 129, f"{len(domains)} domains", done)
    expect(all(d["run_time_ns"] > 0 for d in domains), "some never ran", done)
    expect(len(json.loads(gone)) == 1 and first == last, f"free memory was {first}, and is {last}", done)


def a_domain_that_asks_for_a_restart_is_made_again():
    done = _atl("again=\"console=hvc0 atelier.cmd=$(echo reboot -f | base64)\"; atl create r --mem 24M --cmdline \"$again\" >&2; "
                "atl create once --mem 24M --restart never --cmdline \"$again\" >&2; "
                "atl create gaveup --mem 24M --cmdline 'console=hvc0 rdinit=/bin/true' >&2; "
                "atl create always --mem 24M --restart always --cmdline 'console=hvc0 rdinit=/bin/true' >&2; "
                "sleep 15; atl list --ended --json; atl create d --kernel /boot/mini --mem 1M >&2; atl destroy d; "
                "atl list --ended; atl list --ended --json; ls /run/atelier | wc -l")  # fmt: skip
    ended = json.loads(re.search(r"\[\n.*?\n\]", done.out, re.DOTALL)[0])
    ends = [(d["name"], d["reason"]) for d in ended]
    expect(set(ends) == {("r", "reboot"), ("once", "reboot"), ("gaveup", "crash"), ("always", "crash")}, f"the ends are {set(ends)}", done)
    expect(ends.count(("r", "reboot")) > 1 and ends.count(("always", "crash")) > 1, "not made again", done)
    expect(ends.count(("once", "reboot")) == 1 and ends.count(("gaveup", "crash")) == 1, "made again, against its wish", done)
    expect(re.search(r" d +\d+\.\d  it was destroyed$", done.out, re.MULTILINE), "it is not told what was destroyed", done)
    expect(int(done.out.splitlines()[-1]) <= 2, "wishes of domains that are gone are kept", done)


def memory_goes_from_one_domain_to_another():
    done = _atl("atl create l --mem 48M --limit 64M --cmdline console=hvc0 --initrd /boot/initrd; sleep 9; "
                "for m in 40M 64M; do atl mem l $m; sleep 3; atl list --json; done; atl mem l")  # fmt: skip
    shrunk, grown = (json.loads(text)[1]["mem_kib"] for text in re.findall(r"\[\n.*?\n\]", done.out, re.DOTALL))
    expect(shrunk == 40 << 10, f"it has {shrunk} KiB, and was to have 40 MiB", done)
    expect(grown == 64 << 10, f"it has {grown} KiB, and was to have 64 MiB", done)


def busy_domains_share_the_processor_by_their_weights():
    done = _atl("for w in 100 300; do atl create w$w --mem 24M --weight $w; done; sleep 14; "
                "for w in 100 300; do (sleep 1; echo 'while :; do :; done'; sleep 1; $q) | atl console w$w; done >/dev/null 2>&1; "
                "atl list --json; sleep 10; atl list --json")  # fmt: skip
    before, after = ({d["name"]: d["run_time_ns"] for d in json.loads(text)} for text in re.findall(r"\[\n.*?\n\]", done.out, re.DOTALL))
    little, much = (after[name] - before[name] for name in ("w100", "w300"))
    expect(little > 0 and 2.7 < much / little < 3.3, f"weights of 100 and 300 gave {little} and {much} ns", done)
    expect(little + much > 8_000_000_000, f"both together had {little + much} ns of ten seconds", done)
