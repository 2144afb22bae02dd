"""`Prior`: the trained four (encoder, conditioner, scheduler, denoiser), from a task to weights."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from wsframework.card import card
from wsframework.config.building import Named, as_config, build
from wsframework.config.sampling import inheriting
from wsframework.errors import PartError, RequestError, StoreError
from wsframework.parts.entrypoints import load_registry
from wsframework.parts.interfaces import Denoiser, Scheduler, TaskConditioner, WeightEncoder
from wsframework.parts.registry import Registry
from wsframework.prior_config import Design, Origin, Place, PriorConfig
from wsframework.process import check_prediction, check_sampler
from wsframework.seen_range import outside
from wsframework.selection import best, losses_on_support
from wsframework.spaces import Weights, WeightSpace, prefixed
from wsframework.stated import architecture_of
from wsframework.store import load_tensors, save_tensors, write_atomic
from wsframework.tasks import Task, TaskShape
from wsframework.training import calibrated

FEATURES = ("feature_mean", "feature_std", "feature_min", "feature_max")
"""Buffers (features,): what is known of the raw features over the seen tasks."""


class Prior(nn.Module):
    """A distribution over weights given a task: ``p(w | task)``.

    Arguments:
        design: the parts.
        shape: sizes of the tasks that it serves.
        registry: where the parts are looked up; by default every installed plugin.
        origin: what it is trained on.
        place: of its networks in a mixed zoo, whose denoiser it has.

    Attributes:
        named: the latent under the names that the denoiser knows it by.
        scheduler: of the noise that it is trained on.
        sampler: the scheduler that samples; the same, unless the design names another one.

    Raises:
        PartError: where parts do not fit each other.
    """

    feature_mean: Tensor
    feature_std: Tensor
    feature_min: Tensor
    feature_max: Tensor

    def __init__(
        self,
        design: Design,
        shape: TaskShape,
        registry: Registry | None = None,
        origin: Origin | None = None,
        place: Place | None = None,
    ) -> None:
        super().__init__()
        registry = registry or load_registry()
        self.design, self.shape, self.origin, self.place = design, shape, origin or Origin(), place
        self.architecture = architecture_of(registry, design.network)
        self.space = self.architecture.space(shape)
        fitted = WeightSpace.parse(place.fitted) if place and place.fitted else self.space
        self.encoder = cast(WeightEncoder, build(registry, "encoder", design.encoder, fitted))
        self.latent = self.encoder.latent(self.space)
        self.named = prefixed(self.latent, place.member, place.group) if place else self.latent
        served = WeightSpace.parse(place.union) if place else self.latent
        self.conditioner = cast(TaskConditioner, build(registry, "conditioner", design.conditioner, shape))
        self.scheduler = cast(Scheduler, build(registry, "scheduler", design.scheduler))
        check_prediction(design.predict, self.scheduler)
        self.sampler = self._sampler(registry)
        self.denoiser = cast(Denoiser, build(registry, "denoiser", design.denoiser, served, self.conditioner.size))
        check_symmetry(self.denoiser, self.encoder, self.latent)
        for name in FEATURES:
            self.register_buffer(name, torch.zeros(0))

    def _sampler(self, registry: Registry) -> Scheduler:
        """The scheduler that samples."""
        if self.design.sampler is None:
            return self.scheduler
        sampler = cast(Scheduler, build(registry, "scheduler", self.design.sampler))
        check_sampler(self.scheduler, sampler)
        return sampler

    def with_scheduler(
        self, scheduler: Named | None = None, steps: int | None = None, registry: Registry | None = None
    ) -> Prior:
        """This prior, its tensors shared, sampled by another scheduler of its noise schedule, or in other steps.

        Arguments:
            scheduler: its name, or a table with ``use`` and options; options that are not named, it has from the
                scheduler that the prior is trained with. None: the one that samples now.
            steps: of sampling; 0: the scheduler's own grid. None: as now.

        Raises:
            PartError: where there is no such scheduler, or it goes through other noise.
        """
        registry, prior = registry or load_registry(), copy.copy(self)
        sampler, asked = self.design.sampler, {"use": scheduler} if isinstance(scheduler, str) else scheduler
        if asked is not None:
            sampler = as_config(inheriting(asked, self.design.scheduler, registry))
        prior.design = replace(self.design, sampler=sampler, steps=self.design.steps if steps is None else steps)
        prior.sampler = prior._sampler(registry)
        return prior

    @property
    def device(self) -> torch.device:
        """Where the prior computes."""
        return self.feature_mean.device

    def describe(self, tasks: Sequence[Task]) -> Tensor:
        """Descriptors of tasks, standardised over the seen tasks: (tasks, features)."""
        return self.standardise(self.raw_features(tasks))

    def raw_features(self, tasks: Sequence[Task]) -> Tensor:
        """What the conditioner says of each task, (tasks, features)."""
        return torch.stack([self.conditioner.describe(task) for task in tasks]).to(self.device)

    def standardise(self, features: Tensor) -> Tensor:
        """Raw features (tasks, features) in units of the seen tasks' mean and deviation."""
        return (features - self.feature_mean) / self.feature_std

    def fit_features(self, features: Tensor) -> None:
        """Take mean, deviation and range from the seen tasks' raw features; a constant feature stays unscaled."""
        found = self.conditioner.statistics(features)
        self.feature_mean, self.feature_std = found.mean, found.deviation
        self.feature_min, self.feature_max = found.low, found.high

    def outside(self, task: Task) -> str:
        """How far a task lies outside what was seen, as a clause (`seen_range.outside`); empty where it does not."""
        called = self.conditioner.called(task)
        return outside(self.raw_features([task])[0], self.feature_min, self.feature_max, called)

    def mix(self, x_0: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """``x_t = alpha_t x_0 + sigma_t eps`` for latents (batch, size) and times (batch,)."""
        alpha_t, sigma_t = (a.unsqueeze(-1) for a in self.scheduler.alpha_sigma(t))
        return alpha_t * x_0 + sigma_t * noise

    def target(self, x_0: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        """What the denoiser should say at ``x_t``: eps, the scheduler's velocity ``v = a_t x_0 + b_t eps``, or x_0."""
        if self.design.predict == "epsilon":
            return noise
        if self.design.predict == "clean":
            return x_0
        a_t, b_t = (a.unsqueeze(-1) for a in self.scheduler.velocity(t))
        return b_t * noise + a_t * x_0

    def clean(self, output: Tensor, x_t: Tensor, t: Tensor) -> Tensor:
        """The estimate of x_0 that a denoiser's output at x_t means; the inverse of `target`."""
        if self.design.predict == "clean":
            return output
        alpha_t, sigma_t = (a.unsqueeze(-1) for a in self.scheduler.alpha_sigma(t))
        if self.design.predict == "epsilon":
            return (x_t - sigma_t * output) / alpha_t
        _, b_t = (a.unsqueeze(-1) for a in self.scheduler.velocity(t))
        return b_t * x_t - sigma_t * output

    def estimate(self, x_t: Tensor, t: Tensor, embedding: Tensor) -> Tensor:
        """The clean estimate of x_t (batch, size) at a time t, scalar or (batch,)."""
        t = t.expand(x_t.shape[0])
        return self.clean(self.denoiser(x_t, t, embedding, self.named), x_t, t)

    def start(self, count: int, generator: torch.Generator | None) -> Tensor:
        """Pure noise x_1 ~ N(0, I), (count, size)."""
        noise = torch.randn(count, self.latent.size, generator=generator)
        return noise.to(self.device)

    @torch.no_grad()
    def sample_features(self, features: Tensor, generator: torch.Generator | None, steps: int | None = None) -> Tensor:
        """One draw for each row of standardised features: weights (batch, space.size)."""
        embedding = self.conditioner(features)
        x_t, carry = self.start(len(features), generator), None
        for t, s in pairwise(self.sampler.times(steps or self.design.steps or None).to(x_t.device)):
            x_t, carry = self.sampler.step(lambda x, at: self.estimate(x, at, embedding), x_t, t, s, carry, generator)
        return self.encoder.decode(x_t, self.space)

    def sample(self, task: Task, n: int = 1, generator: torch.Generator | None = None, *, best_of: int = 1) -> Weights:
        """``n`` independent draws for one task, each the best of ``best_of`` by loss on the task's support data.

        Raises:
            RequestError: where there is nothing to draw, or the weights for this task would be no numbers.
        """
        if n < 1 or best_of < 1:
            raise RequestError(f"n = {n}, best_of = {best_of}: both are at least 1")
        if best_of > 1 and not len(task.support):
            raise RequestError(f"best_of = {best_of}: task {task.name!r} has no data to choose by")
        features = self.describe([task])
        x = best(
            lambda count: self.sample_features(features.expand(count, -1), generator),
            lambda draws: losses_on_support(self.architecture, task, draws),
            n,
            best_of,
        )
        if not x.isfinite().all():
            reason = self.outside(task) or "is the prior damaged?"
            raise RequestError(f"the weights for task {task.name!r} would not be finite numbers: {reason}")
        if len(task.support):
            inputs = task.support.to(x.device).repeated(len(x)).x
            x = calibrated(self.architecture, task.shape, x, inputs)
        return Weights(self.space, x)

    def save(self, folder: Path | str) -> None:
        """config.json, model.safetensors and a card, README.md: the layout of model hubs."""
        folder = Path(folder)
        config = PriorConfig(self.design, self.shape, self.origin, self.place)
        config.save(folder / "config.json")
        save_tensors(folder / "model.safetensors", self.state_dict())
        write_atomic(folder / "README.md", card(config, sum(p.numel() for p in self.parameters())))

    @classmethod
    def load(cls, folder: Path | str, registry: Registry | None = None) -> Prior:
        """The prior that `save` wrote.

        Raises:
            StoreError: where a file is missing or damaged.
        """
        folder = Path(folder)
        config = PriorConfig.load(folder / "config.json")
        tensors, _ = load_tensors(folder / "model.safetensors")
        prior = cls(config.design, config.shape, registry, config.origin, config.place)
        try:
            for name in FEATURES:
                setattr(prior, name, tensors[name])
            prior.load_state_dict(tensors)
        except (KeyError, RuntimeError) as error:
            raise StoreError(
                f"{folder / 'model.safetensors'}: the tensors do not fit the parts that config.json names "
                f"({str(error).splitlines()[0]}); was it written by another version of them?"
            ) from None
        return prior.eval()


def check_symmetry(denoiser: Denoiser, encoder: WeightEncoder, latent: WeightSpace) -> None:
    """Nothing, where an equivariant denoiser has something to be equivariant to, permutations and gauges.

    Raises:
        PartError: where it has not.
    """
    if denoiser.symmetry == "equivariant" and not latent.free:
        raise PartError(
            f"denoiser {denoiser.name!r} is equivariant, but the latent of encoder {encoder.name!r} has no free dim "
            "to be equivariant to; use a denoiser without that claim, or another encoder"
        )
    for gauge in set(denoiser.gauges) & {dim.gauge for dim in latent.dims} - set(encoder.gauges):
        raise PartError(
            f"denoiser {denoiser.name!r} is equivariant to {gauge}s of neurons, but latents of encoder "
            f"{encoder.name!r} have other {gauge}s than weights; use one that keeps them, such as 'orbit' with "
            "means = 'still'"
        )
