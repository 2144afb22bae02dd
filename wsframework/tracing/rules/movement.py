"""Operators that only rearrange entries: labels are rearranged by the operator itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from wsframework.tracing import wishes
from wsframework.tracing.labels import Column, Labels, broadcast_shape, fixed
from wsframework.tracing.rules.registry import Call, Operand, rule
from wsframework.tracing.verbs import fix, move, reduce, scaled

NAMES = (
    "view", "reshape", "_unsafe_view", "view_copy", "permute", "permute_copy", "transpose", "t", "squeeze", "unsqueeze",
    "expand", "slice", "select", "split", "split_with_sizes", "chunk", "unbind", "flip", "roll", "repeat", "narrow",
    "repeat_interleave", "unfold", "as_strided", "diagonal", "pixel_shuffle", "pixel_unshuffle", "channel_shuffle",
    "movedim", "swapaxes", "flatten", "unflatten", "rot90", "tile", "tensor_split", "numpy_T", "mT", "alias_copy",
    "expand_copy", "select_copy", "slice_copy", "squeeze_copy", "unsqueeze_copy", "transpose_copy", "unbind_copy",
    "split_copy", "split_with_sizes_copy", "diagonal_copy", "unfold_copy", "native_channel_shuffle",
)  # fmt: skip


@rule(*NAMES)
def rearrange(call: Call) -> Labels | Sequence[Labels]:
    """Whatever the operator does to the numbers, it does to their positions."""
    labels = call.args[0].labels
    rest = [argument.value if isinstance(argument, Operand) else argument for argument in call.args[1:]]
    return rearranged(call, labels, lambda positions: call.target(positions, *rest, **call.kwargs))


def rearranged(call: Call, labels: Labels, operator: Any) -> Labels | Sequence[Labels]:
    """Labels moved by an operator that is applied to the positions themselves."""
    positions = torch.arange(labels.size).reshape(labels.shape)
    source = operator(positions)
    if isinstance(source, Tensor):
        moved = move(call.facts, labels, source)
        wishes.merged(call.facts, moved)
        return moved
    return [move(call.facts, labels, part) for part in source]


@rule("copy")
def copied(call: Call) -> Labels:
    """The numbers of the second tensor, in the shape of the first."""
    source: Labels = call.args[1].labels
    return source.expand(call.result.shape)


@rule("cat")
def cat(call: Call) -> Labels:
    """Tensors one after another."""
    operands = [operand for operand in call.args[0] if operand.value.shape != (0,)]
    axis = call.argument(1, "dim", 0) % operands[0].value.dim()
    return concatenate([operand.labels for operand in operands], axis)


@rule("stack")
def stack(call: Call) -> Labels:
    """Tensors along a new axis."""
    axis = call.argument(1, "dim", 0) % (call.args[0][0].value.dim() + 1)
    return concatenate([operand.labels.unsqueeze(axis) for operand in call.args[0]], axis)


def concatenate(operands: Sequence[Labels], axis: int) -> Labels:
    """Labels one after another along ``axis``.

    A column that is the same in all operands stays; all others become columns that vary along ``axis``, too. Where
    the same neurons are in several operands (``cat([h, -h])``), places tell these apart.
    """
    shape = list(operands[0].shape)
    shape[axis] = sum(operand.shape[axis] for operand in operands)
    common = [c for c in operands[0].columns if axis not in c.axes and all(_has(o, c) for o in operands[1:])]
    slots = _slots([[c for c in o.columns if not any(_equal(c, d) for d in common)] for o in operands], axis)
    columns = [_concatenated(slot, operands, axis) for slot in slots]
    if not any(c is not None for slot in slots for c in slot):
        columns = [_segments(operands, axis)]
    elif all(map(_shared, slots)):
        columns.append(_segments(operands, axis))
    return Labels(tuple(shape), tuple(column for column in (*common, *columns) if column.axes))


def _shared(slot: Sequence[Column | None]) -> bool:
    """Whether an atom is in more than one of these columns."""
    atoms = torch.cat([torch.unique(c.atoms[c.atoms >= 0]) for c in slot if c is not None])
    return len(torch.unique(atoms)) < len(atoms)


def _has(labels: Labels, column: Column) -> bool:
    return any(_equal(column, other) for other in labels.columns)


def _equal(first: Column, second: Column) -> bool:
    return (
        first.atoms.shape == second.atoms.shape
        and torch.equal(first.atoms, second.atoms)
        and (first.forms is second.forms or (_numbers(first) == _numbers(second)).all().item() is True)
    )


def _numbers(column: Column) -> Tensor:
    return torch.zeros_like(column.atoms) if column.forms is None else column.forms


def _slots(columns: list[list[Column]], axis: int) -> list[list[Column | None]]:
    """Columns of the operands that are put one after another: alike in the other axes along which they vary."""
    slots: list[list[Column | None]] = []
    for number, found in enumerate(columns):
        for column in found:
            others = set(column.axes) - {axis}
            slot = next((s for s in slots if s[number] is None and _others(s, axis) == others), None)
            if slot is None:
                slot = [None for _ in columns]
                slots.append(slot)
            slot[number] = column
    return slots or [[None for _ in columns]]


def _others(slot: list[Column | None], axis: int) -> set[int]:
    return next(set(column.axes) - {axis} for column in slot if column is not None)


def _concatenated(slot: list[Column | None], operands: Sequence[Labels], axis: int) -> Column:
    present = [column for column in slot if column is not None]
    if not present:
        return _segments(operands, axis)
    other = broadcast_shape(*(tuple(c.atoms.narrow(axis, 0, 1).shape) for c in present))
    parts, forms, lowest = [], [], 0
    for column, operand in zip(slot, operands, strict=True):
        length = operand.shape[axis]
        size = [length if a == axis else n for a, n in enumerate(other)]
        atoms = torch.full(size, -1) if column is None else column.atoms.expand(size)
        parts.append(torch.where(atoms < 0, atoms + lowest, atoms))
        lowest = min(lowest, int(parts[-1].min()))
        forms.append(torch.zeros(size, dtype=torch.long) if column is None else _numbers(column).expand(size))
    joined = torch.cat(forms, axis)
    whole = Column(torch.cat(parts, axis), joined if joined.any() else None)
    return whole.map(lambda array: array)


def _segments(operands: Sequence[Labels], axis: int) -> Column:
    """Places that tell the operands apart."""
    rank = len(operands[0].shape)
    numbers = torch.cat([torch.full((o.shape[axis],), -1 - k) for k, o in enumerate(operands)])
    return Column(numbers.reshape([-1 if a == axis else 1 for a in range(rank)])).map(lambda array: array)


@rule("index")
def index(call: Call) -> Labels:
    """Entries picked by indices: by known ones as any rearrangement, else from an axis that nothing may move."""
    x, indices = call.args[0], call.args[1]
    chosen = [i.value if isinstance(i, Operand) else i for i in indices]
    if all(i.constant for i in indices if isinstance(i, Operand)):
        return rearranged(call, x.labels, lambda positions: call.target(positions, chosen))  # type: ignore[return-value]
    given = [i for i in indices if isinstance(i, Operand)]
    return picked(call, x.labels, given, _indexed(chosen), lambda array: call.target(array, chosen))


def _indexed(values: Sequence[Any]) -> list[int]:
    """The axes that indices stand for; a mask stands for as many as it has."""
    axes: list[int] = []
    axis = 0
    for value in values:
        count = 1 if value is None or value.dtype not in (torch.bool, torch.uint8) else value.dim()
        if value is not None:
            axes += range(axis, axis + count)
        axis += count
    return axes


def picked(call: Call, labels: Labels, indices: Sequence[Operand], axes: Sequence[int], operator: Any) -> Labels:
    """Entries picked by data from ``axes``; what else a position is labelled with goes along."""
    for index in indices:
        fix(call.facts, scaled(call.facts, index.labels, None), range(index.value.dim()))
    rest = reduce(call.facts, fix(call.facts, labels, axes), axes, powers=True)
    moved = [column.map(lambda array: operator(array.expand(labels.shape))) for column in rest.columns]
    free = {axis for column in moved for axis in column.axes}
    result = call.result
    return Labels(
        tuple(result.shape),
        (
            *(c for c in moved if c.axes),
            *fixed(result.shape, [a for a in range(result.dim()) if a not in free]).columns,
        ),
    )


@rule("index_select")
def index_select(call: Call) -> Labels:
    """Slices of one axis."""
    x, axis, chosen = call.args[0], call.args[1], call.args[2]
    if chosen.constant:
        return rearranged(call, x.labels, lambda positions: call.target(positions, axis, chosen.value))  # type: ignore[return-value]
    axes = [axis % x.value.dim()]
    return picked(call, x.labels, [chosen], axes, lambda array: call.target(array, axis, chosen.value))
