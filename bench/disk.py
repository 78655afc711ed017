# SPDX-License-Identifier: MIT
"""The disk: the native driver's (ata_piix) against domain 0's VBD, on the same IDE drive of the emulator."""

from measure import OUT
from workloads import Group, Workload

IMAGE = OUT / "disk.img"  # zeroes
MUST, AIM = 0.90, 0.98

GROUP = Group(
    name="disk",
    script="disk.sh",
    workloads=(
        Workload("seq_read_4k", "sequential reads of 4 KiB", MUST, AIM),
        Workload("seq_write_4k", "sequential writes of 4 KiB", MUST, AIM),
        Workload("rand_read_4k", "random reads of 4 KiB", MUST, AIM),
        Workload("rand_write_4k", "random writes of 4 KiB", MUST, AIM),
        Workload("seq_read_64k", "sequential reads of 64 KiB", MUST, AIM),
        Workload("seq_write_64k", "sequential writes of 64 KiB", MUST, AIM),
        Workload("stream_read", "sequential reads of 64 KiB through the page cache", MUST, AIM),
        Workload("stream_write", "sequential writes of 64 KiB through the page cache, then fsync", MUST, AIM),
        Workload("sync_write", "random writes of 4 KiB, fdatasync after each", MUST, AIM),
    ),
    devices=("-drive", "file=disk,if=ide,format=raw,snapshot=on"),
    images=(("disk", IMAGE, IMAGE),),
    programs=(OUT / "disk",),
)
