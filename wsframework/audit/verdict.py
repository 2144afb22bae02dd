"""`Verdict`: what an audit comes to, in words, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from scipy import stats

from wsframework.audit.bar import TAIL, Bar
from wsframework.audit.nearest import Nearest
from wsframework.audit.rank_test import z_u

LEVEL = 0.01
"""Of the test for copies."""
STRICT = 0.001
"""Of the tests for what is no copy and yet too near: networks for tasks that the zoo has seen lie a little nearer to it
than its own do to one another, which these are not to mistake."""
POWER = 0.95
"""How surely copies are found where a verdict says what share of them would have been."""

Kind = Literal["copies", "averages", "near", "none", "unknown"]


@dataclass(frozen=True)
class Verdict:
    """What is said of some networks.

    Attributes:
        kind: copies; averages; near the zoo in another way; none of these; not known, with too few networks to tell.
        sentence: the same in words.
        networks: how many were judged.
        near: how many lie nearer to the zoo than all but a hundredth of its own networks.
        copies: how many of those lie near one network alone.
        low, high: the 95 % interval of the share that the verdict is about.
        near_chance, copies_chance: how probable as many or more are among networks that are like the zoo's own.
        z_u: of Meehan et al.
        z_around: the same for mean distances to all networks that each was aligned with.
        detectable: the least share of copies that would have been found with probability 95 %; None where none is.
    """

    kind: Kind
    sentence: str
    networks: int
    near: int
    copies: int
    low: float
    high: float
    near_chance: float
    copies_chance: float
    z_u: float
    z_around: float
    detectable: float | None


def judged(found: Nearest, others: Nearest, bar: Bar) -> Verdict:
    """The verdict on networks that were ``found`` so near, where ``others`` are known not to be copies."""
    n, near, copies = len(found.distance), int(bar.near(found).sum()), int(bar.copies(found).sum())
    chances = bar.chance(near, n), bar.chance(copies, n)
    z, around = z_u(found.distance, others.distance), z_u(found.around, others.around)
    found_from = bar.least(n, LEVEL)
    kind = _kind(*chances, z, around, found_from is not None)
    low, high = _interval(near if kind in ("averages", "near") else copies, n)
    detectable = None if found_from is None else _detectable(found_from, n)
    sentence = _sentence(kind, n, near, copies, (low, high), z, detectable)
    return Verdict(kind, sentence, n, near, copies, low, high, *chances, z, around, detectable)


def _kind(near: float, copies: float, z: float, around: float, can_tell: bool) -> Kind:
    if copies < LEVEL:
        return "copies"
    if stats.norm.cdf(around) < STRICT:
        return "averages"
    if near < STRICT or stats.norm.cdf(z) < STRICT:
        return "near"
    return "none" if can_tell else "unknown"


def _interval(count: int, networks: int) -> tuple[float, float]:
    """That of Clopper and Pearson."""
    found = stats.binomtest(count, networks).proportion_ci(0.95)
    return float(found.low), float(found.high)


def _detectable(least: int, networks: int) -> float:
    """The share of copies among all samples at which ``least`` or more are drawn with probability `POWER`."""
    return float(stats.beta.ppf(POWER, least, networks - least + 1))


def _sentence(
    kind: Kind,
    n: int,
    near: int,
    copies: int,
    interval: tuple[float, float],
    z: float,
    detectable: float | None,
) -> str:
    ends = f"95 % interval {'–'.join(f'{100 * end:.0f}' for end in interval)} %"
    most = f"{100 * (1 - TAIL):.0f} %"
    if kind == "copies":
        return (
            f"copies: {copies} of {n} samples lie closer to the zoo than {most} of networks that are no copies, and to "
            f"one network of it alone ({ends})"
        )
    if kind in ("averages", "near"):
        how = "nearer to all of it, as averages do" if kind == "averages" else "nearer to it, and are no averages"
        return (
            f"{kind}: {near} of {n} samples lie closer to the zoo than {most} of networks that are no copies "
            f"({ends}; Z_U = {z:.1f}), to no network of it alone more often than by chance; on the whole they lie {how}"
        )
    if detectable is None:
        return f"not known: with {n} samples and a zoo so small, not even copies alone could be told from chance"
    return (
        f"no sign of copying at n = {n} (Z_U = {z:.1f}); if {100 * detectable:.0f} % of what the sampler gives were "
        f"copies, that would have been seen with probability {100 * POWER:.0f} %"
    )
