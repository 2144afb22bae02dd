"""`ReadingNetwork`: from weights to answers; invariant where its body is equivariant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from torch import Tensor, nn

from wsframework.config.building import build
from wsframework.config.sections import PartConfig
from wsframework.models.orbit_places import OrbitPlaces
from wsframework.models.readout import Perceptron, Pooled, Unpooled
from wsframework.models.recipe import Recipe
from wsframework.models.scale import Scale
from wsframework.parts.interfaces import Denoiser
from wsframework.parts.registry import Registry
from wsframework.spaces import WeightSpace, orbits


class ReadingNetwork(nn.Module):
    """Weights in units of their orbits, through a body, pooled over orbits, and through a perceptron.

    The body is a denoiser that is given nothing to denoise: no condition, and always the time of pure noise, at which
    an answer is all its own.

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
        self.readout = Perceptron(self.pool.size, recipe.hidden, outputs, recipe.dropout)

    def forward(self, x: Tensor, space: WeightSpace) -> Tensor:
        """x (batch, size) to (batch, outputs).

        Raises:
            SpaceError: where networks of ``space`` can't be read.
        """
        x = self.scale(x.to(self.scale.mean), space)
        answers: Tensor = self.readout(self.pool(self.channels(x, space), space))
        return answers

    def channels(self, x: Tensor, space: WeightSpace) -> Tensor:
        """What the body holds of each coordinate of x (batch, size): (batch, size, channels)."""
        return self.body.channels(x, x.new_ones(len(x)), x.new_empty(len(x), 0), space)


def _extent(space: WeightSpace) -> tuple[int, int, int]:
    """How much there is of a space: orbits of different kinds, parameters, coordinates."""
    return len(orbits(space).keys), len(space.parameters), space.size
