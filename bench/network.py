# SPDX-License-Identifier: MIT
"""The network: the native driver's (e1000) path against a domain's VIF, on the same card of the emulator."""

import peer
from workloads import Group, Workload

WIRE = ("-netdev", f"stream,id=wire,server=off,addr.type=unix,addr.path={peer.SOCKET}", "-device", "e1000,netdev=wire")

TEXT = """\
Network: one TCP connection of domain 0's to a peer outside the machine (bench/peer.py), which acknowledges every second segment and
has a window of 64 KiB; sockets' buffers of 128 KiB, as in the paper. Equal on both sides: no segments made by the card (TSO; on
Atelier the hypervisor makes them, as Linux does on the bare machine), check
sums of what is sent made by it, those of what comes looked at in software (the emulated card does not), GSO and GRO as Linux has
them, 256 buffers to receive into. The emulated card has no speed. `ratio` is that of throughputs on the paper's wire, a gigabit a second,
by a processor of one instruction a nanosecond: the slower of the two decides. `of work alone` leaves the wire out.
"""

FRAME = 14 + 4 + 8 + 12  # bytes around a packet on the wire: header, check sum, preamble, gap
HEADERS = 20 + 20  # of IP and TCP


def on_the_wire(mtu: int) -> float:
    """Nanoseconds for 1,000 bytes of a connection."""
    return 1000 * 8 * (mtu + FRAME) / (mtu - HEADERS)


GROUP = Group(
    name="network",
    script="network.sh",
    workloads=(
        Workload("send_1500", "TCP, 1,000 bytes sent, MTU 1500", 0.90, 1.00, on_the_wire(1500)),
        Workload("receive_1500", "1,000 bytes received, MTU 1500", 0.90, 1.00, on_the_wire(1500)),
        Workload("send_500", "1,000 bytes sent, MTU 500", 0.80, 0.86, on_the_wire(500)),
        Workload("receive_500", "1,000 bytes received, MTU 500", 0.80, 0.86, on_the_wire(500)),
    ),
    devices=WIRE,
    programs=("network",),
    beside=peer.peer,
    text=TEXT,
)
