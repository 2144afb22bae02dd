"""`align`: networks brought to the place of a reference, without changing their functions."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import torch
from torch import Tensor

from wsframework.alignment.bringing import Alignment, brought
from wsframework.alignment.descent import State, anchored, ascended
from wsframework.alignment.symmetries import Symmetries
from wsframework.errors import SpaceError, nearest
from wsframework.randomness import generator as named_generator
from wsframework.spaces import Weights, WeightSpace


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
    if restarts < 0 or max_sweeps < 0:
        raise SpaceError(f"restarts={restarts} and max_sweeps={max_sweeps} are counts; neither is less than 0")
    counted = _counted(weights.space, compare)
    return brought(weights, reference, lambda state: _best(state, generator, restarts, max_sweeps), counted)


def _counted(space: WeightSpace, compare: Collection[str] | None) -> frozenset[str] | None:
    for name in compare or ():
        if name not in space.shapes:
            raise SpaceError(f"no parameter {name!r} to compare in this space{nearest(name, space.shapes)}")
    return None if compare is None else frozenset(compare)


def _best(state: State, generator: torch.Generator | None, restarts: int, most: int) -> tuple[State, Tensor]:
    """The best of several starts, and the sweeps that it took."""
    drawn = torch.randint(2**62, (restarts + 1,), generator=generator) if generator else torch.arange(restarts + 1)
    first, *others = drawn.tolist()
    dims = list(state.space.free)
    best, sweeps = ascended(anchored(state), dims, first if generator else None, most)
    for seed in others:
        begun = Symmetries.random(state.space, 1, named_generator(seed, "start")).rigid().repeated(len(sweeps))
        found, took = ascended(state.moved(begun), dims, seed, most)
        better = found.objective > best.objective
        best, sweeps = found.where(better, best), torch.where(better, took, sweeps)
    return best, sweeps
