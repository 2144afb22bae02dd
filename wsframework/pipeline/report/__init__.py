"""The stage that writes ``report.md``, ``report.html`` and ``figures/*.png`` from the scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wsframework.pipeline.pictures import Shown
from wsframework.pipeline.report.circumstances import about, circumstances
from wsframework.pipeline.report.contents import Figure, Section
from wsframework.pipeline.report.figures import draw_figures
from wsframework.pipeline.report.findings import findings
from wsframework.pipeline.report.memorization import memorization_section
from wsframework.pipeline.report.pictures import draw_pictures
from wsframework.pipeline.report.properties import properties_table
from wsframework.pipeline.report.rendering import rendered
from wsframework.pipeline.report.tables import (
    comparison_table,
    course_table,
    initializers_table,
    paper_table,
    votes_table,
)
from wsframework.pipeline.report.verdict import called, capital, verdict
from wsframework.pipeline.report.wins import wins_section

__all__ = ["write_report"]

SEEN = (
    "The truth is above; below it, what a network from each initializer says. Where examples are places in the plane, "
    "dots are query examples in the colours of their classes, and behind them lies the class that the network sees at "
    "each place, in a paler mixture the less sure it is."
)


def write_report(
    scores: Mapping[str, Any],
    folder: Path,
    pictures: Sequence[Shown] = (),
    recipe: str = "",
) -> Path:
    """Writes both reports and their figures into ``folder``; the HTML file needs nothing beside itself.

    Arguments:
        scores: what `evaluate` returned, and, where the run has them: ``name``, ``seed``, ``command``, ``notes``,
            ``paper_table`` (whether Table 1 of the paper is asked for), ``split`` (``drawn`` and figures),
            ``tasks``, ``votes``, ``memorization``, ``cost.<stage>.seconds`` and ``versions``.
        pictures: what networks say of the first tasks, where their family has pictures.
        recipe: the config with every default, as TOML.

    Returns:
        The path of ``report.html``.
    """
    figures = draw_figures(scores, folder / "figures")
    drawn = [draw_pictures(pictures, folder / "figures")] if pictures else []
    sections = [*_results(scores, figures, drawn), *circumstances(scores, recipe)]
    title = f"Run {scores['name']}" if "name" in scores else "Fine-tuning from every initializer"
    return rendered(title, sections, folder, about(scores))


def _results(scores: Mapping[str, Any], figures: list[Figure], pictures: list[Figure]) -> list[Section]:
    curves = [figure for figure in figures if figure.stem not in ("speedup", "against")]
    speed, against = ([figure for figure in figures if figure.stem == stem] for stem in ("speedup", "against"))
    told = [*findings(scores), *scores.get("notes", [])]
    sections = [Section("What was found", told, listed=True, lead=verdict(scores))]
    if scores.get("paper_table"):
        sections.append(Section("Table 1 of the paper", tables=[paper_table(scores)]))
    sections.append(Section("The course of fine-tuning", figures=curves))
    sections.append(Section("Every initializer", tables=[initializers_table(scores)], figures=speed))
    if scores["comparisons"]:
        title = f"{capital(called(scores))} against each of them"
        sections.append(Section(title, tables=[comparison_table(scores)], figures=against))
    sections += [wins_section(scores)] if len(scores.get("wins", {})) > 1 else []
    sections += [Section("What networks say", [SEEN], figures=pictures)] if pictures else []
    sections += [Section("Votes of several draws", tables=[votes_table(scores)])] if scores.get("votes") else []
    if scores.get("properties"):
        sections.append(Section("What the networks are like", tables=[properties_table(scores)]))
    sections.append(Section("Areas under the curves", tables=[course_table(scores)]))
    return [*sections, *([memorization_section(scores["memorization"])] if scores.get("memorization") else [])]
