"""`trace`: from any module to its verified weight space."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from wsframework.errors import TraceError
from wsframework.spaces import WeightSpace
from wsframework.tracing.facts import Facts
from wsframework.tracing.gauges import exponents, with_unknowns
from wsframework.tracing.factoring import Unwritable
from wsframework.tracing.forms import Forms
from wsframework.tracing.labels import Column, Labels
from wsframework.tracing.program import Program, moving_buffers, program_of
from wsframework.tracing.reading import Reading, read
from wsframework.tracing.solving import Solution, solve
from wsframework.tracing.verifying import TOLERANCE, change, randomised, restricted
from wsframework.tracing.writing import Dependent, Written, bundled, space_of, write_axes


@dataclass(frozen=True, eq=False)
class Trace:
    """What was found out about a module."""

    space: WeightSpace
    error: float
    training_error: float | None
    operators: int
    seconds: float


def trace(
    module: nn.Module,
    args: tuple[Any, ...] | Tensor,
    kwargs: Mapping[str, Any] | None = None,
    *,
    carry: Sequence[str] = (),
    seed: int = 0,
) -> WeightSpace:
    return examine(module, args, kwargs, carry=carry, seed=seed).space


def examine(
    module: nn.Module,
    args: tuple[Any, ...] | Tensor,
    kwargs: Mapping[str, Any] | None = None,
    *,
    carry: Sequence[str] = (),
    seed: int = 0,
) -> Trace:
    start = time.perf_counter()
    args = (args,) if isinstance(args, Tensor) else tuple(args)
    kwargs = dict(kwargs or {})
    program = program_of(module, args, kwargs)
    users = [x for x in pytree.tree_leaves((args, kwargs))]
    training = None
    try:
        training = program_of(module, args, kwargs, training=True)
    except TraceError:
        pass
    moving = moving_buffers(program, training) | set(carry)
    names = [n for n in program.state if n not in program.buffers or n in moving]
    wishes: dict[tuple[str, int], int] = {}
    denied: set[tuple[str, int]] = set()
    while True:
        facts = Facts(Forms())
        labels = {n: _labelled(facts, n, program.state[n], wishes) for n in names}
        reading = read(program, users, labels, facts)
        new = {(w.parameter, w.axis): w.groups for w in facts.wishes if (w.parameter, w.axis) not in denied | wishes.keys()}
        if not new:
            break
        wishes |= new
    solution = solve(facts)
    while True:
        try:
            written = write_axes(program.state, labels, solution)
            break
        except Dependent as error:
            if error.rows is None:
                raise
            solution = bundled(solution, error.rows)
        except Unwritable as error:
            facts.reason = "an order that the notation can't state"
            bad = [a for a in range(facts.size) if error.dims & solution.coordinates[solution.element[a]].keys()]
            facts.fix(torch.tensor(bad))
            solution = solve(facts)
    gauges, powers = _gauges(program, users, labels, written, solution)
    notes = tuple(f"{name} has no rule" for name in reading.unknown)
    space = space_of(written, solution, program.ties, gauges, lambda n, a, t, d: powers.get((d, (n, a, t)), 0), notes)
    generator = torch.Generator().manual_seed(seed)
    error = _verified(program, space, users, generator, frozenset(moving))
    return Trace(space, error, None, reading.operators, time.perf_counter() - start)


def _labelled(facts: Facts, name: str, value: Tensor, wishes: Mapping[tuple[str, int], int]) -> Labels:
    """A parameter's own atoms: one column an axis; where it was wished for, depending on the first axis."""
    columns = []
    for axis, size in enumerate(value.shape):
        if size > 1:
            groups = wishes.get((name, axis), 1)
            atoms = facts.atoms(size * groups, (name, axis))
            if groups > 1:
                atoms = _dependent(facts, columns[0].atoms.flatten(), atoms.reshape(groups, size))
            place = [value.shape[0] if a == 0 and groups > 1 else size if a == axis else 1 for a in range(value.dim())]
            columns.append(Column(atoms.reshape(place)))
    return Labels(tuple(value.shape), tuple(columns))


def _dependent(facts: Facts, outer: Tensor, inner: Tensor) -> Tensor:
    """Labels (outer, inner) of which each part of the outer axis has its own; both map to the parts."""
    groups = len(inner)
    blocks = facts.atoms(groups, "groups")
    part = torch.arange(len(outer)) // (len(outer) // groups)
    facts.maps(outer, blocks[part])
    facts.maps(inner.flatten(), blocks.repeat_interleave(inner.shape[1]))
    return inner[part]


def _gauges(program: Program, users: Sequence[Any], labels: Mapping[str, Labels], written: Written, solution: Solution) -> Any:
    """For each dim that has one: its gauge, and its exponents by dim and place."""
    outer = {dim.within for dim in solution.dims}
    uses = written.uses()
    left = [d.number for d in solution.dims if d.free and d.number not in outer and d.number in uses]
    gauges: dict[int, Any] = {}
    powers: dict[Any, int] = {}
    for gauge in ("scale", "sign"):
        facts = Facts(Forms(gauge))
        read(program, users, with_unknowns(labels, written, solution, left, facts.forms), facts)
        for dim in left:
            found = exponents(facts.forms, dim, uses[dim])
            if found is not None:
                gauges[dim] = gauge
                powers |= {(dim, place): value for place, value in found.items()}
        left = [dim for dim in left if dim not in gauges]
    return gauges, powers


def _verified(program: Program, space: WeightSpace, users: Sequence[Any], generator: torch.Generator, moving: frozenset[str]) -> float:
    worst = 0.0
    for _ in range(2):
        state = randomised(program, space, generator)
        symmetry = space.random_symmetry(generator)
        error = change(program, state, users, symmetry, moving)
        worst = max(worst, error)
        if not error <= TOLERANCE:
            bad = [d for d in space.free if not change(program, state, users, restricted(symmetry, [d]), moving) <= TOLERANCE]
            raise TraceError(f"{error} {bad}\n{space}")
    return worst
