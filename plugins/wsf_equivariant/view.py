"""A weight space seen as a set: features of the whole, of neurons, and of pairs of neurons.

Every block of every parameter has none, one or two axes over free dims; its fixed axes are channels. So a
flat latent splits into global features, tokens of neurons and edges between neurons, and comes together again.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import prod

from torch import Tensor

from wsframework.errors import SpaceError
from wsframework.spaces import Block, WeightSpace


@dataclass(frozen=True, eq=False)
class Piece:
    """One block of a parameter.

    Attributes:
        key: the role, and the summand of each axis where one is not the first; pieces of one key share matrices.
        dims: the free dims it runs over: none, one (tokens) or two (edges).
        channels: entries for each element of ``dims``: the product of the fixed axes.
        index: flat positions (*sizes of dims, channels).
    """

    key: str
    dims: tuple[str, ...]
    channels: int
    index: Tensor


@lru_cache(maxsize=64)
def pieces(space: WeightSpace) -> tuple[Piece, ...]:
    """The pieces of ``space``.

    Raises:
        SpaceError: where a parameter runs over more than two free dims, or over one within another.
    """
    roles = {p.name: p.role for p in space.parameters}
    return tuple(_piece(space, block, roles[block.parameter]) for block in space.blocks())


def _piece(space: WeightSpace, block: Block, role: str) -> Piece:
    occurrences = [o.dim for o in block.occurrences]
    free = [place for place, name in enumerate(occurrences) if space.dim(name).free]
    fixed = [place for place in range(len(occurrences)) if place not in free]
    dims = tuple(occurrences[place] for place in free)
    if len(dims) > 2 or any(space.dim(name).within for name in dims):
        raise SpaceError(
            f"parameter {block.parameter!r} runs over the free dims {', '.join(dims)}; "
            "this view takes at most two, none within another"
        )
    index = space.block_index(block).permute((*free, *fixed))
    channels = prod(index.shape[len(free) :])
    key = role + ("@" + "+".join(map(str, block.terms)) if any(block.terms) else "")
    return Piece(key, dims, channels, index.reshape(*index.shape[: len(free)], channels))


def depth(space: WeightSpace, dim: str) -> float:
    """The relative position of a free dim among all of them, in [0, 1]."""
    names = list(space.free)
    return names.index(dim) / max(len(names) - 1, 1)
