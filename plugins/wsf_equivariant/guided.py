"""`Guided`: classifier-free guidance, as a denoiser around another."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn

from wsf_equivariant.deepsets import Deepsets
from wsframework.errors import PartError
from wsframework.parts.interfaces import Denoiser
from wsframework.parts.values import Least, Most
from wsframework.spaces import WeightSpace


class Guided(Denoiser):
    """Exaggerates what the condition changes: ``f(0) + scale (f(c) - f(0))``, with f(0) the inner denoiser's answer
    without a condition.

    In training, conditions are dropped at random, task by task, and replaced by a learned vector that stands for
    none: the inner denoiser learns both. Noise, velocity and clean latent are the same but for a factor and a multiple
    of x_t, so that guidance is the same for whatever is predicted. It claims what the inner denoiser claims.

    Arguments:
        space: of the latents.
        condition_size: length of the embedding of tasks.
        inner: the denoiser that is guided; `deepsets`, where none is named.
        scale: of the guidance: 1 is the inner denoiser as it is, 0 takes no notice of the task.
        dropout: share of the conditions that are dropped in training.

    Raises:
        PartError: where there is no condition to guide by.
    """

    name = "guided"
    paper = "Ho & Salimans 2022, arXiv:2207.12598"

    def __init__(
        self,
        space: WeightSpace,
        condition_size: int,
        *,
        inner: Denoiser | None = None,
        scale: Annotated[float, Least(0)] = 1.5,
        dropout: Annotated[float, Least(0), Most(1, strict=True)] = 0.1,
    ) -> None:
        super().__init__()
        if condition_size == 0:
            raise PartError("denoiser 'guided' has no condition to guide by; the conditioner's embedding has length 0")
        self.inner = inner or Deepsets(space, condition_size)
        self.symmetry = self.inner.symmetry
        self.none = nn.Parameter(torch.zeros(condition_size))
        self.scale, self.dropout = scale, dropout

    def forward(self, x_t: Tensor, t: Tensor, condition: Tensor, space: WeightSpace) -> Tensor:
        """x_t (batch, size), t (batch,), condition (batch, condition_size): (batch, size)."""
        if self.training:
            kept = torch.rand(len(condition), 1, device=condition.device) >= self.dropout
            return self.inner(x_t, t, torch.where(kept, condition, self._none(condition)), space)  # type: ignore[no-any-return]
        told: Tensor = self.inner(x_t, t, condition, space)
        if self.scale == 1:
            return told
        return torch.lerp(self.inner(x_t, t, self._none(condition), space), told, self.scale)

    def channels(self, x_t: Tensor, t: Tensor, condition: Tensor, space: WeightSpace) -> Tensor:
        """What the inner denoiser holds of each coordinate, told the condition: (batch, size, channels)."""
        return self.inner.channels(x_t, t, condition, space)

    def _none(self, condition: Tensor) -> Tensor:
        """What stands for no condition: (batch, condition_size)."""
        return self.none.to(condition).expand_as(condition)
