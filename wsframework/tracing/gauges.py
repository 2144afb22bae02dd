"""Gauges: the exponents with which the signs or scales of a dim's elements leave the function as it is.

The unknowns are one exponent for each place in the notation where the dim occurs; reading the program once more
gives linear equations between them. Their solutions are the gauges: over the rationals for positive scales,
modulo 2 for signs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import torch

from wsframework.tracing.forms import Forms, Unknown
from wsframework.tracing.labels import Column, Labels
from wsframework.tracing.sums import Sum
from wsframework.tracing.writing import Written

Place = tuple[str, int, int]
"""A parameter, an axis of it, and which of that axis's factors."""

Row = dict[Place, Fraction]


def with_unknowns(
    labels: Mapping[str, Labels], written: Written, dims: Iterable[int], forms: Forms
) -> dict[str, Labels]:
    """The labels of the state, with an unknown exponent wherever one of ``dims`` occurs."""
    chosen = frozenset(dims)
    result = {}
    for name, given in labels.items():
        columns = tuple(_unknown(name, column, written.axes[name], chosen, forms) for column in given.columns)
        result[name] = Labels(given.shape, columns)
    return result


def _unknown(name: str, column: Column, axes: Sequence[Sum], dims: frozenset[int], forms: Forms) -> Column:
    axis = column.axes[-1]
    places: list[Unknown] = [(f.dim, (name, axis, number)) for number, f in enumerate(axes[axis].factors)]
    weights = [Fraction(factor.dim in dims) for factor in axes[axis].factors]
    covers, at = torch.unique(axes[axis].covers, dim=1, return_inverse=True)
    found = [forms.number({p: w for p, w, here in zip(places, weights, c, strict=True) if here}) for c in covers.T]
    numbers = torch.tensor(found)[at].reshape([-1 if a == axis else 1 for a in range(column.atoms.dim())])
    return Column(column.atoms, numbers.expand(column.atoms.shape))


def exponents(forms: Forms, dim: int, places: Sequence[Place]) -> dict[Place, int] | None:
    """A solution of the equations for ``dim``, an integer for each place; None where there is only zero."""
    rows = [_restricted(forms.table[number], dim) for number in forms.equations]
    modulo = 2 if forms.gauge == "sign" else None
    return _solution([row for row in rows if row], places, modulo)


def _restricted(form: Mapping[Any, Fraction], dim: int) -> Row:
    return {place: value for (d, place), value in form.items() if d == dim}


def _solution(rows: list[Row], places: Sequence[Place], modulo: int | None) -> dict[Place, int] | None:
    """A solution that is not zero: that of the last place which the others leave free."""
    pivots: dict[Place, Row] = {}
    for row in rows:
        reduced = _eliminated(row, pivots, modulo)
        if not reduced:
            continue
        pivot = next(place for place in places if place in reduced)
        reduced = _scaled(reduced, 1 / reduced[pivot], modulo)
        for known, other in pivots.items():
            if pivot in other:
                pivots[known] = _minus(other, reduced, other[pivot], modulo)
        pivots[pivot] = reduced
    free = [place for place in places if place not in pivots]
    if not free:
        return None
    values = {place: Fraction(0) for place in places} | {free[-1]: Fraction(1)}
    for pivot, row in pivots.items():
        values[pivot] = -row.get(free[-1], Fraction(0))
    return _integers(values, places, modulo)


def _eliminated(row: Row, pivots: Mapping[Place, Row], modulo: int | None) -> Row:
    for place in list(row):
        if place in row and place in pivots:
            row = _minus(row, pivots[place], row[place], modulo)
    return row


def _minus(row: Row, other: Row, factor: Fraction, modulo: int | None) -> Row:
    result = dict(row)
    for place, value in other.items():
        result[place] = result.get(place, Fraction(0)) - factor * value
    return _scaled(result, Fraction(1), modulo)


def _scaled(row: Row, factor: Fraction, modulo: int | None) -> Row:
    scaled = {place: factor * value for place, value in row.items()}
    if modulo:
        scaled = {place: value % modulo for place, value in scaled.items()}
    return {place: value for place, value in scaled.items() if value}


def _integers(values: Row, places: Sequence[Place], modulo: int | None) -> dict[Place, int]:
    """The smallest multiples that are whole, the first of them positive."""
    common = math.lcm(*(value.denominator for value in values.values()))
    whole = {place: int(value * common) for place, value in values.items()}
    if modulo:
        return {place: value % modulo for place, value in whole.items()}
    divisor = math.gcd(*whole.values())
    first = next(whole[place] for place in places if whole[place])
    return {place: value // (divisor if first > 0 else -divisor) for place, value in whole.items()}
