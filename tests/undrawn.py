"""Figures that are not drawn: drawing takes most of the time of a tiny run, and has tests of its own."""

from __future__ import annotations

from pathlib import Path

from wsframework.pipeline.report.contents import Figure


def empty(stem: str, shows: str, _: object, folder: Path, photo: bool = False) -> Figure:
    """A figure without its drawing, in place of `drawing.saved`."""
    (folder / f"{stem}.png").touch()
    return Figure(stem, shows, b"<svg/>", photo)
