"""A weight space seen as sets: features of the whole, of neurons, and of neurons that weights are between.

Every block of every parameter has axes over free dims; its fixed axes are channels. An axis whose dim is within
another is a token together with that one's, as a value of a head is. So a flat latent splits into global features,
tokens of neurons and edges between two or more of them, and comes together again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import prod

from torch import Tensor

from wsframework.spaces import Block, WeightSpace
from wsframework.spaces.nodes import kind_of_dim
from wsframework.spaces.symmetry import outer_places


@dataclass(frozen=True)
class TokenSet:
    """The elements of a free dim, for each element of the free dims that it is within.

    Attributes:
        name: of the dim; where it is within fixed dims, in brackets, of which of their elements.
        sizes: of the free dims that it is within, outermost first, and its own.
        parent: the tokens that each of these is within, their number a product of all sizes but the last, or None.
        depth: the relative position of the dim among all free ones, in [0, 1].
    """

    name: str
    sizes: tuple[int, ...]
    parent: str | None
    depth: float


@dataclass(frozen=True)
class End:
    """The tokens that a piece is of, or between.

    Attributes:
        tokens: the name of their set.
        axes: of the piece, that say which token it is: those of the dims it is within, outermost first, and its own.
    """

    tokens: str
    axes: tuple[int, ...]

    def spread(self, tokens: Tensor, shape: tuple[int, ...]) -> Tensor:
        """Tokens (batch, n, channels) as they broadcast to a piece (batch, *shape, channels)."""
        parts = (
            tokens.reshape(len(tokens), *(shape[axis] for axis in self.axes), tokens.shape[-1])
            if len(self.axes) > 1
            else tokens
        )
        order = sorted(range(len(self.axes)), key=lambda place: self.axes[place])
        parts = parts.permute(0, *(place + 1 for place in order), -1) if order != list(range(len(order))) else parts
        for axis in range(len(shape)):
            parts = parts if axis in self.axes else parts.unsqueeze(axis + 1)
        return parts

    def mean(self, piece: Tensor) -> Tensor:
        """Of a piece (batch, *shape, channels), the mean over all other axes: (batch, n, channels)."""
        others = [axis + 1 for axis in range(piece.dim() - 2) if axis not in self.axes]
        kept = piece.mean(others) if others else piece
        places = sorted(self.axes)
        return kept.permute(0, *(places.index(axis) + 1 for axis in self.axes), -1).flatten(1, -2)


@dataclass(frozen=True, eq=False)
class Piece:
    """One block of a parameter; of dims within fixed ones, at one element of each of these.

    Attributes:
        key: the role, and the summand of each axis where one is not the first, and elements of fixed dims that free
            ones are within; pieces of one key share matrices.
        ends: tokens that it is of: none, one, or those that it is an edge between.
        channels: entries for each place on the free axes: the product of the fixed axes.
        index: flat positions (*sizes of free axes, channels).
    """

    key: str
    ends: tuple[End, ...]
    channels: int
    index: Tensor


@lru_cache(maxsize=64)
def token_sets(space: WeightSpace) -> tuple[TokenSet, ...]:
    """The token sets of ``space``, in the order of its dims."""
    found = []
    for number, name in enumerate(space.free):
        dims = kind_of_dim(space, name).dims
        fixed = [place for place, dim in enumerate(dims) if not dim.free]
        for elements in product(*(range(dims[place].size) for place in fixed)):
            at = dict(zip(fixed, elements, strict=True))
            sizes = tuple(dim.size for dim in dims if dim.free)
            parents = [place for place, dim in enumerate(dims[:-1]) if dim.free]
            parent = _name(dims[parents[-1]].name, [v for p, v in at.items() if p < parents[-1]]) if parents else None
            depth = number / max(len(space.free) - 1, 1)
            found.append(TokenSet(_name(name, elements), sizes, parent, depth))
    return tuple(found)


def _name(dim: str, elements: tuple[int, ...] | list[int]) -> str:
    return f"{dim}[{','.join(map(str, elements))}]" if elements else dim


@lru_cache(maxsize=64)
def pieces(space: WeightSpace) -> tuple[Piece, ...]:
    """The pieces of ``space``."""
    roles = {p.name: p.role for p in space.parameters}
    return tuple(piece for block in space.blocks() for piece in _pieces(space, block, roles[block.parameter]))


def _pieces(space: WeightSpace, block: Block, role: str) -> Iterator[Piece]:
    dims = [space.dim(o.dim) for o in block.occurrences]
    chains = {place: (*outer_places(space, block, place), place) for place, dim in enumerate(dims) if dim.free}
    free, within = list(chains), sorted({p for chain in chains.values() for p in chain if not dims[p].free})
    fixed = [place for place in range(len(dims)) if place not in free and place not in within]
    index = space.block_index(block).permute((*within, *free, *fixed))
    channels = prod(index.shape[len(within) + len(free) :])
    key = role + ("@" + "+".join(map(str, block.terms)) if any(block.terms) else "")
    inner = [p for p in free if not any(p in chain[:-1] for chain in chains.values())]
    for elements in product(*(range(dims[place].size) for place in within)):
        at = dict(zip(within, elements, strict=True))
        ends = tuple(
            End(
                _name(dims[place].name, [at[p] for p in chains[place] if p in at]),
                tuple(free.index(p) for p in chains[place] if p in chains),
            )
            for place in inner
        )
        part = index[elements] if elements else index
        yield Piece(_name(key, elements), ends, channels, part.reshape(*part.shape[: len(free)], channels))
