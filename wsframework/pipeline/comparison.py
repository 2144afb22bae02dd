"""What one initializer gains over another, task by task: speed-up, paired differences, area and regret."""

from __future__ import annotations

from typing import Any

import numpy as np

from wsframework.pipeline.intervals import Array, Kind, Resampling, median_interval

FLOOR = 1e-8
"""Losses below this count as this in logarithms: in float32, cross-entropy there is rounding."""


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
        ``high`` (a lower bound where tasks are censored), the share ``never``, and ``n``.
    """
    reached = step_loss <= target[:, None]
    never = ~reached.any(1)
    first = np.asarray(steps, dtype=np.float64)[reached.argmax(1)]
    factor = np.where(never, 0.0, steps[-1] / np.maximum(first, 1))
    median = [v if v and np.isfinite(v) else None for v in median_interval(factor, resampling.level)]
    names = ("median", "median_low", "median_high")
    mean = single(factor, resampling, "bounded")
    return {**mean, **dict(zip(names, median, strict=True)), "never": float(never.mean()), "n": len(factor)}


def log_difference(ours: Array, theirs: Array, resampling: Resampling) -> dict[str, Any]:
    """Paired difference of log loss, of losses (tasks, draws), averaged over draws within a task.

    Returns:
        ``difference`` = mean(log theirs - log ours) with ``low`` and ``high``: above 0 where ours is lower;
        ``times`` with ``times_low`` and ``times_high``: its exponential, how many times lower ours is
        (geometric mean); ``better`` and ``worse``: whether the interval lies above, or below, 0.
    """
    per_task = _log(theirs) - _log(ours)
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


def _log(loss: Array) -> Array:
    mean: Array = np.log(np.maximum(loss, FLOOR)).mean(1)
    return mean


def _verdict(per_task: Array, resampling: Resampling, kind: Kind) -> dict[str, Any]:
    found = single(per_task, resampling, kind)
    low, high = found["low"], found["high"]
    better, worse = low is not None and low > 0, high is not None and high < 0
    return {"difference": found["mean"], "low": low, "high": high, "better": better, "worse": worse}
