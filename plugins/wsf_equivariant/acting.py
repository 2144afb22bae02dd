"""Which signs act on each coordinate of a space, as one table."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from wsframework.spaces import Block, WeightSpace, orbits
from wsframework.spaces.nodes import kind_of_dim
from wsframework.spaces.symmetry import outer_places


@dataclass(frozen=True, eq=False)
class Acting:
    """The elements of a space's signed dims, numbered one dim after the other, and where they act.

    Attributes:
        elements: how many there are.
        element: of each coordinate the elements whose signs act on it, integers (most of a coordinate, size); an
            element that acts on two axes is there twice, and where there are fewer, ``elements`` stands.
        count: of how many coordinates each element is a factor, floats (elements,), 1 at least.
        orbit: of each coordinate, (size,), and the names of the orbits.
    """

    elements: int
    element: Tensor
    count: Tensor
    orbit: Tensor
    keys: tuple[str, ...]

    def to(self, device: torch.device) -> Acting:
        """The same with its tensors on ``device``."""
        element, count, orbit = (tensor.to(device) for tensor in (self.element, self.count, self.orbit))
        return Acting(self.elements, element, count, orbit, self.keys)


@lru_cache(maxsize=64)
def acting(space: WeightSpace, device: torch.device) -> Acting:
    """The signs of ``space``, with tensors on ``device``."""
    starts, elements = _starts(space)
    rows = [list(_acting(space, block, starts)) for block in space.blocks()]
    table = torch.full((max(map(len, rows), default=0), space.size), elements)
    for block, row in zip(space.blocks(), rows, strict=True):
        places = space.block_index(block).flatten()
        for slot, number in enumerate(row):
            table[slot, places] = number.flatten()
    count = torch.bincount(table.flatten(), minlength=elements + 1)[:elements].clamp(min=1).float()
    found = orbits(space)
    return Acting(elements, table, count, found.index, found.keys).to(device)


def signed(space: WeightSpace) -> bool:
    """Whether ``space`` has signs at all."""
    return any(dim.gauge == "sign" for dim in space.dims)


def _starts(space: WeightSpace) -> tuple[dict[str, int], int]:
    """The number of the first element of each dim with signs, and the number of all."""
    sizes = {d.name: kind_of_dim(space, d.name).nodes for d in space.dims if d.gauge == "sign"}
    ends = list(itertools.accumulate(sizes.values(), initial=0))
    return dict(zip(sizes, ends, strict=False)), ends[-1]


def _acting(space: WeightSpace, block: Block, starts: dict[str, int]) -> Iterator[Tensor]:
    """For each axis of a block along which signs act, the element at each entry (one axis for each occurrence)."""
    shape = [space.dim(o.dim).size for o in block.occurrences]
    grids = torch.meshgrid(*(torch.arange(n) for n in shape), indexing="ij") if shape else ()
    for place, occurrence in enumerate(block.occurrences):
        if occurrence.dim in starts and occurrence.exponent % 2:
            chain = (*outer_places(space, block, place), place)
            yield starts[occurrence.dim] + kind_of_dim(space, occurrence.dim).number(grids[p] for p in chain)
