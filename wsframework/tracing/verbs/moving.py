"""Move: entries are rearranged, some left out or taken more than once."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from wsframework.tracing.facts import Facts
from wsframework.tracing.labels import Column, Labels
from wsframework.tracing.verbs.partitions import codes


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
    tuples = codes(full)
    times = torch.zeros(int(tuples.max()) + 1, dtype=torch.long).index_add_(0, tuples, counts.flatten())
    present = times[torch.unique(tuples[taken])]
    some = math.prod(len(torch.unique(column[taken])) for column in full)
    return len(present) == some and bool((present == present[0]).all())
