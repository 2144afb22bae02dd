"""Activations that a layer applies to a block while it is in the cache."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

_aten = torch.ops.aten


@dataclass(frozen=True)
class Activation:
    """An activation and its derivative, each written to a tensor that is there.

    Attributes:
        apply: of what comes in, to ``out``, which may be the same tensor where ``in_place``.
        back: of a gradient and what is kept, to ``out``: the gradient times the derivative.
        in_place: whether the derivative follows from what comes out, so that what comes in need not be kept.
    """

    apply: Callable[[Tensor, Tensor], object]
    back: Callable[[Tensor, Tensor, Tensor], object]
    in_place: bool


ACTIVATIONS = {
    "relu": Activation(
        lambda x, out: torch.clamp(x, min=0, out=out),
        lambda gradient, y, out: _aten.threshold_backward.grad_input(gradient, y, 0, grad_input=out),
        in_place=True,
    ),
    "silu": Activation(
        lambda x, out: _aten.silu.out(x, out=out),
        lambda gradient, x, out: _aten.silu_backward.grad_input(gradient, x, grad_input=out),
        in_place=False,
    ),
}
