"""`ReadingNetwork`: from weights to answers; invariant where its body is equivariant."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import cast

import torch
from torch import Tensor, nn

from wsframework.config.building import build
from wsframework.config.sections import PartConfig
from wsframework.models.given import Given
from wsframework.models.orbit_places import OrbitPlaces
from wsframework.models.readout import Perceptron, Pooled, Standard, Unpooled
from wsframework.models.recipe import Recipe
from wsframework.models.scale import Scale
from wsframework.parts.interfaces import Denoiser
from wsframework.parts.registry import Registry
from wsframework.spaces import WeightSpace, orbits


class ReadingNetwork(nn.Module):
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
        super().__init__()
        places, largest = OrbitPlaces(spaces), max(spaces, key=_extent)
        self.scale = Scale(places)
        self.body = cast(Denoiser, build(registry, "denoiser", body, largest, 0))
        channels = [self.channels(self.scale.mean.new_zeros(1, space.size), space).shape[-1] for space in spaces]
        pooled = self.body.symmetry == "equivariant"
        self.pool = Pooled(places, channels[0]) if pooled else Unpooled(largest, channels[0])
        self.standard = Standard(self.pool.size)
        self.readout = Perceptron(self.pool.size, recipe.hidden, outputs, recipe.dropout)

    def forward(self, x: Tensor, space: WeightSpace) -> Tensor:
        """x (batch, size) to (batch, outputs).

        Raises:
            SpaceError: where networks of ``space`` can't be read.
        """
        answers: Tensor = self.readout(self.standard(self.features(x, space)))
        return answers

    def features(self, x: Tensor, space: WeightSpace) -> Tensor:
        """What the read-out reads, for x (batch, size): (batch, features)."""
        features: Tensor = self.pool(self.channels(self.scale(x.to(self.scale.mean), space), space), space)
        return features

    @torch.no_grad()
    def calibrate(self, given: Given, generator: torch.Generator) -> None:
        """Measure scales of weights on all networks, and those of features on some."""
        self.scale.fit(given)
        some = islice(given.batches(32, generator), 16)
        self.standard.follow(torch.cat([self.features(batch.x, batch.space) for batch in some]), 1.0)

    def channels(self, x: Tensor, space: WeightSpace) -> Tensor:
        """Each coordinate of x (batch, size), and what the body holds of it: (batch, size, 1 + channels)."""
        held = self.body.channels(x, x.new_ones(len(x)), x.new_empty(len(x), 0), space)
        return torch.cat([x.unsqueeze(-1), held], -1)


def _extent(space: WeightSpace) -> tuple[int, int, int]:
    """How much there is of a space: orbits of different kinds, parameters, coordinates."""
    return len(orbits(space).keys), len(space.parameters), space.size
