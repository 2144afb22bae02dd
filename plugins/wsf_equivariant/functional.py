"""`functional`: a denoiser made of the equivariant linear maps of any weight space."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn

from wsf_equivariant.linear.layer import EquivariantLinear
from wsf_equivariant.linear.sources import layout
from wsframework.parts.coordinates import Coordinates
from wsframework.parts.embedding import Film, TimeEmbedding
from wsframework.parts.interfaces import Denoiser
from wsframework.parts.values import Least
from wsframework.spaces import WeightSpace


class Functional(Denoiser):
    """A neural functional: residual blocks of equivariant linear maps, for any space.

    Every coordinate has channels, and takes from all with which it shares dims. Matrices are shared by role, so that
    one denoiser serves every depth and width.

    Options:
        width: channels of each coordinate.
        blocks: residual blocks.
        context: channels of what is known of time and task.
    """

    name = "functional"
    paper = "Zhou et al. 2024, arXiv:2402.05232; Zhou et al. 2023, arXiv:2302.14040"
    symmetry = "equivariant"

    layer = EquivariantLinear
    """The map that it is made of, for use in other modules."""

    def __init__(
        self,
        space: WeightSpace,
        condition_size: int,
        *,
        width: Annotated[int, Least(1)] = 32,
        blocks: Annotated[int, Least(1)] = 4,
        context: Annotated[int, Least(2)] = 64,
    ) -> None:
        super().__init__()
        self.time = TimeEmbedding(context)
        self.condition = nn.Linear(condition_size, context) if condition_size else None
        self.coordinates = Coordinates(space, width, lambda space: layout(space).order)
        self.blocks = nn.ModuleList(FunctionalBlock(space, width, context) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)

    def forward(self, x_t: Tensor, t: Tensor, condition: Tensor, space: WeightSpace) -> Tensor:
        """x_t (batch, size), t (batch,), condition (batch, condition_size): (batch, size).

        Raises:
            SpaceError: if ``space`` has roles, positions on fixed dims, or ways in which parameters share dims, that
                the space of construction had not.
        """
        return self.coordinates.collect(self._state(x_t, t, condition, space), space)

    def channels(self, x_t: Tensor, t: Tensor, condition: Tensor, space: WeightSpace) -> Tensor:
        """What its answer is read from: (batch, size, width)."""
        return self.coordinates.ordered(self._state(x_t, t, condition, space), space)

    def _state(self, x_t: Tensor, t: Tensor, condition: Tensor, space: WeightSpace) -> Tensor:
        """Channels after all blocks, normalised, (size, batch, width) in the order of `layout`."""
        context = self.time(t)
        if self.condition is not None:
            context = context + self.condition(condition)
        context = nn.functional.silu(context)
        state = self.coordinates.spread(x_t, space)
        for block in self.blocks:
            state = block(state, context, space)
        return self.norm(state)  # type: ignore[no-any-return]


class FunctionalBlock(nn.Module):
    """``h + B silu(A film(norm(h)))`` with an equivariant A, which reads the context too, and B alike everywhere."""

    def __init__(self, space: WeightSpace, width: int, context: int) -> None:
        super().__init__()
        self.norm, self.film = nn.LayerNorm(width), Film(context, width)
        self.mix = EquivariantLinear(space, width, width, context, "silu")
        self.out = nn.Linear(width, width)

    def forward(self, state: Tensor, context: Tensor, space: WeightSpace) -> Tensor:
        """state (places, batch, width), context (batch, context) to the state's like."""
        scale, shift = self.film.linear(context).chunk(2, dim=-1)
        inner = torch.addcmul(shift, self.norm(state), 1 + scale)
        out: Tensor = state + self.out(self.mix(inner, space, context))
        return out
