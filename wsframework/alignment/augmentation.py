"""More networks from those there are: `augment` by symmetries, `mix_up` by mixtures of aligned pairs."""

from __future__ import annotations

import torch

from wsframework.alignment.matching import align as aligned
from wsframework.alignment.symmetries import Symmetries
from wsframework.errors import SpaceError
from wsframework.spaces import Weights


def augment(weights: Weights, generator: torch.Generator | None = None, gauge: bool = True) -> Weights:
    """Every network moved by a random symmetry of its own: another point, (batch, size), the same function.

    Permutations are uniform, signs fair, scales log-normal, as those of `WeightSpace.random_symmetry`.

    Arguments:
        weights: networks of one space.
        generator: of the symmetries.
        gauge: False permutes only.
    """
    moves = Symmetries.random(weights.space, len(weights), generator, gauge)
    return Weights(weights.space, moves.act(weights.x))


def mix_up(weights: Weights, generator: torch.Generator | None = None, align: bool = True) -> Weights:
    """For every network a mixture with another one, (batch, size): ``t w_i + (1 - t) g w_j``, t uniform in [0, 1].

    Every network is the partner of one other. With ``align`` g brings the partner to the network first: networks
    as they come lie in different basins, and mean weights of theirs compute nothing. From Shamsian et al.,
    Improved Generalization of Weight Space Networks via Augmentations (arXiv:2402.04081).

    Arguments:
        weights: networks of one space.
        generator: of partners and shares.
        align: False mixes networks as they come.

    Raises:
        SpaceError: if there are fewer than two networks.
    """
    if len(weights) < 2:
        raise SpaceError(f"networks are mixed in pairs; {len(weights)} can't be")
    order = torch.randperm(len(weights), generator=generator)
    partners = torch.empty_like(order)
    partners[order] = order.roll(1)
    others = Weights(weights.space, weights.x[partners])
    others = aligned(others, weights).weights if align else others
    share = torch.rand(len(weights), 1, generator=generator, dtype=torch.float64).to(weights.x)
    return Weights(weights.space, share * weights.x + (1 - share) * others.x)
