"""Scaled dot-product attention."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from samples.sample import Draw, Given, Known, Moved, Sample, sample

attention = torch.ops.aten.scaled_dot_product_attention.default


@sample("scaled_dot_product_attention")
def plain(draw: Draw) -> Sample:
    h, t, s, k, v = draw.sizes(5)
    return Sample(attention, [draw.moved(h, t, k), draw.moved(h, s, k), draw.moved(h, s, v)], [h, t, s, k, v])


def heads(b: int, h: int, k: int) -> Callable[[Tensor], Tensor]:
    """Features (b, t, h k) as (b, h, t, k)."""
    return lambda array: array.reshape(b, -1, h, k).transpose(1, 2)


@sample("scaled_dot_product_attention", "heads side by side")
def packed(draw: Draw) -> Sample:
    b, h, t, k = draw.sizes(4)
    v = 2
    operands = [draw.moved(b, t, h * size, view=heads(b, h, size)) for size in (k, k, v)]
    return Sample(attention, operands, [b, t, t, h, (k, h), (v, h)])


@sample("scaled_dot_product_attention", "with a mask")
def masked(draw: Draw) -> Sample:
    h, t, s, k, v = draw.sizes(5)
    operands = [draw.moved(h, t, k), draw.moved(h, s, k), draw.moved(h, s, v)]
    return Sample(attention, [*operands, Given(draw.normal(t, s))], [h, k, v])


@sample("scaled_dot_product_attention", "with a mask that is the same for all queries")
def padded(draw: Draw) -> Sample:
    h, t, s, k, v = draw.sizes(5)
    operands = [draw.moved(h, t, k), draw.moved(h, s, k), draw.moved(h, s, v)]
    mask = Known((torch.arange(s) > 0).expand(t, s))
    return Sample(attention, [*operands, mask], [h, t, k, v])


@sample("scaled_dot_product_attention", "with a bias that moves")
def biased(draw: Draw) -> Sample:
    h, t, s, k, v = draw.sizes(5)
    operands = [draw.moved(h, t, k), draw.moved(h, s, k), draw.moved(h, s, v)]
    return Sample(attention, [*operands, draw.moved(h, t, s)], [h, t, s, k, v])


@sample("scaled_dot_product_attention", "causal")
def causal(draw: Draw) -> Sample:
    h, t, k, v = draw.sizes(4)
    operands = [draw.moved(h, t, k), draw.moved(h, t, k), draw.moved(h, t, v)]
    return Sample(attention, [*operands, None, 0.0, True], [h, k, v])


@sample("scaled_dot_product_attention", "with fewer heads of keys")
def grouped(draw: Draw) -> Sample:
    b, g, r, t, k = draw.sizes(5)
    v = 2

    def side_by_side(count: int, size: int) -> Moved:
        return draw.moved(b, t, count * size, view=heads(b, count, size))

    operands = [side_by_side(g * r, k), side_by_side(g, k), side_by_side(g, v)]
    dims = [b, t, t, g, (r, g), (k, g), (v, g)]
    return Sample(attention, operands, dims, {"enable_gqa": True})
