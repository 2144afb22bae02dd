"""Coordinate ascent on the inner product with a reference: one dim after the other is given its best places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from wsframework.alignment.anchors import start
from wsframework.alignment.assignment import best_move
from wsframework.alignment.lines import Line, lines, tables, within
from wsframework.alignment.pieces import picked, pieces
from wsframework.alignment.symmetries import Symmetries
from wsframework.randomness import generator as named_generator
from wsframework.spaces import WeightSpace


@dataclass(frozen=True, eq=False)
class State:
    """Networks on their way to a reference.

    Attributes:
        space: where they live.
        counted: names of the parameters that are compared; those of the reference's others are zero.
        values: their pieces in the present arrangement, each (batch, *sizes).
        reference: pieces of the reference, each (1 or batch, *sizes).
        so_far: the elements that led from the given networks to the present ones.
        objective: the inner product of each with its reference, (batch,).
        tolerance: what rounding alone might raise the objective by, (batch,).
    """

    space: WeightSpace
    counted: frozenset[str]
    values: Sequence[Tensor]
    reference: Sequence[Tensor]
    so_far: Symmetries
    objective: Tensor
    tolerance: Tensor

    @classmethod
    def of(
        cls,
        space: WeightSpace,
        values: Sequence[Tensor],
        reference: Sequence[Tensor],
        counted: frozenset[str] | None = None,
    ) -> State:
        """Networks where they are given; without ``counted`` all parameters are."""
        counted = frozenset(space.shapes) if counted is None else counted
        pairs = zip(pieces(space), reference, strict=True)
        reference = [r if p.block.parameter in counted else torch.zeros_like(r) for p, r in pairs]
        so_far = Symmetries.identity(space, len(values[0]))
        norms = _inner(values, values).sqrt() * _inner(reference, reference).sqrt()
        tolerance = 10 * torch.finfo(values[0].dtype).eps * norms
        return cls(space, counted, values, reference, so_far, _inner(values, reference), tolerance)

    def moved(self, move: Symmetries) -> State:
        """After ``move``."""
        values = move.act_on_pieces(self.values)
        return replace(self, values=values, so_far=move @ self.so_far, objective=_inner(values, self.reference))

    def where(self, chosen: Tensor, other: State) -> State:
        """This state for the networks ``chosen`` (batch,), the ``other`` for the rest."""
        values = [a if a is b else picked(chosen, a, b) for a, b in zip(self.values, other.values, strict=True)]
        return replace(
            self,
            values=values,
            so_far=self.so_far.where(chosen, other.so_far),
            objective=torch.where(chosen, self.objective, other.objective),
        )

    def rows(self, rows: Tensor) -> State:
        """The networks at the indices ``rows`` alone."""
        if len(rows) == len(self.objective):
            return self
        reference = [r if len(r) == 1 else r[rows] for r in self.reference]
        values = [v[rows] for v in self.values]
        so_far = self.so_far.rows(rows)
        return State(self.space, self.counted, values, reference, so_far, self.objective[rows], self.tolerance[rows])

    def replaced(self, rows: Tensor, others: State) -> State:
        """This state, with ``others`` at the indices ``rows``."""
        if len(rows) == len(self.objective):
            return replace(others, reference=self.reference)
        values = [v.index_copy(0, rows, o) for v, o in zip(self.values, others.values, strict=True)]
        objective = self.objective.index_copy(0, rows, others.objective)
        return replace(self, values=values, so_far=self.so_far.replaced(rows, others.so_far), objective=objective)


def anchored(state: State) -> State:
    """After a first pass from the fixed axes inwards, for those networks that it brings nearer."""
    begun = state
    for step in start(state.space, state.counted).steps:
        begun = begun.moved(_move(begun, step.dim, step.lines))
    return begun.where(begun.objective > state.objective, state)


def sweep(state: State, order: Sequence[str]) -> tuple[State, Tensor]:
    """Every dim of ``order`` once; and which networks changed, (batch,). No objective falls."""
    changed = torch.zeros(len(state.objective), dtype=torch.bool)
    for dim in order:
        for chosen in _attempts(state.space, state.counted, dim):
            moved = state.moved(_move(state, dim, chosen))
            risen = moved.objective > state.objective + state.tolerance
            if risen.any():
                state, changed = moved.where(risen, state), changed | risen
    return state, changed


def ascended(state: State, dims: Sequence[str], seed: int | None, most: int) -> tuple[State, Tensor]:
    """After so many sweeps of ``dims`` that nothing changes, or ``most``; networks that have converged are left alone.

    Without a ``seed`` dims take their turns in the given order, with one in a random one.
    """
    order = None if seed is None else named_generator(seed, "order")
    sweeps, active = torch.zeros(len(state.objective), dtype=torch.long), torch.arange(len(state.objective))
    for _ in range(most):
        if not len(active):
            break
        shuffled = dims if order is None else [dims[k] for k in torch.randperm(len(dims), generator=order).tolist()]
        swept, changed = sweep(state.rows(active), shuffled)
        state = state.replaced(active, swept)
        sweeps[active] += 1
        active = active[changed]
    return state, sweeps


def _attempts(space: WeightSpace, counted: frozenset[str], dim: str) -> list[tuple[Line, ...]]:
    """With the dims within and without them, and where either is a linearisation, by its exact part alone too."""
    whole = [lines(space, counted, dim, deep) for deep in ((True, False) if within(space, dim) else (False,))]
    parts = [tuple(line for line in some if line.exact) for some in whole]
    return [some for some in dict.fromkeys((*whole, *parts)) if some]


def _move(state: State, dim: str, chosen: Sequence[Line]) -> Symmetries:
    found = tables(state.space, chosen, state.values, state.reference)
    return best_move(state.space, dim, found, len(state.objective))


def _inner(values: Sequence[Tensor], reference: Sequence[Tensor]) -> Tensor:
    """Inner products of weights and reference, in double precision: (batch,)."""
    pairs = zip(values, reference, strict=True)
    return torch.stack([(v * r).reshape(len(v), -1).sum(1, dtype=torch.float64) for v, r in pairs]).sum(0)
