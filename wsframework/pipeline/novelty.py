"""How new the judged tasks are: the distance of each to its nearest seen task."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

SAMPLE = 1000


def distances(judged: Tensor, seen: Tensor) -> dict[str, Any]:
    """Quantiles of the Euclidean distance from standardised descriptors to the nearest seen descriptor.

    Arguments:
        judged: descriptors of the judged tasks (tasks, features).
        seen: descriptors of the seen tasks (tasks, features).

    Returns:
        min, median and max for the judged tasks, and for seen tasks among themselves (leave one out), so that
        the first can be read against the second; empty where there are no features.
    """
    if judged.shape[-1] == 0 or len(seen) < 2:
        return {}
    among = torch.cdist(seen[:SAMPLE], seen)
    among[torch.arange(len(among)), torch.arange(len(among))] = torch.inf
    return {
        "judged_to_nearest_seen": _quantiles(torch.cdist(judged, seen).amin(1)),
        "seen_to_nearest_seen": _quantiles(among.amin(1)),
    }


def _quantiles(values: Tensor) -> dict[str, float]:
    return {"min": values.min().item(), "median": values.median().item(), "max": values.max().item()}
