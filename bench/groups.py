# SPDX-License-Identifier: MIT
"""The groups of workloads, in the order of the table."""

import disk
import postgres
from workloads import Group

GROUPS = (disk.GROUP, postgres.GROUP)


def group_of(row: str) -> Group | None:
    """The group that has this row."""
    return next((group for group in GROUPS if any(workload.key == row for workload in group.workloads)), None)
