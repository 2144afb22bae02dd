"""How many elements the group of a space has: logarithms, since they are too many to write."""

from __future__ import annotations

import math

from wsframework.spaces.notation import Dim
from wsframework.spaces.space import WeightSpace


def log10_permutations(space: WeightSpace) -> float:
    """Of the number of permutations: ``size!`` for each free dim, to the power of how often it occurs within others."""
    return sum(_copies(space, dim) * math.lgamma(dim.size + 1) / math.log(10) for dim in space.dims if dim.free)


def log10_signs(space: WeightSpace) -> float:
    """Of the number of signs that can be chosen."""
    return sum(_copies(space, dim) * dim.size * math.log10(2) for dim in space.dims if dim.gauge == "sign")


def scales(space: WeightSpace) -> int:
    """How many positive scales can be chosen."""
    return sum(_copies(space, dim) * dim.size for dim in space.dims if dim.gauge == "scale")


def _copies(space: WeightSpace, dim: Dim) -> int:
    """In how many elements of other dims there is one."""
    return 1 if dim.within is None else space.dim(dim.within).size * _copies(space, space.dim(dim.within))
