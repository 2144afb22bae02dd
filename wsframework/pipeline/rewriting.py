"""The report of a run from what its folder holds; nothing is computed anew."""

from __future__ import annotations

from pathlib import Path

from wsframework.pipeline.finished_run import FinishedRun
from wsframework.pipeline.pictures import SHOWN_FILE, load_shown
from wsframework.pipeline.report import write_report
from wsframework.pipeline.report.ablation import write_ablation_report
from wsframework.pipeline.report.mixed import write_mixed_report


def rewritten(run: FinishedRun, out: Path) -> Path:
    """Writes the report of ``run`` into the folder ``out``; returns the path of ``report.html``."""
    if run.kind == "ablation":
        return write_ablation_report(run.scores, out)
    if run.kind == "mixed":
        return write_mixed_report(run.scores, out)
    return write_report(run.scores, out, load_shown(run.folder / SHOWN_FILE), run.recipe)
