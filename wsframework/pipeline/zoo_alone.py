"""The zoo of a config, without the rest of its run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from wsframework.config.sections import Config
from wsframework.errors import RequestError
from wsframework.events import Observer, silent
from wsframework.parts.registry import Registry
from wsframework.pipeline.lock import run_lock
from wsframework.pipeline.single import Run
from wsframework.pipeline.trial import try_out
from wsframework.zoo import Zoo
from wsframework.zoo_store import ZooStore


def build_alone(config: Config, registry: Registry, folder: Path, observer: Observer = silent) -> Zoo:
    """The zoo that a run of ``config`` would build, in ``folder`` itself: one recipe, and the same numbers.

    Blocks that are there already are kept. Of a config with ``repeats`` it is that of the first seed; ``[ablate]`` is
    left aside.

    Raises:
        ConfigError: where its parts can't be built, with a sentence for each of them.
        RequestError: where the config has several networks, or another process is writing into ``folder``.
    """
    if config.mix:
        raise RequestError(f"{config.name} has several [[network]] tables: each zoo lies in the run's folder, NAME/zoo")
    config = replace(config, repeats=1, ablate={})
    try_out(config.name, {config.name: config}, registry)
    with run_lock(folder):
        run = Run(config, registry, folder, "cpu", observer)
        run.store = ZooStore(folder)
        return run.zoo
