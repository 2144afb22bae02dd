"""How each operator moves labels: one module for each family, all in one table (see `registry`)."""

from wsframework.tracing.rules import (
    attention,
    contraction,
    convolution,
    elementwise,
    lookup,
    movement,
    normalisation,
    positional,
    recurrence,
    reduction,
)
from wsframework.tracing.rules.registry import RULES, Call, Operand, rule

__all__ = [
    "RULES",
    "Call",
    "Operand",
    "attention",
    "contraction",
    "convolution",
    "elementwise",
    "lookup",
    "movement",
    "normalisation",
    "positional",
    "recurrence",
    "reduction",
    "rule",
]
