# SPDX-License-Identifier: MIT
"""The network card of both emulators, driven by a guest that asks who is there and has its packets echoed."""

from boots import expect, make_run

CARD = "build/labs/lab8-vif/tests/card.elf"


def _card(*words: str) -> None:
    done = make_run("GUEST=mini", f"IMAGE={CARD}", "MEM=64", *words, seconds=120)
    expect("10.0.2.2 is at 52:55:0a:00:02:02" in done.out, "nobody answered", done)
    expect("24 of 24 echoes came back as they were sent" in done.out, "echoes were lost or changed", done)
    expect(done.status == 0, "the guest ended badly", done)


def packets_go_out_and_come_back_in_qemu():
    _card()


def packets_go_out_and_come_back_in_bochs():
    _card("EMU=bochs")


def the_hypervisor_audits_itself_with_every_call_meanwhile():
    _card("HYPERVISOR=build/atelier-debug.elf", "OPTIONS=audit=on")
