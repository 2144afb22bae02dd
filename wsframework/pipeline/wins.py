"""On which share of tasks one initializer beats another."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from wsframework.pipeline.curves import Curves
from wsframework.pipeline.intervals import Array

Wins = dict[str, dict[str, float]]


def wins(curves: Mapping[str, Curves], place: int) -> Wins:
    """``[row][column]``: the share of tasks whose mean query loss over draws is lower from row; a tie is half a win.

    Arguments:
        curves: by initializer, of the same tasks in the same order.
        place: in the curves: 0 before any step, -1 after the last epoch. A loss that is no number is beaten by any.
    """
    losses = {name: _losses(one, place) for name, one in curves.items()}
    return {
        row: {column: _share(ours, theirs) for column, theirs in losses.items() if column != row}
        for row, ours in losses.items()
    }


def _losses(curves: Curves, place: int) -> Array:
    found: Array = curves.query_loss[..., place].double().mean(1).cpu().numpy()
    return np.nan_to_num(found, nan=np.inf)


def _share(ours: Array, theirs: Array) -> float:
    return float(((ours < theirs) + 0.5 * (ours == theirs)).mean())
