"""`Features`: networks as vectors of one length."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from torch import Tensor, nn

from wsframework.parts.interfaces.part import Part


class Features(Part, nn.Module):
    """Represents a network by a vector. Constructed as ``Features(architecture, shape, *, options)``.

    What is drawn comes from a seed among the options, so that equal options give equal vectors. A claim
    ``symmetry = "invariant"`` says ``f(g x) = f(x)`` for permutations g.

    Attributes:
        size: length of the vector.
        gauge: whether the claim is of signs and scales too.
    """

    kind = "features"
    gauge: ClassVar[bool] = False
    size: int

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """Networks (batch, weights) to vectors (batch, size); differentiable."""

    def fit(self, x: Tensor, inputs: Tensor) -> None:
        """Learn what is needed from networks x (networks, weights), and inputs of their tasks (points, *inputs).

        There may be no inputs, where networks come without tasks. This default is for those that learn nothing.
        """
        return None
