"""Whether a task's descriptor lies within what was seen, as a clause."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from wsframework.parts.statistics import CONSTANT

MARGIN = 0.1
"""How far beyond what was seen a feature still counts as seen, in widths of that range."""


def outside(features: Tensor, low: Tensor, high: Tensor, called: Sequence[str] = ()) -> str:
    """The clause that says how far ``features`` lie outside their ranges; empty where they do not.

    Each is compared for itself with its range, widened on both sides by a tenth of its width (of 1, for one that
    was constant). Features that are inside one by one can still be unlike any that were seen together.

    Arguments:
        features: of one task, (features,).
        low, high: least and largest over the seen tasks, (features,).
        called: what the first of the features are, in words.

    >>> low, high = torch.tensor([0.0, -1.0]), torch.tensor([1.0, 1.0])
    >>> outside(torch.tensor([1.05, -1.1]), low, high)
    ''
    >>> outside(torch.tensor([3.0, 0.0]), low, high)
    '1 of the 2 numbers that describe the task lies outside what the prior has seen: number 1 is 3, seen was 0 to 1'
    """
    width = torch.where(high - low > CONSTANT, high - low, 1.0)
    beyond = torch.maximum(low - features, features - high) / width
    count = int((~(beyond <= MARGIN)).sum())  # no number is outside, too
    if not count:
        return ""
    worst = int(beyond.argmax())
    what = f" ({called[worst]})" if worst < len(called) else ""
    lie, most = ("lies", "") if count == 1 else ("lie", ", most of all")
    return (
        f"{count} of the {len(features)} numbers that describe the task {lie} outside what the prior has "
        f"seen{most}: number {worst + 1}{what} is {features[worst]:.4g}, seen was {_range(low[worst], high[worst])}"
    )


def _range(low: Tensor, high: Tensor) -> str:
    ends = f"{low:.4g}", f"{high:.4g}"
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)
