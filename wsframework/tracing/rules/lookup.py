"""Entries found by data: nothing moves along the axis in which they are looked up."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from wsframework.tracing.labels import Labels, fixed
from wsframework.tracing.rules.registry import Call, Operand, rule
from wsframework.tracing.verbs import Mode, fix, join, move, reduce, scaled


@rule("embedding")
def embedding(call: Call) -> Labels:
    """Rows of a matrix."""
    weight, indices = call.args[0].labels, call.args[1]
    row = reduce(call.facts, fix(call.facts, weight, [0]), [0], powers=True)
    where = scaled(call.facts, indices.labels, None).unsqueeze(-1)
    return join(call.facts, where, row.squeeze([0]), mode="multiply")


@rule("gather", "take_along_dim")
def gather(call: Call) -> Labels:
    """Entries along one axis."""
    x, *others = call.args
    axis, indices = others if call.name == "gather" else (call.argument(2, "dim"), others[0])
    axis %= max(x.value.dim(), 1)
    rest = reduce(call.facts, fix(call.facts, x.labels, [axis]), [axis], powers=True)
    where = join(call.facts, indices.labels, fixed(call.result.shape, [axis]), mode="neither")
    return join(call.facts, where, _cut(call, rest), mode="multiply")


def _cut(call: Call, labels: Labels) -> Labels:
    """Labels of the first entries along each axis, where the result is smaller."""
    shape = call.result.shape
    if all(n in (1, m) for n, m in zip(labels.shape, shape, strict=True)):
        return labels
    positions = torch.arange(labels.size).reshape(labels.shape)
    for axis, size in enumerate(shape):
        if labels.shape[axis] != 1:
            positions = positions.narrow(axis, 0, size)
    return move(call.facts, labels, positions)


@rule("scatter", "scatter_add", "scatter_reduce", "index_add", "index_copy", "index_reduce")
def scatter(call: Call) -> Labels:
    """Entries added at places along one axis: the edges of a graph to its nodes."""
    x, axis, indices, source = call.args[0], call.args[1], call.args[2], call.args[3]
    axis %= max(x.value.dim(), 1)
    pieces = [x.labels]
    if call.name.startswith("scatter"):
        pieces.append(indices.labels)
    if hasattr(source, "labels"):
        pieces.append(source.labels)
    if call.name.startswith("index"):
        fix(call.facts, scaled(call.facts, indices.labels, None), range(indices.value.dim()))
    kept = [reduce(call.facts, fix(call.facts, labels, [axis]), [axis], powers=True) for labels in pieces]
    kept = [_cut(call, k) if k is not kept[0] else k for k in kept]
    mode: Mode = "add" if call.name in ("scatter_add", "index_add") else "neither"
    if call.name.startswith("scatter"):  # indices have no exponent
        kept[1] = Labels(kept[1].shape, kept[1].columns, zero=True)
    merged = join(call.facts, *kept, mode=mode)
    return join(call.facts, merged, fixed(call.result.shape, [axis]), mode="multiply")


@rule("index_put", "_unsafe_index_put", "_index_put_impl")
def put(call: Call) -> Labels:
    """Slices along one axis put at places: on the others, both move together. Along several axes, nothing moves."""
    x, values = call.args[0], call.args[2]
    given = [(axis, index) for axis, index in enumerate(call.args[1]) if index is not None]
    axis, index = given[0]
    if len(given) > 1 or index.value.dim() != 1:
        return _nothing_moves(call, [x, *(index for _, index in given), values])
    fix(call.facts, scaled(call.facts, index.labels, None), [0])
    count = int(index.value.sum()) if index.value.dtype == torch.bool else len(index.value)
    slices = values.labels.expand([count if a == axis else n for a, n in enumerate(x.value.shape)])
    kept = [reduce(call.facts, fix(call.facts, labels, [axis]), [axis], powers=True) for labels in (x.labels, slices)]
    return join(call.facts, join(call.facts, *kept, mode="add"), fixed(call.result.shape, [axis]), mode="multiply")


@rule("masked_scatter")
def put_where(call: Call) -> Labels:
    """Entries one after the other, put where a mask says: nothing moves."""
    return _nothing_moves(call, call.args[:3])


def _nothing_moves(call: Call, operands: Sequence[Operand]) -> Labels:
    for operand in operands:
        fix(call.facts, scaled(call.facts, operand.labels, None), range(operand.value.dim()))
    return fixed(call.result.shape)


@rule("slice_scatter", "select_scatter")
def replaced(call: Call) -> Labels:
    """A slice along one axis replaced by another tensor: on the other axes, both move together."""
    axis = call.argument(2, "dim", 0) % call.args[0].value.dim()
    slices = call.args[1].labels
    pieces = [call.args[0].labels, slices.unsqueeze(axis) if call.name == "select_scatter" else slices]
    kept = [reduce(call.facts, fix(call.facts, labels, [axis]), [axis], powers=True) for labels in pieces]
    merged = join(call.facts, *kept, mode="add")
    return join(call.facts, merged, fixed(call.result.shape, [axis]), mode="multiply")
