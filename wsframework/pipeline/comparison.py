"""What one initializer gains over another, task by task: speed-up, paired differences, area and regret."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

from wsframework.pipeline.intervals import Array, Kind, Resampling, median_interval

FLOOR = 1e-8
"""Losses below this count as this in logarithms: in float32, cross-entropy there is rounding."""

SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)
"""Of the tasks, at which speed-ups are told."""


def summary(values: Array, resampling: Resampling, kind: Kind) -> dict[str, list[float | None]]:
    """``mean``, ``low`` and ``high`` lists over columns of values (tasks, columns); None where there is no interval."""
    interval = resampling.interval(values, kind)
    return {end: finite(getattr(interval, end)) for end in ("mean", "low", "high")}


def single(values: Array, resampling: Resampling, kind: Kind) -> dict[str, float | None]:
    """The same for one figure a task, values (tasks,)."""
    return {end: figures[0] for end, figures in summary(values[:, None], resampling, kind).items()}


def finite(values: Array) -> list[float | None]:
    """Plain floats, None in place of what is not finite (JSON has neither NaN nor infinity)."""
    return [float(v) if np.isfinite(v) else None for v in values]


def speedup(step_loss: Array, target: Array, steps: tuple[int, ...], resampling: Resampling) -> dict[str, Any]:
    """How many times sooner than the whole budget each task's loss comes down to ``target`` (tasks,).

    Per task, ``budget / max(steps until step_loss <= target, 1)`` with step_loss (tasks, evaluations). A task
    that never gets there is censored: it counts as 0, below every other, and None stands for such a median or end.

    Returns:
        ``median`` with ``median_low`` and ``median_high`` (exact, by order statistics), ``mean`` with ``low`` and
        ``high`` (a lower bound where tasks are censored), the share ``never``, ``n``, and ``quantiles``: the factor
        that a tenth, a quarter, a half, three quarters and nine tenths of the tasks are at or below, None where
        such a task is censored.
    """
    reached = step_loss <= target[:, None]
    never = ~reached.any(1)
    first = np.asarray(steps, dtype=np.float64)[reached.argmax(1)]
    factor = np.where(never, 0.0, steps[-1] / np.maximum(first, 1))
    median = [v if v and np.isfinite(v) else None for v in median_interval(factor, resampling.level)]
    names = ("median", "median_low", "median_high")
    mean = single(factor, resampling, "bounded")
    spread = {"quantiles": _quantiles(factor), "never": float(never.mean()), "n": len(factor)}
    return {**mean, **dict(zip(names, median, strict=True)), **spread}


def _quantiles(factor: Array) -> dict[str, float | None]:
    """Of observed values, none in between, so that a censored task stays one."""
    found = np.quantile(factor, SHARES, method="inverted_cdf")
    return {f"{share:g}": float(value) or None for share, value in zip(SHARES, found, strict=True)}


def geometric(losses: Array, resampling: Resampling) -> dict[str, list[float | None]]:
    """Geometric means of losses (tasks, draws, columns) with intervals: `summary` of log loss, turned back."""
    logs = np.log(np.maximum(losses, FLOOR)).mean(1)
    found = resampling.interval(logs, "difference")
    return {end: finite(np.exp(getattr(found, end))) for end in ("mean", "low", "high")}


def log_difference(ours: Array, theirs: Array, resampling: Resampling) -> dict[str, Any]:
    """Paired difference of log loss, of losses (tasks, draws), averaged over draws within a task.

    Returns:
        ``difference`` = mean(log theirs - log ours) with ``low`` and ``high``: above 0 where ours is lower;
        ``times`` with ``times_low`` and ``times_high``: its exponential, how many times lower ours is
        (geometric mean); ``better`` and ``worse``: whether the interval lies above, or below, 0; ``effect``, the
        difference in units of its standard deviation over tasks (Cohen's d of pairs); ``p`` as `student_p`.
    """
    per_task = log_per_task(theirs) - log_per_task(ours)
    found = _verdict(per_task, resampling, "difference")
    names = {"difference": "times", "low": "times_low", "high": "times_high"}
    times = {new: None if found[old] is None else float(np.exp(found[old])) for old, new in names.items()}
    return {**found, **times}


def metric_difference(ours: Array, theirs: Array, higher_is_better: bool, resampling: Resampling) -> dict[str, Any]:
    """Paired difference of a metric (tasks, draws), in its own units, above 0 where ours is better."""
    per_task = (ours.mean(1) - theirs.mean(1)) * (1 if higher_is_better else -1)
    return _verdict(per_task, resampling, "bounded" if higher_is_better else "difference")


def area(curve: Array) -> Array:
    """Area under a curve (tasks, epochs + 1) by the trapezoid rule over the number of epochs: its mean height."""
    heights: Array = curve if curve.shape[1] == 1 else (curve[:, 1:] + curve[:, :-1]) / 2
    mean: Array = heights.mean(1)
    return mean


def log_per_task(loss: Array) -> Array:
    """Log loss, averaged over draws: losses (tasks, draws) to (tasks,)."""
    mean: Array = np.log(np.maximum(loss, FLOOR)).mean(1)
    return mean


def _verdict(per_task: Array, resampling: Resampling, kind: Kind) -> dict[str, Any]:
    found = single(per_task, resampling, kind)
    low, high = found["low"], found["high"]
    better, worse = low is not None and low > 0, high is not None and high < 0
    verdict = {"difference": found["mean"], "low": low, "high": high, "better": better, "worse": worse}
    return {**verdict, "effect": _effect(per_task), "p": student_p(per_task)}


def student_p(differences: Array) -> float | None:
    """Two-sided p-value of Student's paired test, of one difference a task (tasks,); None for a single task.

    Where all differences are alike it is 0, or 1 where they are 0.
    """
    n = len(differences)
    if n == 1:
        return None
    if np.ptp(differences) == 0:
        return float(differences[0] == 0)
    t = differences.mean() / differences.std(ddof=1) * np.sqrt(n)
    return float(2 * stats.t.sf(abs(t), n - 1))


def _effect(differences: Array) -> float | None:
    """Mean over standard deviation; None where there is no spread."""
    if len(differences) == 1 or np.ptp(differences) == 0:
        return None
    return float(differences.mean() / differences.std(ddof=1))
