"""How the figures came about: tasks, cost, statistics, recipe, versions and command, where given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wsframework.pipeline.report.contents import Section
from wsframework.pipeline.report.costs import cost_tables
from wsframework.pipeline.report.facts import facts_table
from wsframework.pipeline.report.numbers import duration, number

Scores = Mapping[str, Any]


def about(scores: Scores) -> str:
    """A line on what was compared: tasks, initializers, budget, seeds, and how long all that took."""
    budget, repeats = scores["budget"], scores.get("repeats", 1)
    parts = [f"{scores['n']:,} tasks never seen", f"{len(scores['curves'])} initializers"]
    parts.append(f"fine-tuned for {budget['epochs']} epochs ({budget['steps']:,} steps)")
    if "seed" in scores:
        last = scores["seed"] + repeats - 1
        parts.append(f"seeds {scores['seed']} to {last}" if repeats > 1 else f"seed {scores['seed']}")
    if scores.get("cost"):
        parts.append(duration(repeats * sum(float(cost["seconds"]) for cost in scores["cost"].values())))
    return " · ".join(parts)


def circumstances(scores: Scores, recipe: str) -> list[Section]:
    """The sections on these; ``recipe`` is the config."""
    split = dict(scores.get("split", {}))
    drawn = [str(split.pop("drawn"))] if "drawn" in split else []
    tasks = dict(scores.get("tasks", {}))
    digest = {"digest of those judged": tasks.pop("digest")[:12]} if "digest" in tasks else {}
    facts = {**{f"{kind} tasks": count for kind, count in tasks.items()}, **digest, **split}
    sections = [Section("Tasks", drawn, [facts_table(facts)] if facts else [])]
    if scores.get("cost"):
        sections.append(Section("Cost", _break_even(scores), cost_tables(scores)))
    sections.append(Section("Statistics", [_statistics(scores)]))
    if recipe:
        sections.append(Section("Recipe", ["The config with every default, as it stands in config.toml."], code=recipe))
    if scores.get("versions"):
        sections.append(Section("Versions", tables=[facts_table(scores["versions"], ("of", "version"))]))
    if scores.get("command"):
        sections.append(Section("To repeat it, in this folder", code=str(scores["command"])))
    return sections


def _break_even(scores: Scores) -> list[str]:
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


def _statistics(scores: Scores) -> str:
    told = scores["statistics"]
    return (
        f"The {scores['n']} tasks are what is resampled ({told['resamples']} times, seed {told['seed']}); the "
        f"{scores['draws']} draw(s) of a task are averaged first. Mean losses have bootstrap-t intervals on the "
        "logarithm of the mean, paired differences plain bootstrap-t ones, bounded metrics BCa ones, medians the exact "
        "ones between order statistics. Times lower are ratios of geometric means, in which losses below "
        f"{told['floor']:g} count as that. With fewer than 8 tasks, Student's quantiles stand in for the bootstrap's."
    )
