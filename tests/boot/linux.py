# SPDX-License-Identifier: MIT
"""Linux as domain 0 in QEMU: programs, statuses, ends, sizes of machine."""

import re

from boots import CRASHED, PROMPT, RESET, expect, make_run, run


def _prints(command: str, *wanted: str, words: tuple[str, ...] = ()) -> None:
    """@command in domain 0 ends with 0, and what it prints matches each of @wanted."""
    done = make_run(f"CMD={command}", *words)
    expect(done.status == 0, f"`{command}` did not end with 0", done)
    for pattern in wanted:
        expect(re.search(pattern, done.out), f"no `{pattern}` in what it printed", done)


def unmodified_programs_print_what_they_should():
    done = make_run('CMD=uname -a; cat /proc/interrupts; python3 -c "print(6*7)" || perl -e "print 42"')
    expect(done.status == 0, "the status is not 0", done)
    lines = done.out.splitlines()
    expect(lines and re.match(r"Linux \S+ 6\.1\.\S+ .*i[3-6]86", lines[0]), "uname does not come first", done)
    expect("CPU0" in done.out, "no table of interrupts", done)
    expect(lines[-1] == "42", "Python does not come last", done)


def a_command_gives_its_status():
    for status in (0, 3, 255):
        done = make_run(f"CMD=exit {status}", "INITRD=small")
        expect(done.status == status, f"exit {status} came out as {done.status}", done)
        expect(done.out == "", "it printed something", done)


def a_signal_gives_the_status_of_a_shell():
    done = make_run("CMD=kill -9 $$", "INITRD=small")
    expect(done.status == 128 + 9, "not 137", done)


def every_byte_comes_out_as_it_was():
    done = make_run("CMD=printf 'a\\tb  $HOME \\\\ %%\\n\\nno newline'", "INITRD=small")
    expect(done.out == "a\tb  $HOME \\ %\n\nno newline", "it is not the same", done)


def much_output_loses_nothing():
    done = make_run("CMD=seq 1 20000", "INITRD=small")
    expect(done.out == "".join(f"{i}\n" for i in range(1, 20001)), f"{len(done.out)} bytes came", done)


def a_shell_on_the_console_powers_the_machine_off():
    for initramfs in ("full", "small"):
        done = make_run(f"INITRD={initramfs}", typed=((PROMPT, "echo sum $((40+2))\n"), ("sum 42", "poweroff\n")))
        expect(done.status == 0, f"the status is not 0 ({initramfs})", done)
        expect("sum 42" in done.out, "the shell did not answer", done)


def leaving_the_shell_powers_the_machine_off():
    done = make_run(typed=((PROMPT, "exit\n"),))
    expect(done.status == 0, "the status is not 0", done)


def a_panic_has_a_status_of_its_own():
    done = make_run("CMD=true", "CMDLINE=rdinit=/nowhere", "INITRD=small")
    expect(done.status == CRASHED, "the status is not that of a crash", done)
    expect(len([x for x in done.err.splitlines() if x.startswith("run: ")]) == 1, "not one line", done)


def a_reset_during_a_command_has_a_status_of_its_own():
    done = make_run("CMD=/sbin/reboot; sleep 100", "INITRD=small")
    expect(done.status == RESET, "the status is not that of a reset", done)


def a_reboot_boots_again():
    done = make_run(typed=((PROMPT, "reboot\n"), ("is up", ""), (PROMPT, "poweroff\n")))
    expect(done.status == 0, "the status is not 0", done)
    expect(done.out.count("is up") == 2, "it did not come up twice", done)


def a_small_domain_0_reaches_its_shell():
    _prints("awk '/MemTotal/ { print $2 }' /proc/meminfo; echo shell", r"^\d{4,5}\n", "shell",
            words=("INITRD=small", "OPTIONS=dom0_mem=24M", "MEM=64"))  # fmt: skip


def a_large_machine_uses_its_memory():
    done = make_run("CMD=awk '/MemTotal/ { print $2 }' /proc/meminfo", "INITRD=small", "MEM=3584", "OPTIONS=dom0_mem=3584M")
    expect(done.status == 0 and done.out.strip().isdigit(), "no amount of memory", done)
    expect(int(done.out) > 1400 << 10, "less than 1.4 GiB", done)


def domain_0_leaves_memory_to_others_unless_it_is_told_otherwise():
    for words, least, most in (((), 200, 256), (("OPTIONS=dom0_mem=400M",), 340, 400), (("MEM=320",), 257, 320)):
        done = make_run("CMD=awk '/MemTotal/ { print $2 }' /proc/meminfo", "INITRD=small", *words)
        expect(done.status == 0 and done.out.strip().isdigit(), "no amount of memory", done)
        expect(least << 10 <= int(done.out) <= most << 10, f"not {least} to {most} MiB with {words}", done)


def threads_and_dynamic_programs_run():
    program = "import threading as t; a=[]; w=[t.Thread(target=a.append, args=(i,)) for i in range(8)]; "
    program += "[x.start() for x in w]; [x.join() for x in w]; print(sorted(a))"
    _prints(f"python3 -c '{program}'", r"\[0, 1, 2, 3, 4, 5, 6, 7\]")


def random_bytes_are_there_at_once():
    _prints("dmesg | grep 'crng init done'; python3 -c 'import os; print(len(os.getrandom(9, os.GRND_NONBLOCK)))'",
            r"^\[ +0\.0+\] random: crng init done\n9\n$")  # fmt: skip


def too_little_memory_for_linux_is_one_line():
    done = make_run("CMD=true", "INITRD=small", "OPTIONS=dom0_mem=4M", "MEM=64")
    expect(done.status not in (0, 2), "it was not refused", done)
    lines = [line for line in done.err.splitlines() if line.startswith("run: ")]
    expect(len(lines) == 1, "not one line", done)


def linux_is_not_built_twice():
    done = run("make", "run-needs", seconds=120)
    expect(done.status == 0 and "compiled" not in done.out, "it compiled again", done)
