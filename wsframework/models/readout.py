"""From what a body holds of every coordinate to an answer: pooled over orbits, or read as it is."""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor, nn

from wsframework.errors import SpaceError
from wsframework.models.orbit_places import OrbitPlaces
from wsframework.spaces import WeightSpace

FOLLOWED = 0.02
"""How far each minibatch moves the statistics of features."""
LEAST = 1e-8
"""What is added to their variance, in case that there is none."""


class Pooled(nn.Module):
    """Means over every orbit, of each channel and of its square: the same for all orders of the neurons.

    Parameters of one role are pooled together, and an orbit that a space has not counts as zero, so that widths and
    depths may differ.

    Attributes:
        size: how many features there are.
    """

    def __init__(self, places: OrbitPlaces, channels: int) -> None:
        super().__init__()
        self.places = places
        self.size = 2 * len(places) * channels

    def forward(self, h: Tensor, space: WeightSpace) -> Tensor:
        """Channels (batch, size, channels) to features (batch, features)."""
        index = self.places.of(space, h.device)
        count = torch.bincount(index, minlength=len(self.places)).clamp(min=1).unsqueeze(-1)
        rows = rearrange(h, "batch size channels -> size (batch channels)")
        empty = rows.new_zeros(len(self.places), rows.shape[1])
        means = torch.stack([empty.index_add(0, index, values) / count for values in (rows, rows.square())])
        return rearrange(means, "moment orbit (batch channels) -> batch (moment orbit channels)", batch=len(h))


class Unpooled(nn.Module):
    """Every channel of every coordinate: for bodies that know nothing of symmetry, and one space.

    Attributes:
        size: how many features there are.
    """

    def __init__(self, space: WeightSpace, channels: int) -> None:
        super().__init__()
        self.space = space
        self.size = space.size * channels

    def forward(self, h: Tensor, space: WeightSpace) -> Tensor:
        """Channels (batch, size, channels) to features (batch, features).

        Raises:
            SpaceError: for another space than that of construction.
        """
        if space != self.space:
            raise SpaceError(
                "the body claims no symmetry, so the model reads networks of the one space that it was fitted to, "
                "and these are of another one; an equivariant body, such as 'functional', reads several"
            )
        return h.flatten(1)


class Standard(nn.Module):
    """Features in units of their deviation over networks: as measured at first, and followed as the body learns.

    Unlike a batch normalisation it computes the same in training as later, so that networks are judged one by one,
    and batches of different spaces alike.
    """

    mean: Tensor
    square: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("square", torch.ones(size))

    @torch.no_grad()
    def follow(self, features: Tensor, share: float) -> None:
        """Move what is known towards the statistics of features (batch, size): all the way where ``share`` is 1."""
        self.mean.lerp_(features.mean(0), share)
        self.square.lerp_((features - self.mean).square().mean(0), share)

    def forward(self, features: Tensor) -> Tensor:
        """Features (batch, size) to their like."""
        if self.training:
            self.follow(features, FOLLOWED)
        return (features - self.mean) / (self.square + LEAST).sqrt()


class Perceptron(nn.Sequential):
    """Standardised features (batch, features), through one hidden layer, to outputs (batch, outputs)."""

    def __init__(self, features: int, hidden: int, outputs: int, dropout: float) -> None:
        super().__init__(
            nn.Dropout(dropout),
            nn.Linear(features, hidden),
            nn.SiLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, outputs),
        )
