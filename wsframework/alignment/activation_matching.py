"""`match_activations`: networks brought to the place of a reference by what their neurons do on given inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from wsframework.alignment.assignment import best_move
from wsframework.alignment.bringing import Alignment, brought, reference_of
from wsframework.alignment.descent import State, ascended
from wsframework.alignment.likeness import Likeness
from wsframework.alignment.symmetries import Symmetries
from wsframework.errors import SpaceError
from wsframework.spaces import Weights, WeightSpace
from wsframework.tracing.activations import Activations


def match_activations(
    module: nn.Module,
    weights: Weights,
    reference: Weights | Mapping[str, Tensor],
    args: tuple[Any, ...] | Tensor,
    kwargs: Mapping[str, Any] | None = None,
    *,
    max_sweeps: int = 100,
) -> Alignment:
    """Bring every network to the place of the reference in which its neurons do most alike on the given inputs.

    Activation matching (Li et al., Convergent Learning, arXiv:1511.07543; Ainsworth et al., Git Re-Basin,
    arXiv:2209.04836, section 3.1): the score of two neurons is the cosine between their activations, over all
    examples and positions, summed over all tensors of the computation that carry their dim, and the best places of a
    dim's elements are a linear assignment. Each dim is matched by itself, in one pass; elements of an outer dim by
    the best that the dims within them can reach. Signs are chosen together with places; scales change no cosine,
    and are treated as by `align`.

    Where the dims occur in the computation is read off as by `trace`. A dim that no activation carries, since some
    operator keeps it to itself, is then matched by its weights, as by `align`.

    Arguments:
        module: of the architecture; its own weights don't matter. It is run in evaluation mode.
        weights: networks of one space, x (batch, size); the space was found by `trace`, or stated.
        reference: one network (a state dict, or `Weights` of length 1), or `Weights` with one for each network.
        args, kwargs: inputs, as the module is called with; many examples in one batch.
        max_sweeps: when to stop the matching of what no activation carries.

    Raises:
        SpaceError: if the space is not the module's, the reference has another space or number of networks, a count
            is negative, or activations are not numbers.
        TraceError: where the module can't be run on these inputs, or torch.export can't follow it.

    >>> import torch
    >>> module = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2))
    >>> from wsframework.tracing import trace
    >>> space = trace(module, torch.randn(4, 3))
    >>> moved = Weights.from_state_dicts(space, [space.random_symmetry().act(module.state_dict())])
    >>> found = match_activations(module, moved, module.state_dict(), torch.randn(100, 3))
    >>> torch.equal(found.weights[0]["0.weight"], module.state_dict()["0.weight"])
    True
    """
    goal = Weights(weights.space, reference_of(weights, reference))
    if max_sweeps < 0:
        raise SpaceError(f"max_sweeps={max_sweeps} is a count, not less than 0")
    activations = Activations(module, weights.space, (args,) if isinstance(args, Tensor) else tuple(args), kwargs)

    def match(state: State) -> tuple[State, Tensor]:
        found = [_likeness(activations, goal[k % len(goal)], one) for k, one in enumerate(weights)]
        left = [name for name in weights.space.free if name not in found[0].dims]
        return ascended(state.moved(_moves(weights.space, found)), left, None, max_sweeps if left else 0)

    return brought(weights, goal, match)


def _likeness(activations: Activations, new: Mapping[str, Tensor], old: Mapping[str, Tensor]) -> Likeness:
    """That of a network with its reference.

    Raises:
        SpaceError: where activations are not numbers.
    """
    found = Likeness(activations.space)
    activations.compare([new, old], found.add)
    for root, tables in found.tables.items():
        if not all(t.isfinite().all() for by_parity in tables.values() for t in by_parity.values()):
            raise SpaceError(f"on these inputs, activations that carry dim {root!r} are not numbers")
    return found


def _moves(space: WeightSpace, found: Sequence[Likeness]) -> Symmetries:
    """The best move of every outermost dim, for each network."""
    moves = Symmetries.identity(space, len(found))
    for root in found[0].tables:
        each = [best_move(space, root, one.tables[root], 1) for one in found]
        moves = Symmetries.stacked(each) @ moves
    return moves
