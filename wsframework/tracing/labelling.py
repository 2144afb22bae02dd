"""The labels of a network's own state: every axis of every parameter begins with atoms of its own."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from wsframework.tracing.facts import Facts
from wsframework.tracing.labels import Column, Labels

Separate = Mapping[tuple[str, int], int]
"""Axes of parameters that are labelled separately for each of so many parts of the first axis."""


def label_state(facts: Facts, state: Mapping[str, Tensor], separate: Separate) -> dict[str, Labels]:
    """Labels for these parameters and buffers; an axis of size 1 needs none."""
    return {name: _labelled(facts, name, value, separate) for name, value in state.items()}


def _labelled(facts: Facts, name: str, value: Tensor, separate: Separate) -> Labels:
    columns: list[Column] = []
    for axis, size in enumerate(value.shape):
        if size > 1:
            groups = separate.get((name, axis), 1)
            atoms = facts.atoms(size * groups, (name, axis))
            shape = [size if a == axis else 1 for a in range(value.dim())]
            if groups > 1:
                atoms = _separate(facts, columns[0].atoms.flatten(), atoms.reshape(groups, size))
                shape[columns[0].axes[0]] = value.shape[columns[0].axes[0]]
            columns.append(Column(atoms.reshape(shape)))
    return Labels(tuple(value.shape), tuple(columns))


def _separate(facts: Facts, outer: Tensor, inner: Tensor) -> Tensor:
    """Labels (outer, inner) of which each part of the outer axis has its own; both belong to their part."""
    facts.reason = "groups"
    groups = len(inner)
    blocks = facts.atoms(groups, facts.reason)
    part = torch.arange(len(outer)) // (len(outer) // groups)
    facts.maps(outer, blocks[part])
    facts.maps(inner.flatten(), blocks.repeat_interleave(inner.shape[1]))
    return inner[part]
