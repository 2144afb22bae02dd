"""Entry by entry."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from samples.sample import Draw, Given, Known, Moved, Sample, family, operator, sample
from wsframework.tracing.rules.elementwise import DEGREES

aten = torch.ops.aten

POSITIVE = ("sqrt", "rsqrt", "log", "log2", "log10", "log1p", "digamma", "lgamma", "logit", "erfinv", "reciprocal")
BOUNDS = ("clamp", "clamp_min", "clamp_max", "hardtanh", "threshold")
TRUTH = ("bitwise_not",)
EXTRA: dict[str, tuple[str, list[Any], dict[str, Any]]] = {
    "_to_copy": ("default", [], {"dtype": torch.float32}),
    "to": ("dtype", [torch.float32], {}),
    "type_as": ("default", [Known(torch.zeros(1))], {}),
    "dropout": ("default", [0.5, False], {}),
    "native_dropout": ("default", [0.5, False], {}),
}
UNARY = tuple(name for name in DEGREES if name not in BOUNDS)


def argument(name: str, draw: Draw, *shape: int) -> Tensor:
    """Numbers for which the operator is defined."""
    if name in TRUTH:
        return draw.mask(*shape)
    if name == "acosh":
        return 1 + draw.positive(*shape).base
    if name in ("asin", "acos", "atanh"):
        return draw.normal(*shape).tanh()
    return draw.positive(*shape).base if name in POSITIVE else draw.normal(*shape)


@family(UNARY)
def unary(name: str, draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    overload, rest, kwargs = EXTRA.get(name, ("default", [], {}))
    return Sample(operator(name, overload), [Moved(argument(name, draw, a, b)), *rest], [a, b], kwargs)


BETWEEN: dict[str, list[Any]] = {"clamp": [-0.5, 0.5], "hardtanh": [], "threshold": [0.1, 20.0]}


@family(BOUNDS)
def bounded(name: str, draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    return Sample(operator(name), [draw.moved(a, b), *BETWEEN.get(name, [0.0])], [a, b])


@family(["clamp_min", "clamp_max"], "by a tensor")
def bounded_by(name: str, draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    return Sample(operator(name, "Tensor"), [draw.moved(a, b), draw.moved(b)], [a, b])


BINARY: dict[str, str] = {
    **dict.fromkeys(["add", "sub", "rsub", "mul", "div", "true_divide"], "Tensor"),
    **dict.fromkeys(["maximum", "minimum", "fmax", "fmin", "atan2", "hypot", "logaddexp", "floor_divide"], "default"),
    **dict.fromkeys(["gt", "ge", "lt", "le", "eq", "ne", "remainder", "fmod", "copysign"], "Tensor"),
    **dict.fromkeys(["logical_and", "logical_or", "logical_xor", "complex"], "default"),
}
SCALAR = ("add", "sub", "rsub", "mul", "div", "gt", "ge", "lt", "le", "eq", "ne", "remainder", "fmod", "copysign")
LOGIC = ("bitwise_and", "bitwise_or", "bitwise_xor", "__and__", "__or__", "__xor__")


@family(BINARY)
def binary(name: str, draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    return Sample(operator(name, BINARY[name]), [draw.moved(a, b), draw.moved(b)], [a, b])


@family(["add", "mul", "maximum"], "an input")
def with_input(name: str, draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    return Sample(operator(name, BINARY[name]), [draw.moved(a, b), Given(draw.normal(b))], [a])


@family(["add", "mul", "maximum"], "the same for all")
def with_constant(name: str, draw: Draw) -> Sample:
    a, b, c = draw.sizes(3)
    numbers = Known(torch.linspace(0, 1, a)[:, None, None].expand(a, b, c).double())
    return Sample(operator(name, BINARY[name]), [draw.moved(a, b, c), numbers], [b, c])


@sample("add", "of one matrix by two views")
def turned(draw: Draw) -> Sample:
    a = draw.size()
    x = draw.moved(a, a)
    return Sample(aten.add.Tensor, [x, Moved(draw.normal(a, a), view=lambda array: array.T)], [a, a])


@family(SCALAR, "a number")
def with_number(name: str, draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    return Sample(operator(name, "Scalar"), [draw.moved(a, b), 0.5], [a, b])


@family(LOGIC)
def logic(name: str, draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    return Sample(operator(name, "Tensor"), [Moved(draw.mask(a, b)), Moved(draw.mask(a, 1))], [a, b])


@sample("polar")
def polar(draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    return Sample(aten.polar.default, [draw.positive(a, b), draw.moved(b)], [a, b])


@sample("xlogy")
def xlogy(draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    return Sample(aten.xlogy.Tensor, [draw.moved(a, b), draw.positive(b)], [a, b])


@sample("pow")
def power(draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    return Sample(aten.pow.Tensor_Tensor, [draw.positive(a, b), draw.moved(b)], [a, b])


@sample("pow", "of a number")
def power_of(draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    return Sample(aten.pow.Scalar, [2.0, draw.moved(a, b)], [a, b])


@sample("pow", "a number")
def power_to(draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    return Sample(aten.pow.Tensor_Scalar, [draw.moved(a, b), 3], [a, b])


@sample("where")
def where(draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    return Sample(aten.where.self, [Moved(draw.mask(a, 1)), draw.moved(a, b), draw.moved(b)], [a, b])


@sample("where", "a known mask")
def where_known(draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    mask = Known(torch.arange(a)[:, None].expand(a, b) > 0)
    return Sample(aten.where.ScalarOther, [mask, draw.moved(a, b), 0.0], [b])


@sample("masked_fill")
def masked_fill(draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    return Sample(aten.masked_fill.Scalar, [draw.moved(a, b), Given(draw.mask(b)), -1.0], [a])


@sample("lerp")
def lerp(draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    return Sample(aten.lerp.Tensor, [draw.moved(a, b), draw.moved(a, b), draw.moved(b)], [a, b])


@sample("prelu")
def prelu(draw: Draw) -> Sample:
    a, b, c = draw.sizes(3)
    return Sample(aten.prelu.default, [draw.moved(a, b, c), draw.moved(b)], [a, b, c])


@sample("prelu", "one slope for all")
def prelu_one(draw: Draw) -> Sample:
    a, b, c = draw.sizes(3)
    return Sample(aten.prelu.default, [draw.moved(a, b, c), draw.moved(1)], [a, b, c])


@sample("_prelu_kernel")
def prelu_kernel(draw: Draw) -> Sample:
    a, b, c = draw.sizes(3)
    return Sample(aten._prelu_kernel.default, [draw.moved(a, b, c), draw.moved(1, b, 1)], [a, b, c])


@family(["addcmul", "addcdiv"])
def addc(name: str, draw: Draw) -> Sample:
    a, b = draw.sizes(2)
    return Sample(operator(name), [draw.moved(a, b), draw.moved(a, b), draw.moved(b)], [a, b])
