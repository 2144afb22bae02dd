"""The activations of a module, and where in them the dims of its space occur."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.fx import Node
from torch.utils import _pytree as pytree

from wsframework.errors import SpaceError, nearest
from wsframework.spaces import WeightSpace
from wsframework.tracing.carrying import Carried, carried
from wsframework.tracing.coordinates import Coordinates, with_signs
from wsframework.tracing.evaluating import compute, promoted
from wsframework.tracing.facts import Facts
from wsframework.tracing.finding import read_separately
from wsframework.tracing.forms import Forms
from wsframework.tracing.labelling import label_state
from wsframework.tracing.labels import Labels
from wsframework.tracing.program import Program, program_of
from wsframework.tracing.reading import read
from wsframework.tracing.rules import Operand
from wsframework.tracing.solving import solve
from wsframework.tracing.walking import walk

Take = Callable[[Carried, Sequence[Tensor]], None]
"""What is done with an activation that carries a dim: its values for each of the networks compared."""


@dataclass(frozen=True, eq=False)
class _Beside:
    """One value of the computation, for each of several networks.

    Attributes:
        given: whether it depends on the inputs.
    """

    values: tuple[Any, ...]
    given: bool


class Activations:
    """What a module computes on its way from inputs to outputs, with the dims that each of its tensors carries.

    Arguments:
        module: it is exported by torch.export in evaluation mode, and read operator by operator, as by `trace`.
        space: the space of its weights, found by `trace` or stated.
        args, kwargs: inputs, as the module is called with.

    Raises:
        SpaceError: if the space is that of another module.
        TraceError: where the module can't be run on the inputs, or torch.export can't follow it.
    """

    def __init__(
        self, module: nn.Module, space: WeightSpace, args: tuple[Any, ...], kwargs: Mapping[str, Any] | None = None
    ) -> None:
        self.users = pytree.tree_leaves((args, dict(kwargs or {})))
        self.space = space
        self.program = program_of(module, args, kwargs or {})
        _check(self.program, space, module)
        self.forms = Forms("sign" if any(d.gauge == "sign" for d in space.dims) else None)
        self.labels: list[list[Labels | None]] = []
        self._carried: dict[tuple[int, int], tuple[Carried, ...]] = {}
        moving = {p.name for p in space.parameters if any(space.dim(o.dim).free for o in p.occurrences)}
        self.coordinates = self._read(space, frozenset(moving & self.program.buffers))

    def _read(self, space: WeightSpace, moving: frozenset[str]) -> Coordinates:
        """Read the program once more, with the signs of ``space``."""
        _, _, separate = read_separately([self.program], self.users, moving)
        facts = Facts(self.forms)
        fixed = self.program.buffers - moving
        state = {name: value for name, value in self.program.state.items() if name not in fixed}
        labels = with_signs(space, label_state(facts, state, separate), self.forms)
        read(self.program, self.users, labels, facts, lambda result: self.labels.append(_labels(result)))
        broken = sorted({str(dim) for number in self.forms.equations for dim in self.forms.table[number]})
        if broken:
            raise SpaceError(f"signs of {', '.join(broken)} change the module's function: this is not its space")
        return Coordinates.of(space, labels, facts, solve(facts))

    def compare(self, states: Sequence[Mapping[str, Tensor]], take: Take) -> None:
        """Run the module on its inputs for these states side by side; ``take`` is told of one tensor after another.

        Views of what was told before are left out, as is what does not depend on the inputs. Nothing is kept that the
        module no longer needs.
        """
        full = [self._state(state) for state in states]
        kinds = [kind for kind, _ in self.program.inputs]
        columns = zip(*(self.program.arguments(state, self.users) for state in full), strict=True)
        arguments = [
            _Beside(tuple(promoted(v) for v in values), kind == "user")
            for kind, values in zip(kinds, columns, strict=True)
        ]
        numbers = iter(range(len(self.labels)))
        with torch.no_grad():
            walk(self.program.graph, arguments, lambda *call: self._visit(next(numbers), take, *call))

    def _state(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        own = self.program.state
        return {name: state[name].to(value.dtype) if name in state else value for name, value in own.items()}

    def _visit(self, number: int, take: Take, node: Node, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        operands = [o for o in pytree.tree_leaves((args, kwargs)) if isinstance(o, _Beside)]
        if not operands:
            return compute(node, args, kwargs)
        results = [compute(node, _side(args, k), _side(kwargs, k)) for k in range(len(operands[0].values))]
        given = any(operand.given for operand in operands)
        if given:
            known = {_storage(operand.values[0]) for operand in operands}
            for part, values in enumerate(zip(*map(pytree.tree_leaves, results), strict=True)):
                if isinstance(values[0], Tensor) and values[0].is_floating_point() and _storage(values[0]) not in known:
                    for one in self._of(number, part):
                        take(one, [one.of(value) for value in values])
        return _beside(results, given)

    def _of(self, number: int, part: int) -> tuple[Carried, ...]:
        """What a result carries: worked out when it is first met."""
        if (number, part) not in self._carried:
            labels = self.labels[number][part]
            self._carried[number, part] = () if labels is None else carried(labels, self.coordinates, self.forms)
        return self._carried[number, part]


def _check(program: Program, space: WeightSpace, module: nn.Module) -> None:
    """Every parameter of the space is one of the module, of the same shape."""
    for name, shape in space.shapes.items():
        if name not in program.state:
            near = nearest(name, program.state)
            raise SpaceError(f"{type(module).__name__} has no parameter {name!r}, which its space has{near}")
        if tuple(program.state[name].shape) != shape:
            given = tuple(program.state[name].shape)
            raise SpaceError(f"{name!r} has shape {given} in {type(module).__name__}, and {shape} in its space")


def _labels(result: Any) -> list[Labels | None]:
    """Those of each part of an operator's result."""
    return [o.labels if isinstance(o, Operand) else None for o in pytree.tree_leaves(result)]


def _side(value: Any, k: int) -> Any:
    """The arguments of one of the networks."""
    return pytree.tree_map(lambda leaf: leaf.values[k] if isinstance(leaf, _Beside) else leaf, value)


def _beside(results: Sequence[Any], given: bool) -> Any:
    """Results of several networks as one, part by part where they have several."""
    if isinstance(results[0], (tuple, list)):
        return [_beside(parts, given) for parts in zip(*results, strict=True)]
    return _Beside(tuple(results), given)


def _storage(value: Any) -> int | None:
    return value.untyped_storage().data_ptr() if isinstance(value, Tensor) else None
