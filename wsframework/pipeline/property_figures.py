"""Figures of what networks are like, with intervals over tasks."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from wsframework.measures.calibration import calibration_error, chance_error, overconfidence
from wsframework.pipeline.comparison import single
from wsframework.pipeline.intervals import Kind, Resampling
from wsframework.pipeline.properties import Properties

SUMS = {"reliability": "", "vote_reliability": "vote_"}
BOUNDED = ("disagreement",)
"""Shares, or variances of answers; other measures are distances and the like, from 0 without an upper bound."""


def property_figures(properties: Properties, seed: int) -> dict[str, Any]:
    """Mean and interval over tasks of every measure, and why others are not applicable.

    Calibration errors are of all tasks' points together: of few points, the error of each task would be chance.
    """
    found: dict[str, Any] = {}
    for name, values in properties.values.items():
        if name in SUMS:
            found |= _calibration(values, SUMS[name], seed)
        elif values.isfinite().any():
            found[name] = _figure(values[values.isfinite()], seed, "bounded" if name in BOUNDED else "positive")
    return {**found, "not_applicable": dict(properties.reasons)}


def _calibration(sums: Tensor, prefix: str, seed: int) -> dict[str, Any]:
    """Of sums (tasks, bins, 3)."""
    return {
        f"{prefix}calibration_error": float(calibration_error(sums.sum(0))),
        f"{prefix}calibration_chance": float(chance_error(sums.sum(0))),
        f"{prefix}overconfidence": _figure(overconfidence(sums), seed, "bounded"),
    }


def _figure(values: Tensor, seed: int, kind: Kind) -> dict[str, float | None]:
    """With n, the number of tasks."""
    resampling = Resampling.draw(len(values), 4000, 0.95, seed)
    return {**single(values.double().numpy(), resampling, kind), "n": len(values)}
