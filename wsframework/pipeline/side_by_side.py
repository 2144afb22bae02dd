"""Several finished runs side by side: which can be compared, and there the priors paired over tasks."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wsframework.errors import RequestError
from wsframework.pipeline.evaluate import evaluate
from wsframework.pipeline.finished_run import FinishedRun
from wsframework.pipeline.report.side_by_side import write_comparison
from wsframework.store import save_json

FIGURES = ("curves", "area", "speedup", "roles", "metric", "n", "budget", "baseline", "reference", "statistics")
"""What is taken over from the scores of a run."""


def compare(folders: Sequence[Path], out: Path) -> tuple[Path, dict[str, Any]]:
    """Sets the runs in ``folders`` side by side: ``comparison.json`` and the reports, in the folder ``out``.

    Returns:
        The path of ``report.html``, and the content of ``comparison.json``.

    Raises:
        RequestError: if a folder is no finished run's, or has no one prior.
        StoreError: if the curves of comparable runs can't be read.
    """
    runs = {label: FinishedRun.read(folder) for label, folder in _labelled(folders).items()}
    for label, run in runs.items():
        _check(label, run)
    found = compared(runs)
    save_json(out / "comparison.json", found)
    return write_comparison(found, out), found


def compared(runs: Mapping[str, FinishedRun]) -> dict[str, Any]:
    """The content of ``comparison.json``: ``runs``, ``groups`` of comparable ones, ``reasons``, ``paired``."""
    keys = {label: _conditions(run) for label, run in runs.items()}
    groups: list[list[str]] = []
    for label in runs:
        own = next((g for g in groups if keys[label]["tasks"] and keys[g[0]] == keys[label]), None)
        groups.append([label]) if own is None else own.append(label)
    paired: dict[str, Any] = {}
    for group in groups:
        paired |= _paired({label: runs[label] for label in group})
    return {
        "runs": {label: {**_told(run), "conditions": keys[label]} for label, run in runs.items()},
        "groups": groups,
        "reasons": _reasons(keys, groups),
        "paired": paired,
        "command": f"wsf report {' '.join(str(run.folder) for run in runs.values())}",
    }


def _labelled(folders: Sequence[Path]) -> dict[str, Path]:
    """Each folder under its name, or, where several have it, under its path.

    Raises:
        RequestError: where a folder is given twice.
    """
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise RequestError("a run can't be compared with itself: the same folder was given twice")
    names = [folder.resolve().name for folder in folders]
    return {n if names.count(n) == 1 else str(f): f for n, f in zip(names, folders, strict=True)}


def _check(label: str, run: FinishedRun) -> None:
    if run.kind != "run":
        inside = run.scores["variants" if run.kind == "ablation" else "networks"].values()
        first = run.folder / next(iter(inside))["folder"]
        what = "an ablation" if run.kind == "ablation" else "a mixed zoo"
        raise RequestError(f"{label}: {what} has several priors; name the folders of its runs, such as {first}")


def _conditions(run: FinishedRun) -> dict[str, Any]:
    """All that has to be the same for losses to be comparable; ``tasks`` is None where the run does not say."""
    told = tomllib.loads(run.recipe).get("finetune", {})
    return {
        "tasks": run.scores.get("tasks", {}).get("digest"),
        "metric": run.scores["metric"]["name"],
        "fine-tuning": {**told, "steps in all": run.scores["budget"]["steps"]},
    }


def _reasons(keys: Mapping[str, Mapping[str, Any]], groups: Sequence[Sequence[str]]) -> list[str]:
    """For each group after the first, why it is not comparable with the first."""
    first, *others = (group[0] for group in groups)
    found = []
    for label in others:
        if keys[label]["tasks"] is None or keys[first]["tasks"] is None:
            unnamed = label if keys[label]["tasks"] is None else first
            found.append(f"{label} and {first} may differ in tasks: {unnamed} has no digest of them; run it once more.")
        else:
            differing = [name for name in keys[label] if keys[label][name] != keys[first][name]]
            found.append(f"{label} is not comparable with {first}: other {' and other '.join(differing)}.")
    return found


def _paired(runs: Mapping[str, FinishedRun]) -> dict[str, Any]:
    """The priors of comparable runs against that of the first, task by task."""
    priors = {label: run for label, run in runs.items() if run.scores["reference"] in run.scores["curves"]}
    if len(priors) < 2:
        return {}
    curves = {label: run.curves[run.scores["reference"]] for label, run in priors.items()}
    metric = next(iter(priors.values())).scores["metric"]
    first = next(iter(curves))
    found = evaluate(curves, metric["name"], metric["higher_is_better"], reference=first, baseline=first)
    return dict(found["comparisons"])


def _told(run: FinishedRun) -> dict[str, Any]:
    """The figures of a run, and where they come from."""
    scores = run.scores
    seconds = sum(float(stage["seconds"]) for stage in scores["cost"].values()) * scores.get("repeats", 1)
    return {
        "folder": str(run.folder),
        "name": scores.get("name", run.folder.name),
        "seed": scores.get("seed", 0),
        "repeats": scores.get("repeats", 1),
        "seconds": seconds,
        "wsframework": scores["versions"]["wsframework"],
        **{key: scores[key] for key in FIGURES if key in scores},
    }
