"""Sections as Markdown and as HTML."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

import jinja2

from wsframework.pipeline.report.contents import Cell, Section


def rendered(title: str, sections: Sequence[Section], folder: Path, about: str = "") -> Path:
    """Writes ``report.md`` and ``report.html``; returns the path of the second. ``about`` stands below the title."""
    folder.mkdir(parents=True, exist_ok=True)
    for suffix in ("md", "html"):
        text = _templates().get_template(f"report.{suffix}.j2").render(title=title, sections=sections, about=about)
        (folder / f"report.{suffix}").write_text(text, encoding="utf-8")
    return folder / "report.html"


def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("wsframework.pipeline.report"),
        autoescape=lambda name: name is not None and name.startswith("report.html"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["markdown_cell"] = _markdown_cell
    environment.filters["base64"] = lambda data: base64.b64encode(data).decode()
    return environment


def _markdown_cell(cell: Cell) -> str:
    text = f"**{cell.text}**" if cell.strong else cell.text
    return f"{text} ({cell.detail})".replace("|", "\\|") if cell.detail else text.replace("|", "\\|")
