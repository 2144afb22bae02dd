"""The table of rules, and what a rule is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from wsframework.tracing.facts import Facts
from wsframework.tracing.labels import Labels


@dataclass(frozen=True, eq=False)
class Operand:
    """A tensor of the computation: its numbers for the example inputs, and its labels.

    Attributes:
        constant: whether the numbers depend neither on parameters nor on inputs.
    """

    value: Tensor
    labels: Labels
    constant: bool = False


@dataclass(frozen=True, eq=False)
class Call:
    """One operator at work.

    Attributes:
        name: of the operator, without its library and overload: ``add``.
        target: the operator itself.
        args, kwargs: as in the graph, tensors as operands.
        result: what it computed for the example inputs.
        used: which of several results are used; None where there is one.
    """

    facts: Facts
    name: str
    target: Callable[..., Any]
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    result: Any
    used: frozenset[int] | None = None

    def argument(self, place: int, name: str, default: Any = None) -> Any:
        """An argument by its place, or by its name."""
        return self.args[place] if place < len(self.args) else self.kwargs.get(name, default)

    def axes(self, place: int, name: str, rank: int) -> tuple[int, ...]:
        """An argument that names axes, all of them where it names none."""
        given = self.argument(place, name)
        if given is None or given == []:
            return tuple(range(rank))
        return tuple(axis % max(rank, 1) for axis in ([given] if isinstance(given, int) else given))


Answer = Labels | Sequence[Labels | None]
Rule = Callable[[Call], Answer]

RULES: dict[str, Rule] = {}


def rule(*names: str) -> Callable[[Rule], Rule]:
    """Enter a rule into the table, for these operators of ATen."""

    def enter(function: Rule) -> Rule:
        for name in names:
            if name in RULES:
                raise ValueError(f"operator {name!r} has two rules")
            RULES[name] = function
        return function

    return enter
