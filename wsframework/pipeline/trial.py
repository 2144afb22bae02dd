"""The trial of a config: every part built once and thrown away, so that what can't work is told before work starts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from wsframework.config.building import build
from wsframework.config.sections import Config, PartConfig
from wsframework.errors import ConfigError, WsfError
from wsframework.parts.registry import Registry
from wsframework.prior import check_symmetry
from wsframework.process import check_prediction, check_sampler


def try_out(source: str, configs: Mapping[str, Config], registry: Registry, each: str = "variant") -> None:
    """Build every part of the ``configs``, which are keyed by name; ``each`` of them is what it is called.

    Nothing is trained or drawn, and torch's global generator is left as it was.

    Raises:
        ConfigError: with a sentence for each thing that parts refuse; one that not all share says whose it is.
    """
    with torch.random.fork_rng(devices=[]):
        found = {name: mistakes_of(config, registry) for name, config in configs.items()}
    mistakes = []
    for mistake in dict.fromkeys(mistake for own in found.values() for mistake in own):
        names = [name for name, own in found.items() if mistake in own]
        whose = "" if len(names) == len(found) else f"{each} {' and '.join(map(repr, names))}: "
        mistakes.append(f"{whose}{mistake}")
    if mistakes:
        raise ConfigError(source, mistakes)


def mistakes_of(config: Config, registry: Registry) -> list[str]:
    """What the parts of ``config`` refuse, one sentence each, beginning with the section."""
    trial = _Trial(registry)
    family = trial.part("tasks", "task_family", config.tasks.part)
    network = trial.part("network", "architecture", config.network)
    scheduler = trial.part("scheduler", "scheduler", config.scheduler)
    if scheduler is not None:
        trial.told("train", lambda: check_prediction(config.train.predict, scheduler))
        trial.sampler(config, scheduler)
    if family is not None and network is not None:
        trial.prior(config, family.shape, trial.told("network", lambda: network.space(family.shape)))
    for name in config.compare.options:
        trial.part(f"compare.{name}", "initializer", PartConfig(name, config.compare.options[name]))
    return trial.mistakes


class _Trial:
    """Builds parts, and notes what they refuse."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.mistakes: list[str] = []

    def told(self, section: str, make: Callable[[], Any]) -> Any:
        """What ``make`` gives, or None after a mistake."""
        try:
            return make()
        except WsfError as error:
            self.mistakes.append(f"[{section}] {error}")
            return None

    def part(self, section: str, kind: str, part: PartConfig, *given: Any) -> Any:
        """The part, or None after a mistake."""
        return self.told(section, lambda: build(self.registry, kind, part, *given))

    def sampler(self, config: Config, trained: Any) -> None:
        """The scheduler that samples: the ``trained`` one, or another of its noise schedule."""
        sampler, part = trained, config.sample.scheduler
        if part is not None:
            sampler = self.part("sample", "scheduler", part)
        if sampler is not None:
            self.told("sample", lambda: check_sampler(trained, sampler))
            self.told("sample", lambda: sampler.times(config.sample.steps or None))

    def prior(self, config: Config, shape: Any, space: Any) -> None:
        """Those parts of the prior that need the tasks' ``shape`` or the weights' ``space`` (None: there is none)."""
        conditioner = self.part("conditioner", "conditioner", config.conditioner, shape)
        if space is None:
            return
        encoder = self.part("encoder", "encoder", config.encoder, space)
        latent = None if encoder is None else self.told("encoder", lambda: encoder.latent(space))
        if latent is None or conditioner is None:
            return
        denoiser = self.part("denoiser", "denoiser", config.denoiser, latent, conditioner.size)
        if denoiser is not None:
            self.told("denoiser", lambda: check_symmetry(denoiser, encoder, latent))
