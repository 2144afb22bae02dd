"""What the stages of a run are known by: fingerprints of configs, of the source of parts, of the stages before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from importlib import metadata
from typing import Any

from torch import Tensor

from wsframework.config.later import record
from wsframework.config.sections import PART_SECTIONS, Config, PartConfig
from wsframework.parts.registry import Registry
from wsframework.pipeline.origin import origin
from wsframework.pipeline.stage import fingerprint
from wsframework.prior_config import Design


@dataclass(frozen=True, eq=False)
class Identity:
    """Of a run of one seed.

    Attributes:
        device: where its prior computes.
        shares_zoo: whether its zoo may be that of runs that differ in how many tasks are seen.
        beside: the fingerprint of what its prior is trained together with; empty where that is nothing.
    """

    config: Config
    registry: Registry
    device: str
    shares_zoo: bool
    beside: str = ""

    @property
    def design(self) -> Design:
        """The prior's parts."""
        c = self.config
        parts = (c.network, c.encoder, c.conditioner, c.scheduler, c.denoiser)
        return Design(*parts, c.train.predict, c.sample.steps, c.sample.scheduler)

    @property
    def zoo_recipe(self) -> dict[str, Any]:
        """What each of the zoo's networks depends on, however many there are."""
        c = self.config
        recipe = {**record(c.zoo), "seed": c.seed, "tasks": asdict(c.tasks), "network": asdict(c.network)}
        del recipe["size"], recipe["tasks"]["judge"]
        if self.shares_zoo:
            del recipe["tasks"]["seen"]
        return recipe | {"wsframework": metadata.version("wsframework"), "source": self._zoo_origin}

    @cached_property
    def zoo(self) -> str:
        """The fingerprint of everything that the zoo depends on."""
        c = self.config
        return fingerprint(c.seed, replace(c.tasks, judge="held_out"), c.network, c.zoo, self._zoo_origin)

    @cached_property
    def prior(self) -> str:
        """That of everything that the prior depends on; of one that another scheduler samples, of its training."""
        design = replace(self.design, sampler=None, steps=0) if self.design.sampler else self.design
        alone = fingerprint(self.zoo, design, self.config.train, self.device, self._prior_origin)
        return fingerprint(self.beside, alone) if self.beside else alone

    def initial(self, name: str) -> str:
        """That of the weights from the initializer ``name``."""
        c = self.config
        options = c.compare.options.get(name, {})
        drawn = (c.sample, c.compare.best_of, c.tasks.judge, c.finetune.support)
        source = origin(self.registry, "initializer", PartConfig(name, options))
        if c.sample.scheduler:
            source += origin(self.registry, "scheduler", c.sample.scheduler)
        return fingerprint(self.prior, name, options, *drawn, source)

    def curves(self, x: Tensor) -> str:
        """That of fine-tuning from weights x."""
        c = self.config
        return fingerprint(x, c.finetune, c.seed, self.zoo, c.tasks.judge)

    def audit(self, x: Tensor) -> str:
        """That of the audit of the prior's weights x."""
        c = self.config
        return fingerprint(x, c.audit, c.seed, self.zoo, c.tasks.judge)

    def pictures(self, before: Mapping[str, Tensor]) -> str:
        """That of fine-tuning each initializer's networks ``before``, to be shown."""
        c = self.config
        return fingerprint(before, c.finetune, c.seed, self.zoo, c.tasks.judge)

    @property
    def _zoo_origin(self) -> list[str]:
        """Of the source that the zoo is made by."""
        c = self.config
        return [*origin(self.registry, "task_family", c.tasks.part), *origin(self.registry, "architecture", c.network)]

    @property
    def _prior_origin(self) -> list[str]:
        """Of the source of the prior's parts."""
        parts = {name: getattr(self.config, name) for name in PART_SECTIONS}
        return [digest for name, part in parts.items() for digest in origin(self.registry, PART_SECTIONS[name], part)]
