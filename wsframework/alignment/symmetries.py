"""`Symmetries`: one group element for each network of a batch, held and applied together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from wsframework.alignment.pieces import Piece, chain, cut, join, picked, pieces, shape_of, spread
from wsframework.spaces import Dim, Symmetry, WeightSpace


@dataclass(frozen=True, eq=False)
class Symmetries:
    """Elements of the group of ``space``: as many as the batch has networks.

    Dims that are not named stay in place (inside an outer element that moves, they move with it).

    Attributes:
        space: the weight space.
        permutations: by free dim, integers of shape (batch, *sizes of the dims it is within, size), as in `Symmetry`.
        factors: by dim with a gauge, float64 of the same shape.
        batch: how many elements.
    """

    space: WeightSpace
    permutations: Mapping[str, Tensor]
    factors: Mapping[str, Tensor]
    batch: int

    @classmethod
    def identity(cls, space: WeightSpace, batch: int) -> Symmetries:
        """The element that changes nothing, ``batch`` times."""
        shapes = {d.name: (batch, *shape_of(space, d.name)) for d in space.dims if d.free}
        permutations = {name: torch.arange(shape[-1]).repeat(*shape[:-1], 1) for name, shape in shapes.items()}
        factors = {d.name: torch.ones(shapes[d.name], dtype=torch.float64) for d in space.dims if d.gauge}
        return cls(space, permutations, factors, batch)

    @classmethod
    def random(
        cls, space: WeightSpace, batch: int, generator: torch.Generator | None = None, gauge: bool = True
    ) -> Symmetries:
        """Independent random elements, each distributed as `Symmetry.random`."""
        permutations, factors = {}, {}
        for dim in (d for d in space.dims if d.free):
            shape = (batch, *shape_of(space, dim.name))
            permutations[dim.name] = torch.rand(shape, generator=generator).argsort(-1)
            if dim.gauge is not None and gauge:
                noise = torch.randn(shape, generator=generator, dtype=torch.float64)
                factors[dim.name] = noise.sign() if dim.gauge == "sign" else (0.5 * noise).exp()
        return cls(space, permutations, factors, batch)

    @classmethod
    def stacked(cls, parts: Sequence[Symmetries]) -> Symmetries:
        """The elements of several batches, one batch after the other; all of them name the same dims."""
        permutations = {n: torch.cat([part.permutations[n] for part in parts]) for n in parts[0].permutations}
        factors = {n: torch.cat([part.factors[n] for part in parts]) for n in parts[0].factors}
        return cls(parts[0].space, permutations, factors, sum(part.batch for part in parts))

    def __getitem__(self, index: int) -> Symmetry:
        one = Symmetry.identity(self.space)
        permutations = {
            n: self.permutations[n][index] if n in self.permutations else p for n, p in one.permutations.items()
        }
        factors = {n: self.factors[n][index] if n in self.factors else f for n, f in one.factors.items()}
        return Symmetry(self.space, permutations, factors)

    def act(self, x: Tensor) -> Tensor:
        """Each element applied to its own row of ``x`` (batch, size)."""
        return join(self.space, self.act_on_pieces(cut(self.space, x)))

    def act_on_pieces(self, values: Sequence[Tensor]) -> list[Tensor]:
        """The same on weights that are cut into pieces; those that nothing moves come back as they are."""
        return [self._act(piece, value) for piece, value in zip(pieces(self.space), values, strict=True)]

    def _act(self, piece: Piece, value: Tensor) -> Tensor:
        value = self._carried(value, piece.dims, piece.outers)
        scale = self._scale(piece)
        return value if scale is None else value * scale.to(value)

    def _carried(self, value: Tensor, dims: Sequence[Dim], outers: Sequence[tuple[int, ...]]) -> Tensor:
        """``value`` (batch, *sizes of dims) with every axis permuted: outer dims first, then inner ones within."""
        for place in sorted(range(len(dims)), key=lambda p: len(outers[p])):
            if (source := self.permutations.get(dims[place].name)) is not None:
                index = spread(source, (*outers[place], place), len(dims))
                value = torch.take_along_dim(value, index.to(value.device), place + 1)
        return value

    def _scale(self, piece: Piece) -> Tensor | None:
        """The gauge factor of each entry, broadcastable to (batch, *sizes); None where all are 1."""
        scale = None
        for place, (dim, exponent) in enumerate(zip(piece.dims, piece.exponents, strict=True)):
            if exponent and dim.name in self.factors:
                factor = spread(self.factors[dim.name], (*piece.outers[place], place), len(piece.dims)) ** exponent
                scale = factor if scale is None else scale * factor
        return scale

    def compose(self, first: Symmetries) -> Symmetries:
        """The elements that act as ``first``, then as ``self``."""
        permutations = {name: self.carried(name, theirs) for name, theirs in first.permutations.items()}
        factors = {name: self.carried(name, theirs) for name, theirs in first.factors.items()}
        for name, mine in self.permutations.items():
            permutations.setdefault(name, mine)
        for name, factor in self.factors.items():
            factors[name] = factor * factors[name] if name in factors else factor
        return Symmetries(self.space, permutations, factors, self.batch)

    def __matmul__(self, first: Symmetries) -> Symmetries:
        return self.compose(first)

    def carried(self, name: str, values: Tensor) -> Tensor:
        """Values of the elements of a dim (batch, *shape), each where this symmetry takes it."""
        dims = chain(self.space, name)
        return self._carried(values, dims, [tuple(range(depth)) for depth in range(len(dims))])

    def where(self, chosen: Tensor, other: Symmetries) -> Symmetries:
        """These elements where ``chosen`` (batch,) says so, those of ``other`` elsewhere; both name the same dims."""
        return Symmetries(
            self.space,
            {n: picked(chosen, p, other.permutations[n]) for n, p in self.permutations.items()},
            {n: picked(chosen, f, other.factors[n]) for n, f in self.factors.items()},
            self.batch,
        )

    def rows(self, rows: Tensor) -> Symmetries:
        """The elements at these indices."""
        return self._with(lambda values: values[rows], len(rows))

    def replaced(self, rows: Tensor, others: Symmetries) -> Symmetries:
        """These elements, with ``others`` at the indices ``rows``."""
        permutations = {n: p.index_copy(0, rows, others.permutations[n]) for n, p in self.permutations.items()}
        factors = {n: f.index_copy(0, rows, others.factors[n]) for n, f in self.factors.items()}
        return Symmetries(self.space, permutations, factors, self.batch)

    def repeated(self, batch: int) -> Symmetries:
        """A single element for each network of a batch; as many as it has are left as they are."""
        return self._with(lambda values: values.expand(batch, *values.shape[1:]), batch)

    def unscaled(self) -> Symmetries:
        """What undoes the factors alone."""
        return Symmetries(self.space, {}, {n: 1 / f for n, f in self.factors.items()}, self.batch)

    def rigid(self) -> Symmetries:
        """The same permutations and signs, every scale 1."""
        signs = {n: f for n, f in self.factors.items() if self.space.dim(n).gauge == "sign"}
        return Symmetries(self.space, self.permutations, signs, self.batch)

    def _with(self, change: Callable[[Tensor], Tensor], batch: int) -> Symmetries:
        permutations = {n: change(p) for n, p in self.permutations.items()}
        return Symmetries(self.space, permutations, {n: change(f) for n, f in self.factors.items()}, batch)
