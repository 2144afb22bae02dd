"""``wsf report``: the report of a run once more, or several runs side by side."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer


def report(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders of finished runs.")],
    out: Annotated[
        Path | None, typer.Option(help="The report's folder (default: the run's own; of several, runs/comparison).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Write the report of a run once more, or one that sets several runs side by side.

    Nothing is computed anew: figures come from scores.json, and from the curves that the folder keeps. Of several runs,
    those that were judged on the same tasks by the same fine-tuning are compared, task by task. Stdout gets the
    report's path, or with --json the scores, or the comparison.
    """
    path, found = _one(runs[0], out) if len(runs) == 1 else _several(runs, out)
    typer.echo(json.dumps(found, indent=2) if as_json else path)


def _one(folder: Path, out: Path | None) -> tuple[Path, Mapping[str, Any]]:
    from wsframework.pipeline.finished_run import FinishedRun
    from wsframework.pipeline.lock import run_lock
    from wsframework.pipeline.rewriting import rewritten

    run = FinishedRun.read(folder)
    with run_lock(out or folder):
        return rewritten(run, out or folder), run.scores


def _several(folders: list[Path], out: Path | None) -> tuple[Path, Mapping[str, Any]]:
    from wsframework.pipeline.lock import run_lock
    from wsframework.pipeline.side_by_side import compare

    with run_lock(out or Path("runs/comparison")):
        return compare(folders, out or Path("runs/comparison"))
