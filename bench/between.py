# SPDX-License-Identifier: MIT
"""From one domain to another on the same machine, against the way over the wire: both on Atelier."""

from dataclasses import replace

import network
import peer
import workloads
from measure import System
from workloads import FULL, Group, Workload


def sides(group: Group) -> tuple[System, System]:
    """The same system with two command lines."""
    ways = []
    for way in ("wire", "domain"):
        _, system = workloads.systems(replace(group, words=f"way={way}"))
        ways.append(replace(system, name=f"{group.name}, {way}", append=f"{system.append} dom0_mem=256M"))
    return ways[0], ways[1]


TEXT = """\
Between domains: what domain 0 sends to domain 1, work of both, against sending as much to the wire and receiving as much from it.
"""

GROUP = Group(
    name="between",
    script="between.sh",
    workloads=(Workload("between", "TCP, 1,000 bytes sent and received, MTU 1500", 1.00, None),),
    devices=network.WIRE,
    programs=("network",),
    base=FULL,
    beside=peer.peer,
    text=TEXT,
    sides=sides,
    names=("over the wire", "between domains"),
)
