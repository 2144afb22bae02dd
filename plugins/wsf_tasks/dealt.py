"""Things dealt to splits, so that no two splits share one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import torch

from wsframework.tasks import Split

T = TypeVar("T")


def dealt(things: Sequence[T], apart: int, generator: torch.Generator) -> dict[Split, list[T]]:
    """Of ``things`` in random order the first ``apart`` held out, as many for validation, the others seen."""
    order = [things[i] for i in torch.randperm(len(things), generator=generator).tolist()]
    return {"seen": order[2 * apart :], "validation": order[apart : 2 * apart], "held_out": order[:apart]}
