"""Sums of products: what is summed over moves together, and is gone."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from wsframework.tracing import wishes
from wsframework.tracing.facts import Facts
from wsframework.tracing.labels import Labels
from wsframework.tracing.rules.registry import Call, rule
from wsframework.tracing.verbs import fix, join, reduce, scaled


def contract(facts: Facts, first: Labels, second: Labels) -> Labels:
    """``sum_k first[..., m, k] second[..., k, n]``."""
    left, right = first.unsqueeze(-1), second.unsqueeze(-3)
    result = reduce(facts, join(facts, left, right, mode="multiply"), [-2])
    parts = [_parts(facts, x) for x in (left, right)]
    return join(facts, result, *parts, mode="multiply").squeeze([-2])


def _parts(facts: Facts, x: Labels) -> Labels:
    """What labels are left of ``x`` by a sum over its last axis but one.

    Those of a factor that is labelled coarser than the other (keys that several heads share) are told of none else.
    """
    axis = len(x.shape) - 2
    across = tuple(c for c in x.columns if axis in c.axes and len(c.axes) > 1)
    return reduce(facts, scaled(facts, Labels(x.shape, across), 0), [axis])


def affine(facts: Facts, x: Labels, weight: Labels, bias: Labels | None) -> Labels:
    """``x W^T + b``, x (..., k), W (n, k), b (n)."""
    product = join(facts, x.unsqueeze(-2), weight, mode="multiply")
    result = reduce(facts, product, [-1]).squeeze([-1])
    return result if bias is None else join(facts, result, bias, mode="add")


@rule("linear")
def linear(call: Call) -> Labels:
    """A linear layer."""
    bias = call.argument(2, "bias")
    return affine(call.facts, call.args[0].labels, call.args[1].labels, bias.labels if bias else None)


@rule("mm", "bmm", "matmul")
def matmul(call: Call) -> Labels:
    """Products of matrices, batched or not; of vectors, too."""
    first, second = call.args[0].labels, call.args[1].labels
    _wish(call.facts, first, second)
    vectors = len(first.shape) == 1, len(second.shape) == 1
    result = contract(
        call.facts, first.unsqueeze(0) if vectors[0] else first, second.unsqueeze(1) if vectors[1] else second
    )
    if vectors[1]:
        result = result.squeeze([-1])
    return result.squeeze([-1 if vectors[1] else -2]) if vectors[0] else result


def _wish(facts: Facts, *factors: Labels) -> None:
    """A batch of matrices may have neurons of its own in each."""
    for labels in factors:
        if len(labels.shape) == 3:
            wishes.used_in_parts(facts, labels, labels.shape[0])


@rule("addmm", "baddbmm", "addmv")
def added(call: Call) -> Labels:
    """``b + A B``."""
    bias, first, second = (operand.labels for operand in call.args[:3])
    _wish(call.facts, first, second)
    vector = len(second.shape) == 1
    product = contract(call.facts, first, second.unsqueeze(1) if vector else second)
    return join(call.facts, bias, product.squeeze([-1]) if vector else product, mode="add")


@rule("_grouped_mm", "grouped_mm_fallback")
def grouped(call: Call) -> Labels:
    """``x[r] w[e(r)]``: each row times the matrix of its expert, one expert's rows after another's, up to ``offs``."""
    x, weight, ends = call.args[0].labels, call.args[1].labels, call.argument(2, "offs")
    if len(x.shape) != 2 or len(weight.shape) != 3 or ends is None:
        raise ValueError("rows, and a matrix for each expert")
    wishes.used_in_parts(call.facts, weight, weight.shape[0])
    fix(call.facts, scaled(call.facts, ends.labels, None), [0])
    experts = fix(call.facts, weight, [0])
    of_row = torch.searchsorted(ends.value.long(), torch.arange(x.shape[0]), right=True)
    _fix_idle(call.facts, experts, of_row)
    each = experts.map((*x.shape, weight.shape[-1]), lambda array: array.expand(weight.shape[0], -1, -1)[of_row])
    return contract(call.facts, x.unsqueeze(-2), each).squeeze([-2])


def _fix_idle(facts: Facts, experts: Labels, of_row: Tensor) -> None:
    """Nothing is known of the neurons of experts that no row is given to."""
    idle = [expert for expert in range(experts.shape[0]) if not (of_row == expert).any()]
    for column in (c for c in experts.columns if 0 in c.axes):
        facts.fix(torch.unique(column.atoms[idle]))


@rule("mv", "dot", "vdot")
def vectors(call: Call) -> Labels:
    """A matrix or vector times a vector."""
    product = join(call.facts, call.args[0].labels, call.args[1].labels, mode="multiply")
    return reduce(call.facts, product, [-1]).squeeze([-1])


@rule("_trilinear")
def trilinear(call: Call) -> Labels:
    """``sum_ij x[b, i] w[o, i, j] y[b, j]``, each with axes of size 1 where it has none."""
    expanded = [_expanded(operand.labels, axes) for operand, axes in zip(call.args[:3], call.args[3:6], strict=True)]
    return reduce(call.facts, join(call.facts, *expanded, mode="multiply"), call.args[6]).squeeze(call.args[6])


def _expanded(labels: Labels, axes: Sequence[int]) -> Labels:
    for axis in sorted(axes):
        labels = labels.unsqueeze(axis)
    return labels


@rule("outer", "ger")
def outer(call: Call) -> Labels:
    """All products of the entries of two vectors."""
    return join(call.facts, call.args[0].labels.unsqueeze(-1), call.args[1].labels.unsqueeze(0), mode="multiply")
