"""The order of neurons: keys that no permutation changes."""

from __future__ import annotations

import torch
from torch import Tensor

from wsframework.alignment.pieces import Piece, chain, cut, gathered, pieces, shape_of
from wsframework.alignment.symmetries import Symmetries
from wsframework.spaces import WeightSpace


def ordered(space: WeightSpace, x: Tensor) -> Symmetries:
    """For each network of ``x`` (batch, size) the permutations that put every dim in ascending order of its keys.

    The key of an element is a mean over all weights that touch it, of ``w^2 + |w| / 2``, and of ``w`` where no
    sign acts; weights of other parameters, and at other positions of fixed axes, count differently. A dim that
    is within another is ordered in each of the outer's elements; keys of those sum over all that they hold.
    """
    moments = [
        _moments(piece, value) for piece, value in zip(pieces(space), cut(space, x.detach().double()), strict=True)
    ]
    keys = {d.name: torch.zeros(len(x), *shape_of(space, d.name), dtype=torch.float64) for d in space.dims if d.free}
    for index, (piece, value) in enumerate(zip(pieces(space), moments, strict=True)):
        for place in (p for p, dim in enumerate(piece.dims) if dim.free):
            keys[piece.dims[place].name] += _weight(index, place) * gathered(value, (*piece.outers[place], place))
    orders = {name: key.argsort(-1) for name, key in keys.items()}
    for name in space.free:  # outer dims come first: inner orders are those of the old elements that they bring
        outer = Symmetries(space, {d.name: orders[d.name] for d in chain(space, name)[:-1] if d.free}, {}, len(x))
        orders[name] = outer.carried(name, orders[name])
    return Symmetries(space, orders, {}, len(x))


def _moments(piece: Piece, value: Tensor) -> Tensor:
    """The moments of each weight, which differ by its position on fixed axes: (batch, *sizes)."""
    signed = any(d.gauge == "sign" and e % 2 for d, e in zip(piece.dims, piece.exponents, strict=True))
    moments = value**2 + value.abs() / 2 + (0 if signed else value)
    for place, dim in enumerate(piece.dims):
        if not dim.free:
            along = [1] * len(piece.dims)
            along[place] = dim.size
            moments = moments * _weight(place, torch.arange(dim.size)).reshape(along)
    return moments


def _weight(a: int, b: int | Tensor) -> Tensor:
    """Numbers between 1 and 2, another for each pair: fractional parts of multiples of irrational numbers."""
    return 1 + (0.6180339887498949 * (a + 1) + 0.4142135623730951 * torch.as_tensor(b, dtype=torch.float64)) % 1
