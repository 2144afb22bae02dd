"""Why something stays fixed, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from wsframework.tracing.facts import Facts, Mark
from wsframework.tracing.finding import Found
from wsframework.tracing.program import Program
from wsframework.tracing.reading import NO_RULE
from wsframework.tracing.solving import Solution, solve

_FOLLOWS = "follows from what else stays fixed, or moves in a way that the notation can't state"


def fixed_axes(program: Program, found: Found) -> dict[tuple[str, int], str]:
    """For each parameter and axis of more than one position that no dim moves: why."""
    reasons = _first_reasons(found.reading.facts, found.solution)
    why: dict[tuple[str, int], str] = {}
    for name, axes in found.written.axes.items():
        for axis, written in enumerate(axes):
            if program.state[name].shape[axis] == 1 or any(f.dim is not None for f in written.factors):
                continue
            why[name, axis] = _why(name, axis, found, reasons)
    return why


def _why(name: str, axis: int, found: Found, reasons: Mapping[int, str]) -> str:
    if name not in found.labels:
        return "a constant: training doesn't change this buffer"
    column = next((c for c in found.labels[name].columns if c.axes[-1] == axis), None)
    elements = [] if column is None else np.unique(found.solution.element[column.atoms.flatten().numpy()]).tolist()
    return next((reasons[e] for e in elements if e in reasons), _FOLLOWS)


def _first_reasons(facts: Facts, solution: Solution) -> dict[int, str]:
    """For each element, what fixed it: the first invariant that tells all atoms apart, else the first of all."""
    found: dict[int, str] = {}
    for mark in sorted(facts.marks, key=lambda m: not _all_apart(m)):
        for element in np.unique(solution.element[mark.atoms.numpy()]).tolist():
            found.setdefault(element, mark.reason)
    return found


def _all_apart(mark: Mark) -> bool:
    values = mark.values.numpy()
    return len(np.unique(values)) == len(values)


def notes(found: Found) -> tuple[str, ...]:
    """For each operator without a rule: how many dims it may have cost."""
    return tuple(_note(name, found) for name in found.reading.unknown)


def _note(operator: str, found: Found) -> str:
    facts = found.reading.facts
    without = replace(facts, marks=[m for m in facts.marks if m.reason != NO_RULE.format(operator)])
    more = sum(d.free for d in solve(without).dims) - sum(d.free for d in found.solution.dims)
    dims = f"{more} dim{'' if more == 1 else 's'}"
    cost = (
        f"{dims} stay{'s' if more == 1 else ''} fixed that might be free" if more > 0 else "no dim stays fixed for it"
    )
    return f"{operator} has no rule: {cost}"
