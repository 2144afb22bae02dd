"""Spaces with gauges, and elements of their groups that turn and scale neurons where they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import torch
from hypothesis import strategies as st

from wsframework.spaces import Symmetry, WeightSpace
from wsframework.spaces.notation import Gauge
from wsframework.testing.strategies import mlp_spaces, weight_spaces


def gauged_spaces() -> st.SearchStrategy[WeightSpace]:
    """Perceptrons whose neurons have signs or scales, and spaces of every form."""
    perceptrons = st.sampled_from(get_args(Gauge)).flatmap(lambda gauge: mlp_spaces(widths=(1, 6), gauge=gauge))
    return perceptrons | weight_spaces(max_dims=4, max_parameters=3, max_size=300)


def turning(space: WeightSpace, kinds: Sequence[Gauge], seed: int) -> Symmetry:
    """A random element with gauges of these kinds, and no permutation; of each dim with signs, some are turned."""
    g, still = space.random_symmetry(torch.Generator().manual_seed(seed)), space.identity_symmetry()
    factors = {n: f if space.dim(n).gauge in kinds else still.factors[n] for n, f in g.factors.items()}
    unturned = {n for n, f in factors.items() if space.dim(n).gauge in kinds and (f == 1).all()}
    return Symmetry(space, still.permutations, {n: -f if n in unturned else f for n, f in factors.items()})
