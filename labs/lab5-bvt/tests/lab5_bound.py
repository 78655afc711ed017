# SPDX-License-Identifier: MIT
"""What the judges of lab 5 share: the bound on the shares of domains that can always run.

Domain i is charged m_i for each nanosecond, the inverse of its weight. Over any interval in which i and j could run all the
time and received s_i and s_j nanoseconds, |s_i m_i - s_j m_j| <= (C + d)(m_i + m_j).
"""

from collections.abc import Iterable, Sequence

DEFAULT_WEIGHT = 256
ALLOWANCE_MIN, ALLOWANCE, ALLOWANCE_MAX = 100_000, 5_000_000, 1_000_000_000
SLICE_MIN, SLICE_MAX = 50_000, 1_000_000_000
ROUNDING = 1.01  # whoever rounds otherwise is right, too
DRIFT = 1e-4  # of the virtual time that went by: m is no whole number of anybody's units


def advance(weight: int) -> float:
    """m, in nanoseconds of the default weight."""
    return DEFAULT_WEIGHT / weight


def worst_pair(looks: Iterable[Sequence[int]], weights: Sequence[int], c: int, d: int,
               most_only: frozenset[int] = frozenset()) -> tuple[float, int, int, float]:
    """How far the bound was used, at worst: 1 is all of it. And of which pair, in which interval of looks.

    A look is what each domain has received until then. Domains in `most_only` did not want all that they could have: they
    must not have more than others, and may have less. The pair is (ahead, behind); the last is ahead by how many nanoseconds.
    """
    m = [advance(w) for w in weights]
    n = len(weights)
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j and j not in most_only]
    bound = {(i, j): (c + d) * (m[i] + m[j]) * ROUNDING for i, j in pairs}
    least = dict.fromkeys(pairs, (float("inf"), 0.0))
    worst = (0.0, 0, 0, 0.0)
    for look in looks:
        virtual = [s * a for s, a in zip(look, m)]
        for pair in pairs:
            lead = virtual[pair[0]] - virtual[pair[1]]
            was, then = least[pair]
            got = lead - was - (virtual[pair[0]] - then) * DRIFT
            if lead < was:
                least[pair] = lead, virtual[pair[0]]
            elif got > worst[0] * bound[pair]:
                worst = (got / bound[pair], *pair, got)
    return worst
