"""Samplers of known kind, beside which figures are read: copies with noise, averages, and plain Gaussians."""

from __future__ import annotations

import torch
from torch import Tensor

from wsframework.alignment import align
from wsframework.audit.nearest import balanced
from wsframework.spaces import Weights
from wsframework.spaces.orbits import orbits

NOISE = 0.1
"""Standard deviation of the noise of noised copies, in units of that of a coordinate's orbit."""
MEMBERS = 16
"""Networks that are averaged."""


def reference_groups(zoo: Weights, count: int, generator: torch.Generator) -> dict[str, Weights]:
    """``count`` networks of each kind, as Zeng et al. have them; the zoo itself is left as it is.

    - ``noised``: networks of the zoo with Gaussian noise of a tenth of each orbit's standard deviation.
    - ``averages``: means of 16 networks of the zoo (all, of a smaller one), aligned to one of them.
    - ``gaussian``: every coordinate drawn alone, with its mean and standard deviation over the zoo.
    """
    return {
        "noised": noised(zoo, count, generator),
        "averages": averages(zoo, count, generator),
        "gaussian": gaussian(zoo, count, generator),
    }


def noised(zoo: Weights, count: int, generator: torch.Generator) -> Weights:
    """Networks of the zoo with noise."""
    found = orbits(zoo.space)
    spread = found.std(zoo.x)[found.index]
    rows = torch.randint(len(zoo), (count,), generator=generator)
    return Weights(zoo.space, zoo.x[rows] + NOISE * spread * _normal(count, zoo, generator))


def averages(zoo: Weights, count: int, generator: torch.Generator) -> Weights:
    """Means of several networks, each aligned to the first of them, at the scales of least norm."""
    members = min(MEMBERS, len(zoo))
    rows = torch.rand(count, len(zoo), generator=generator).argsort(1)[:, :members]
    x = balanced(zoo).x
    firsts = Weights(zoo.space, x[rows[:, :1].expand(-1, members).flatten()])
    aligned = align(Weights(zoo.space, x[rows.flatten()]), firsts).weights.x
    return Weights(zoo.space, aligned.reshape(count, members, -1).mean(1).to(zoo.x))


def gaussian(zoo: Weights, count: int, generator: torch.Generator) -> Weights:
    """Every coordinate by itself."""
    return Weights(zoo.space, zoo.x.mean(0) + zoo.x.std(0) * _normal(count, zoo, generator))


def _normal(count: int, zoo: Weights, generator: torch.Generator) -> Tensor:
    return torch.randn(count, zoo.space.size, generator=generator).to(zoo.x)
