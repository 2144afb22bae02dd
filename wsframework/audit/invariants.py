"""Features of networks that no symmetry changes, whose distance is never more than that of the networks."""

from __future__ import annotations

from torch import Tensor

from wsframework.spaces import WeightSpace
from wsframework.spaces.orbits import orbits


def sorted_orbits(space: WeightSpace, x: Tensor) -> Tensor:
    """The coordinates of networks x (batch, size), whose scales are in balance, in ascending order orbit by orbit.

    A symmetry only moves coordinates within their orbits, and of all ways to pair two sets of numbers the one in
    ascending order has the least sum of squares (the rearrangement inequality). So the Euclidean distance of two
    rows is a lower bound of the networks' distance in every alignment. Where signs act, magnitudes are sorted.

    >>> import torch
    >>> space = WeightSpace.parse("free h=3\\nfixed i=1\\nw h i")
    >>> sorted_orbits(space, torch.tensor([[2.0, 3.0, 1.0]])).tolist()
    [[1.0, 2.0, 3.0]]
    """
    signed = any(d.gauge == "sign" for d in space.dims)
    ascending, order = (x.abs() if signed else x).sort(-1)
    orbit = orbits(space).index.to(x.device)[order]
    return ascending.gather(-1, orbit.argsort(dim=-1, stable=True))
