"""The one judge of all: whether a network whose state was permuted still computes the same, in float64."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

SOUND = 1e-6
"""The largest relative change of the function that may be rounding; a wrong permutation causes 1e-2 or more."""


@dataclass(frozen=True)
class Verdict:
    """What a rival does to one network.

    Attributes:
        group: sizes of the sets that it permutes, each by itself.
        change: the relative change of the function, the largest of those tried; None where it failed.
        error: the class of the exception that it failed with, and where; else empty.
    """

    group: tuple[int, ...] = ()
    change: float | None = None
    error: str = ""


def randomise(module: nn.Module, generator: torch.Generator) -> nn.Module:
    """``module`` in evaluation mode with other numbers in place of all, ones and zeros too; it is returned."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) / 2)
        for buffer in module.buffers():
            if buffer.is_floating_point():  # running means and variances
                buffer.copy_(torch.rand(buffer.shape, generator=generator) + 0.5)
    return module.eval()


def change(module: nn.Module, state: Mapping[str, Tensor], inputs: Tensor, recalculated: bool = False) -> float:
    """``||f' - f|| / ||f||``, where f' is the function of ``module`` with ``state``.

    Arguments:
        recalculated: whether batch norm takes its statistics from the inputs, not from the state.
    """
    before, after = copy.deepcopy(module).double(), copy.deepcopy(module).double()
    after.load_state_dict(dict(state))
    for part in (*before.modules(), *after.modules()):
        if isinstance(part, _BatchNorm):
            part.train(recalculated)
    x = inputs.double() if inputs.is_floating_point() else inputs
    with torch.no_grad():
        old, new = before(x), after(x)
    return float((new - old).norm() / old.norm())
