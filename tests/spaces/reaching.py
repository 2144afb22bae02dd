"""What a set of group elements leads to, coordinate by coordinate."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from wsframework.spaces import Symmetry, WeightSpace


def reached(space: WeightSpace, elements: list[Symmetry]) -> np.ndarray:
    """For every coordinate, the number of the class of those that the elements lead to from it."""
    here = np.tile(np.arange(space.size), len(elements))
    there = np.concatenate([g.index.numpy() for g in elements] or [here])
    links = coo_array((np.ones(len(here)), (here, there)), shape=(space.size, space.size))
    return connected_components(links, directed=False)[1]
