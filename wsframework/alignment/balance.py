"""Scale gauges in balance: of all scales that a network's neurons could have, those of least norm."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from scipy.optimize import linprog
from torch import Tensor

from wsframework.alignment.pieces import Piece, cut, gathered, pieces, shape_of, spread
from wsframework.alignment.symmetries import Symmetries
from wsframework.errors import SpaceError
from wsframework.spaces import Dim, WeightSpace

SWEEPS = 2000
PRECISION = 1e-12
"""Change of a log-scale that aligning and canonical forms stop at."""


def balance(space: WeightSpace, x: Tensor, precision: float = PRECISION) -> Symmetries:
    """For each network of ``x`` (batch, size) the scales of least Euclidean norm; permutations and signs stay.

    For incoming weights ``a`` (exponent 1) and outgoing ``b`` (-1) of a neuron the scale is ``sqrt(|b| / |a|)``.
    In general the squared norm is convex in the logarithms of the scales, and is minimised dim by dim: a Newton
    step on the logarithm of the ratio between the pulls up and down, for every element at once. Weights that
    nothing holds against (exponents of one sign: no least norm) are given the root mean square 1 that way.
    An element whose weights are zero on one side keeps its scale. Where one scale acts on an entry in three places or
    more, `SWEEPS` may end before the balance is reached to the last digit.

    Arguments:
        precision: change of a log-scale below which the balance is reached.

    Raises:
        SpaceError: where weights are complex numbers.
    """
    if x.is_complex():
        raise SpaceError("these weights are complex numbers; alignment and what is built on it take real ones")
    scaled = [d for d in space.dims if d.gauge == "scale"]
    symmetries = Symmetries.identity(space, len(x))
    if not scaled or not len(x):
        return symmetries
    squares = [value**2 for value in cut(space, x.detach().double())]
    logs = {d.name: torch.zeros(len(x), *shape_of(space, d.name), dtype=torch.float64) for d in scaled}
    for _ in range(SWEEPS):
        steps = []
        for dim in scaled:
            step = _step(space, dim, squares)
            squares = [_grown(piece, square, dim, step) for piece, square in zip(pieces(space), squares, strict=True)]
            logs[dim.name] += step
            steps.append(step.abs().max().item())
        if max(steps) < precision:
            break
    scales = {name: total.exp() for name, total in logs.items()}
    return Symmetries(space, symmetries.permutations, {**symmetries.factors, **scales}, len(x))


def _step(space: WeightSpace, dim: Dim, squares: Sequence[Tensor]) -> Tensor:
    """How far the log-scale of each element of ``dim`` goes, (batch, *shape), with all others held."""
    pull = torch.zeros(2, len(squares[0]), *shape_of(space, dim.name), dtype=torch.float64)  # up and down
    slope = torch.zeros_like(pull)
    for piece, square, loose in zip(pieces(space), squares, _loose(space), strict=True):
        for place in (p for p in piece.places(dim.name) if piece.exponents[p]):
            power, way = abs(piece.exponents[place]), int(piece.exponents[place] < 0)
            norms = power * gathered(square, (*piece.outers[place], place))
            pull[way] += norms
            slope[way] += 2 * power * norms
            pull[1 - way] += power * square[0].numel() / norms[0].numel() if loose else 0
    step = (pull[1] / pull[0]).log() / (slope / pull).sum(0) / _together(space, dim)
    return torch.where(step.isfinite(), step, 0.0)


def _grown(piece: Piece, square: Tensor, dim: Dim, step: Tensor) -> Tensor:
    """The squares of a piece after log-scales of ``dim`` have gone a ``step``."""
    for place in (p for p in piece.places(dim.name) if piece.exponents[p]):
        where = (*piece.outers[place], place)
        square = square * spread((2 * piece.exponents[place] * step).exp(), where, len(piece.dims))
    return square


def _together(space: WeightSpace, dim: Dim) -> int:
    """How many elements of ``dim`` act on one entry at most: all move at once, so each goes that part of its way."""
    counts = [sum(piece.exponents[p] != 0 for p in piece.places(dim.name)) for piece in pieces(space)]
    return max(1, *counts)


@lru_cache(maxsize=64)
def _loose(space: WeightSpace) -> tuple[bool, ...]:
    """For each piece whether scales could shrink it to nothing without any piece growing.

    Such pieces have no least norm. They are those that some ``v`` with ``E v <= 0`` makes negative, for the matrix
    ``E`` (pieces, dims) of exponents; a linear program finds them all at once.
    """
    scaled = [d.name for d in space.dims if d.gauge == "scale"]
    exponents = [[sum(p.exponents[a] for a in p.places(name)) for name in scaled] for p in pieces(space)]
    matrix = np.array(exponents, dtype=float).reshape(len(exponents), len(scaled))
    rows = len(matrix)
    cost = np.concatenate([np.zeros(len(scaled)), -np.ones(rows)])
    bounds = [(None, None)] * len(scaled) + [(0, 1)] * rows
    found = linprog(cost, np.hstack([matrix, np.eye(rows)]), np.zeros(rows), bounds=bounds)
    return tuple(bool(z > 0.5) for z in found.x[len(scaled) :])


def bounded(space: WeightSpace) -> bool:
    """Whether every scale has a least norm, whatever the weights: nothing is brought to root mean square 1."""
    return not any(_loose(space))
