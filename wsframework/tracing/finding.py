"""Finding the group of a program: reading it, solving what it demands, writing the solution in the notation."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from wsframework.spaces.notation import Gauge
from wsframework.tracing.factoring import Unwritable
from wsframework.tracing.facts import Facts
from wsframework.tracing.forms import Forms
from wsframework.tracing.gauges import Place, exponents, with_unknowns
from wsframework.tracing.labelling import Separate, label_state
from wsframework.tracing.labels import Labels
from wsframework.tracing.program import Program
from wsframework.tracing.reading import Reading, read
from wsframework.tracing.solving import Solution, solve
from wsframework.tracing.writing import Dependent, Written, bundled, write_axes


@dataclass(frozen=True, eq=False)
class Found:
    """The group of a program.

    Attributes:
        labels: of parameters and moving buffers, by name.
        gauges: for each dim that has one.
        powers: the exponents, by dim and place.
    """

    reading: Reading
    labels: Mapping[str, Labels]
    solution: Solution
    written: Written
    gauges: Mapping[int, Gauge]
    powers: Mapping[tuple[int, Place], int]


def find(programs: Sequence[Program], users: Sequence[Any], moving: frozenset[str]) -> Found:
    """The group of all ``programs`` of a module, whose buffers ``moving`` belong to their neurons.

    Arguments:
        programs: what the module computes in evaluation mode; in training mode, too, where that demands more.
        users: example inputs, flat.
    """
    refused: set[tuple[str, int]] = set()
    while True:
        reading, labels, _ = read_separately(programs, users, moving, refused)
        try:
            solution, written = _written(programs[0], reading.facts, labels)
        except Dependent as error:
            refused.add(error.axis)
            continue
        gauges, powers = _gauges(programs, users, reading.facts, labels, written, solution)
        return Found(reading, labels, solution, written, gauges, powers)


def read_separately(
    programs: Sequence[Program], users: Sequence[Any], moving: frozenset[str], refused: Collection[tuple[str, int]] = ()
) -> tuple[Reading, dict[str, Labels], Separate]:
    """Read until no operator wishes for more labels: the first reading, and which axes are labelled separately then."""
    program = programs[0]
    state = {n: v for n, v in program.state.items() if n not in program.buffers or n in moving}
    separate: dict[tuple[str, int], int] = {}
    while True:
        facts = Facts(Forms())
        labels = label_state(facts, state, separate)
        reading, *others = [read(p, users, labels, facts) for p in programs]
        for other in others:
            reading.unknown.update(other.unknown)
        wished = {(w.parameter, w.axis): w.groups for w in facts.wishes}
        new = {axis: groups for axis, groups in wished.items() if axis not in separate and axis not in refused}
        if not new:
            return reading, labels, separate
        separate |= new


def _written(program: Program, facts: Facts, labels: Mapping[str, Labels]) -> tuple[Solution, Written]:
    """The solution, and how it is written; what can't be written is fixed.

    Raises:
        Dependent: where an axis was labelled separately in vain.
    """
    solution = solve(facts)
    while True:
        try:
            return _together(program, labels, solution, write_axes(program.state, labels, solution))
        except Unwritable as error:
            _settle(facts, solution, error.dims)
            solution = solve(facts)
        except Dependent as error:
            together = bundled(solution, error.rows)
            if together is None:
                raise
            solution = together


def _together(
    program: Program, labels: Mapping[str, Labels], solution: Solution, written: Written
) -> tuple[Solution, Written]:
    """Dims of one size that stand beside each other wherever they occur, as one dim within a fixed one."""
    for rows in written.parallel():
        try:
            new = bundled(solution, rows)
            if new is not None:
                return _together(program, labels, new, write_axes(program.state, labels, new))
        except (Unwritable, Dependent):
            continue
    return solution, written


def _settle(facts: Facts, solution: Solution, dims: set[int]) -> None:
    """Fix the innermost of these dims, within what they are within: the outer ones may be free then."""
    facts.reason = "stands in an order that the notation can't state"
    outer = {solution.dims[d].within for d in dims}
    for dim in dims - outer:
        index = torch.tensor([place.get(dim, -1) for place in solution.coordinates])[torch.from_numpy(solution.element)]
        atoms = (index >= 0).nonzero().flatten()
        facts.mark(atoms, index[atoms])


def _gauges(
    programs: Sequence[Program],
    users: Sequence[Any],
    facts: Facts,
    labels: Mapping[str, Labels],
    written: Written,
    solution: Solution,
) -> tuple[dict[int, Gauge], dict[tuple[int, Place], int]]:
    """For each dim that has one, its gauge: a scale where there is one, else a sign."""
    outer = {dim.within for dim in solution.dims}
    uses = written.uses()
    left = [d.number for d in solution.dims if d.free and d.number not in outer and d.number in uses]
    gauges: dict[int, Gauge] = {}
    powers: dict[tuple[int, Place], int] = {}
    kinds: tuple[Gauge, ...] = ("scale", "sign")
    for gauge in kinds:
        again = replace(facts, forms=Forms(gauge), sets=list(facts.sets), unions=[], arrows=[], marks=[], wishes=set())
        unknown = with_unknowns(labels, written, left, again.forms)
        for program in programs:
            read(program, users, unknown, again)
        for dim in list(left):
            if found := exponents(again.forms, dim, uses[dim]):
                left.remove(dim)
                gauges[dim] = gauge
                powers |= {(dim, place): value for place, value in found.items()}
    return gauges, powers
