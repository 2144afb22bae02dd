"""The stage that writes ``report.md``, ``report.html`` and ``figures/*.png`` from the scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wsframework.pipeline.pictures import Shown
from wsframework.pipeline.report.contents import Figure, Section
from wsframework.pipeline.report.figures import draw_figures
from wsframework.pipeline.report.findings import findings
from wsframework.pipeline.report.numbers import number
from wsframework.pipeline.report.pictures import draw_pictures
from wsframework.pipeline.report.properties import properties_table
from wsframework.pipeline.report.rendering import rendered
from wsframework.pipeline.report.tables import (
    audit_table,
    comparison_table,
    cost_table,
    course_table,
    facts_table,
    initializers_table,
    paper_table,
    votes_table,
    wins_table,
)

__all__ = ["write_report"]


def write_report(scores: Mapping[str, Any], folder: Path, pictures: Sequence[Shown] = ()) -> Path:
    """Writes both reports and their figures into ``folder``; the HTML file needs nothing beside itself.

    Arguments:
        scores: what `evaluate` returned, and, where the run has them: ``name``, ``seed``, ``command``, ``notes``,
            ``paper_table`` (whether Table 1 of the paper is asked for), ``split`` (``drawn`` and figures),
            ``tasks``, ``votes``, ``memorization``, ``cost.<stage>.seconds`` and ``versions``.
        pictures: what networks say of the first tasks, where their family has pictures.

    Returns:
        The path of ``report.html``.
    """
    figures = draw_figures(scores, folder / "figures")
    drawn = [draw_pictures(pictures, folder / "figures")] if pictures else []
    sections = _sections(scores, figures, drawn)
    title = f"Run {scores['name']}" if "name" in scores else "Fine-tuning from every initializer"
    return rendered(title, sections, folder)


def _sections(scores: Mapping[str, Any], figures: list[Figure], pictures: list[Figure]) -> list[Section]:
    sections = [Section("What was found", [*findings(scores), *scores.get("notes", [])], listed=True)]
    if scores.get("paper_table"):
        sections.append(Section("Table 1 of the paper", tables=[paper_table(scores)]))
    sections.append(Section("Every initializer", tables=[initializers_table(scores)], figures=figures))
    if pictures:
        sections.append(Section("What networks say", figures=pictures))
    if scores["comparisons"]:
        sections.append(Section(f"{scores['reference']} against each of them", tables=[comparison_table(scores)]))
    if len(scores.get("wins", {})) > 1:
        sections.append(Section("Every pair", tables=[wins_table(scores)]))
    if scores.get("votes"):
        sections.append(Section("Votes of several draws", tables=[votes_table(scores)]))
    if scores.get("properties"):
        sections.append(Section("What the networks are like", tables=[properties_table(scores)]))
    sections.append(Section("The whole course of fine-tuning", tables=[course_table(scores)]))
    return [*sections, *_circumstances(scores)]


def _circumstances(scores: Mapping[str, Any]) -> list[Section]:
    """How the figures came about: memorisation audit, tasks, cost, versions and command, where given."""
    sections = []
    if found := scores.get("memorization"):
        sections.append(Section("Memorisation", [f"The prior's networks: {found['verdict']}."], [audit_table(found)]))
    split = dict(scores.get("split", {}))
    drawn = [str(split.pop("drawn"))] if "drawn" in split else []
    facts = {**{f"{kind} tasks": count for kind, count in scores.get("tasks", {}).items()}, **split}
    sections.append(Section("Tasks", drawn, [facts_table(facts)] if facts else []))
    if scores.get("cost"):
        sections.append(Section("Cost", _break_even(scores), [cost_table(scores)]))
    sections.append(Section("Statistics", [_statistics(scores)]))
    if scores.get("versions"):
        sections.append(Section("Versions", tables=[facts_table(scores["versions"], ("of", "version"))]))
    if scores.get("command"):
        sections.append(Section("To repeat it, in this folder", code=str(scores["command"])))
    return sections


def _break_even(scores: Mapping[str, Any]) -> list[str]:
    """After how many new tasks the zoo and the prior have paid for themselves, where that is known."""
    found = scores.get("break_even")
    if not found:
        return []
    told = [
        f"On a new task, {scores['reference']} saves {number(found['saved_steps'])} of {scores['budget']['steps']} "
        f"gradient steps on the way to {scores['baseline']}'s final support loss. The zoo's gradient steps have come "
        f"back {_when(found['tasks_by_steps'])}."
    ]
    if "tasks_by_seconds" in found:
        told.append(f"The seconds of zoo and prior have come back {_when(found['tasks_by_seconds'])}.")
    return told


def _when(tasks: float | None) -> str:
    return "never" if tasks is None else f"after {number(tasks)} tasks"


def _statistics(scores: Mapping[str, Any]) -> str:
    told = scores["statistics"]
    return (
        f"The {scores['n']} tasks are what is resampled ({told['resamples']} times, seed {told['seed']}); the "
        f"{scores['draws']} draw(s) of a task are averaged first. Mean losses have bootstrap-t intervals on the "
        "logarithm of the mean, paired differences plain bootstrap-t ones, bounded metrics BCa ones, medians the exact "
        "ones between order statistics. Times lower are ratios of geometric means, in which losses below "
        f"{told['floor']:g} count as that. With fewer than 8 tasks, Student's quantiles stand in for the bootstrap's."
    )
