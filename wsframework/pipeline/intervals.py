"""Confidence intervals of means over tasks, and of medians.

Losses of networks are spread over orders of magnitude between tasks, and a plain percentile bootstrap of
their mean covers far too seldom. Here a mean loss gets a *bootstrap-t* interval on the logarithm of the mean,
a paired difference a plain bootstrap-t, a bounded quantity (accuracy) BCa, which never leaves the range of
the data, and a median the exact interval between order statistics. Below `FEW` tasks resampling says nothing
about the tails, and Student's quantiles take its place. Efron and Tibshirani 1993, chapters 12 and 14.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

Array = NDArray[np.float64]
Kind = Literal["positive", "difference", "bounded"]

FEW = 8
BELOW = -1e9
FLAT = 1e-12
"""Values whose variance is smaller, in units of the largest deviation, are all alike."""
UNBOUNDED = 100.0
"""An upper end farther above a mean loss than so many times is none: the tasks that it hangs on are too few."""


@dataclass(frozen=True, eq=False)
class Interval:
    """Means and the ends of their intervals, each (columns,): NaN for a single task, infinite where nothing bounds."""

    mean: Array
    low: Array
    high: Array


@dataclass(frozen=True, eq=False)
class Resampling:
    """Draws of tasks with replacement, shared by everything that is computed from the same tasks.

    Attributes:
        counts: how often each task occurs in each resample, (resamples, tasks).
        level: the intervals' nominal coverage.
    """

    counts: Array
    level: float = 0.95

    @classmethod
    def draw(cls, tasks: int, resamples: int, level: float, seed: int) -> Resampling:
        """``resamples`` draws of ``tasks`` tasks, the same for the same seed."""
        rng = np.random.default_rng(seed)
        return cls(rng.multinomial(tasks, np.full(tasks, 1 / tasks), size=resamples).astype(np.float64), level)

    def interval(self, values: Array, kind: Kind) -> Interval:
        """The interval of the mean over tasks of every column of values (tasks, columns)."""
        n, mean = len(values), values.mean(0)
        if n == 1:
            return Interval(mean, np.full_like(mean, np.nan), np.full_like(mean, np.nan))
        if n < FEW:
            low, high = _student(values, self.level, kind)
        elif kind == "bounded":
            low, high = _bca(values, self.counts, self.level)
        else:
            low, high = _bootstrap_t(values, self.counts, self.level, kind)
        constant = np.ptp(values, axis=0) == 0
        return Interval(mean, np.where(constant, mean, low), np.where(constant, mean, high))


def median_interval(values: Array, level: float = 0.95) -> tuple[float, float, float]:
    """Median of values (tasks,) and order statistics around it that cover the true one with ``level`` or more.

    Distribution-free: the number of values below the true median is binomial. With too few values for the
    level (five or fewer at 95 %) the ends are NaN.
    """
    ordered = np.sort(values)
    rank = int(stats.binom.ppf((1 - level) / 2, len(values), 0.5))
    if rank == 0:
        return float(np.median(ordered)), np.nan, np.nan
    return float(np.median(ordered)), float(ordered[rank - 1]), float(ordered[len(values) - rank])


def _ends(level: float) -> tuple[float, float]:
    return (1 - level) / 2, (1 + level) / 2


def _bootstrap_t(values: Array, counts: Array, level: float, kind: Kind) -> tuple[Array, Array]:
    """Quantiles of the studentized mean over resamples, turned around at the mean."""
    n, center = len(values), values.mean(0)
    scale = np.where(np.ptp(values, axis=0) > 0, np.abs(values - center).max(0), 1.0)
    standard = (values - center) / scale  # so that no difference of squares loses its digits
    shift = counts @ standard / n
    variance = counts @ standard**2 / n - shift**2
    spread = np.std(standard, axis=0, ddof=1)
    flat = variance <= FLAT
    deviation = np.where(flat, spread, np.sqrt(np.maximum(variance, 0) * n / (n - 1)))
    means, errors = center + scale * shift, scale * deviation / np.sqrt(n)
    error = scale * spread / np.sqrt(n)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.log(means / center) / (errors / means) if kind == "positive" else (means - center) / errors
    if kind == "positive":
        t = np.where(flat & (means < center), -np.inf, t)
    low, high = np.quantile(_with_lowest(t), _ends(level), axis=0)
    return _pivot(center, error, high, low, kind)


def _with_lowest(t: Array) -> Array:
    """t (resamples, columns), in which a resample without the few tasks that make up the mean has no number.

    Of zeros alone its logarithm is infinite, and of nearly equal values its error is none. It counts as far below
    all others. So where the level asks for quantiles among such resamples (as when all values but three or fewer
    are zero), the upper end is infinite: the data bound the mean from below only.
    """
    found: Array = np.where(np.isfinite(t), t, BELOW)
    return found


def _student(values: Array, level: float, kind: Kind) -> tuple[Array, Array]:
    """The same pivot with Student's quantiles; a bounded quantity is cut off at the range of the data."""
    n = len(values)
    quantile = float(stats.t.ppf(_ends(level)[1], n - 1))
    low, high = _pivot(values.mean(0), values.std(0, ddof=1) / np.sqrt(n), quantile, -quantile, kind)
    if kind == "bounded":
        return np.maximum(low, values.min(0)), np.minimum(high, values.max(0))
    return low, high


def _pivot(center: Array, error: Array, high: Array | float, low: Array | float, kind: Kind) -> tuple[Array, Array]:
    if kind == "positive":
        relative = np.divide(error, center, out=np.zeros_like(center), where=center > 0)
        with np.errstate(over="ignore"):
            upper = center * np.exp(-low * relative)
        return center * np.exp(-high * relative), np.where(upper > UNBOUNDED * center, np.inf, upper)
    return center - high * error, center - low * error


def _bca(values: Array, counts: Array, level: float) -> tuple[Array, Array]:
    """Bias-corrected and accelerated percentiles (Efron 1987) of the mean."""
    n, resamples = len(values), len(counts)
    center = values.mean(0)
    means = np.sort(counts @ values / n, axis=0)
    below = ((means < center).mean(0) + (means <= center).mean(0)) / 2
    bias = special.ndtri(np.clip(below, 0.5 / resamples, 1 - 0.5 / resamples))
    third, second = ((values - center) ** 3).sum(0), ((values - center) ** 2).sum(0)
    acceleration = third / np.where(second > 0, 6 * second**1.5, 1.0)
    ends = []
    for end in _ends(level):
        z = bias + special.ndtri(end)
        ends.append(_at(means, special.ndtr(bias + z / (1 - acceleration * z))))
    return ends[0], ends[1]


def _at(ordered: Array, quantile: Array) -> Array:
    """The value at ``quantile`` of each column, itself sorted, by linear interpolation."""
    place = np.clip(quantile, 0, 1) * (len(ordered) - 1)
    below = np.floor(place).astype(np.intp)
    above = np.minimum(below + 1, len(ordered) - 1)
    columns = np.arange(ordered.shape[1])
    return ordered[below, columns] + (place - below) * (ordered[above, columns] - ordered[below, columns])
