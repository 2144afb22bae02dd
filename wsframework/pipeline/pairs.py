"""Every pair of initializers: on how many tasks one beats the other, and who is better when all pairs are counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import Any

import numpy as np
from scipy import special

from wsframework.pipeline.comparison import log_per_task, student_p
from wsframework.pipeline.intervals import Array

MOMENTS = {"before": 0, "last": -1}
"""Before any step, and after the last epoch: their place in a curve."""

QUANTITY = "query_loss"
"""What pairs are compared by: the loss on data that nobody trained on."""


def wilson(successes: int, n: int, level: float) -> tuple[float, float]:
    """Interval of a share, ``successes`` of ``n`` (Wilson 1927); it stays within 0 and 1.

    >>> [round(end, 3) for end in wilson(5, 10, 0.95)]
    [0.237, 0.763]
    """
    z = float(special.ndtri((1 + level) / 2))
    share, total = successes / n, n + z**2
    center = (successes + z**2 / 2) / total
    half = z * np.sqrt(n * share * (1 - share) + z**2 / 4) / total
    return float(max(center - half, 0.0)), float(min(center + half, 1.0))


def holm(p: Sequence[float]) -> list[float]:
    """Adjusted p-values (Holm 1979): those at most 0.05 are wrong, any of them, in at most 5 % of such families.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p, kind="stable")
    factors = np.arange(len(p), 0, -1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(np.asarray(p, dtype=np.float64)[order] * factors), 1)
    return [float(value) for value in adjusted]


def won(ours: Array, theirs: Array, level: float) -> dict[str, float]:
    """The share of tasks where ours (tasks,) is lower than theirs, with its interval."""
    count, n = int((ours < theirs).sum()), len(ours)
    low, high = wilson(count, n, level)
    return {"mean": count / n, "low": low, "high": high}


def pairs(losses: Mapping[str, Array], level: float) -> dict[str, Any]:
    """Wins of every initializer over every other, and who is better with correction.

    Arguments:
        losses: by initializer, (tasks, draws, epochs + 1).
        level: of the intervals; one less it is the rate of false alarms in a moment's family of pairs.

    Returns:
        ``wins.<a>.<b>.<moment>``, figures; ``better.<a>.<b>.<moment>``, whether a's mean log loss is lower and the
        paired difference holds after Holm's correction; and ``family``, of what size that is.
    """
    logs = {moment: {n: log_per_task(v[..., at]) for n, v in losses.items()} for moment, at in MOMENTS.items()}
    every = list(permutations(losses, 2))
    better = {moment: _better(found, every, level) for moment, found in logs.items()}
    wins: dict[str, Any] = {name: {} for name in losses}
    beats: dict[str, Any] = {name: {} for name in losses}
    for a, b in every:
        wins[a][b] = {moment: won(found[a], found[b], level) for moment, found in logs.items()}
        beats[a][b] = {moment: better[moment][a, b] for moment in MOMENTS}
    family = {"quantity": QUANTITY, "correction": "Holm", "comparisons": len(every) // 2}
    return {"wins": wins, "better": beats, "family": family}


def adjust(comparisons: Mapping[str, Any]) -> None:
    """Adds ``p_holm`` to each comparison with the reference: adjusted over the others, by moment and quantity."""
    if not comparisons:
        return
    for moment in MOMENTS:
        for quantity in next(iter(comparisons.values()))[moment]:
            family = [found[moment][quantity] for found in comparisons.values()]
            known = [found for found in family if found["p"] is not None]
            for found, p in zip(known, holm([found["p"] for found in known]), strict=True):
                found["p_holm"] = p
            for found in family:
                found.setdefault("p_holm", None)


def _better(logs: Mapping[str, Array], every: Sequence[tuple[str, str]], level: float) -> dict[tuple[str, str], bool]:
    """Of each ordered pair, in one family with all others; a pair and its reverse are one comparison."""
    unordered = [(a, b) for a, b in every if list(logs).index(a) < list(logs).index(b)]
    p = [student_p(logs[b] - logs[a]) for a, b in unordered]
    adjusted = dict(zip(unordered, holm([1.0 if value is None else value for value in p]), strict=True))
    found = {}
    for a, b in every:
        held = adjusted.get((a, b), adjusted.get((b, a), 1.0)) <= 1 - level
        found[a, b] = bool(held and logs[a].mean() < logs[b].mean())
    return found
