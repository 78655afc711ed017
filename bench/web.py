# SPDX-License-Identifier: MIT
"""A web server, Debian's lighttpd, asked for static pages as fast as it answers (peer.py): the native path and a domain's."""

import network
import peer
from measure import ROOT
from workloads import Group, Workload

DISK = ROOT / "build/disk/debian.img"

TEXT = f"""\
Web server: lighttpd of the disk's Debian in domain 0, {peer.REQUESTS} pages from memory by HTTP/1.0, {peer.CROWD} connections at a time;
sizes from 0.1 to 900 KB with SPECweb99's shares of its classes of static pages. First, as in the network rows, without segments made
by the card on either side; then with those on the bare machine, which Atelier's driver of the card has not.
"""

GROUP = Group(
    name="web",
    script="web.sh",
    workloads=(
        Workload("web", "a page of SPECweb99's static mix, a connection each", 0.97, None),
        Workload("web_tso", "the same, against segments made by the card"),
    ),
    devices=("-drive", "file=disk,if=ide,format=raw,snapshot=on", *network.WIRE),
    images=(("disk", DISK, DISK.with_suffix(".key")),),
    programs=("network",),
    beside=peer.peer,
    text=TEXT,
)
