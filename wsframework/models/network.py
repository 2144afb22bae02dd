"""From weights to answers: `ReadingNetwork`, by the body of a denoiser, and `DescribedNetwork`, by features."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import islice
from typing import cast

import torch
from torch import Tensor, nn

from wsframework.config.building import build
from wsframework.config.sections import PartConfig
from wsframework.errors import SpaceError
from wsframework.models.given import Given
from wsframework.models.orbit_places import OrbitPlaces
from wsframework.models.readout import Perceptron, Pooled, Standard, Unpooled
from wsframework.models.recipe import Recipe
from wsframework.models.scale import Scale
from wsframework.parts.interfaces import Denoiser, Features
from wsframework.parts.registry import Registry
from wsframework.spaces import WeightSpace, orbits
from wsframework.tasks import some_inputs

FITTED = 2**28
"""Bytes of networks, evenly spread over those that are given, that features are fitted to."""
ASKED = 256
"""Inputs of tasks, at most, that features are fitted to."""


class Reader(ABC, nn.Module):
    """What a network is read by, standardised, and through a perceptron to answers.

    Arguments:
        size: how many numbers a network is read by.
        outputs: numbers of an answer.
    """

    def __init__(self, size: int, outputs: int, recipe: Recipe) -> None:
        super().__init__()
        self.standard = Standard(size)
        self.readout = Perceptron(size, recipe.hidden, outputs, recipe.dropout)

    def forward(self, x: Tensor, space: WeightSpace) -> Tensor:
        """x (batch, size) to (batch, outputs).

        Raises:
            SpaceError: where networks of ``space`` can't be read.
        """
        answers: Tensor = self.readout(self.standard(self.features(x, space)))
        return answers

    @abstractmethod
    def features(self, x: Tensor, space: WeightSpace) -> Tensor:
        """What the read-out reads, for x (batch, size): (batch, features)."""

    @torch.no_grad()
    def calibrate(self, given: Given, generator: torch.Generator) -> None:
        """Measure scales of features on some networks."""
        some = islice(given.batches(32, generator), 16)
        self.standard.follow(torch.cat([self.features(batch.x, batch.space) for batch in some]), 1.0)


class DescribedNetwork(Reader):
    """Networks of one space, described by features; invariant where these are.

    Arguments:
        described: the features, built for the networks of ``space``.
    """

    def __init__(self, described: Features, space: WeightSpace, outputs: int, recipe: Recipe) -> None:
        super().__init__(described.size, outputs, recipe)
        self.described, self.space = described, space

    def features(self, x: Tensor, space: WeightSpace) -> Tensor:
        """The features of x (batch, size): (batch, features).

        Raises:
            SpaceError: for another space than that of construction.
        """
        if space != self.space:
            raise SpaceError(
                f"the features {self.described.name!r} describe networks of the one space that the model was fitted "
                "to, and these are of another one; an equivariant body, such as 'functional', reads several"
            )
        features: Tensor = self.described(x.to(self.standard.mean))
        return features

    @torch.no_grad()
    def calibrate(self, given: Given, generator: torch.Generator) -> None:
        """Fit the features, and measure their scales."""
        inputs = some_inputs(given.tasks, ASKED) if given.tasks else torch.empty(0)
        self.described.fit(given.parts[0].spread(FITTED).to(self.standard.mean), inputs.to(self.standard.mean))
        super().calibrate(given, generator)


class ReadingNetwork(Reader):
    """Weights in units of their orbits, through a body, pooled over orbits, and through a perceptron.

    The body is a denoiser that is given nothing to denoise: no condition, and always the time of pure noise, at which
    an answer is all its own. What it holds of each weight is pooled, and the weight itself.

    Arguments:
        body: the denoiser.
        spaces: those of the networks. The body is built for the one of most parameters, and must serve all.
        outputs: numbers of an answer.

    Raises:
        PartError: where there is no such body, or an option does not fit it.
        SpaceError: where the body does not serve a space.
    """

    def __init__(
        self, body: PartConfig, spaces: Sequence[WeightSpace], outputs: int, recipe: Recipe, registry: Registry
    ) -> None:
        places, largest = OrbitPlaces(spaces), max(spaces, key=_extent)
        found = cast(Denoiser, build(registry, "denoiser", body, largest, 0))
        held = [_channels(found, torch.zeros(1, space.size), space).shape[-1] for space in spaces]
        pool = Pooled(places, held[0]) if found.symmetry == "equivariant" else Unpooled(largest, held[0])
        super().__init__(pool.size, outputs, recipe)
        self.scale, self.body, self.pool = Scale(places), found, pool

    def features(self, x: Tensor, space: WeightSpace) -> Tensor:
        """What the read-out reads, for x (batch, size): (batch, features)."""
        features: Tensor = self.pool(self.channels(self.scale(x.to(self.scale.mean), space), space), space)
        return features

    @torch.no_grad()
    def calibrate(self, given: Given, generator: torch.Generator) -> None:
        """Measure scales of weights on all networks, and those of features on some."""
        self.scale.fit(given)
        super().calibrate(given, generator)

    def channels(self, x: Tensor, space: WeightSpace) -> Tensor:
        """Each coordinate of x (batch, size), and what the body holds of it: (batch, size, 1 + channels)."""
        return _channels(self.body, x, space)


def _channels(body: Denoiser, x: Tensor, space: WeightSpace) -> Tensor:
    held = body.channels(x, x.new_ones(len(x)), x.new_empty(len(x), 0), space)
    return torch.cat([x.unsqueeze(-1), held], -1)


def _extent(space: WeightSpace) -> tuple[int, int, int]:
    """How much there is of a space: orbits of different kinds, parameters, coordinates."""
    return len(orbits(space).keys), len(space.parameters), space.size
