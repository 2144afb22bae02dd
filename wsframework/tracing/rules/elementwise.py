"""Operators that act position by position: what meets, moves together."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from torch import Tensor

from wsframework.tracing.labels import Labels
from wsframework.tracing.rules.registry import Call, Operand, rule
from wsframework.tracing.verbs import Mode, join, scaled

Power = Fraction | int | None

_NEITHER = (
    "sigmoid", "gelu", "silu", "mish", "softplus", "elu", "selu", "celu", "hardswish", "hardsigmoid", "relu6",
    "exp", "exp2", "expm1", "log", "log2", "log1p", "log10", "log_sigmoid_forward", "erfc", "floor", "ceil", "frac",
    "logical_not", "bitwise_not", "isnan", "isinf", "isfinite", "acos", "acosh", "digamma", "lgamma", "nan_to_num",
    "logit", "special_expit",
)  # fmt: skip

# f(s x) = s**k f(x): the degrees k for positive s and for s = -1; None where there is none
LINEAR: tuple[Power, Power] = (1, 1)
DEGREES: dict[str, tuple[Power, Power]] = {
    **dict.fromkeys(["neg", "clone", "alias", "detach", "lift_fresh_copy", "lift_fresh", "contiguous"], LINEAR),
    **dict.fromkeys(["_to_copy", "to", "type_as", "dropout", "native_dropout", "positive", "real", "conj"], LINEAR),
    **dict.fromkeys(["relu", "leaky_relu", "rrelu"], (1, None)),
    **dict.fromkeys(["tanh", "sin", "erf", "asinh", "atan", "sinh", "tan", "asin", "atanh", "erfinv"], (None, 1)),
    **dict.fromkeys(["softshrink", "hardshrink", "round", "trunc"], (None, 1)),
    "sign": (0, 1),
    "abs": (1, 0),
    "square": (2, 0),
    "cos": (None, 0),
    "cosh": (None, 0),
    "sqrt": (Fraction(1, 2), None),
    "rsqrt": (Fraction(-1, 2), None),
    "reciprocal": (-1, 1),
    **dict.fromkeys(_NEITHER, (None, None)),
}


def degree(call: Call, degrees: tuple[Power, Power]) -> Power:
    """The degree that counts for the gauge that is sought."""
    return degrees[0] if call.facts.forms.gauge == "scale" else degrees[1]


def unary(call: Call) -> Labels | Sequence[Labels]:
    """The labels of the argument; where more is returned than the result (a mask), that has no exponents."""
    labels = scaled(call.facts, call.args[0].labels, degree(call, DEGREES[call.name]))
    if isinstance(call.result, Tensor):
        return labels
    return [labels, *[scaled(call.facts, call.args[0].labels, 0)] * (len(call.result) - 1)]


rule(*DEGREES)(unary)


@rule("clamp", "clamp_min", "hardtanh", "threshold", "clamp_max")
def clamp(call: Call) -> Labels:
    """Bounds: with the bounds 0 and none, this is a ReLU."""
    low, high = call.argument(1, "min"), call.argument(2, "max")
    if call.name == "clamp_max":
        low, high = None, call.argument(1, "max")
    relu = call.name in ("clamp", "clamp_min") and high is None and isinstance(low, (int, float)) and low == 0
    bounds = [b.labels for b in (low, high) if isinstance(b, Operand)]
    labels = scaled(call.facts, call.args[0].labels, degree(call, (1 if relu else None, None)))
    return join(call.facts, labels, *bounds, mode="neither") if bounds else labels


@rule("pow")
def power(call: Call) -> Labels:
    """A number to a power that is a number; else nothing is known of degrees."""
    base, exponent = call.args[0], call.args[1]
    if isinstance(base, Operand) and isinstance(exponent, (int, float)):
        whole = float(exponent).is_integer()
        return scaled(
            call.facts, base.labels, degree(call, (Fraction(exponent), Fraction(exponent) if whole else None))
        )
    return meet(call, "neither")


def meet(call: Call, mode: Mode) -> Labels:
    """All arguments, numbers among them, joined."""
    operands = [_labels(argument) for argument in (*call.args, *call.kwargs.values()) if _counts(argument)]
    return join(call.facts, *operands, mode=mode)


def _counts(argument: Any) -> bool:
    return isinstance(argument, (Operand, int, float, complex)) and not isinstance(argument, bool)


def _labels(argument: Any) -> Labels:
    return argument.labels if isinstance(argument, Operand) else Labels((), zero=argument == 0)


@rule("add", "sub", "rsub")
def add(call: Call) -> Labels:
    """Sums; ``alpha`` is a number that multiplies."""
    return join(call.facts, *map(_labels, call.args[:2]), mode="add")


@rule("mul")
def multiply(call: Call) -> Labels:
    """Products."""
    return meet(call, "multiply")


@rule("div", "true_divide")
def divide(call: Call) -> Labels:
    """Quotients, not rounded; rounding has no degree."""
    rounded = call.kwargs.get("rounding_mode") is not None
    return join(call.facts, *map(_labels, call.args[:2]), mode="neither" if rounded else "divide")


@rule("where")
def where(call: Call) -> Labels:
    """A choice between two that agree, by a condition without exponents."""
    condition, *others = call.args
    chosen = join(call.facts, *(_labels(other) for other in others), mode="add")
    return join(call.facts, chosen, scaled(call.facts, condition.labels, None), mode="multiply")


@rule("maximum", "minimum", "fmax", "fmin")
def greater(call: Call) -> Labels:
    """The greater of two keeps a common scale, not a sign."""
    return meet(call, "add" if call.facts.forms.gauge == "scale" else "neither")


@rule("gt", "ge", "lt", "le", "eq", "ne")
def compare(call: Call) -> Labels:
    """Comparison with zero has no scale; else nothing may be scaled."""
    other = call.args[1]
    against_zero = not isinstance(other, Operand) and other == 0
    if against_zero:
        return scaled(call.facts, call.args[0].labels, degree(call, (0, 0 if call.name in ("eq", "ne") else None)))
    return meet(call, "neither")


@rule(
    "logical_and", "logical_or", "logical_xor", "bitwise_and", "bitwise_or", "bitwise_xor", "remainder", "fmod",
    "floor_divide", "atan2", "masked_fill", "lerp", "xlogy", "hypot", "copysign", "logaddexp", "polar", "complex",
    "__and__", "__or__", "__xor__",
)  # fmt: skip
def generic(call: Call) -> Labels:
    """Arguments that move together and may not be scaled."""
    return meet(call, "neither")


@rule("prelu", "_prelu_kernel")
def prelu(call: Call) -> Labels:
    """A slope for each channel, where there are several."""
    x, slope = call.args[0].labels, call.args[1].labels
    if call.name == "prelu" and len(slope.shape) == 1 and len(x.shape) > 1:
        for _ in range(len(x.shape) - 2):
            slope = slope.unsqueeze(-1)
    x = scaled(call.facts, x, degree(call, (1, None)))
    return join(call.facts, x, scaled(call.facts, slope, None), mode="multiply")


@rule("addcmul")
def addcmul(call: Call) -> Labels:
    """``x + value * a * b``."""
    x, a, b = (argument.labels for argument in call.args[:3])
    return join(call.facts, x, join(call.facts, a, b, mode="multiply"), mode="add")


@rule("addcdiv")
def addcdiv(call: Call) -> Labels:
    """``x + value * a / b``."""
    x, a, b = (argument.labels for argument in call.args[:3])
    return join(call.facts, x, join(call.facts, a, b, mode="divide"), mode="add")
