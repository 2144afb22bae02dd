"""Work on one block of a state, as much of it at once as stays in the cache."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

from torch import Tensor

from wsf_equivariant.linear.activations import Activation
from wsf_equivariant.linear.products import Product
from wsf_equivariant.linear.program import Step

CHUNK = 2**20
"""Numbers that are worked on at once, 4 MB in float32: fewer would cost more calls than they save of the memory."""

Index = tuple[slice, ...]


def chunks(block: Tensor) -> Iterator[Index | None]:
    """Pieces of a block (*axes, batch, channels): slices of its first axes; None for a block that is one piece."""
    if block.numel() <= CHUNK:
        yield None
    else:
        yield from _slices(block.shape)


def _slices(shape: Sequence[int]) -> Iterator[Index]:
    rest = prod(shape[1:])
    if rest > CHUNK and len(shape) > 3:
        for start in range(shape[0]):
            for inner in _slices(shape[1:]):
                yield slice(start, start + 1), *inner
        return
    count = max(1, CHUNK // rest)
    for start in range(0, shape[0], count):
        yield (slice(start, start + count),)


def at(block: Tensor, index: Index | None) -> Tensor:
    """A piece of a block, or of what broadcasts to it: all of that along axes of length 1."""
    if index is None:
        return block
    return block[tuple(rows if size > 1 else slice(None) for rows, size in zip(index, block.shape, strict=False))]


def pool_block(block: Tensor, steps: Sequence[Step], values: list[Tensor], index: Index | None) -> None:
    """Add a piece of a block to what is pooled from it; what is one piece, at once."""
    for step in steps:
        if index is None:
            values[step.quotient] = block.sum(step.pooled)
            continue
        if values[step.quotient] is None:
            values[step.quotient] = block.new_zeros(*step.shape, *block.shape[-2:])
        kept = tuple(rows for axis, rows in enumerate(index) if axis not in step.pooled)
        values[step.quotient][kept].add_(block[index].sum(step.pooled))


def write_block(
    out: Tensor, products: Sequence[Product], added: Sequence[Tensor], before: Tensor, activation: Activation | None
) -> None:
    """The sum of products and of what broadcasts, to ``before``; after the activation, to ``out``: (*axes, *rest)."""
    for index in chunks(out):
        piece = at(before, index)
        for number, product in enumerate(products):
            product.add(piece, index, first=not number)
        for number, value in enumerate(added):
            part = at(value, index)
            piece.add_(part) if number or products else piece.copy_(part)
        if activation is not None:
            activation.apply(piece, at(out, index))
