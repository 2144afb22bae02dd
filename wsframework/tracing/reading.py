"""Reading a program: every operator's numbers and labels, and from them the facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.fx import Node

from wsframework.tracing.facts import Facts
from wsframework.tracing.labels import Labels, fixed, of_constant
from wsframework.tracing.program import Program
from wsframework.tracing.rules import RULES, Call, Operand
from wsframework.tracing.verbs import join, scaled
from wsframework.tracing.walking import walk

Names = Mapping[str, Labels]

_OF_SHAPE = (
    "zeros_like", "ones_like", "full_like", "new_zeros", "new_ones", "new_full", "empty_like", "new_empty", "full",
    "arange", "zeros", "ones", "empty", "scalar_tensor", "eye", "linspace", "empty_permuted", "fill",
)  # fmt: skip
"""Operators whose result depends on shapes only."""

NO_RULE = "{} has no rule"

_RANDOM = ("rand", "randn", "randint", "rand_like", "randn_like", "bernoulli", "randperm", "normal_functional")


@dataclass(eq=False)
class Reading:
    """What was read.

    Attributes:
        unknown: how often operators without a rule met labels that move.
        operators: how many were read.
    """

    facts: Facts
    unknown: dict[str, int] = field(default_factory=dict)
    operators: int = 0


def read(
    program: Program, users: Sequence[Any], state: Names, facts: Facts, seen: Callable[[Any], None] | None = None
) -> Reading:
    """Follow ``program`` for the example inputs ``users``, the parameters labelled by ``state``.

    Nothing may move along the axes of inputs and outputs; a buffer's new value moves as the buffer does. ``seen`` is
    told every operator's result, an operand or a list of them.
    """
    reading = Reading(facts)
    placed = _placed(program, users, state)
    _fix_unused(program, placed, facts)

    def visit(node: Node, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        result = _visit(reading, node, args, kwargs)
        if seen is not None:
            seen(result)
        return result

    with torch.no_grad():
        outputs = walk(program.graph, placed, visit)
    for output, buffer in zip(outputs, program.outputs, strict=True):
        if isinstance(output, Operand) and buffer is None:
            facts.reason = "an output"
            _alone(facts, scaled(facts, output.labels, None))
        elif isinstance(output, Operand) and buffer is not None and buffer in state:
            facts.reason = f"the new value of {buffer}"
            join(facts, output.labels, state[buffer], mode="add")
    return reading


def _fix_unused(program: Program, placed: Sequence[Any], facts: Facts) -> None:
    """A parameter that no operator uses could move at will, which tells nothing."""
    facts.reason = "nothing uses it"
    placeholders = [node for node in program.graph.graph.nodes if node.op == "placeholder"]
    used = {name for (_, name), node in zip(program.inputs, placeholders, strict=True) if node.users}
    for (kind, name), operand in zip(program.inputs, placed, strict=True):
        if kind in ("parameter", "buffer") and name not in used and name not in program.outputs:
            _alone(facts, operand.labels)


def _alone(facts: Facts, labels: Labels) -> None:
    for column in labels.columns:
        facts.fix(torch.unique(column.atoms))


def _placed(program: Program, users: Sequence[Any], state: Names) -> list[Any]:
    placed: list[Any] = []
    for (kind, value), argument in zip(program.inputs, program.arguments(program.state, users), strict=True):
        if not isinstance(argument, Tensor):
            placed.append(argument)
        elif kind == "user":
            placed.append(Operand(argument, fixed(argument.shape)))
        elif kind == "constant" or value not in state:
            placed.append(Operand(argument, of_constant(argument), constant=True))
        else:
            placed.append(Operand(argument, state[value]))
    return placed


def _visit(reading: Reading, node: Node, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    target: Any = node.target
    result = target(*_plain(args), **_plain(kwargs))
    if result is None:  # an assertion
        return None
    operands = list(_operands((*args, *kwargs.values())))
    name = _name(target)
    reading.operators += 1
    if name in _OF_SHAPE or (operands and name not in _RANDOM and all(o.constant for o in operands)):
        return _each(result, lambda value: Operand(value, of_constant(value), constant=True))
    if name in _RANDOM or not operands:
        return _each(result, lambda value: Operand(value, fixed(value.shape), constant=False))
    reading.facts.reason = _reason(node, target)
    call = Call(reading.facts, name, target, args, kwargs, result, _used(node))
    return _labelled(result, _answer(reading, call, operands))


def _answer(reading: Reading, call: Call, operands: list[Operand]) -> Any:
    """What the operator's rule says; without one, or where it can't be applied, nothing moves that reaches it."""
    operator = str(call.target).removesuffix(".default")
    if rule := RULES.get(call.name):
        try:
            return _fitting(rule(call), call.result)
        except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError):
            operator = f"{operator} in a form that its rule does not know: it"
    if any(o.labels.moves for o in operands):
        reading.unknown[operator] = reading.unknown.get(operator, 0) + 1
        call.facts.reason = NO_RULE.format(operator)
        for operand in operands:
            _alone(call.facts, scaled(call.facts, operand.labels, None))
    return None


def _fitting(answer: Any, result: Any) -> Any:
    """The answer, if it is labels of the result's shape.

    Raises:
        ValueError: where it is not.
    """
    answers = [answer] if isinstance(answer, Labels) else answer
    results = [result] if isinstance(result, Tensor) else result
    for labels, value in zip(answers, results, strict=True):
        if labels is not None and labels.shape != tuple(value.shape):
            raise ValueError(f"labels of shape {labels.shape} for a result of shape {tuple(value.shape)}")
    return answer


def _labelled(result: Any, answer: Any) -> Any:
    if isinstance(result, Tensor):
        return Operand(result, answer if isinstance(answer, Labels) else fixed(result.shape))
    if isinstance(result, (tuple, list)):
        answers = [None] * len(result) if answer is None else answer
        return [_labelled(value, a) for value, a in zip(result, answers, strict=True)]
    return result


def _used(node: Node) -> frozenset[int] | None:
    taken = [user.args[1] for user in node.users if getattr(user.target, "__name__", "") == "getitem"]
    return frozenset(t for t in taken if isinstance(t, int)) or None


def _name(target: Any) -> str:
    packet = getattr(target, "overloadpacket", target)
    return str(getattr(packet, "__name__", packet))


def _reason(node: Node, target: Any) -> str:
    stack = list((node.meta.get("nn_module_stack") or {}).values())
    where = str(stack[-1][0]).removeprefix("L['self'].") if stack else ""
    return f"{str(target).removesuffix('.default')}{f' in {where}' if where else ''}"


def _operands(values: Any) -> Any:
    for value in values:
        if isinstance(value, Operand):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _operands(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Operand):
        return value.value
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(v) for v in value)
    if isinstance(value, dict):
        return {key: _plain(v) for key, v in value.items()}
    return value


def _each(result: Any, wrap: Callable[[Tensor], Operand]) -> Any:
    if isinstance(result, Tensor):
        return wrap(result)
    if isinstance(result, (tuple, list)):
        return [_each(value, wrap) for value in result]
    return result
