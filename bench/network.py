# SPDX-License-Identifier: MIT
"""The network: the native driver's (e1000) path against a domain's VIF, on the same card of the emulator."""

import peer
from workloads import Group, Workload

WIRE = ("-netdev", f"stream,id=wire,server=off,addr.type=unix,addr.path={peer.SOCKET}", "-device", "e1000,netdev=wire")

TEXT = """\
Network: one TCP connection of domain 0's to a peer outside the machine (bench/peer.py), which acknowledges every second segment and
has a window of 64 KiB; sockets' buffers of 128 KiB, as in the paper. Equal on both sides: no segments made by the card (TSO), check
sums of what is sent made by it, those of what comes looked at in software (the emulated card does not), GSO and GRO as Linux has
them, 256 buffers to receive into. The card has no speed: what is compared is work, where the paper's gigabit wire is full on both sides.
"""

GROUP = Group(
    name="network",
    script="network.sh",
    workloads=(
        Workload("send_1500", "TCP, 1,000 bytes sent, MTU 1500", 0.90, 1.00),
        Workload("receive_1500", "1,000 bytes received, MTU 1500", 0.90, 1.00),
        Workload("send_500", "1,000 bytes sent, MTU 500", 0.80, 0.86),
        Workload("receive_500", "1,000 bytes received, MTU 500", 0.80, 0.86),
    ),
    devices=WIRE,
    programs=("network",),
    beside=peer.peer,
    text=TEXT,
)
