# SPDX-License-Identifier: MIT
"""The disk: the native driver's (ata_piix) against domain 0's VBD, on the same IDE drive of the emulator.

The drive keeps nothing, and takes the same time for all that it is asked: longer than a system needs to go to sleep. With
one that is now and then faster than that, both would sometimes be spared the way into sleep and out of it.
"""

from workloads import Group, Workload

LATENCY = 200_000  # nanoseconds of the host's clock
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
    devices=(
        "-blockdev", f"driver=null-co,node-name=disk,size={256 << 20},latency-ns={LATENCY},read-zeroes=on",
        "-device", "ide-hd,drive=disk",
    ),
    programs=("disk",),
)  # fmt: skip
