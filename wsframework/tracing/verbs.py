"""The four verbs that operators are made of: labels are joined, reduced, moved, and fixed to their places.

Each derives the labels of its result, and tells the `Facts` what the group must respect for them to hold.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations, permutations
from typing import Literal

import torch
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from wsframework.tracing.facts import Facts
from wsframework.tracing.labels import Column, Labels, places

Mode = Literal["add", "multiply", "divide", "neither"]


@dataclass(eq=False)
class _Joined:
    """A column of the result, with the exponents that each operand has there."""

    atoms: Tensor
    exponents: dict[int, Tensor | None] = field(default_factory=dict)


def join(facts: Facts, *operands: Labels, mode: Mode) -> Labels:
    """Positions that meet in an elementwise operation move together.

    Arguments:
        mode: what happens to the operands' values: where they are added, their exponents must agree; where they
            are multiplied, exponents add up; ``neither``: there must be none. What is zero has any exponent.
    """
    shape = torch.broadcast_shapes(*(operand.shape for operand in operands))
    joined: list[_Joined] = []
    expanded = [operand.expand(shape) for operand in operands]
    for one, other in permutations(expanded, 2):
        facts.wish_met(one, other)
    for number, operand in enumerate(expanded):
        for column in operand.columns:
            _insert(facts, joined, _Joined(column.atoms, {number: column.forms}))
    joined = _complete(facts, joined)
    zero = [operand.zero for operand in operands]
    present = [number for number, is_zero in enumerate(zero) if mode != "add" or not is_zero]
    nothing = (any if mode == "multiply" else all)(zero)
    columns = [Column(c.atoms, None if nothing else _exponents(facts, c, present, mode)) for c in joined]
    return Labels(tuple(shape), tuple(columns), nothing and mode in ("add", "multiply"))


def _insert(facts: Facts, joined: list[_Joined], new: _Joined) -> None:
    """Add a column, unless one there is already finer; drop those that it is finer than."""
    for old in list(joined):
        relation = _compare(old.atoms, new.atoms)
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
        fine.exponents[operand] = (
            None if merged is None else merged.expand(torch.broadcast_shapes(fine.atoms.shape, merged.shape))
        )


def _compare(first: Tensor, second: Tensor) -> Literal["same", "first", "second", "crossing"]:
    """Which of two columns is finer; ``crossing`` where neither is (on different axes, say)."""
    if not any(a > 1 and b > 1 for a, b in zip(first.shape, second.shape, strict=True)):
        return "crossing"
    if first.shape == second.shape and torch.equal(first, second):
        return "same"
    left, right = (t.flatten() for t in torch.broadcast_tensors(first, second))
    left_count, right_count = len(torch.unique(left)), len(torch.unique(right))
    pairs = _count_pairs(left, right)
    if pairs == left_count:
        return "same" if pairs == right_count else "first"
    return "second" if pairs == right_count else "crossing"


def _count_pairs(*columns: Tensor) -> int:
    return torch.unique(_codes(columns)).numel()


def _codes(columns: Iterable[Tensor]) -> Tensor:
    """One number for each distinct tuple of entries."""
    code: Tensor | None = None
    for column in columns:
        values, back = torch.unique(column, return_inverse=True)
        code = back if code is None else torch.unique(code * len(values) + back, return_inverse=True)[1]
    assert code is not None
    return code


def _tell(facts: Facts, fine: Tensor, coarse: Tensor, one_to_one: bool) -> None:
    if fine.shape == coarse.shape and torch.equal(fine, coarse):
        return
    left, right = (t.flatten() for t in torch.broadcast_tensors(fine, coarse))
    pairs = torch.unique(torch.stack([left, right]), dim=1)
    (facts.same if one_to_one else facts.maps)(pairs[0], pairs[1])


def _complete(facts: Facts, joined: list[_Joined]) -> list[_Joined]:
    """Columns that cross on one axis, and don't occur in all combinations, become one: its atoms are the tuples."""
    done: list[_Joined] = []
    rest = list(joined)
    while rest:
        group = [rest.pop(0)]
        while near := [c for c in rest if any(_overlap(c.atoms, d.atoms) for d in group)]:
            group += near
            rest = [c for c in rest if c not in near]
        done += [_tuples(facts, group)] if _partial(group) else group
    return done


def _overlap(first: Tensor, second: Tensor) -> bool:
    return any(a > 1 and b > 1 for a, b in zip(first.shape, second.shape, strict=True))


def _partial(group: list[_Joined]) -> bool:
    if len(group) < 2 or not any((c.atoms >= 0).any() for c in group):
        return False
    columns = [t.flatten() for t in torch.broadcast_tensors(*(c.atoms for c in group))]
    return _count_pairs(*columns) < math.prod(len(torch.unique(c)) for c in columns)


def _tuples(facts: Facts, group: list[_Joined]) -> _Joined:
    columns = torch.broadcast_tensors(*(c.atoms for c in group))
    codes = _codes(c.flatten() for c in columns)
    atoms = facts.atoms(int(codes.max()) + 1, "tuples")[codes].reshape(columns[0].shape)
    result = _Joined(atoms)
    for member in group:
        _tell(facts, atoms, member.atoms, one_to_one=False)
        _absorb(facts, result, member)
    for first, second in combinations(columns, 2):
        _common(facts, first.flatten(), second.flatten())
    return result


def _common(facts: Facts, first: Tensor, second: Tensor) -> None:
    """What two columns both tell: parts such that labels of one part occur together only (heads of one group)."""
    names, left = torch.unique(first, return_inverse=True)
    others, right = torch.unique(second, return_inverse=True)
    graph = coo_array((torch.ones(len(left)), (left, right + len(names))), shape=[len(names) + len(others)] * 2)
    count, part = connected_components(graph, directed=False)
    if count > 1:
        atoms = facts.atoms(count, f"blocks of {facts.reason}")[torch.from_numpy(part).long()]
        facts.maps(names, atoms[: len(names)])
        facts.maps(others, atoms[len(names) :])


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


def reduce(facts: Facts, labels: Labels, axes: Iterable[int], powers: bool = False) -> Labels:
    """A result that doesn't depend on the order along ``axes``, each of size 1 then.

    A column that varies along these axes and others, too (values within heads, reduced over values), leaves
    blocks behind (heads); the group respects which block an atom belongs to.

    Arguments:
        powers: whether exponents may be there along ``axes``.
    """
    gone = {axis % len(labels.shape) for axis in axes}
    columns = []
    for column in labels.columns:
        if not gone & set(column.axes):
            columns.append(column)
            continue
        if not powers:
            facts.forms.vanish(column.forms)
        if kept := [axis for axis in column.axes if axis not in gone]:
            columns.append(_blocks(facts, column, kept))
    shape = tuple(1 if axis in gone else size for axis, size in enumerate(labels.shape))
    return Labels(shape, tuple(column for column in columns if column.axes), labels.zero)


def _blocks(facts: Facts, column: Column, kept: list[int]) -> Column:
    """Labels along the axes ``kept``: equal where the same atoms stand in the others."""
    others = [axis for axis in range(column.atoms.dim()) if axis not in kept]
    shape = [column.atoms.shape[axis] for axis in kept]
    rows = column.atoms.permute(*kept, *others).reshape(math.prod(shape), -1)
    _, block = torch.unique(rows.sort(dim=1).values, dim=0, return_inverse=True)
    pairs = torch.unique(torch.stack([rows.flatten(), block.repeat_interleave(rows.shape[1])]), dim=1)
    disjoint = len(torch.unique(pairs[0])) == pairs.shape[1]
    if (rows >= 0).any() and disjoint:
        names = facts.atoms(int(block.max()) + 1, f"blocks of {facts.reason}")
        facts.maps(pairs[0], names[pairs[1]])
    else:
        facts.fix(torch.unique(rows))
        names = -1 - torch.arange(int(block.max()) + 1)
    place = [column.atoms.shape[a] if a in kept else 1 for a in range(column.atoms.dim())]
    return Column(names[block].reshape(place)).map(lambda array: array)


def move(facts: Facts, labels: Labels, source: Tensor) -> Labels:
    """The entries at ``source``, flat positions in the tensor, of the result's shape.

    What is taken, and how often, becomes an invariant of the atoms.
    """
    columns = [column.map(lambda array: array.expand(labels.shape).reshape(-1)[source]) for column in labels.columns]
    if labels.moves:
        counts = torch.bincount(source.flatten(), minlength=labels.size)
        if not (counts == counts[0]).all():
            _mark_taken(facts, labels, counts.reshape(labels.shape))
    return Labels(tuple(source.shape), tuple(column for column in columns if column.axes), labels.zero)


def _mark_taken(facts: Facts, labels: Labels, counts: Tensor) -> None:
    axes = {axis for axis in range(counts.dim()) if not (counts == counts.narrow(axis, 0, 1)).all()}
    touched = [column for column in labels.columns if axes & set(column.axes)]
    if len(touched) > 1 and any(c.moves for c in touched) and not _rectangular(touched, counts):
        for column in touched:
            facts.fix(torch.unique(column.atoms))
    for column in touched:
        full = column.atoms.expand(labels.shape).flatten()
        atoms, back = torch.unique(full, return_inverse=True)
        taken = torch.zeros(len(atoms), dtype=torch.long).index_add_(0, back, counts.flatten())
        share = taken.double() / torch.bincount(back)
        _, values = torch.unique(share, return_inverse=True)
        if len(torch.unique(values[atoms >= 0])) > 1:
            facts.mark(atoms, values)


def _rectangular(columns: list[Column], counts: Tensor) -> bool:
    """Whether what is taken is all combinations of some labels of each column, each equally often."""
    full = [column.atoms.expand(counts.shape).flatten() for column in columns]
    taken = counts.flatten() > 0
    codes = _codes(full)
    per_tuple = torch.zeros(int(codes.max()) + 1, dtype=torch.long).index_add_(0, codes, counts.flatten())
    present = per_tuple[torch.unique(codes[taken])]
    some = math.prod(len(torch.unique(column[taken])) for column in full)
    return len(present) == some and bool((present == present[0]).all())


def fix(facts: Facts, labels: Labels, axes: Iterable[int]) -> Labels:
    """Positions along ``axes`` differ in what becomes of them: nothing moves them along these."""
    chosen = {axis % len(labels.shape) for axis in axes}
    columns = []
    for column in labels.columns:
        along = chosen & set(column.axes)
        if not along:
            columns.append(column)
            continue
        where = torch.zeros([1] * len(labels.shape), dtype=torch.long)
        for axis in sorted(along):
            where = where * labels.shape[axis] + places(labels.shape, axis).atoms.mul(-1).sub(1)
        _mark_places(facts, column, where)
        if along >= set(column.axes):
            facts.forms.vanish(column.forms)
        else:
            columns.append(column)
    fresh = [places(labels.shape, axis) for axis in sorted(chosen) if labels.shape[axis] > 1]
    return Labels(labels.shape, (*columns, *(column for column in fresh if not _told(columns, column))), labels.zero)


def _told(columns: list[Column], new: Column) -> bool:
    """Whether places along an axis are implied by a column that varies there."""
    return any(_compare(column.atoms, new.atoms) in ("same", "first") for column in columns)


def _mark_places(facts: Facts, column: Column, where: Tensor) -> None:
    atoms, places_ = (t.flatten() for t in torch.broadcast_tensors(column.atoms, where))
    pairs = torch.unique(torch.stack([atoms, places_]), dim=1)
    if len(torch.unique(pairs[0])) == pairs.shape[1]:
        facts.mark(pairs[0], pairs[1])
    else:  # an atom at two places
        facts.fix(torch.unique(atoms))


def scaled(facts: Facts, labels: Labels, factor: Fraction | int | None) -> Labels:
    """Exponents times ``factor``; None: there must be none."""
    columns = []
    for column in labels.columns:
        if factor is None:
            facts.forms.vanish(column.forms)
        forms = None if factor is None else facts.forms.combine(None, column.forms, factor)
        columns.append(Column(column.atoms, forms))
    return Labels(labels.shape, tuple(columns), labels.zero and factor is not None and factor != 0)
