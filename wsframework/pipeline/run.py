"""``wsf run``: one seed or several, from a config to a report. The only module that knows every stage."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch

from wsframework.config.sections import Config
from wsframework.config.writing import to_toml
from wsframework.errors import RequestError
from wsframework.events import Observer, silent
from wsframework.parts.registry import Registry
from wsframework.pipeline.break_even import break_even
from wsframework.pipeline.evaluate import evaluate
from wsframework.pipeline.evidence import Evidence, pooled
from wsframework.pipeline.finished_run import FinishedRun
from wsframework.pipeline.gathering import gather
from wsframework.pipeline.lock import run_lock
from wsframework.pipeline.pictures import SHOWN_FILE, Shown, save_shown
from wsframework.pipeline.property_figures import property_figures
from wsframework.pipeline.rewriting import rewritten
from wsframework.pipeline.single import Run
from wsframework.pipeline.trial import try_out
from wsframework.pipeline.votes import vote_figures
from wsframework.store import write_atomic


@dataclass(frozen=True)
class RunResult:
    """What a run leaves: its folder, the report's path, and the content of scores.json."""

    folder: Path
    report: Path
    scores: dict[str, Any]


def run(config: Config, registry: Registry, out: Path, device: str = "auto", observer: Observer = silent) -> RunResult:
    """Do what ``config`` says in the folder ``out``, reusing every stage that holds from an earlier run.

    With ``repeats`` above 1, every seed has a folder ``out/seed-N`` with a report of its own, and ``out`` the
    report over all of them.

    Raises:
        ConfigError: where its parts can't be built, with a sentence for each of them.
        RequestError: where the config can't be carried out, or another run is writing into ``out``.
    """
    if config.ablate:
        raise RequestError(f"{config.name} has an [ablate] table: `ablate` runs its variants, `run` can't")
    if config.mix:
        raise RequestError(f"{config.name} has several [[network]] tables: `run_mixed` runs them, `run` can't")
    try_out(config.name, {config.name: config}, registry)
    with run_lock(out):
        return written(gathered(config, registry, out, device, observer), out)


def gathered(
    config: Config,
    registry: Registry,
    out: Path,
    device: str = "auto",
    observer: Observer = silent,
    zoo_folder: Callable[[Config], Path | None] = lambda _: None,
) -> Evidence:
    """What a run of ``config`` in ``out`` finds; with ``repeats``, over all seeds.

    Arguments:
        zoo_folder: says for each seed's config where its zoo is kept, if not in that seed's own folder.
    """
    if config.repeats == 1:
        return gather(Run(config, registry, out, device, observer, zoo_folder(config)))
    write_atomic(out / "config.toml", to_toml(config))
    found = []
    for one in seeds(config):
        folder = out / f"seed-{one.seed}"
        with run_lock(folder):
            found.append(gather(Run(one, registry, folder, device, observer, zoo_folder(one))))
            written(found[-1], folder)
    return replace(pooled(found), config=config)


def seeds(config: Config) -> list[Config]:
    """The config of each of its ``repeats``, in which it has one seed."""
    return [replace(config, seed=config.seed + k, repeats=1) for k in range(config.repeats)]


def written(evidence: Evidence, out: Path) -> RunResult:
    """Scores and report of ``evidence``, in the folder ``out``."""
    return kept(scores_of(evidence), evidence.pictures, out)


def kept(scores: dict[str, Any], pictures: Sequence[Shown], out: Path) -> RunResult:
    """``scores`` and their report, in the folder ``out``."""
    write_atomic(out / "scores.json", json.dumps(scores, indent=1) + "\n")
    save_shown(pictures, out / SHOWN_FILE)
    return RunResult(out, rewritten(FinishedRun(out, scores), out), scores)


def scores_of(evidence: Evidence) -> dict[str, Any]:
    """The content of scores.json."""
    config, objective = evidence.config, evidence.objective
    scores = evaluate(
        evidence.curves,
        objective.metric,
        objective.higher_is_better,
        roles=evidence.roles,
        not_applicable=evidence.reasons,
        seed=config.seed,
    )
    return {
        "name": config.name,
        "seed": config.seed,
        "repeats": config.repeats,
        "command": "wsf run config.toml --out again",
        "paper_table": config.tasks.part.use == "gaussians" and config.finetune.epochs == 20,
        **scores,
        "votes": {name: vote_figures(vote, objective, config.seed) for name, vote in evidence.votes.items()},
        "properties": {name: property_figures(found, config.seed) for name, found in evidence.properties.items()},
        **evidence.facts,
        "cost": evidence.cost,
        "break_even": _break_even(evidence, scores["baseline"], scores["reference"]),
        "versions": versions(),
    }


def _break_even(evidence: Evidence, baseline: str, reference: str) -> dict[str, float | None]:
    steps, repeats = evidence.facts["zoo"].get("steps", 0), evidence.config.repeats
    return break_even(evidence.curves, evidence.cost, steps, repeats, baseline, reference)


def versions() -> dict[str, str]:
    """Versions of what the numbers depend on."""
    return {
        "wsframework": metadata.version("wsframework"),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {platform.system()}",
    }
