"""Tokens of neurons: for each element of a dim, everything in the space that touches it, kept as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from wsframework.errors import SpaceError
from wsframework.spaces.nodes import NodeKind, kind_of_dim
from wsframework.spaces.space import Block, WeightSpace
from wsframework.spaces.symmetry import outer_places


@dataclass(frozen=True, eq=False)
class NeuronTokens:
    """A token for each element of a dim, and for each element of the dims that it is within.

    A token has all coordinates that touch its element, parameter by parameter, each in the present order of
    the other axes: permuting ``dim`` permutes tokens, permuting another dim permutes the entries of each. On
    a parameter where the dim occurs twice, as in ``hidden hidden``, a coordinate is in the tokens of both its
    elements, and permuting the dim does both. What forgets the order: `pooled_tokens`.

    Attributes:
        space: the weight space.
        elements: which element each token is of; ``elements.moved(g)`` is what g does to tokens.
        index: the coordinate of each entry, integers of shape (tokens, length).
        segments: what stands where along a token: the name and the length of each part. Names are the role
            of a parameter, ``@`` and the summand of each axis where one is not the first, ``:`` and which of
            its dims, from 0, is the one of the tokens.
    """

    space: WeightSpace
    elements: NodeKind
    index: Tensor
    segments: tuple[tuple[str, int], ...]

    def gather(self, x: Tensor) -> Tensor:
        """Coordinates (..., size) to tokens (..., tokens, length).

        Raises:
            SpaceError: if x has another number of coordinates.
        """
        check_size(self.space, x)
        return x[..., self.index.to(x.device)]

    def scatter(self, tokens: Tensor, x: Tensor) -> Tensor:
        """Coordinates x (..., size), with those that ``tokens`` (..., tokens, length) touch replaced by theirs.

        A coordinate that several entries hold gets their mean. So ``scatter(gather(x), x)`` is x.

        Raises:
            SpaceError: if x has another number of coordinates, or tokens have another shape.
        """
        check_size(self.space, x)
        if tokens.shape[-2:] != self.index.shape:
            raise SpaceError(f"these tokens have shape {tuple(self.index.shape)}; given was {tuple(tokens.shape[-2:])}")
        index = self.index.flatten().to(x.device)
        total = torch.zeros_like(x).index_add(-1, index, tokens.flatten(-2))
        held = torch.bincount(index, minlength=self.space.size)
        return torch.where(held > 0, total / held.clamp(min=1), x)


@lru_cache(maxsize=64)
def neuron_tokens(space: WeightSpace, dim: str) -> NeuronTokens:
    """The tokens of ``dim``, free or fixed.

    >>> space = WeightSpace.parse('''
    ...     free hidden=3
    ...     fixed in=2 out=5
    ...     first.weight   hidden in
    ...     first.bias     hidden
    ...     second.weight  out hidden''')
    >>> tokens = neuron_tokens(space, "hidden")
    >>> tokens.segments
    (('first.weight:0', 2), ('first.bias:0', 1), ('second.weight:1', 5))
    >>> tokens.gather(torch.randn(4, space.size)).shape
    torch.Size([4, 3, 8])

    Raises:
        SpaceError: if the space has no such dim.
    """
    elements = kind_of_dim(space, dim)
    found = list(touching(space, dim))
    parts = [_entries(space, block, chain).reshape(elements.nodes, -1) for _, block, chain in found]
    index = torch.cat([torch.empty(elements.nodes, 0, dtype=torch.long), *parts], dim=1)
    names = [name for name, _, _ in found]
    segments = tuple((name, part.shape[1]) for name, part in zip(names, parts, strict=True))
    return NeuronTokens(space, elements, index, segments)


def touching(space: WeightSpace, dim: str) -> Iterator[tuple[str, Block, tuple[int, ...]]]:
    """Where ``dim`` occurs: a name, the block, and the places there of the dims it is within and its own."""
    roles = {p.name: p.role for p in space.parameters}
    for block in space.blocks():
        summands = "@" + "+".join(map(str, block.terms)) if any(block.terms) else ""
        for place, occurrence in enumerate(block.occurrences):
            if occurrence.dim == dim:
                name = f"{roles[block.parameter]}{summands}:{place}"
                yield name, block, (*outer_places(space, block, place), place)


def check_size(space: WeightSpace, x: Tensor) -> None:
    """Refuse coordinates (..., size) of another space.

    Raises:
        SpaceError: if x has another number of them.
    """
    if x.shape[-1] != space.size:
        raise SpaceError(f"x has {x.shape[-1]} coordinates; the space of these tokens has {space.size}")


def _entries(space: WeightSpace, block: Block, chain: tuple[int, ...]) -> Tensor:
    """The block's coordinates with the places of ``chain`` first, and the others in their order."""
    index = space.block_index(block)
    return index.permute(*chain, *(place for place in range(index.dim()) if place not in chain))
