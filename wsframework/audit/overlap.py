"""Wrong predictions that networks share: a network that errs where another one does may be that one."""

from __future__ import annotations

import torch
from torch import Tensor


def largest_overlap(wrong: Tensor, others: Tensor, own: Tensor | None = None) -> Tensor:
    """For each network, the largest intersection over union of its wrong predictions with those of any other.

    Zeng et al. 2025, arXiv:2506.07998.

    Arguments:
        wrong: where networks err, (networks, points) of truth values.
        others: where those err that they are compared with, (others, points).
        own: for each network, which of the others it is itself and not compared with, (networks,).

    Returns:
        float64 (networks,), from 0 to 1; NaN where a network makes no mistake.

    >>> import torch
    >>> largest_overlap(torch.tensor([[True, True, False]]), torch.tensor([[True, False, False], [False, True, True]]))
    tensor([0.5000], dtype=torch.float64)
    """
    mine, theirs = wrong.double(), others.double()
    both = mine @ theirs.T
    union = mine.sum(1).unsqueeze(1) + theirs.sum(1) - both
    found = both / union.clamp(min=1)
    if own is not None:
        found[torch.arange(len(found)), own] = -1
    return torch.where(wrong.any(1), found.amax(1), torch.nan)
