"""What a denoiser is tried on: a space, and inputs of every size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from hypothesis import strategies as st
from torch import Tensor

from wsframework.parts.interfaces import Denoiser
from wsframework.spaces import WeightSpace
from wsframework.testing.check import may_decline
from wsframework.testing.gauges import gauged_spaces
from wsframework.testing.strategies import WIDE, mlp_space, mlp_spaces, weight_spaces
from wsframework.testing.subject import Subject, randomised

F32, F64 = torch.float32, torch.float64

ENDS = (1.0, 1e-4)
"""The last time, and one just above 0."""

Inputs = tuple[Tensor, Tensor, Tensor]


@dataclass(frozen=True, eq=False)
class DenoiserCase:
    """A denoiser's space, and what it is called with.

    Attributes:
        scale: the deviation of x_t.
        ends: whether times are the ends of time, in turns, in place of random ones.
    """

    subject: Subject
    space: WeightSpace
    condition_size: int
    batch: int
    seed: int
    scale: float = 1.0
    ends: bool = False

    def __str__(self) -> str:
        sizes = f"condition_size {self.condition_size}, batch {self.batch}, seed {self.seed}"
        return f"{sizes} in the space\n{self.space}"

    def denoiser(self, dtype: torch.dtype = F64, built: int = 0) -> Denoiser:
        """With random parameters; ``built`` seeds what the constructor draws."""
        torch.default_generator.manual_seed(built)
        with may_decline():
            made = cast(Denoiser, self.subject.build(self.space, self.condition_size))
        return randomised(made, torch.Generator().manual_seed(self.seed)).to(dtype).eval()

    def inputs(self, dtype: torch.dtype = F64, space: WeightSpace | None = None, draw: int = 0) -> Inputs:
        """x_t (batch, size) ~ N(0, scale^2), t (batch,) ~ U(0, 1], condition (batch, condition_size) ~ N(0, I)."""
        generator = torch.Generator().manual_seed(self.seed + draw)
        size = (space or self.space).size
        x_t = self.scale * torch.randn(self.batch, size, generator=generator, dtype=F64)
        t = 1 - 0.999 * torch.rand(self.batch, generator=generator, dtype=F64)
        if self.ends:
            t = torch.tensor(ENDS, dtype=F64).repeat(self.batch)[: self.batch]
        condition = torch.randn(self.batch, self.condition_size, generator=generator, dtype=F64)
        return x_t.to(dtype), t.to(dtype), condition.to(dtype)

    def answer(self, denoiser: Denoiser, inputs: Inputs, space: WeightSpace | None = None) -> Tensor:
        """The denoiser's answer, given copies of the inputs and a global generator that is always the same."""
        torch.default_generator.manual_seed(self.seed)
        x_t, t, condition = (value.clone() for value in inputs)
        out: Tensor = denoiser(x_t, t, condition, space or self.space)
        return out


@st.composite
def _cases(draw: st.DrawFn, subject: Subject, spaces: st.SearchStrategy[WeightSpace], least: int = 0) -> DenoiserCase:
    return DenoiserCase(
        subject,
        draw(subject.spaces or spaces),
        draw(st.integers(least, 3)),
        draw(st.integers(1, 3)),
        draw(st.integers(0, 2**16)),
    )


def any_case(subject: Subject) -> st.SearchStrategy[DenoiserCase]:
    """Perceptrons of one to four hidden layers, and spaces of every form."""
    return _cases(subject, mlp_spaces() | weight_spaces(max_dims=4, max_parameters=3, max_size=300))


def gauged_case(subject: Subject) -> st.SearchStrategy[DenoiserCase]:
    """Perceptrons whose neurons have signs or scales, and spaces of every form."""
    return _cases(subject, gauged_spaces())


def telling_case(subject: Subject) -> st.SearchStrategy[DenoiserCase]:
    """Perceptrons in which everything has something to depend on: two hidden layers or more, of two neurons or more."""
    return _cases(subject, mlp_spaces(hidden_layers=(2, 3), widths=(2, 6), bias=True), least=1)


def crowded_case(subject: Subject) -> Sequence[DenoiserCase]:
    """More members in a batch, and more numbers in a condition, than are generated; none where spaces are chosen."""
    space = mlp_space((2, 4, 3, 1))
    return () if subject.spaces else (DenoiserCase(subject, space, condition_size=33, batch=33, seed=0),)


def wide_case(subject: Subject) -> Sequence[DenoiserCase]:
    """Hidden layers wider, and weights larger, than any that are generated; none where spaces are chosen."""
    if subject.spaces:
        return ()
    far = DenoiserCase(subject, mlp_space((2, 4, 3, 1)), condition_size=2, batch=2, seed=0, scale=10.0)
    wide = DenoiserCase(subject, mlp_space(WIDE), condition_size=2, batch=2, seed=0)
    return wide, far, *late_case(subject)


def late_case(subject: Subject) -> Sequence[DenoiserCase]:
    """Times at both ends, where samplers begin and end; none where spaces are chosen."""
    space = mlp_space((2, 4, 3, 1))
    return () if subject.spaces else (DenoiserCase(subject, space, condition_size=2, batch=2, seed=0, ends=True),)
