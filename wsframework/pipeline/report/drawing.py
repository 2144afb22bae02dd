"""What the report's figures are drawn on."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from wsframework.pipeline.report.contents import Figure

__all__ = ["REFERENCE", "SETTINGS", "Canvas", "blank", "saved"]

REFERENCE = "#bd1f01"
"""The colour of the initializer that the others are compared with."""
SETTINGS: Any = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e6e6e6",
    "axes.axisbelow": True,
    "svg.hashsalt": "wsframework",
}


def blank(width: float, height: float) -> tuple[Canvas, Axes]:
    """An empty figure; sizes in inches."""
    canvas = Canvas(figsize=(width, height), layout="constrained")
    return canvas, canvas.subplots()


def saved(stem: str, shows: str, canvas: Canvas, folder: Path, photo: bool = False) -> Figure:
    """The figure, written as ``folder/STEM.png`` too."""
    canvas.savefig(folder / f"{stem}.png", dpi=160, metadata={"Software": None})
    drawing = io.BytesIO()
    canvas.savefig(drawing, format="svg", metadata={"Date": None, "Creator": None})
    return Figure(stem, shows, drawing.getvalue(), photo)
