# SPDX-License-Identifier: MIT
"""PostgreSQL 15, Debian's for i386: pgbench's transactions after TPC-B and its selects, with the data in memory."""

from measure import ROOT
from workloads import Group, Workload

DISK = ROOT / "build/disk"
MUST, AIM = 0.96, 1.00

GROUP = Group(
    name="postgres",
    script="postgres.sh",
    workloads=(
        Workload("pg_tpcb", "PostgreSQL, a transaction after TPC-B", MUST, AIM),
        Workload("pg_select", "PostgreSQL, a select", MUST, AIM),
    ),
    devices=("-drive", "file=debian,if=ide,format=raw,snapshot=on"),
    images=(("debian", DISK / "debian.img", DISK / "debian.key"),),
)
