"""Samplers of known kind, beside which figures are read: copies with noise, averages, and plain Gaussians."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from wsframework.alignment import align
from wsframework.spaces import Weights
from wsframework.spaces.orbits import orbits

NOISE = 0.1
"""Standard deviation of the noise of noised copies, in units of that of a coordinate's orbit."""
MEMBERS = 16
"""Networks that are averaged."""


def references(zoo: Weights, count: int, generator: torch.Generator) -> dict[str, Weights]:
    """``count`` networks of each kind, as Zeng et al. have them; the zoo itself is left as it is.

    - ``noised``: networks of the zoo with Gaussian noise of a tenth of each orbit's standard deviation.
    - ``averages``: means of 16 networks of the zoo (all, of a smaller one), aligned to one of them.
    - ``gaussian``: every coordinate drawn alone, with its mean and standard deviation over the zoo.
    """
    return {
        "noised": _noised(zoo, count, generator),
        "averages": Weights(zoo.space, torch.stack(list(_averages(zoo, count, generator)))),
        "gaussian": _gaussian(zoo, count, generator),
    }


def _noised(zoo: Weights, count: int, generator: torch.Generator) -> Weights:
    found = orbits(zoo.space)
    spread = found.std(zoo.x)[found.index]
    rows = torch.randint(len(zoo), (count,), generator=generator)
    return Weights(zoo.space, zoo.x[rows] + NOISE * spread * _normal(count, zoo, generator))


def _averages(zoo: Weights, count: int, generator: torch.Generator) -> Iterator[Tensor]:
    for _ in range(count):
        rows = torch.randperm(len(zoo), generator=generator)[:MEMBERS]
        some = Weights(zoo.space, zoo.x[rows])
        yield align(some, some[0]).weights.x.mean(0)


def _gaussian(zoo: Weights, count: int, generator: torch.Generator) -> Weights:
    return Weights(zoo.space, zoo.x.mean(0) + zoo.x.std(0) * _normal(count, zoo, generator))


def _normal(count: int, zoo: Weights, generator: torch.Generator) -> Tensor:
    return torch.randn(count, zoo.space.size, generator=generator).to(zoo.x)
