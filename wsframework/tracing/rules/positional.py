"""Operators to which the order along some axes matters: nothing moves along these."""

from __future__ import annotations

from collections.abc import Sequence

from wsframework.tracing.labels import Labels, fixed
from wsframework.tracing.rules.elementwise import degree
from wsframework.tracing.rules.registry import Call, Operand, rule
from wsframework.tracing.verbs import fix, join, reduce, scaled


def ordered(call: Call, labels: Labels, axes: Sequence[int], shape: Sequence[int]) -> Labels:
    """Labels of a result of another extent along ``axes``."""
    axes = [axis % len(labels.shape) for axis in axes]
    rest = reduce(call.facts, fix(call.facts, labels, axes), axes)
    return join(call.facts, rest, fixed(shape, axes), mode="multiply")


def _last(call: Call, count: int, degrees: tuple[int | None, int | None]) -> Labels | Sequence[Labels | None]:
    x = scaled(call.facts, call.args[0].labels, degree(call, degrees))
    axes = range(len(x.shape) - count, len(x.shape))
    several = not hasattr(call.result, "shape")
    shape = call.result[0].shape if several else call.result.shape
    labels = ordered(call, x, axes, shape)
    return [labels] * len(call.result) if several else labels


@rule("max_pool1d", "max_pool2d_with_indices", "max_pool3d_with_indices", "max_pool2d", "max_pool3d",
      "adaptive_max_pool2d", "adaptive_max_pool1d", "adaptive_max_pool3d")  # fmt: skip
def max_pool(call: Call) -> Labels | Sequence[Labels | None]:
    """The greatest of neighbours: a scale goes through, a sign does not."""
    return _last(call, _rank(call.name), (1, None))


@rule("avg_pool1d", "avg_pool2d", "avg_pool3d", "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d",
      "_adaptive_avg_pool2d", "_adaptive_avg_pool3d", "upsample_nearest1d", "upsample_nearest2d", "upsample_nearest3d",
      "upsample_linear1d", "upsample_bilinear2d", "upsample_bicubic2d", "upsample_trilinear3d",
      "_upsample_nearest_exact1d", "_upsample_nearest_exact2d", "_upsample_nearest_exact3d",
      "_upsample_bilinear2d_aa", "_upsample_bicubic2d_aa")  # fmt: skip
def linear_pool(call: Call) -> Labels | Sequence[Labels | None]:
    """Weighted means of neighbours."""
    return _last(call, _rank(call.name), (1, 1))


def _rank(name: str) -> int:
    return int(next(c for c in reversed(name.removesuffix("_with_indices").removesuffix("_aa")) if c.isdigit()))


@rule("constant_pad_nd", "reflection_pad1d", "reflection_pad2d", "reflection_pad3d", "replication_pad1d",
      "replication_pad2d", "replication_pad3d", "pad")  # fmt: skip
def pad(call: Call) -> Labels:
    """More positions along the last axes, where there is a width."""
    x, widths = call.args[0].labels, call.args[1]
    axes = [len(x.shape) - 1 - k for k in range(len(widths) // 2) if widths[2 * k] or widths[2 * k + 1]]
    zero = call.name != "constant_pad_nd" or not call.argument(2, "value", 0)
    return ordered(call, x if zero else scaled(call.facts, x, None), axes, call.result.shape)


@rule("cumsum", "cumprod", "logcumsumexp", "sort", "topk", "argsort", "cummax", "cummin", "renorm")
def along(call: Call) -> Labels | Sequence[Labels | None]:
    """Along one axis, in order; what is sorted may come in any, unless it is asked where it stood."""
    place = {"topk": 2, "renorm": 2}.get(call.name, 1)
    axis = call.argument(place, "dim", -1)
    x = scaled(call.facts, call.args[0].labels, None)
    if call.name in ("sort", "topk") and call.used == frozenset({0}):
        x = reduce(call.facts, x, [axis])
    if isinstance(call.result, (tuple, list)):
        return [ordered(call, x, [axis], part.shape) for part in call.result]
    return ordered(call, x, [axis], call.result.shape)


@rule("_fft_r2c", "_fft_c2r", "_fft_c2c")
def fourier(call: Call) -> Labels:
    """Fourier transforms along some axes: a scale and a sign of any other go through."""
    return ordered(call, call.args[0].labels, call.args[1], call.result.shape)


@rule("tril", "triu")
def triangle(call: Call) -> Labels:
    """Half of a matrix."""
    return ordered(call, call.args[0].labels, [-2, -1], call.result.shape)


@rule("im2col", "col2im", "grid_sampler_2d", "grid_sampler_3d")
def whole(call: Call) -> Labels:
    """Nothing moves: neither images nor the grid at which they are read."""
    for operand in (argument for argument in call.args if isinstance(argument, Operand)):
        fix(call.facts, scaled(call.facts, operand.labels, None), range(operand.value.dim()))
    return fixed(call.result.shape)


@rule("view_as_complex")
def to_complex(call: Call) -> Labels:
    """Pairs along the last axis."""
    return reduce(call.facts, fix(call.facts, call.args[0].labels, [-1]), [-1]).squeeze([-1])


@rule("view_as_real")
def to_real(call: Call) -> Labels:
    """Pairs along a new last axis."""
    x = call.args[0].labels.unsqueeze(-1)
    return join(call.facts, x, fixed(call.result.shape, [-1 % call.result.dim()]), mode="multiply")
