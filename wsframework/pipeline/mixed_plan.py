"""What a mixed zoo has still to do, and about how long that takes: as `wsframework.pipeline.plan`, of all members."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from wsframework.config.sections import Config
from wsframework.events import Observer, Progress, silent
from wsframework.parts.registry import Registry
from wsframework.pipeline.arrangement import Arranged
from wsframework.pipeline.mixed import MixedRun
from wsframework.pipeline.plan import PASSES, STEPS, Rest, Stage, miniature, on_line

Costs = dict[str, dict[str, float]]
"""Seconds by member and stage; those of the training that members share under the empty name."""


def plan_mixed(
    config: Config,
    places: Mapping[str, Arranged],
    registry: Registry,
    out: Path,
    device: str = "auto",
    observer: Observer = silent,
) -> list[Stage]:
    """The stages of a mixed run of one seed in ``out``: the shared training, then each member's. Nothing is written."""
    measured = []
    for done, (steps, passes) in enumerate(zip(STEPS, PASSES, strict=True)):
        observer(Progress("miniature runs", done, len(STEPS), "runs"))
        measured.append(_measured(config, places, steps, passes, registry, device))
    few, more = measured
    mixed = MixedRun(config, places, registry, out, device)
    found = [_training(mixed, few[""]["prior"], more[""]["prior"])]
    for name, run in mixed.runs.items():
        rest = Rest(run)
        stages = [rest.stage(stage, few[name][stage], more[name][stage]) for stage in few[name]]
        found += [replace(stage, name=f"{name}: {stage.name}") for stage in stages]
    return found


def _measured(
    config: Config, places: Mapping[str, Arranged], steps: int, passes: int, registry: Registry, device: str
) -> Costs:
    """What the stages of all members cost in miniature, in a run that is thrown away."""
    small = {
        name: replace(one, member=replace(one.member, config=miniature(one.member.config, steps, passes)))
        for name, one in places.items()
    }
    with tempfile.TemporaryDirectory() as folder:
        mixed = MixedRun(miniature(config, steps, passes), small, registry, Path(folder), device)
        found = mixed.gather()
    costs = {name: {stage: float(c["seconds"]) for stage, c in one.cost.items()} for name, one in found.items()}
    return {**costs, "": {"prior": mixed.seconds}}


def _training(mixed: MixedRun, few: float, more: float) -> Stage:
    """The training that members share."""
    if mixed.cache.holds("prior", mixed.made_from):
        return Stage("prior", 1.0, 0.0, 0)
    train = mixed.config.train
    sizes = [mixed.runs[name].config.zoo.size for name in mixed.seen]
    steps = train.steps or train.epochs * sum(math.ceil(size / train.batch) for size in sizes)
    return Stage("prior", 0.0, on_line(STEPS, few, more, steps), 0)
