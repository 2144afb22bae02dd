"""What the stages of a run cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wsframework.pipeline.report.contents import Table, row
from wsframework.pipeline.report.numbers import duration

Scores = Mapping[str, Any]
STAGES = {"initialize-": "weights", "finetune-": "fine-tuning"}


def cost_tables(scores: Scores) -> list[Table]:
    """Seconds of the stages that are for all, and of each initializer's; with several seeds, the means over them."""
    costs = {stage: float(cost["seconds"]) for stage, cost in scores["cost"].items() if "seconds" in cost}
    own = {stage: seconds for stage, seconds in costs.items() if stage.startswith(tuple(STAGES))}
    rows = [row(stage, duration(seconds)) for stage, seconds in costs.items() if stage not in own]
    if own:
        rows.append(row("all initializers", duration(sum(own.values()))))
    whole = Table(("stage", "time"), (*rows, row("all", duration(sum(costs.values())))), _repeated(scores))
    return [whole, _initializers(own)] if own else [whole]


def _initializers(own: Mapping[str, float]) -> Table:
    """A row for each initializer: giving weights, and fine-tuning from them."""
    names = dict.fromkeys(stage.removeprefix(kind) for stage in own for kind in STAGES if stage.startswith(kind))
    rows = []
    for name in names:
        spent = (own.get(f"{kind}{name}") for kind in STAGES)
        rows.append(row(name, *("–" if seconds is None else duration(seconds) for seconds in spent)))
    told = "Weights: what an initializer learns for itself, and weights for all tasks. Fine-tuning: of all tasks."
    return Table(("initializer", *STAGES.values()), tuple(rows), told)


def _repeated(scores: Scores) -> str:
    repeats = scores.get("repeats", 1)
    told = f"Mean over {repeats} seeds, of each stage and of all: the whole took {repeats} times as long."
    return told if repeats > 1 else ""
