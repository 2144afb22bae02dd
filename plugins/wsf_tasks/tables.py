"""`Table`: the rows of one of scikit-learn's data sets, and their classes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

QUARTERS = ("lowest quarter", "second quarter", "third quarter", "highest quarter")
OPENERS = {
    "breast cancer": "load_breast_cancer",
    "wine": "load_wine",
    "iris": "load_iris",
    "handwritten digits": "load_digits",
    "diabetes": "load_diabetes",
}
COMMONEST = 0.9
"""Of a column that is kept, the share of rows that have its commonest value, at most."""
FINENESS = 4
"""Values are blurred by this part of the smallest difference in their column, at most."""


@dataclass(frozen=True, eq=False)
class Table:
    """A data set.

    Attributes:
        name: what it is about.
        x: its values, (rows, columns), float64, without columns that hardly vary.
        y: classes, (rows,).
        columns: their names.
        classes: their names.
        gaps: the smallest difference between two values of each column, (columns,).
    """

    name: str
    x: Tensor
    y: Tensor
    columns: tuple[str, ...]
    classes: tuple[str, ...]
    gaps: Tensor

    def blurred(self, generator: torch.Generator) -> Tensor:
        """The values with noise that changes the order of no two, so that no rows are the same: (rows, columns)."""
        noise = 2 * torch.rand(self.x.shape, generator=generator, dtype=torch.float64) - 1
        return self.x + noise * self.gaps / FINENESS


@lru_cache(maxsize=1)
def tables() -> tuple[Table, ...]:
    """All of them, in the order of `OPENERS`."""
    return tuple(_table(name, opener) for name, opener in OPENERS.items())


def _table(name: str, opener: str) -> Table:
    from sklearn import datasets

    found = getattr(datasets, opener)(**({"scaled": False} if name == "diabetes" else {}))
    y, classes = _classes(name, found)
    varies = [np.unique(column, return_counts=True)[1].max() <= COMMONEST * len(y) for column in found.data.T]
    x = found.data[:, varies]
    return Table(
        name=name,
        x=torch.as_tensor(x, dtype=torch.float64),
        y=torch.as_tensor(y, dtype=torch.long),
        columns=tuple(str(column) for column, kept in zip(found.feature_names, varies, strict=True) if kept),
        classes=classes,
        gaps=torch.tensor([np.diff(np.unique(column)).min() for column in x.T], dtype=torch.float64),
    )


def _classes(name: str, found: Any) -> tuple[Any, tuple[str, ...]]:
    """Of each row its class, (rows,); of diabetes, whose progression is a number, in which quarter it lies."""
    if name != "diabetes":
        return found.target, tuple(str(name).replace("_", " ") for name in found.target_names)
    return np.searchsorted(np.quantile(found.target, (0.25, 0.5, 0.75)), found.target), QUARTERS
