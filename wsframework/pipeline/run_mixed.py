"""``wsf run`` of a config with several ``[[network]]`` tables: each one's report, and one over all of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from wsframework.config.sections import Config
from wsframework.config.writing import to_toml
from wsframework.errors import RequestError
from wsframework.events import Observer, silent
from wsframework.parts.registry import Registry
from wsframework.pipeline.arrangement import Arranged, members
from wsframework.pipeline.evidence import Evidence, pooled
from wsframework.pipeline.lock import run_lock
from wsframework.pipeline.mixed import MixedRun
from wsframework.pipeline.mixed_trial import try_mixed
from wsframework.pipeline.report.mixed import write_mixed_report
from wsframework.pipeline.run import RunResult, kept, scores_of, seeds, versions
from wsframework.ranks import Ranks
from wsframework.store import write_atomic


def run_mixed(
    config: Config, registry: Registry, out: Path, device: str = "auto", observer: Observer = silent
) -> RunResult:
    """Do what ``config`` says in the folder ``out``: zoos, one training for all, and every network's report.

    Each member has a folder ``out/NAME`` with the stages of an ordinary run. With ``repeats`` above 1, every seed has
    a folder ``out/seed-N`` with all of this, and ``out`` the reports over all seeds.

    Raises:
        ConfigError: where parts can't be built or shared, with a sentence for each of them.
        RequestError: where the config has one network, there are several processes, or another run writes into it.
    """
    if Ranks.here().count > 1:
        raise RequestError(f"{config.name} has several [[network]] tables: it trains in one process, without torchrun")
    if not config.mix:
        raise RequestError(f"{config.name} has one network: `run` runs it, `run_mixed` those with several [[network]]")
    places = _places(config, registry)
    with run_lock(out):
        if config.repeats == 1:
            return _written(*_gathered(config, places, registry, out, device, observer), config, places, out)
        write_atomic(out / "config.toml", to_toml(config))
        found = []
        for one in seeds(config):
            folder = out / f"seed-{one.seed}"
            with run_lock(folder):
                own = _places(one, registry)
                found.append(_gathered(one, own, registry, folder, device, observer))
                _written(*found[-1], one, own, folder)
        together = {name: _pooled([evidence[name] for evidence, _ in found], config) for name in places}
        return _written(together, sum(seconds for _, seconds in found) / len(found), config, places, out)


def _places(config: Config, registry: Registry) -> dict[str, Arranged]:
    return try_mixed(config.name, members(config, registry), registry)


def _gathered(
    config: Config, places: Mapping[str, Arranged], registry: Registry, out: Path, device: str, observer: Observer
) -> tuple[dict[str, Evidence], float]:
    """What each member's run finds, and the seconds of the training that they share."""
    mixed = MixedRun(config, places, registry, out, device, observer)
    return mixed.gather(), mixed.seconds


def _pooled(runs: Sequence[Evidence], config: Config) -> Evidence:
    found = pooled(runs)
    return replace(found, config=replace(found.config, seed=config.seed, repeats=config.repeats))


def _written(
    found: Mapping[str, Evidence], seconds: float, config: Config, places: Mapping[str, Arranged], out: Path
) -> RunResult:
    """Every member's scores and report, and those over all of them."""
    runs = {}
    for name, evidence in found.items():
        (out / name).mkdir(exist_ok=True)
        runs[name] = kept(_own_scores(evidence, places[name], len(places)), evidence.pictures, out / name).scores
    scores = {
        "name": config.name,
        "seed": config.seed,
        "repeats": config.repeats,
        "command": "wsf run config.toml --out again",
        "networks": {name: _described(one, runs[name]) for name, one in places.items()},
        "cost": {"prior": {"seconds": seconds}, **{name: {"seconds": _seconds(run)} for name, run in runs.items()}},
        "versions": versions(),
        "runs": runs,
    }
    write_atomic(out / "scores.json", json.dumps(scores, indent=1) + "\n")
    return RunResult(out, write_mixed_report(scores, out), scores)


def _own_scores(evidence: Evidence, one: Arranged, count: int) -> dict[str, Any]:
    """The scores of a member's run, which say that it is one, and how to repeat the whole."""
    scores = scores_of(evidence)
    told = f"One of the {count} networks of a mixed zoo, which share a denoiser."
    told += "" if one.member.seen else " The zoo has no network of this one; its prior comes from those of its kind."
    return {**scores, "notes": [told, *scores["notes"]], "command": "wsf run ../config.toml --out again"}


def _described(one: Arranged, run: Mapping[str, Any]) -> dict[str, Any]:
    """What the table says of a member besides its scores."""
    return {
        "folder": one.member.name,
        "seen": one.member.seen,
        "kind": one.place.group,
        "weights": one.space.size,
        "zoo_size": run["zoo"]["size"],
        "denoiser_parameters": run["prior"]["denoiser_parameters"],
    }


def _seconds(run: Mapping[str, Any]) -> float:
    return sum(float(stage["seconds"]) for stage in run["cost"].values())
