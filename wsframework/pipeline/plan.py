"""What a run has still to do, and about how long that takes: known from its folder, and from two runs in miniature."""

from __future__ import annotations

import math
import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from wsframework.config.sections import Config, EngineSection
from wsframework.events import Observer, Progress, silent
from wsframework.parts.registry import Registry
from wsframework.pipeline.finetune import CHUNK
from wsframework.pipeline.gathering import gather
from wsframework.pipeline.held import Held
from wsframework.pipeline.single import Run

STEPS = (8, 24)
"""Steps of the two miniatures: of the prior, and of fine-tuning where that is counted in steps."""
PASSES = (1, 3)
"""Their passes: of the zoo's networks, and of fine-tuning."""


@dataclass(frozen=True)
class Stage:
    """A line of a plan.

    Attributes:
        name: of the stage, as in a run's cost.
        kept: the share of it that the folder holds already, from 0 to 1.
        seconds: about how long the rest takes on this machine.
        bytes: about how much disk its weights take.
    """

    name: str
    kept: float
    seconds: float
    bytes: int


def plan(
    config: Config, registry: Registry, out: Path, device: str = "auto", observer: Observer = silent
) -> list[Stage]:
    """The stages of a run of one seed in ``out``, in order. Nothing is written there.

    The miniatures have one block of networks and few steps, and the run's own parts, tasks and draws. Each stage is
    measured in both and carried on along the line through the two, as it takes a start and so much a step.
    """
    measured = []
    for done, (steps, passes) in enumerate(zip(STEPS, PASSES, strict=True)):
        observer(Progress("miniature runs", done, len(STEPS), "runs"))
        measured.append(_measured(miniature(config, steps, passes), registry, device))
    rest = Rest(Run(config, registry, out, device))
    return [rest.stage(name, seconds, measured[1][name]) for name, seconds in measured[0].items()]


def miniature(config: Config, steps: int, passes: int) -> Config:
    """``config`` with so many steps, so many passes, and one block of networks."""
    tasks, zoo, finetune = config.tasks, config.zoo, config.finetune
    return replace(
        config,
        tasks=replace(tasks, held_out=min(tasks.held_out, CHUNK), validation=min(tasks.validation, CHUNK)),
        zoo=replace(zoo, size=min(zoo.size, zoo.block), epochs=passes, checkpoints=()),
        engine=EngineSection(workers=1),
        train=replace(config.train, steps=steps, epochs=0),
        finetune=replace(finetune, steps=steps) if finetune.steps else replace(finetune, epochs=passes),
    )


def _measured(config: Config, registry: Registry, device: str) -> dict[str, float]:
    """Seconds of each stage of a run, which is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        cost = gather(Run(config, registry, Path(folder), device)).cost
    return {name: float(stage["seconds"]) for name, stage in cost.items()}


class Rest:
    """What a run has still to do."""

    def __init__(self, run: Run) -> None:
        self.run, self.config, self.held = run, run.config, Held(run)
        self.network = 4 * run.space.size  # bytes
        tasks = self.config.tasks
        self.tasks = tasks.held_out if tasks.judge == "held_out" else tasks.validation

    def stage(self, name: str, few: float, more: float) -> Stage:
        """The rest of the stage, which took so many seconds in the two miniatures."""
        kind, _, initializer = name.partition("-")
        if kind == "zoo":
            return self._zoo(few, more)
        if kind == "finetune":
            return self._finetune(name, math.ceil(self.tasks / CHUNK), few, more)
        if kind == "pictures":
            return self._finetune(name, 1, few, more)
        if kind == "audit":
            return self._whole(name, more, 0)
        train, zoo = self.config.train, self.config.zoo
        steps = train.steps or train.epochs * math.ceil(zoo.size / train.batch)
        size = self.tasks * self._draws(initializer) * self.network if kind == "initialize" else 0
        return self._whole(name, on_line(STEPS, few, more, steps), size)

    def _zoo(self, few: float, more: float) -> Stage:
        zoo, engine = self.config.zoo, self.config.engine
        lacking, blocks = len(self.run.lacking), math.ceil(zoo.size / zoo.block)
        rounds = math.ceil(lacking / max(1, min(engine.workers or os.cpu_count() or 1, lacking)))
        seconds = rounds * on_line(PASSES, few, more, zoo.epochs)
        return Stage("zoo", 1 - lacking / blocks, seconds, (1 + len(zoo.checkpoints)) * zoo.size * self.network)

    def _finetune(self, name: str, rounds: int, few: float, more: float) -> Stage:
        section = self.config.finetune
        sizes, wanted = (STEPS, section.steps) if section.steps else (PASSES, section.epochs)
        return self._whole(name, rounds * on_line(sizes, few, more, wanted), 0)

    def _whole(self, name: str, seconds: float, size: int) -> Stage:
        """A stage that is kept as a whole or not at all."""
        return Stage(name, 1.0, 0.0, size) if self.held.holds(name) else Stage(name, 0.0, seconds, size)

    def _draws(self, initializer: str) -> int:
        sample = self.config.sample
        return max(sample.draws, sample.best_of if initializer in self.config.compare.best_of else 1)


def on_line(sizes: tuple[int, int], few: float, more: float, wanted: int) -> float:
    """The seconds at ``wanted`` on the line through those at two sizes, which does not fall."""
    slope = max(more - few, 0.0) / (sizes[1] - sizes[0])
    return max(few + slope * (wanted - sizes[0]), 0.0)
