"""An audit's figures as the rows of a table, for whoever prints it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

COLUMNS = ("networks", "number", "distance", "ratio", "near", "near one", "Z_U", "mistakes")
NAMES = {
    "samples": "samples",
    "zoo": "zoo, left out in turn",
    "test": "trained, not in the zoo",
    "noised": "zoo with noise",
    "averages": "averages of 16",
    "gaussian": "Gaussian",
}


def rows(facts: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """A row for each group of an audit's ``facts``: medians of distances, their ratio and overlaps, and counts."""
    return [(NAMES[name], *_cells(group)) for name, group in facts["groups"].items()]


def _cells(group: Mapping[str, Any]) -> tuple[str, ...]:
    overlap = "–" if group["overlap"] is None else f"{group['overlap']['median']:.2f}"
    return (
        str(group["networks"]),
        f"{group['distance']['median']:.3g}",
        f"{group['ratio']:.2f}",
        str(group["near"]),
        str(group["copies"]),
        f"{group['z_u']:.1f}",
        overlap,
    )
