# SPDX-License-Identifier: MIT
"""Many domains at once and hostile ones among them, counted (bench/crowd.py): what each may cost the others."""

import sys

from boots import ROOT, expect

sys.path.insert(0, str(ROOT / "bench"))
import crowd  # noqa: E402

SHARE = 0.95  # of what is fair
SHELL = 2.0  # times what a command takes without neighbours


def _beside(mode: str, victim: str = "busy") -> None:
    b = crowd.beside(mode, victim)
    expect(b.share >= SHARE, f"the other one had {b.share:.3f} of its fair share")
    expect(b.shell <= SHELL, f"a command in domain 0 took {b.shell:.2f} times its time")


def one_that_masks_all_and_loops_leaves_others_their_share():
    _beside("loop")


def a_storm_of_calls_leaves_others_their_share():
    _beside("calls")


def a_storm_of_events_and_alarms_leaves_others_their_share():
    _beside("events")


def a_storm_of_rings_leaves_others_their_share():
    _beside("rings")


def a_storm_of_page_tables_leaves_others_their_share():
    _beside("tables")


def one_that_prints_without_end_leaves_others_and_domain_0_their_share():
    _beside("prints")


def a_flood_of_packets_leaves_others_their_share_of_processor_and_wire():
    _beside("packets")
    _beside("packets", "packets")


def one_that_wants_the_whole_disk_leaves_others_their_share_of_processor_and_disk():
    _beside("disk")
    _beside("disk", "disk")


def a_linux_that_forks_without_end_leaves_others_their_share():
    _beside("forks")


def a_hundred_and_forty_four_domains_all_go_on_share_by_weight_and_lose_nothing():
    m = crowd.many()
    expect(m.idle == 0, f"{m.idle} of {m.count} did nothing")
    expect(m.throughput >= SHARE, f"together they did {m.throughput:.3f} of what one does alone")
    expect(m.unfair <= 1, f"two shares differ by {m.unfair:.2f} times what BVT allows")


def making_and_ending_a_domain_costs_the_same_with_a_hundred_and_twenty_seven_others():
    alone, crowded = crowd.creation()[0], crowd.creation()[127]
    expect(crowded.mini < 2_000_000, f"a mini domain costs {crowded.mini:,} instructions")
    expect(crowded.large < 2_000_000, f"one of 24 MiB costs {crowded.large:,} instructions")
    rest = crowded.linux - crowded.copied
    expect(rest < 2_000_000, f"Linux costs {rest:,.0f} instructions apart from copying its image")
    for what in ("mini", "large", "linux"):
        before, after = getattr(alone, what), getattr(crowded, what)
        expect(after < 1.05 * before, f"{what}: {before:,} instructions alone and {after:,} with others")
    for c in (alone, crowded):
        expect(c.destroy * 16 / 24 < 5_000_000, f"24 MiB took {c.destroy:,} ns to end")
