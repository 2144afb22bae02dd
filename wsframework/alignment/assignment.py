"""The best place of every element, from tables of scores: assignments inside assignments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from wsframework.alignment.lines import Tables
from wsframework.alignment.pieces import picked
from wsframework.alignment.symmetries import Symmetries
from wsframework.spaces import WeightSpace


@dataclass(frozen=True, eq=False)
class _Solution:
    """The best that a dim and those within it reach, in each situation of the dims above.

    Attributes:
        value: what is reached, (*situation).
        permutations: by dim, (*situation, then the new elements of the dims between, size).
        signs: the same for signs.
    """

    value: Tensor
    permutations: Mapping[str, Tensor]
    signs: Mapping[str, Tensor]


def best_move(space: WeightSpace, root: str, found: Tables, batch: int) -> Symmetries:
    """The elements that give ``root``, and the dims within it that have tables, their best places and signs.

    Exact if every line of the tables is: for each pair of an old and a new element of an outer dim, the score is
    the best that the dims within reach there.
    """
    solution = _Solver(space, found).solve((root,), ())
    factors = {name: value.double() for name, value in solution.signs.items()}
    return Symmetries(space, solution.permutations, factors, batch)


class _Solver:
    def __init__(self, space: WeightSpace, found: Tables) -> None:
        self.space = space
        self.tables = found
        self.paths = {path[:depth] for path in found for depth in range(1, len(path) + 1)}

    def solve(self, path: tuple[str, ...], signs: tuple[int, ...]) -> _Solution:
        """The best for the last dim of ``path``, where those before it have these ``signs``."""
        dim = self.space.dim(path[-1])
        choices = [self._scored(path, (*signs, sign)) for sign in ((1, -1) if dim.gauge == "sign" else (1,))]
        both = choices[0] if len(choices) == 1 else _better(path[-1], *choices)
        return _assigned(path[-1], both) if dim.free else _Solution(both.value.sum(-1), both.permutations, both.signs)

    def _scored(self, path: tuple[str, ...], signs: tuple[int, ...]) -> _Solution:
        """The score of each pair of a new and an old element: its own, and the best of all within it."""
        own = [_signed(table, parity, signs) for parity, table in self.tables.get(path, {}).items()]
        inner = [self.solve(p, signs) for p in sorted(self.paths) if p[:-1] == path]
        value = torch.stack([*own, *(solution.value for solution in inner)]).sum(0)
        permutations = {name: p for solution in inner for name, p in solution.permutations.items()}
        return _Solution(value, permutations, {name: s for solution in inner for name, s in solution.signs.items()})


def _signed(table: Tensor, parity: tuple[int, ...], signs: tuple[int, ...]) -> Tensor:
    negative = sum(p for p, sign in zip(parity, signs, strict=True) if sign < 0) % 2
    return -table if negative else table


def _better(name: str, plus: _Solution, minus: _Solution) -> _Solution:
    """Pair by pair the better of two signs; ``signs[name]`` then says which, (*situation, new, old)."""
    chosen = plus.value >= minus.value
    signs = {n: picked(chosen, s, minus.signs[n]) for n, s in plus.signs.items()}
    permutations = {n: picked(chosen, p, minus.permutations[n]) for n, p in plus.permutations.items()}
    sign = torch.where(chosen, 1, -1)
    return _Solution(torch.where(chosen, plus.value, minus.value), permutations, {**signs, name: sign})


def _assigned(name: str, pairs: _Solution) -> _Solution:
    """The assignment by the scores of all pairs, and for the dims within, what goes with the pairs assigned."""
    permutation = assign(pairs.value)
    value = pairs.value.gather(-1, permutation.unsqueeze(-1)).sum((-2, -1))
    permutations = {n: _of_pairs(p, permutation) for n, p in pairs.permutations.items()}
    signs = {n: _of_pairs(s, permutation) for n, s in pairs.signs.items()}
    return _Solution(value, {name: permutation, **permutations}, signs)


def _of_pairs(values: Tensor, permutation: Tensor) -> Tensor:
    """From values for all pairs (*situation, new, old, ...), those of the pairs assigned: (*situation, new, ...)."""
    more = values.dim() - permutation.dim() - 1
    index = permutation.reshape(*permutation.shape, 1, *[1] * more)
    return torch.take_along_dim(values, index, permutation.dim()).squeeze(permutation.dim())


def assign(scores: Tensor) -> Tensor:
    """For each matrix of ``scores`` (..., new, old) the permutation (..., new) with the greatest sum.

    Where every new element likes another old one best, those are it; elsewhere `scipy` solves the assignment.
    """
    matrices = scores.reshape(-1, *scores.shape[-2:])
    found = matrices.argmax(-1)
    settled = (found.sort(-1).values == torch.arange(scores.shape[-1])).all(-1)
    rest = (~settled).nonzero().squeeze(-1)
    if len(rest):
        hard = np.asarray(matrices[rest].double())
        solved = np.stack([linear_sum_assignment(matrix, maximize=True)[1] for matrix in hard])
        found[rest] = torch.from_numpy(solved)
    return found.reshape(scores.shape[:-1])
