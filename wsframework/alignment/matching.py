"""`align`: networks brought to the place of a reference, without changing their functions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from wsframework.alignment.balance import balance
from wsframework.alignment.descent import State, anchored, sweep
from wsframework.alignment.pieces import cut
from wsframework.alignment.symmetries import Symmetries
from wsframework.errors import SpaceError, nearest
from wsframework.randomness import generator as named_generator
from wsframework.spaces import Symmetry, Weights, WeightSpace


@dataclass(frozen=True, eq=False)
class Distances:
    """Euclidean distances of networks from their reference, float64 of shape (batch,)."""

    before: Tensor
    after: Tensor


@dataclass(frozen=True, eq=False)
class Alignment:
    """Networks aligned to a reference.

    Attributes:
        weights: the aligned networks; each computes what it did.
        symmetries: one group element a network, ``symmetries[i].act(original) == aligned``.
        distances: from the reference, before and after.
        sweeps: how often every dim was gone through until nothing changed, by network, (batch,).
    """

    weights: Weights
    symmetries: tuple[Symmetry, ...]
    distances: Distances
    sweeps: Tensor


def align(
    weights: Weights,
    reference: Weights | Mapping[str, Tensor],
    *,
    generator: torch.Generator | None = None,
    restarts: int = 0,
    max_sweeps: int = 100,
    compare: Collection[str] | None = None,
) -> Alignment:
    """Bring every network as near to the reference as weight matching finds.

    The inner product with the reference is raised dim by dim (Ainsworth et al., Git Re-Basin, arXiv:2209.04836),
    for the whole batch at once: with all other dims where they are, the best places of one dim's elements are a
    linear assignment. Elements of an outer dim are compared by the best that the dims within them can reach.
    Where a dim occurs twice in a parameter the assignment is a linearisation, and a move counts only if the inner
    product itself rises; it never falls. A first pass places dims from the fixed axes inwards. What is found is a
    local optimum.

    Signs are chosen together with places. Scales are not compared: networks and reference are first brought to
    the scales of least norm (`canonical`), matched there, and the networks are then given the reference's scales.
    Both are part of the symmetries.

    Arguments:
        weights: networks of one space, x (batch, size).
        reference: one network (a state dict, or `Weights` of length 1), or `Weights` with one for each network.
        generator: of the order of dims in each sweep, and of the restarts; without it the order is the space's, and
            restarts are the same each time.
        restarts: how many times to start again from a random symmetry; the best is kept.
        max_sweeps: when to stop a network that still changes.
        compare: names of the parameters that the inner product counts, all where none are given. The others, such
            as running statistics, whose large values would decide alone, only move along.

    Raises:
        SpaceError: if the reference has another space or number of networks, a count is negative, or a name
            in ``compare`` is unknown.

    >>> space = WeightSpace.parse("free h=3\\nfixed i=1\\nw h i")
    >>> aligned = align(Weights(space, torch.tensor([[1.0, 2.0, 3.0]])), {"w": torch.tensor([[3.1], [0.9], [2.0]])})
    >>> aligned.weights.x.tolist(), aligned.symmetries[0].permutations["h"].tolist()
    ([[3.0, 1.0, 2.0]], [2, 0, 1])
    """
    goal = _reference(weights, reference)
    if restarts < 0 or max_sweeps < 0:
        raise SpaceError(f"restarts={restarts} and max_sweeps={max_sweeps} are counts; neither is less than 0")
    if not len(weights):
        none = torch.zeros(0, dtype=torch.float64)
        return Alignment(weights, (), Distances(none, none), none.long())
    scales, goal_scales = balance(weights.space, weights.x), balance(weights.space, goal)
    values, aims = _balanced(scales, weights.x), _balanced(goal_scales, goal)
    state = State.of(weights.space, values, aims, _counted(weights.space, compare))
    found, sweeps = _best(state, generator, restarts, max_sweeps)
    total = goal_scales.repeated(len(weights)).unscaled() @ found.so_far @ scales
    x = total.act(weights.x)
    distances = Distances(_distance(weights.x, goal), _distance(x, goal))
    return Alignment(Weights(weights.space, x), tuple(total[i] for i in range(len(x))), distances, sweeps)


def _reference(weights: Weights, reference: Weights | Mapping[str, Tensor]) -> Tensor:
    """The reference's coordinates, (1 or batch, size)."""
    if not isinstance(reference, Weights):
        reference = Weights(weights.space, weights.space.flatten(reference).reshape(1, -1))
    if reference.space != weights.space:
        raise SpaceError("networks can only be aligned to a reference of their own weight space; these two differ")
    if len(reference) not in (1, len(weights)):
        raise SpaceError(
            f"{len(weights)} networks are aligned to one reference or to {len(weights)}; {len(reference)} were given"
        )
    return reference.x.to(weights.x)


def _balanced(scales: Symmetries, x: Tensor) -> list[Tensor]:
    """Pieces of weights in balance, in at least single precision."""
    return cut(scales.space, scales.act(x.detach().to(torch.promote_types(x.dtype, torch.float32))))


def _counted(space: WeightSpace, compare: Collection[str] | None) -> frozenset[str] | None:
    for name in compare or ():
        if name not in space.shapes:
            raise SpaceError(f"no parameter {name!r} to compare in this space{nearest(name, space.shapes)}")
    return None if compare is None else frozenset(compare)


def _best(state: State, generator: torch.Generator | None, restarts: int, most: int) -> tuple[State, Tensor]:
    """The best of several starts, and the sweeps that it took."""
    drawn = torch.randint(2**62, (restarts + 1,), generator=generator) if generator else torch.arange(restarts + 1)
    first, *others = drawn.tolist()
    best, sweeps = _ascended(anchored(state), first if generator else None, most)
    for seed in others:
        begun = Symmetries.random(state.space, 1, named_generator(seed, "start")).rigid().repeated(len(sweeps))
        found, took = _ascended(state.moved(begun), seed, most)
        better = found.objective > best.objective
        best, sweeps = found.where(better, best), torch.where(better, took, sweeps)
    return best, sweeps


def _ascended(state: State, seed: int | None, most: int) -> tuple[State, Tensor]:
    """After so many sweeps that nothing changes, or ``most``; networks that have converged are left alone."""
    dims = list(state.space.free)
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


def _distance(x: Tensor, goal: Tensor) -> Tensor:
    distance: Tensor = torch.linalg.vector_norm((x.detach() - goal.detach()).double(), dim=-1)
    return distance
