"""What a sample is: an operator of ATen with operands, and the dims that are free when each axis is named apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

Free = int | tuple[int, ...]
"""A dim: its size; where it is within others, theirs after it, the nearest first."""


@dataclass(frozen=True, eq=False)
class Moved:
    """An operand of which every axis has atoms of its own.

    Attributes:
        base: as it is labelled.
        view: how it is rearranged before the operator sees it.
        separate: axes that are labelled separately for each of so many parts of the first.
    """

    base: Tensor
    view: Callable[[Tensor], Tensor] = lambda array: array
    separate: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Given:
    """An input: nothing moves it, and its numbers are not known."""

    base: Tensor


@dataclass(frozen=True, eq=False)
class Known:
    """Numbers that are known."""

    base: Tensor


@dataclass(frozen=True, eq=False)
class Sample:
    """One call of an operator.

    Attributes:
        args, kwargs: as the operator takes them, its tensors as `Moved`, `Given` or `Known`.
        dims: that are free.
        used: which of several results are used; None: all.
    """

    target: Callable[..., Any]
    args: Sequence[Any]
    dims: Sequence[Free]
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    used: frozenset[int] | None = None


@dataclass(eq=False)
class Draw:
    """Sizes and numbers for one sample."""

    left: list[int]
    generator: torch.Generator

    def sizes(self, count: int) -> list[int]:
        """The next of the sizes that were drawn."""
        return [self.left.pop(0) for _ in range(count)]

    def size(self) -> int:
        """The next size."""
        return self.left.pop(0)

    def normal(self, *shape: int) -> Tensor:
        """Numbers without ties."""
        return torch.randn(shape, generator=self.generator, dtype=torch.float64)

    def moved(self, *shape: int, **options: Any) -> Moved:
        """Standard normal numbers, labelled."""
        return Moved(self.normal(*shape), **options)

    def positive(self, *shape: int) -> Moved:
        """Numbers in (0.1, 0.9), labelled."""
        return Moved(0.1 + 0.8 * torch.rand(shape, generator=self.generator, dtype=torch.float64))

    def mask(self, *shape: int) -> Tensor:
        """Truth values."""
        return self.normal(*shape) > 0

    def indices(self, below: int, *shape: int) -> Tensor:
        """Whole numbers from 0 on."""
        return torch.randint(below, shape, generator=self.generator)


Make = Callable[[Draw], Sample]

SAMPLES: list[tuple[str, str, Make]] = []
"""The operator's name, what is special about the sample, and the sample."""


def sample(name: str, case: str = "") -> Callable[[Make], Make]:
    """Enter a sample of the operator ``name``."""

    def enter(make: Make) -> Make:
        SAMPLES.append((name, case, make))
        return make

    return enter


def family(names: Iterable[str], case: str = "") -> Callable[[Callable[[str, Draw], Sample]], Any]:
    """Enter a sample for each of several operators that are called alike."""

    def enter(make: Callable[[str, Draw], Sample]) -> Any:
        for name in names:
            SAMPLES.append((name, case, _of(make, name)))
        return make

    return enter


def _of(make: Callable[[str, Draw], Sample], name: str) -> Make:
    return lambda draw: make(name, draw)


def operator(name: str, overload: str = "default") -> Any:
    """``aten.name.overload``."""
    return getattr(getattr(torch.ops.aten, name), overload)
