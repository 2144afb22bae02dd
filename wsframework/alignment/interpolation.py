"""`barrier`: how much the loss rises on the straight line between two networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from wsframework.errors import SpaceError


@dataclass(frozen=True, eq=False)
class Barrier:
    """The loss along the line from a to b.

    Attributes:
        height: the largest excess of ``losses`` over the straight line between their ends; at least 0.
        positions: from 0 (a) to 1 (b), float64 of shape (points,).
        losses: at each of them, float64 of shape (points,).
    """

    height: float
    positions: Tensor
    losses: Tensor


def barrier(
    loss: Callable[[dict[str, Tensor]], Tensor | float],
    a: Mapping[str, Tensor],
    b: Mapping[str, Tensor],
    points: int = 25,
    *,
    batched: bool = False,
) -> Barrier:
    """The loss barrier between two networks (Frankle et al., Linear Mode Connectivity, arXiv:1912.05671).

    The loss of ``(1 - t) a + t b`` at equally spaced t, less ``(1 - t) loss(a) + t loss(b)``; the largest of these.
    Parameters that are not floating-point numbers stay those of a.

    Arguments:
        loss: the loss of a state dict.
        a, b: state dicts with the same names and shapes.
        points: how many, the ends among them.
        batched: ``loss`` is called once, with all points stacked (points, *shape), and returns (points,).

    Raises:
        SpaceError: if the two have different names or shapes, there are fewer than 3 points, or a batched loss
            returns another shape.

    >>> barrier(lambda state: (state["w"] ** 2 - 1) ** 2, {"w": torch.tensor(-1.0)}, {"w": torch.tensor(1.0)}).height
    1.0
    """
    _check(a, b, points)
    positions = torch.linspace(0, 1, points, dtype=torch.float64)
    line = {name: _between(a[name], b[name], positions) for name in a}
    if batched:
        losses = torch.as_tensor(loss(line)).detach().double()
    else:
        losses = torch.tensor([float(loss({n: v[k] for n, v in line.items()})) for k in range(points)]).double()
    if losses.shape != positions.shape:
        raise SpaceError(f"a batched loss of {points} networks has shape ({points},); this one {tuple(losses.shape)}")
    return Barrier((losses - torch.lerp(losses[0], losses[-1], positions)).max().item(), positions, losses)


def _check(a: Mapping[str, Tensor], b: Mapping[str, Tensor], points: int) -> None:
    if points < 3:
        raise SpaceError(f"a line of {points} points has nothing between its ends; 3 is the least")
    shapes = [{name: tuple(value.shape) for name, value in state.items()} for state in (a, b)]
    different = sorted(n for n in {**shapes[0], **shapes[1]} if shapes[0].get(n) != shapes[1].get(n))
    if different:
        raise SpaceError(f"no line leads from one network to another with other parameters: {', '.join(different)}")


def _between(a: Tensor, b: Tensor, positions: Tensor) -> Tensor:
    """Points of the line, (points, *shape)."""
    if not a.is_floating_point():
        return a.expand(len(positions), *a.shape)
    t = positions.to(a).reshape(-1, *[1] * a.dim())
    return torch.lerp(a.detach(), b.detach(), t)
