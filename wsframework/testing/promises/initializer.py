"""What every initializer promises."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any, cast

import torch
from hypothesis import strategies as st
from torch import Tensor

from wsframework.config.building import build
from wsframework.config.sections import PartConfig, TrainSection
from wsframework.errors import NotApplicable
from wsframework.parts.interfaces import Architecture, Initializer, Setting
from wsframework.parts.registry import Registry
from wsframework.pipeline.train import train_prior
from wsframework.prior import Prior
from wsframework.prior_config import Design
from wsframework.spaces import Weights
from wsframework.tasks import Task, TaskShape
from wsframework.testing.check import Refusal, may_decline, promised, require, same, settled
from wsframework.testing.hidden import EXCHANGES
from wsframework.testing.subject import Subject
from wsframework.testing.task_strategies import made_task
from wsframework.testing.untouched import leaves, leaves_generator, of_setting, of_task
from wsframework.zoo import Zoo

SHAPE = TaskShape((2,), (2,), code=3)
SEEN, NETWORKS, POINTS = 10, 14, 16
MANY = 8
"""Draws that are not all the same by chance."""
ROLES = ("learned", "untrained", "control")
TRAIN = TrainSection(steps=2, batch=4, ema=0.0, decay=False)


@dataclass(frozen=True, eq=False)
class InitializerCase:
    """The setting that an initializer learns from, and the new tasks that it is asked about."""

    subject: Subject
    count: int
    draws: int
    seed: int

    def __str__(self) -> str:
        return f"{self.draws} draws for each of {self.count} tasks, a zoo of {NETWORKS} perceptrons, seed {self.seed}"

    def setting(self) -> Setting:
        """A zoo of small random networks for two-class tasks, and a prior that was trained for two steps."""
        return _setting(self.subject.parts, self.seed % 3)

    def fitted(self, setting: Setting | None = None) -> Initializer:
        """The initializer, fitted."""
        with may_decline():
            initializer = cast(Initializer, self.subject.build())
            try:
                initializer.fit(setting or self.setting())
            except NotApplicable as error:
                raise Refusal(str(error)) from None
        return initializer

    def tasks(self) -> list[Task]:
        """New tasks."""
        return [made_task(SHAPE, "classification", POINTS, 1000 + self.seed + k) for k in range(self.count)]

    def namesakes(self) -> list[Task]:
        """Other tasks, of the same names."""
        others = [made_task(SHAPE, "classification", POINTS, 2000 + self.seed + k) for k in range(self.count)]
        return [replace(other, name=task.name) for other, task in zip(others, self.tasks(), strict=True)]

    def weights(self, initializer: Initializer, tasks: Sequence[Task] | None = None, seed: int = 7) -> Tensor:
        """What it gives for tasks (default: all of them), (tasks, draws, size)."""
        torch.default_generator.manual_seed(self.seed)
        return initializer.weights(tasks or self.tasks(), self.draws, torch.Generator().manual_seed(seed))


def any_case(subject: Subject) -> st.SearchStrategy[InitializerCase]:
    """A few cases only, because some initializers train: one task or several, one draw or several."""
    return st.sampled_from([InitializerCase(subject, *sizes) for sizes in ((1, 1, 0), (3, 2, 1), (4, 1, 2), (2, 3, 3))])


def large_case(subject: Subject) -> Sequence[InitializerCase]:
    """More tasks and more draws than are generated."""
    return [InitializerCase(subject, 12, 8, 0)]


@lru_cache(maxsize=16)
def _recipe(registry: Registry, seed: int) -> tuple[Zoo, Architecture, Design, Prior]:
    """What the settings of one seed share."""
    generator = torch.Generator().manual_seed(seed)
    design = Design(
        network=PartConfig("mlp", {"widths": (4,)}),
        encoder=PartConfig("orbit"),
        conditioner=PartConfig("moments"),
        scheduler=PartConfig("ddpm", {"steps": 8}),
        denoiser=PartConfig("deepsets", {"width": 8, "blocks": 1}),
        steps=2,
    )
    architecture = cast(Architecture, build(registry, "architecture", design.network))
    tasks = [made_task(SHAPE, "classification", POINTS, 100 * seed + k) for k in range(SEEN)]
    x = architecture.initialize(SHAPE, NETWORKS, generator)
    weights = Weights(architecture.space(SHAPE), x + 0.5 * torch.randn(x.shape, generator=generator))
    zoo = Zoo(weights, torch.arange(NETWORKS) % SEEN, tasks, torch.rand(NETWORKS, generator=generator))
    return zoo, architecture, design, train_prior(design, registry, zoo, TRAIN, seed)


def _setting(registry: Registry, seed: int) -> Setting:
    zoo, architecture, design, prior = copy.deepcopy(_recipe(registry, seed))

    def train(changes: Mapping[str, Any], parts: Mapping[str, Any]) -> Prior:
        section = replace(TRAIN, **{**changes, "steps": 2})
        changed = replace(design, predict=section.predict, **parts)
        return train_prior(changed, registry, zoo, section, seed, name="another")

    features = prior.describe(zoo.tasks)
    generator = torch.Generator().manual_seed(seed)
    return Setting(zoo, architecture, SHAPE, features, prior.describe, prior, train, generator)


@promised("initializer", any_case, further=large_case)
def serves(case: InitializerCase) -> None:
    """It gives finite weights (tasks, draws, size) that the architecture's network takes, and has a role in reports."""
    role = cast(type[Initializer], case.subject.part).role
    require(role in ROLES, f"its role {role!r} is none of {', '.join(ROLES)}")
    setting = case.setting()
    x = case.weights(case.fitted(setting))
    wanted = (case.count, case.draws, setting.zoo.weights.space.size)
    require(x.shape == wanted, f"it gives {tuple(x.shape)}, not {wanted}")
    require(x.dtype == torch.float32, f"it gives weights in {x.dtype}")
    require(x.isfinite().all(), "a weight is not finite")
    require(not x.requires_grad, "the weights carry a graph of gradients")
    if case.count == 1:  # once is enough, where fitting may take long
        with suppress(Refusal):
            bare = case.fitted(replace(setting, prior=None))
            require(case.weights(bare).shape == wanted, "without a prior, the weights have another shape")


@promised("initializer", any_case)
def repeats(case: InitializerCase) -> None:
    """All randomness is that of the generators it is given; torch's is left alone, and no call changes the next."""
    found = []
    for seed in (1, 2):
        setting = case.setting()
        torch.default_generator.manual_seed(seed)
        with leaves_generator():
            initializer = case.fitted(setting)
            if seed == 2:
                initializer.weights(case.namesakes(), case.draws, torch.Generator().manual_seed(7))
            for _ in range(2):
                found.append(initializer.weights(case.tasks(), case.draws, torch.Generator().manual_seed(7)))
    require(same(found[0], found[2]), "equal generators give different weights, or other tasks of these names do")
    require(same(found[0], found[1]), "a second call with an equal generator gives different weights")
    generators = torch.Generator().manual_seed(7), torch.Generator().manual_seed(8)
    first, second = (initializer.weights(case.tasks(), case.draws, generators[0]) for _ in range(2))
    other = initializer.weights(case.tasks(), case.draws, generators[1])
    stays = same(first, second) and not same(first, other)
    require(not stays, "it draws the same again when one generator goes on, and others with another generator")


@promised("initializer", any_case, further=large_case)
def abstains(case: InitializerCase) -> None:
    """It looks at a new task's support data, code and text alone: not at query data, facts, its name or those of
    classes.
    """
    initializer = case.fitted()
    before = settled(lambda: case.weights(initializer))
    for what, exchange in EXCHANGES:
        after = case.weights(initializer, [exchange(task) for task in case.tasks()])
        require(same(before, after), f"the weights depend on the task's {what}")


@promised("initializer", any_case)
def preserves(case: InitializerCase) -> None:
    """It leaves the setting (zoo, features, prior, seen tasks) and the new tasks as they are, query data too."""
    setting, tasks = case.setting(), case.tasks()
    given, order = of_setting(setting), list(setting.zoo.tasks)
    with leaves("fit", given):
        initializer = case.fitted(setting)
    kept = len(order) == len(setting.zoo.tasks) and all(a is b for a, b in zip(order, setting.zoo.tasks, strict=True))
    require(kept, "fit changed the order of the seen tasks in place")
    for task in tasks:
        given |= of_task(task)
    with leaves("`weights`", given):
        x = case.weights(initializer, tasks)
    of_zoo = setting.zoo.weights.x.untyped_storage().data_ptr()
    require(x.untyped_storage().data_ptr() != of_zoo, "it gives the zoo's own tensor away, or a view of it")


@promised("initializer", any_case, further=large_case)
def separates(case: InitializerCase) -> None:
    """Where the generator does not matter to it, a task gets the same weights alone as among others; where it does,
    the draws of a task are not all the same, and the first task's don't depend on the others, unless it is a control.
    """
    initializer, tasks = case.fitted(), case.tasks()
    together, other = (settled(partial(case.weights, initializer, seed=seed)) for seed in (7, 8))
    if torch.equal(together, other):
        alone = torch.cat([case.weights(initializer, [task]) for task in tasks])
        require(torch.allclose(alone, together, rtol=1e-4, atol=1e-5), "a task alone gets other weights")
        require(torch.equal(together, together[:, :1].expand_as(together)), "draws differ, and not by the generator")
        return
    if case.draws >= MANY:
        require(not torch.equal(together, together[:, :1].expand_as(together)), "all draws of a task are the same")
    if cast(type[Initializer], case.subject.part).role != "control":
        among = case.weights(initializer, [tasks[0], *case.namesakes()[1:]])[0]
        alike = torch.allclose(among, together[0], rtol=1e-4, atol=1e-5, equal_nan=True)
        require(alike, "a task gets other weights among others")


CHECKS = (serves, repeats, abstains, preserves, separates)
