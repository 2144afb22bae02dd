"""Join: what meets, moves together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import permutations
from typing import Literal

import torch
from torch import Tensor

from wsframework.tracing import wishes
from wsframework.tracing.facts import Facts
from wsframework.tracing.labels import Column, Labels, broadcast, broadcast_shape
from wsframework.tracing.verbs.partitions import codes, common, compare, count, overlap

Mode = Literal["add", "multiply", "divide", "neither"]


def join(facts: Facts, *operands: Labels, mode: Mode) -> Labels:
    """Positions that meet in an elementwise operation move together.

    Arguments:
        mode: what happens to the operands' values: where they are added, their exponents must agree; where they
            are multiplied, exponents add up; ``neither``: there must be none. What is zero has any exponent.
    """
    shape = broadcast_shape(*(operand.shape for operand in operands))
    joined: list[_Joined] = []
    expanded = [operand.expand(shape) for operand in operands]
    for one, other in permutations(expanded, 2):
        wishes.met(facts, one, other)
    for number, operand in enumerate(expanded):
        for column in operand.columns:
            _insert(facts, joined, _Joined(column.atoms, {number: column.forms}))
    joined = _complete(facts, joined)
    zero = [operand.zero for operand in operands]
    present = [number for number, is_zero in enumerate(zero) if mode != "add" or not is_zero]
    nothing = (any if mode == "multiply" else all)(zero)
    columns = [Column(c.atoms, None if nothing else _exponents(facts, c, present, mode)) for c in joined]
    return Labels(shape, tuple(columns), nothing and mode in ("add", "multiply"))


@dataclass(eq=False)
class _Joined:
    """A column of the result, with the exponents that each operand has there."""

    atoms: Tensor
    exponents: dict[int, Tensor | None] = field(default_factory=dict)


def _insert(facts: Facts, joined: list[_Joined], new: _Joined) -> None:
    """Add a column, unless one there is already finer; drop those that it is finer than."""
    for old in list(joined):
        relation = compare(old.atoms, new.atoms)
        if relation == "crossing":
            continue
        fine, coarse = (new, old) if relation == "second" else (old, new)
        if relation == "same" and not (old.atoms >= 0).any():
            fine, coarse = old, new  # places: nothing is finer, or needs less memory
        _tell(facts, fine.atoms, coarse.atoms, one_to_one=relation == "same")
        _absorb(facts, fine, coarse)
        if fine is old:
            return
        joined.remove(old)
    joined.append(new)


def _absorb(facts: Facts, fine: _Joined, coarse: _Joined) -> None:
    for operand, forms in coarse.exponents.items():
        merged = facts.forms.combine(fine.exponents.get(operand), forms)
        fine.exponents[operand] = None if merged is None else merged.expand(fine.atoms.shape)


def _tell(facts: Facts, fine: Tensor, coarse: Tensor, one_to_one: bool) -> None:
    if fine.shape == coarse.shape and torch.equal(fine, coarse):
        return
    left, right = (t.flatten() for t in broadcast(fine, coarse))
    pairs = torch.unique(torch.stack([left, right]), dim=1)
    (facts.same if one_to_one else facts.maps)(pairs[0], pairs[1])


def _complete(facts: Facts, joined: list[_Joined]) -> list[_Joined]:
    """Columns that cross on one axis and don't occur in all combinations are told what they share.

    Where they do occur in all combinations that agree in that, this is enough (heads, and values within them);
    else they become one column, whose atoms are the tuples.
    """
    done: list[_Joined] = []
    rest = list(joined)
    while rest:
        group = [rest.pop(0)]
        while near := [c for c in rest if any(overlap(c.atoms, d.atoms) for d in group)]:
            group += near
            rest = [c for c in rest if c not in near]
        done += _told_apart(facts, group) if _moving(group) else group
    return done


def _moving(group: list[_Joined]) -> bool:
    return len(group) > 1 and any(bool((c.atoms >= 0).any()) for c in group)


def _told_apart(facts: Facts, group: list[_Joined]) -> list[_Joined]:
    columns = [c.flatten() for c in broadcast(*(c.atoms for c in group))]
    tuples = count(*columns)
    if tuples == math.prod(count(c) for c in columns):
        return group
    parts = common(columns)
    if count(parts) > 1:
        _share(facts, columns, parts)
    if tuples == sum(math.prod(count(c[parts == part]) for c in columns) for part in range(count(parts))):
        return group
    return [_tuples(facts, group)]


def _share(facts: Facts, columns: Sequence[Tensor], parts: Tensor) -> None:
    """What all columns tell is an element of its own, which the labels of each belong to."""
    atoms = facts.atoms(count(parts), f"blocks of {facts.reason}")
    for column in columns:
        pairs = torch.unique(torch.stack([column, atoms[parts]]), dim=1)
        facts.maps(pairs[0], pairs[1])


def _tuples(facts: Facts, group: list[_Joined]) -> _Joined:
    columns = broadcast(*(c.atoms for c in group))
    tuples = codes(c.flatten() for c in columns)
    atoms = facts.atoms(int(tuples.max()) + 1, "tuples")[tuples].reshape(columns[0].shape)
    result = _Joined(atoms)
    for member in group:
        _tell(facts, atoms, member.atoms, one_to_one=False)
        _absorb(facts, result, member)
    return result


def _exponents(facts: Facts, column: _Joined, present: Sequence[int], mode: Mode) -> Tensor | None:
    """The exponents of the result, and what they demand of the operands'."""
    found = [column.exponents.get(number) for number in present]
    if all(forms is None for forms in found):
        return None
    result = found[0] if found else None
    for forms in found[1:]:
        if mode == "add":
            facts.forms.agree(result, forms)
        elif mode in ("multiply", "divide"):
            result = facts.forms.combine(result, forms, 1 if mode == "multiply" else -1)
    if mode == "neither":
        for forms in found:
            facts.forms.vanish(forms)
        return None
    return None if result is None else result.expand(column.atoms.shape)
