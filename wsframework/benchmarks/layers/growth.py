"""How the time of a training step of `functional` grows with the number of weights."""

from __future__ import annotations

import math
from typing import Any

import torch

from wsframework.benchmarks import Row
from wsframework.benchmarks.layers.measuring import best_times
from wsframework.benchmarks.subjects.spaces import mlp_space
from wsframework.parts.entrypoints import load_registry

WIDTHS = (16, 56, 180, 580)
"""Of perceptrons 32-n-n-n-2, of about 1,100 to 700,000 weights."""
BATCH = 2


def growth() -> tuple[Row, ...]:
    """Seconds of forward and backward at each size, and the exponent that fits them best on logarithmic axes."""
    make: Any = load_registry().get("denoiser", "functional")
    spaces = [mlp_space((32, n, n, n, 2)) for n in WIDTHS]
    denoiser = make(spaces[0], 0, width=16, blocks=2)
    steps = {}
    for space in spaces:
        x, t, none = torch.randn(BATCH, space.size), torch.full((BATCH,), 0.5), torch.empty(BATCH, 0)
        steps[f"{space.size:,}"] = lambda x=x, t=t, c=none, s=space: torch.autograd.backward(
            denoiser(x, t, c, s).square().mean()
        )
    times = best_times(steps)
    exponent = _slope([math.log(s.size) for s in spaces], [math.log(t) for t in times.values()])
    rows = [Row(f"functional, a step on {name} weights", 1e3 * t, "ms") for name, t in times.items()]
    return (*rows, Row("functional, the time grows with the number of weights to the power of", exponent, ""))


def _slope(x: list[float], y: list[float]) -> float:
    centre = sum(x) / len(x)
    return sum((a - centre) * b for a, b in zip(x, y, strict=True)) / sum((a - centre) ** 2 for a in x)
