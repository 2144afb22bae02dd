"""Signed distance functions of solids, and the smooth union of two: Quilez, https://iquilezles.org/articles/distfunctions."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import one_hot

Solid = Callable[[Tensor, Tensor], Tensor]
"""Places (..., 3) around the centre and three sizes (3,) to signed distances (...)."""


def length(p: Tensor) -> Tensor:
    """Of vectors (..., n): (...)."""
    found: Tensor = torch.linalg.vector_norm(p, dim=-1)
    return found


def sphere(p: Tensor, sizes: Tensor) -> Tensor:
    """The first size is the radius."""
    return length(p) - sizes[0]


def box(p: Tensor, sizes: Tensor) -> Tensor:
    """Sizes are half the edges."""
    q = p.abs() - sizes
    return length(q.clamp(min=0)) + q.amax(-1).clamp(max=0)


def torus(p: Tensor, sizes: Tensor) -> Tensor:
    """Around the first axis; sizes are the ring's radius, and the tube's."""
    from_ring = torch.stack([length(p[..., 1:]) - sizes[0], p[..., 0]], -1)
    return length(from_ring) - sizes[1]


def capsule(p: Tensor, sizes: Tensor) -> Tensor:
    """Along the first axis; sizes are half the length of the core, and the radius."""
    along = p[..., :1]
    return length(torch.cat([along - along.clamp(-sizes[0], sizes[0]), p[..., 1:]], -1)) - sizes[1]


SOLIDS: dict[str, Solid] = {"sphere": sphere, "box": box, "torus": torus, "capsule": capsule}
KINDS = tuple(SOLIDS)
SIZES = {
    "sphere": ((0.2, 0.55), (0.0, 0.0), (0.0, 0.0)),
    "box": ((0.15, 0.5), (0.15, 0.5), (0.15, 0.5)),
    "torus": ((0.25, 0.4), (0.08, 0.2), (0.0, 0.0)),
    "capsule": ((0.15, 0.38), (0.1, 0.22), (0.0, 0.0)),
}
"""Between which values sizes are drawn."""

REACH = 0.35
BLEND = (0.02, 0.15)
_OF_ONE = (*KINDS, "axis x", "axis y", "axis z", "x", "y", "z", "size 1", "size 2", "size 3")
PARAMETERS = (*(f"first {name}" for name in _OF_ONE), *(f"second {name}" for name in _OF_ONE), "blend")
"""What the numbers of a union's parameters are: kinds and axes are one among zeros."""


def drawn(kinds: tuple[str, str], generator: torch.Generator) -> Tensor:
    """Parameters of a random union of two solids within [-1, 1]^3, (parameters,)."""
    low, high = BLEND
    blend = low + (high - low) * torch.rand(1, generator=generator)
    return torch.cat([*(_one(kind, generator) for kind in kinds), blend])


def _one(kind: str, generator: torch.Generator) -> Tensor:
    """Kind, axis, centre and sizes of one solid."""
    axis = one_hot(torch.randint(3, (), generator=generator), 3)
    low, high = torch.tensor(SIZES[kind]).unbind(-1)
    centre = REACH * (2 * torch.rand(3, generator=generator) - 1)
    of_kind = one_hot(torch.tensor(KINDS.index(kind)), len(KINDS))
    return torch.cat([of_kind, axis, centre, low + (high - low) * torch.rand(3, generator=generator)])


def union(p: Tensor, parameters: Tensor) -> Tensor:
    """Distances of places (..., 3) to the smooth union with these parameters: (...).

    ``min(a, b) - max(k - |a - b|, 0)^2 / (4 k)``: where neither solid is near the other, the smaller distance.
    """
    first, second, k = torch.split(parameters, [len(_OF_ONE), len(_OF_ONE), 1])
    a, b = solid(p, first), solid(p, second)
    united: Tensor = torch.minimum(a, b) - (k - (a - b).abs()).clamp(min=0).square() / (4 * k)
    return united


def solid(p: Tensor, parameters: Tensor) -> Tensor:
    """Distances of places (..., 3) to one solid: (...)."""
    kind, axis = int(parameters[: len(KINDS)].argmax()), int(parameters[len(KINDS) : -6].argmax())
    around = (p - parameters[-6:-3]).roll(-axis, -1)
    return SOLIDS[KINDS[kind]](around, parameters[-3:])
