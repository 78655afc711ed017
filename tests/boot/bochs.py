# SPDX-License-Identifier: MIT
"""Linux as domain 0 in Bochs, which checks segment limits: unmodified programs with threads run all the same."""

from boots import CRASHED, PROMPT, expect, make_run


def programs_and_threads_run_in_bochs():
    program = "import threading as t; a=[]; w=[t.Thread(target=a.append, args=(i,)) for i in range(4)]; "
    program += "[x.start() for x in w]; [x.join() for x in w]; print(6*7, sorted(a))"
    done = make_run("EMU=bochs", f"CMD=uname -s; cat /proc/interrupts; python3 -c '{program}'; exit 3", seconds=600)
    expect(done.status == 3, "the status is not the command's", done)
    expect(done.out.startswith("Linux\n"), "uname does not come first", done)
    expect("CPU0" in done.out, "no table of interrupts", done)
    expect(done.out.endswith("42 [0, 1, 2, 3]\n"), "Python does not come last", done)


def a_shell_hears_what_is_typed_in_bochs():
    done = make_run("EMU=bochs", typed=((PROMPT, "echo sum $((40+2))\n"), ("sum 42", "poweroff\n")), seconds=600)
    expect(done.status == 0 and "sum 42" in done.out, "the shell did not answer", done)


def a_panic_in_bochs_has_a_status_of_its_own():
    done = make_run("EMU=bochs", "INITRD=small", "CMD=true", "CMDLINE=rdinit=/nowhere", seconds=600)
    expect(done.status == CRASHED, "the status is not that of a crash", done)


def without_a_network_there_is_no_card_in_bochs():
    for net, cards in (("none", "lo\n"), ("user", "eth0  lo\n")):
        done = make_run("EMU=bochs", f"NET={net}", "DISK=none", "INITRD=small", "CMD=ls /sys/class/net", seconds=600)
        expect(done.status == 0 and done.out == cards, f"NET={net}: the cards are not {cards!r}", done)
