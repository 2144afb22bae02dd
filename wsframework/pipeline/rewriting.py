"""The report of a run from what its folder holds; nothing is computed anew."""

from __future__ import annotations

from pathlib import Path

from wsframework.errors import StoreError
from wsframework.pipeline.finished_run import FinishedRun
from wsframework.pipeline.pictures import SHOWN_FILE, load_shown
from wsframework.pipeline.report import write_report
from wsframework.pipeline.report.ablation import write_ablation_report
from wsframework.pipeline.report.mixed import write_mixed_report
from wsframework.pipeline.wins import Wins, wins


def rewritten(run: FinishedRun, out: Path) -> Path:
    """Writes the report of ``run`` into the folder ``out``; returns the path of ``report.html``."""
    if run.kind == "ablation":
        return write_ablation_report(run.scores, out)
    if run.kind == "mixed":
        return write_mixed_report(run.scores, out)
    scores = dict(run.scores)
    try:
        found = _wins(run)
    except StoreError as error:
        found = {}
        scores["notes"] = [*scores["notes"], f"Who beats whom on how many tasks is not known: {error}."]
    return write_report(scores, out, load_shown(run.folder / SHOWN_FILE), found, run.recipe)


def _wins(run: FinishedRun) -> dict[str, Wins]:
    """Before any step, and after the last epoch."""
    return {"before": wins(run.curves, 0), "last": wins(run.curves, -1)}
