"""What the steps of a prior's training learn from: noised networks of the zoo, and the tasks themselves."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

from wsframework.config.sections import TrainSection
from wsframework.prior import Prior
from wsframework.tasks import Data, TaskBatch
from wsframework.training import network_losses
from wsframework.zoo import Zoo

POINTS = 256


class Curriculum:
    """Draws what one step learns from; ``left`` are the networks that the pass has still to come to."""

    def __init__(
        self, prior: Prior, zoo: Zoo, features: Tensor, train: TrainSection, generator: torch.Generator
    ) -> None:
        self.prior, self.train, self.generator = prior, train, generator
        self.left = torch.empty(0, dtype=torch.long)
        self.features = features.to(prior.device)
        self.task_index = zoo.task_index
        self.networks = zoo.weights.to(prior.device)
        self.tasks = TaskBatch.of(zoo.tasks).to(prior.device) if train.output_weight else None

    def losses(self) -> tuple[Tensor, Tensor]:
        """The denoising loss, and the mean task loss of clean estimates (zero where the term is off)."""
        denoise_loss = output_loss = torch.zeros((), device=self.prior.device)
        if self.train.denoise_weight:
            denoise_loss, x_0, tasks = self._denoise()
            if self.train.output_weight and not self.train.unroll:
                output_loss = self._task_loss(x_0, tasks)
        if self.train.output_weight and self.train.unroll:
            output_loss = self._unrolled()
        return denoise_loss, output_loss

    def _denoise(self) -> tuple[Tensor, Tensor, Tensor]:
        """``E || target - f(x_t, t, e) ||^2`` on noised zoo networks; also their clean estimates, and their tasks."""
        prior = self.prior
        chosen = self._next() if self.train.epochs else self._draw(len(self.networks), self.train.batch)
        weights = self.networks.rows(chosen)
        if self.train.augment:
            weights = prior.space.random_symmetry(self.generator).act(weights)
        x_0 = prior.encoder.encode(weights, prior.space)
        t = prior.scheduler.draw_times(len(chosen), self.generator).to(x_0.device)
        noise = torch.randn(x_0.shape, generator=self.generator).to(x_0.device)
        x_t = prior.mix(x_0, noise, t)
        tasks = self.task_index[chosen]
        output = prior.denoiser(x_t, t, prior.conditioner(self.features[tasks]), prior.named)
        loss = (output - prior.target(x_0, noise, t)).square().mean()
        return loss, prior.clean(output, x_t, t), tasks

    def _unrolled(self) -> Tensor:
        """Mean task loss of the clean estimates at every step of the sampler from noise, for any seen tasks.

        Each estimate is judged for itself: no gradient flows from one step of the sampler to the one before.
        """
        prior = self.prior
        tasks = self._draw(len(self.features), self.train.batch)
        embedding = prior.conditioner(self.features[tasks])
        losses: list[Tensor] = []

        def denoise(x_t: Tensor, t: Tensor) -> Tensor:
            x_0 = prior.estimate(x_t, t, embedding)
            losses.append(self._task_loss(x_0, tasks))
            return x_0.detach()

        x_t, carry = prior.start(len(tasks), self.generator), None
        for t, s in pairwise(prior.scheduler.times(self.train.unroll).to(prior.device)):
            x_t, carry = prior.scheduler.step(denoise, x_t, t, s, carry, self.generator)
        return torch.stack(losses).mean()

    def _task_loss(self, x_0: Tensor, tasks: Tensor) -> Tensor:
        """Mean loss of the decoded networks x_0 (batch, size) on their tasks' support data."""
        assert self.tasks is not None
        prior, support = self.prior, self.tasks.support
        points = support.x.shape[1]
        some = torch.randperm(points, generator=self.generator)[:POINTS] if points > POINTS else slice(None)
        data = Data(support.x[tasks][:, some], support.y[tasks][:, some])
        x = prior.encoder.decode(x_0, prior.space)
        return network_losses(prior.architecture, prior.shape, prior.space, x, data, self.tasks.objective).mean()

    def _next(self) -> Tensor:
        """The next minibatch of a shuffled pass over the zoo; the last of a pass may be smaller."""
        if not len(self.left):
            self.left = torch.randperm(len(self.networks), generator=self.generator)
        chosen, self.left = self.left.tensor_split([self.train.batch])
        return chosen

    def _draw(self, size: int, count: int) -> Tensor:
        return torch.randint(size, (count,), generator=self.generator)
