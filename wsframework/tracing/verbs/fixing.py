"""Fix: positions along some axes differ in what becomes of them. And powers of what is labelled."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import torch
from torch import Tensor

from wsframework.tracing.facts import Facts
from wsframework.tracing.hashing import hashed, numbered, sums
from wsframework.tracing.labels import Column, Labels, broadcast, places
from wsframework.tracing.verbs.partitions import compare


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
    return any(compare(column.atoms, new.atoms) in ("same", "first") for column in columns)


def _mark_places(facts: Facts, column: Column, where: Tensor) -> None:
    """An atom may move to those that stand at the same places."""
    atoms, places_ = (t.flatten() for t in broadcast(column.atoms, where))
    pairs = torch.unique(torch.stack([atoms, places_]), dim=1)
    found, back = torch.unique(pairs[0], return_inverse=True)
    together = sums(back.numpy(), hashed(pairs[1].numpy()), len(found))
    facts.mark(found, torch.from_numpy(numbered(together)))


def scaled(facts: Facts, labels: Labels, factor: Fraction | int | None) -> Labels:
    """Exponents times ``factor``; None: there must be none."""
    columns = []
    for column in labels.columns:
        if factor is None:
            facts.forms.vanish(column.forms)
        forms = None if factor is None else facts.forms.combine(None, column.forms, factor)
        columns.append(Column(column.atoms, forms))
    return Labels(labels.shape, tuple(columns), labels.zero and factor is not None and factor != 0)
