"""Products of whole blocks with matrices: the large ones, for which nothing is copied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from wsf_equivariant.linear.program import Program


@dataclass(frozen=True)
class Product:
    """``y matrix``, for a block that is the sum of such; and where there is an ``x``, ``x' y`` for ``to_matrix``.

    All of y, x and what is written are blocks of one shape, (*axes, batch, channels).
    """

    y: Tensor
    matrix: Tensor
    x: Tensor | None = None
    to_matrix: Tensor | None = None

    def add(self, out: Tensor, index: tuple[slice, ...] | None, first: bool) -> None:
        """Do so for the pieces at ``index`` (None: all); the first product of a block overwrites its piece, ``out``."""
        y, out = _flat(self.y, index), _flat(out, None)
        torch.mm(y, self.matrix, out=out) if first else out.addmm_(y, self.matrix)
        if self.x is not None and self.to_matrix is not None:
            self.to_matrix.addmm_(_flat(self.x, index).t(), y)


Products = Mapping[int, Sequence[Product]]
"""For each block, by the number of its quotient, the products that it is the sum of."""


def forward_products(program: Program, m: Sequence[Tensor], values: Sequence[Tensor]) -> Products:
    """What is written of whole blocks, from the blocks in ``values`` and the matrices ``m`` of each mixing."""
    found: dict[int, list[Product]] = {}
    for pair in program.pairs:
        product = Product(values[pair.read], pair.block(m[pair.mixing]))
        found.setdefault(pair.write, []).append(product)
    return found


def backward_products(
    program: Program, m: Sequence[Tensor], to_m: Sequence[Tensor], x: Sequence[Tensor], y: Sequence[Tensor]
) -> Products:
    """The same transposed: from blocks of the gradient y and of the state x, to gradients of these and of ``m``."""
    found: dict[int, list[Product]] = {}
    for pair in program.pairs:
        matrix, to_matrix = pair.block(m[pair.mixing]), pair.block(to_m[pair.mixing])
        found.setdefault(pair.read, []).append(Product(y[pair.write], matrix.t(), x[pair.read], to_matrix))
    return found


def _flat(block: Tensor, index: tuple[slice, ...] | None) -> Tensor:
    piece = block if index is None else block[index]
    return piece.view(-1, piece.shape[-1])
