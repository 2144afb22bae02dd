"""Operators whose result doesn't depend on the order along some axes."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from wsframework.tracing.labels import Labels
from wsframework.tracing.rules.elementwise import Power, degree
from wsframework.tracing.rules.registry import RULES, Answer, Call, Operand, rule
from wsframework.tracing.verbs import fix, reduce, scaled

DEGREES: dict[str, tuple[Power, Power]] = {
    "sum": (1, 1),
    "mean": (1, 1),
    "amax": (1, None),
    "amin": (1, None),
    "logsumexp": (None, None),
    "any": (0, 0),
    "all": (0, 0),
    "std": (1, 0),
    "var": (2, 0),
    "norm": (1, 0),
    "linalg_vector_norm": (1, 0),
    "prod": (None, None),
}
AXES_AT = {"norm": 2, "linalg_vector_norm": 2}


@rule(*DEGREES)
def over(call: Call) -> Labels:
    """A symmetric function of the entries along some axes."""
    labels = scaled(call.facts, call.args[0].labels, degree(call, DEGREES[call.name]))
    given = call.argument(AXES_AT.get(call.name, 1), "dim")
    rank = len(labels.shape)
    named = [given] if isinstance(given, int) and not isinstance(given, bool) else given
    axes = [axis % rank for axis in named] if isinstance(named, (list, tuple)) and named else range(rank)
    return kept(reduce(call.facts, labels, axes), axes, call.result.dim())


def kept(labels: Labels, axes: Sequence[int], rank: int) -> Labels:
    """With the axes of size 1 that are left, or without, as the result has."""
    return labels if len(labels.shape) == rank else labels.squeeze(axes)


@rule("var_mean", "std_mean", "aminmax")
def pair(call: Call) -> Sequence[Labels]:
    """Two of them at once."""
    axes = call.axes(1, "dim", call.args[0].value.dim())
    labels = scaled(call.facts, call.args[0].labels, None)
    done = kept(reduce(call.facts, labels, axes), axes, call.result[0].dim())
    return [done, done]


@rule("max", "min", "median", "mode", "kthvalue")
def extreme(call: Call) -> Answer:
    """The greatest entry; where its position is asked for, too, nothing may move along the axis.

    The greater of two tensors has the same name.
    """
    if len(call.args) > 1 and isinstance(call.args[1], Operand):
        return RULES[f"{call.name}imum"](call)
    labels = scaled(call.facts, call.args[0].labels, degree(call, (Fraction(1), None)))
    rank = len(labels.shape)
    if len(call.args) == 1:
        return reduce(call.facts, labels, range(rank)).squeeze(range(rank))
    axis = call.args[2 if call.name == "kthvalue" else 1] % rank
    if call.used is None or 1 in call.used:
        labels = fix(call.facts, labels, [axis])
    done = kept(reduce(call.facts, labels, [axis]), [axis], call.result[0].dim())
    return [done, done]


@rule("argmax", "argmin")
def position(call: Call) -> Labels:
    """A position, which depends on the order."""
    axes = call.axes(1, "dim", call.args[0].value.dim())
    labels = fix(call.facts, scaled(call.facts, call.args[0].labels, None), axes)
    return kept(reduce(call.facts, labels, axes), axes, call.result.dim())
