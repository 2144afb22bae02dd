"""Reduce: axes along which the order doesn't matter are gone."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor

from wsframework.tracing.facts import Facts
from wsframework.tracing.labels import Column, Labels


def reduce(facts: Facts, labels: Labels, axes: Iterable[int], powers: bool = False) -> Labels:
    """A result that doesn't depend on the order along ``axes``, each of size 1 then.

    A column that varies along these axes and others, too (values within heads, reduced over values), leaves
    blocks behind (heads); the group respects which block an atom belongs to.

    Arguments:
        powers: whether exponents may be there along ``axes``; blocks keep those that are the same all along.
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
            columns.append(_blocks(facts, Column(column.atoms, _kept(facts, column, kept) if powers else None), kept))
    shape = tuple(1 if axis in gone else size for axis, size in enumerate(labels.shape))
    return Labels(shape, tuple(column for column in columns if column.axes), labels.zero)


def _kept(facts: Facts, column: Column, kept: list[int]) -> Tensor | None:
    """The exponents along the axes ``kept``; where they vary along the others, there must be none."""
    forms = column.forms
    for axis in [axis for axis in column.axes if axis not in kept]:
        if forms is not None:
            first = forms.narrow(axis, 0, 1)
            if not torch.equal(first.expand_as(forms), forms):
                facts.forms.vanish(forms)
                return None
            forms = first
    return forms


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
    return Column(names[block].reshape(place), column.forms).map(lambda array: array)
