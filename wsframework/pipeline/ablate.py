"""An ablation: a run for every variant of a config, on shared zoos, judged on the same tasks, in one table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from wsframework.config.sections import Config
from wsframework.config.writing import to_tables, to_toml
from wsframework.errors import RequestError
from wsframework.events import Observer, of, silent
from wsframework.parts.registry import Registry
from wsframework.pipeline.curves import Curves
from wsframework.pipeline.evaluate import evaluate
from wsframework.pipeline.evidence import Evidence
from wsframework.pipeline.lock import run_lock
from wsframework.pipeline.report.ablation import write_ablation_report
from wsframework.pipeline.run import RunResult, gathered, seeds, versions, written
from wsframework.pipeline.single import Run
from wsframework.pipeline.stage import fingerprint
from wsframework.pipeline.trial import try_out
from wsframework.pipeline.variants import Variant, variants
from wsframework.store import write_atomic
from wsframework.tasks import Task

JUDGED = "prior"
"""The initializer whose figures an ablation compares."""


def ablate(
    config: Config,
    registry: Registry,
    out: Path,
    device: str = "auto",
    observer: Observer = silent,
    only: Sequence[str] = (),
) -> RunResult:
    """A run in ``out/VARIANT`` for each variant of ``config.ablate``, and a report that sets them side by side.

    Variants whose zoos have one recipe share the largest of them, in ``out/zoos``. Whatever an earlier call
    finished is reused where it still holds.

    Arguments:
        only: names of variants (their labels, joined by commas); the others are left out.

    Raises:
        ConfigError: where the parts of a variant can't be built, with a sentence for each of them.
        RequestError: where variants can't be compared, or another process is writing into ``out``.
    """
    found = variants(config, registry, only)
    try_out(config.name, {variant.name: variant.config for variant in found}, registry)
    with run_lock(out):
        write_atomic(out / "config.toml", to_toml(config))
        zoos = _Zoos(found, registry, out / "zoos", device)
        zoos.build(observer)
        curves, runs, described = {}, {}, {}
        for variant in found:
            with run_lock(out / variant.folder):
                evidence = gathered(
                    variant.config, registry, out / variant.folder, device, of(variant.name, observer), zoos.folder
                )
                runs[variant.name] = written(evidence, out / variant.folder).scores
            curves[variant.name] = replace(evidence.curves[JUDGED], initializer=variant.name)
            described[variant.name] = _described(variant, evidence)
        return _written(_scores(config, curves, runs, described), out)


class _Zoos:
    """Which folder keeps the zoo of which config.

    Zoos of one recipe share a folder if they differ in size only: each network of the smaller ones is trained
    for the very task that it has in the largest. Tasks are compared for that, examples and all.
    """

    def __init__(self, found: Sequence[Variant], registry: Registry, out: Path, device: str) -> None:
        self.registry, self.out, self.device = registry, out, device
        self.folders: dict[str, Path] = {}
        self.largest: dict[Path, Config] = {}
        groups: dict[str, list[Run]] = {}
        judged: dict[int, Sequence[Task]] = {}
        for k, variant in ((k, v) for v in found for k in range(v.config.repeats)):
            run = self._run(seeds(variant.config)[k], out)
            _check_judged(variant, run, judged.setdefault(k, run.judged_whole))
            groups.setdefault(fingerprint(run.identity.zoo_recipe), []).append(run)
        for key, runs in groups.items():
            self._share(key, runs)

    def _run(self, config: Config, folder: Path, observer: Observer = silent) -> Run:
        return Run(config, self.registry, self.out, self.device, observer, zoo_folder=folder)

    def _share(self, key: str, runs: Sequence[Run]) -> None:
        largest = max(runs, key=lambda run: run.config.zoo.size)
        several = len({run.config.tasks.seen for run in runs}) > 1
        together = several and all(_served(run, largest) for run in runs)
        for run in runs:
            folder = self.out / (key if together else fingerprint(key, run.config.tasks.seen))[:12]
            self.folders[run.identity.zoo] = folder
            other = self.largest.setdefault(folder, run.config)
            self.largest[folder] = max(other, run.config, key=lambda config: config.zoo.size)

    def build(self, observer: Observer) -> None:
        """Train the largest zoo of every folder; the smaller ones are its first networks."""
        for folder, config in self.largest.items():
            _ = self._run(config, folder, observer).zoo

    def folder(self, config: Config) -> Path:
        """Of the zoo of ``config``."""
        return self.folders[self._run(config, self.out).identity.zoo]


def _served(run: Run, by: Run) -> bool:
    """Whether each network of the run's zoo is trained for the task that the same one has in the zoo of ``by``."""
    ours, theirs = run.splits.seen, by.splits.seen
    return all(_same(ours[i % len(ours)], theirs[i % len(theirs)]) for i in range(run.config.zoo.size))


def _same(task: Task, other: Task) -> bool:
    pairs = ((task.support, other.support), (task.query, other.query))
    return all(a is b or (torch.equal(a.x, b.x) and torch.equal(a.y, b.y)) for a, b in pairs)


def _check_judged(variant: Variant, run: Run, first: Sequence[Task]) -> None:
    if JUDGED not in variant.config.compare.initializers:
        raise RequestError(
            f"variant {variant.name!r}: an ablation compares priors; add {JUDGED!r} to compare.initializers"
        )
    judged = run.judged_whole
    if len(judged) != len(first) or not all(map(_same, judged, first)):
        raise RequestError(
            f"variant {variant.name!r} would be judged on other tasks than the first, so that they can't be compared "
            "task by task; ablate only keys that leave the judged tasks as they are"
        )


def _described(variant: Variant, evidence: Evidence) -> dict[str, Any]:
    """What the table says of a variant besides its scores."""
    return {
        "labels": dict(variant.labels),
        "folder": variant.folder,
        "denoiser_parameters": evidence.facts["prior"]["denoiser_parameters"],
        "zoo_size": evidence.facts["zoo"]["size"],
        "prior_seconds": evidence.cost["prior"]["seconds"],
    }


def _scores(
    config: Config, curves: Mapping[str, Curves], runs: Mapping[str, Any], described: Mapping[str, Any]
) -> dict[str, Any]:
    """The content of scores.json: that of a run, with variants in the place of initializers, and the runs' own."""
    metric = next(iter(runs.values()))["metric"]
    scores = evaluate(
        curves, metric["name"], metric["higher_is_better"], reference=next(iter(curves)), seed=config.seed
    )
    return {
        "name": config.name,
        "seed": config.seed,
        "repeats": config.repeats,
        "command": "wsf run config.toml --out again",
        "ablate": to_tables(config)["ablate"],
        **scores,
        "variants": described,
        "cost": {name: {"seconds": sum(c["seconds"] for c in run["cost"].values())} for name, run in runs.items()},
        "versions": versions(),
        "runs": runs,
    }


def _written(scores: dict[str, Any], out: Path) -> RunResult:
    write_atomic(out / "scores.json", json.dumps(scores, indent=1) + "\n")
    return RunResult(out, write_ablation_report(scores, out), scores)
