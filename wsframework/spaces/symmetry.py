"""The group of a weight space: permutations of every free dim, with signs or scales where it has a gauge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import overload

import torch
from torch import Tensor

from wsframework.errors import SpaceError
from wsframework.spaces.notation import Dim
from wsframework.spaces.space import Block, WeightSpace


@dataclass(frozen=True, eq=False)
class Symmetry:
    """An element g of the group of ``space``.

    On a parameter with axes i, j it acts as ``(g w)[i, j] = f_i(i) f_j(j) w[p_i(i), p_j(j)]``: each
    permutation ``p`` is read as "the new i-th element is the old p(i)-th", and ``f`` is the gauge factor
    raised to the occurrence's exponent. A dim within another has one permutation for each of the outer's
    elements, indexed by the *new* outer element (a wreath product).

    Attributes:
        space: the weight space.
        permutations: for each free dim, integers of shape (*sizes of the dims it is within, size).
        factors: for each dim with a gauge, positive numbers or signs of the same shape.
    """

    space: WeightSpace
    permutations: Mapping[str, Tensor]
    factors: Mapping[str, Tensor]

    @classmethod
    def identity(cls, space: WeightSpace) -> Symmetry:
        """The element that changes nothing."""
        shapes = {d.name: _shape(space, d) for d in space.dims if d.free}
        permutations = {name: torch.arange(shape[-1]).expand(shape).clone() for name, shape in shapes.items()}
        factors = {d.name: torch.ones(shapes[d.name], dtype=torch.float64) for d in space.dims if d.gauge}
        return cls(space, permutations, factors)

    @classmethod
    def random(cls, space: WeightSpace, generator: torch.Generator | None = None, gauge: bool = True) -> Symmetry:
        """A random element: uniform permutations, fair signs, log-normal scales; ``gauge=False`` permutes only."""
        permutations, factors = {}, {}
        for dim in space.dims:
            shape = _shape(space, dim)
            if dim.free:
                permutations[dim.name] = torch.rand(shape, generator=generator).argsort(-1)
            if dim.gauge is not None:
                noise = torch.randn(shape, generator=generator, dtype=torch.float64)
                value = noise.sign() if dim.gauge == "sign" else (0.5 * noise).exp()
                factors[dim.name] = value if gauge else torch.ones_like(value)
        return cls(space, permutations, factors)

    @cached_property
    def index(self) -> Tensor:
        """Where each coordinate of the flat vector comes from: ``(g x)[k] = scale[k] * x[index[k]]``."""
        index = torch.empty(self.space.size, dtype=torch.long)
        for block in self.space.blocks():
            positions = self.space.block_index(block)
            index[positions.flatten()] = positions[self._sources(block)].flatten()
        return index

    @cached_property
    def scale(self) -> Tensor:
        """The gauge factor of each coordinate, float64 of shape (size,)."""
        scale = torch.ones(self.space.size, dtype=torch.float64)
        for block in self.space.blocks():
            positions = self.space.block_index(block)
            grids = _grids(positions.shape)
            value = torch.ones(positions.shape, dtype=torch.float64)
            for place, occurrence in enumerate(block.occurrences):
                if occurrence.exponent and occurrence.dim in self.factors:
                    outer = self._outer_grids(block, place, grids)
                    value = value * self.factors[occurrence.dim][(*outer, grids[place])] ** occurrence.exponent
            scale[positions.flatten()] = value.flatten()
        return scale

    def _sources(self, block: Block) -> tuple[Tensor, ...]:
        """For each occurrence, the old element that lands at each entry of the block."""
        grids = _grids(tuple(self.space.dim(o.dim).size for o in block.occurrences))
        sources = []
        for place, occurrence in enumerate(block.occurrences):
            if self.space.dim(occurrence.dim).free:
                outer = self._outer_grids(block, place, grids)
                sources.append(self.permutations[occurrence.dim][(*outer, grids[place])])
            else:
                sources.append(grids[place])
        return tuple(sources)

    def _outer_grids(self, block: Block, place: int, grids: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return tuple(grids[p] for p in outer_places(self.space, block, place))

    @overload
    def act(self, weights: Tensor) -> Tensor: ...
    @overload
    def act(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]: ...

    def act(self, weights: Mapping[str, Tensor] | Tensor) -> dict[str, Tensor] | Tensor:
        """g applied to flat coordinates (..., size), or to a state dict (same keys; batches allowed)."""
        if isinstance(weights, Tensor):
            return weights[..., self.index.to(weights.device)] * self.scale.to(weights)
        moved = {}
        for name, row in self.space.rows(weights).items():  # one by one: each keeps its dtype, integers exactly
            start = self.space.offsets[name]
            places = slice(start, start + row.shape[-1])
            source, scale = (t[places].to(row.device) for t in (self.index, self.scale))
            moved[name] = (row[..., source - start] * scale.to(row.dtype)).reshape(weights[name].shape)
        ties = dict(self.space.ties)
        return {name: moved[ties.get(name, name)] for name in weights}

    def compose(self, first: Symmetry) -> Symmetry:
        """The element that acts as ``first``, then as ``self``."""
        if first.space != self.space:
            raise SpaceError("symmetries of two different weight spaces can't be composed")
        permutations, factors = {}, {}
        for name, mine in self.permutations.items():
            theirs = first.permutations[name]
            outer = self._moved_outer(self.space.dim(name))
            permutations[name] = theirs[outer].gather(-1, mine)
            if name in self.factors:
                factors[name] = self.factors[name] * first.factors[name][outer].gather(-1, mine)
        return Symmetry(self.space, permutations, factors)

    def __matmul__(self, first: Symmetry) -> Symmetry:
        return self.compose(first)

    def inverse(self) -> Symmetry:
        """The element that undoes this one."""
        permutations, factors = {}, {}
        for name, mine in self.permutations.items():
            outer = self._moved_outer(self.space.dim(name))
            back = mine.argsort(-1)
            inverse = torch.empty_like(back)
            inverse[outer] = back
            permutations[name] = inverse
            if name in self.factors:
                factor = torch.empty_like(self.factors[name])
                factor[outer] = 1 / self.factors[name].gather(-1, back)
                factors[name] = factor
        return Symmetry(self.space, permutations, factors)

    def _moved_outer(self, dim: Dim) -> tuple[Tensor, ...]:
        """Index grids over the outer dims of ``dim``: where each new outer element comes from."""
        chain = _chain(self.space, dim)
        grids = _grids(tuple(d.size for d in chain))
        sources = []
        for depth, outer in enumerate(chain):
            moved = self.permutations[outer.name][grids[: depth + 1]] if outer.free else grids[depth]
            sources.append(moved)
        return tuple(sources) if sources else (...,)  # type: ignore[return-value]


def outer_places(space: WeightSpace, block: Block, place: int) -> tuple[int, ...]:
    """Places, among the block's occurrences, of the dims that the one at ``place`` is within, outermost first.

    Where the outer dim occurs more than once, the occurrence in the same axis is meant: the last before
    ``place``, else the first after it; and where there is none in that axis, the first in the block.
    """
    axis_of = [a for a, axis in enumerate(block.axes) for _ in axis]
    chain: list[int] = []
    while (within := space.dim(block.occurrences[place].dim).within) is not None:
        found = [p for p, o in enumerate(block.occurrences) if o.dim == within]
        same = [p for p in found if axis_of[p] == axis_of[place]]
        before = [p for p in same if p < place]
        place = before[-1] if before else (same or found)[0]
        chain.insert(0, place)
    return tuple(chain)


def _chain(space: WeightSpace, dim: Dim) -> list[Dim]:
    """The dims that ``dim`` is within, outermost first."""
    chain: list[Dim] = []
    while dim.within is not None:
        dim = space.dim(dim.within)
        chain.insert(0, dim)
    return chain


def _shape(space: WeightSpace, dim: Dim) -> tuple[int, ...]:
    return (*(d.size for d in _chain(space, dim)), dim.size)


def _grids(shape: tuple[int, ...]) -> tuple[Tensor, ...]:
    return torch.meshgrid(*(torch.arange(n) for n in shape), indexing="ij") if shape else ()
