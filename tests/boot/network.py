# SPDX-License-Identifier: MIT
"""The network card of both emulators, driven by a guest that asks who is there and has its packets echoed."""

import hashlib
import socket
from threading import Thread

from boots import expect, make_run

CARD = "build/labs/lab8-vif/tests/card.elf"
BYTES = 3_000_000


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


def _take(door: socket.socket, taken: list[str]) -> None:
    digest = hashlib.sha256()
    with door.accept()[0] as peer:
        while data := peer.recv(1 << 16):
            digest.update(data)
    taken.append(digest.hexdigest())


def what_linux_sends_in_large_packets_arrives_whole():
    """The emulator's network looks at each segment's check sums, and drops what is wrong."""
    taken: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as door:
        door.settimeout(180)
        listener = Thread(target=_take, args=(door, taken), daemon=True)
        listener.start()
        words = (f"head -c {BYTES} /dev/urandom >/tmp/sent; ip addr add 10.0.2.15/24 dev eth0; ip link set eth0 up;"
                 f" nc 10.0.2.2 {door.getsockname()[1]} </tmp/sent; sha256sum /tmp/sent; grep Tcp /proc/net/snmp")
        done = make_run(f"CMD={words}")
        listener.join(5)
    expect(taken and taken[0] in done.out, "something else arrived than was sent", done)
    again = done.out.split("Tcp:")[-1].split()[11]
    expect(again == "0", f"{again} segments had to be sent again", done)
