"""Sums of products."""

from __future__ import annotations

import torch
from torch import Tensor

from samples.sample import Draw, Given, Known, Sample, family, operator, sample

aten = torch.ops.aten


@sample("linear")
def linear(draw: Draw) -> Sample:
    b, t, k, n = draw.sizes(4)
    return Sample(aten.linear.default, [draw.moved(b, t, k), draw.moved(n, k), draw.moved(n)], [b, t, k, n])


@sample("linear", "of features of which nothing tells two heads apart")
def linear_heads(draw: Draw) -> Sample:
    b, h, k, n = draw.sizes(4)
    x = draw.moved(b, h, k, view=lambda array: array.reshape(b, h * k))
    return Sample(aten.linear.default, [x, draw.moved(n, h * k)], [b, h, k, n])


@sample("linear", "one matrix for all heads")
def linear_within(draw: Draw) -> Sample:
    b, h, k, n = draw.sizes(4)
    x = draw.moved(b, h * k, view=lambda array: array.reshape(b, h, k))
    return Sample(aten.linear.default, [x, draw.moved(n, k)], [b, h, k, n])


@sample("mm")
def mm(draw: Draw) -> Sample:
    m, k, n = draw.sizes(3)
    return Sample(aten.mm.default, [draw.moved(m, k), draw.moved(k, n)], [m, k, n])


@family(["bmm", "matmul"])
def bmm(name: str, draw: Draw) -> Sample:
    b, m, k, n = draw.sizes(4)
    return Sample(operator(name), [draw.moved(b, m, k), draw.moved(b, k, n)], [b, m, k, n])


@family(["bmm", "matmul"], "experts")
def experts(name: str, draw: Draw) -> Sample:
    b, m, k, n = draw.sizes(4)
    first, second = draw.moved(b, m, k, separate={2: b}), draw.moved(b, k, n, separate={1: b})
    return Sample(operator(name), [first, second], [b, m, (k, b), n])


@sample("matmul", "of vectors")
def dot_product(draw: Draw) -> Sample:
    k = draw.size()
    return Sample(aten.matmul.default, [draw.moved(k), draw.moved(k)], [k])


@sample("matmul", "of a vector and a matrix")
def vector_matrix(draw: Draw) -> Sample:
    k, n = draw.sizes(2)
    return Sample(aten.matmul.default, [draw.moved(k), draw.moved(k, n)], [k, n])


@sample("matmul", "of a batch and a vector")
def batch_vector(draw: Draw) -> Sample:
    b, m, k = draw.sizes(3)
    return Sample(aten.matmul.default, [draw.moved(b, m, k), draw.moved(k)], [b, m, k])


@sample("matmul", "with numbers that differ")
def known_matrix(draw: Draw) -> Sample:
    m, k, n = draw.sizes(3)
    return Sample(aten.matmul.default, [draw.moved(m, k), Known(draw.normal(k, n))], [m])


def grouped_mm(x: Tensor, experts: Tensor, offs: Tensor) -> Tensor:
    """What both operators of this name say they compute; torch's own has no kernel for double precision."""
    ends = [0, *offs.tolist()]
    return torch.cat([x[a:b] @ one for a, b, one in zip(ends, ends[1:], experts, strict=False)])


@family(["_grouped_mm", "grouped_mm_fallback"])
def grouped(_: str, draw: Draw) -> Sample:
    e, k, n = draw.sizes(3)
    rows = 1 + draw.indices(3, e)
    x, experts = draw.moved(int(rows.sum()), k), draw.moved(e, k, n, separate={2: e})
    return Sample(grouped_mm, [x, experts, Given(rows.cumsum(0))], [k, *[n] * e, *rows.tolist()])


@family(["_grouped_mm", "grouped_mm_fallback"], "one expert without rows")
def grouped_idle(_: str, draw: Draw) -> Sample:
    k, n = draw.sizes(2)
    experts = draw.moved(3, k, n, separate={2: 3})
    return Sample(grouped_mm, [draw.moved(4, k), experts, Given(torch.tensor([1, 1, 4]))], [3, k, n, n])


@sample("addmm")
def addmm(draw: Draw) -> Sample:
    m, k, n = draw.sizes(3)
    return Sample(aten.addmm.default, [draw.moved(n), draw.moved(m, k), draw.moved(k, n)], [m, k, n])


@sample("baddbmm")
def baddbmm(draw: Draw) -> Sample:
    b, m, k, n = draw.sizes(4)
    return Sample(aten.baddbmm.default, [draw.moved(b, m, n), draw.moved(b, m, k), draw.moved(b, k, n)], [b, m, k, n])


@sample("addmv")
def addmv(draw: Draw) -> Sample:
    m, k = draw.sizes(2)
    return Sample(aten.addmv.default, [draw.moved(m), draw.moved(m, k), draw.moved(k)], [m, k])


@sample("mv")
def mv(draw: Draw) -> Sample:
    m, k = draw.sizes(2)
    return Sample(aten.mv.default, [draw.moved(m, k), draw.moved(k)], [m, k])


@family(["dot", "vdot"])
def dot(name: str, draw: Draw) -> Sample:
    k = draw.size()
    return Sample(operator(name), [draw.moved(k), draw.moved(k)], [k])


@family(["outer", "ger"])
def outer(name: str, draw: Draw) -> Sample:
    m, n = draw.sizes(2)
    return Sample(operator(name), [draw.moved(m), draw.moved(n)], [m, n])


@sample("_trilinear")
def trilinear(draw: Draw) -> Sample:
    b, i, j, o = draw.sizes(4)
    operands = [draw.moved(b, i), draw.moved(o, i, j), draw.moved(b, j)]
    return Sample(aten._trilinear.default, [*operands, [1, 3], [0], [1, 2], [2, 3]], [b, i, j, o])
