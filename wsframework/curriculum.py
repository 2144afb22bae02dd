"""What the steps of a prior's training learn from: noised networks of the zoo, and the tasks themselves."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from wsframework.alignment.symmetries import Symmetries
from wsframework.config.sections import TrainSection
from wsframework.precision import computing_in
from wsframework.prior import Prior
from wsframework.ranks import ALONE, Ranks
from wsframework.tasks import Data, TaskBatch
from wsframework.training import network_losses
from wsframework.weighing import Weighing
from wsframework.zoo import Zoo

POINTS = 256


class Noised(NamedTuple):
    """Networks of the zoo that were noised.

    Attributes:
        weights: theirs, (networks, space.size).
        tasks: their indices, (networks,).
        part: of the batch that they are.
    """

    weights: Tensor
    tasks: Tensor
    part: float


class Curriculum:
    """Draws what one step learns from; ``left`` are the networks that the pass has still to come to.

    Each of several ``ranks`` draws the whole batch, and computes its share of it.
    """

    def __init__(
        self,
        prior: Prior,
        zoo: Zoo,
        features: Tensor,
        train: TrainSection,
        generator: torch.Generator,
        ranks: Ranks = ALONE,
    ) -> None:
        self.prior, self.train, self.generator, self.ranks = prior, train, generator, ranks
        self.left = torch.empty(0, dtype=torch.long)
        self.features = features.to(prior.device)
        self.task_index = zoo.task_index
        self.networks = zoo.weights.to(prior.device)
        self.tasks = TaskBatch.of(zoo.tasks).to(prior.device) if train.output_weight or train.matching_weight else None
        self.weighing = Weighing(prior, train)

    def losses(self) -> tuple[Tensor, Tensor, Tensor]:
        """The denoising loss, the mean task loss of clean estimates, and the matching loss (zero where a term is off).

        Of several ranks each gets its part; their sum is the loss of the batch.
        """
        denoise_loss = output_loss = matching_loss = torch.zeros((), device=self.prior.device)
        if self.train.denoise_weight:
            denoise_loss, x_0, noised = self._denoise()
            if self.train.output_weight and not self.train.unroll:
                output_loss = noised.part * self._task_loss(x_0, noised.tasks)
            if self.train.matching_weight:
                matching_loss = noised.part * self._matching(x_0, noised)
        if self.train.output_weight and self.train.unroll:
            output_loss = self._unrolled()
        return denoise_loss, output_loss, matching_loss

    def _denoise(self) -> tuple[Tensor, Tensor, Noised]:
        """``E || target - f(x_t, t, e) ||^2`` on zoo networks; clean estimates, and of what."""
        prior = self.prior
        chosen = self._next() if self.train.epochs else self._draw(len(self.networks), self.train.batch)
        mine, part = self.ranks.share(len(chosen))
        weights = self.networks.rows(chosen[mine])
        if self.train.augment:
            moves = Symmetries.random(prior.space, len(chosen), self.generator)
            weights = moves.rows(torch.arange(len(chosen))[mine]).act(weights)
        x_0 = prior.encoder.encode(weights, prior.space)
        t = prior.scheduler.draw_times(len(chosen), self.generator)[mine].to(x_0.device)
        noise = torch.randn(len(chosen), x_0.shape[1], generator=self.generator)[mine].to(x_0.device)
        x_t = prior.mix(x_0, noise, t)
        tasks = self.task_index[chosen[mine]]
        embedding = prior.conditioner(self.features[tasks])
        output = self._denoised(x_t, t, embedding)
        loss = self.weighing.loss(output - prior.target(x_0, noise, t), t)
        return part * loss, prior.clean(output, x_t, t), Noised(weights, tasks, part)

    def _matching(self, x_0: Tensor, noised: Noised) -> Tensor:
        """Mean squared difference of the decoded x_0's answers from those of the networks, on their tasks' inputs."""
        prior, inputs = self.prior, self._support(noised.tasks).x
        decoded = prior.encoder.decode(x_0, prior.space)
        networks = (prior.space.unflatten(x) for x in (decoded, noised.weights))
        found, wanted = (prior.architecture.apply_training(prior.shape, network, inputs) for network in networks)
        return (found - wanted).square().mean()

    def _unrolled(self) -> Tensor:
        """Mean task loss of the clean estimates at every step of the sampler from noise, for any seen tasks.

        Each estimate is judged for itself: no gradient flows from one step of the sampler to the one before.
        """
        prior = self.prior
        drawn = self._draw(len(self.features), self.train.batch)
        mine, part = self.ranks.share(len(drawn))
        tasks = drawn[mine]
        embedding = prior.conditioner(self.features[tasks])
        losses: list[Tensor] = []

        def denoise(x_t: Tensor, t: Tensor) -> Tensor:
            own, t = x_t[mine], t.expand(len(tasks))
            x_0 = prior.clean(self._denoised(own, t, embedding), own, t)
            losses.append(self._task_loss(x_0, tasks))
            return self.ranks.whole(x_0.detach(), len(drawn))

        x_t, carry = prior.start(len(drawn), self.generator), None
        for t, s in pairwise(prior.scheduler.times(self.train.unroll).to(prior.device)):
            x_t, carry = prior.scheduler.step(denoise, x_t, t, s, carry, self.generator)
        return part * torch.stack(losses).mean()

    def _task_loss(self, x_0: Tensor, tasks: Tensor) -> Tensor:
        """Mean loss of the decoded networks x_0 (batch, size) on their tasks' support data."""
        assert self.tasks is not None
        prior, data = self.prior, self._support(tasks)
        x = prior.encoder.decode(x_0, prior.space)
        return network_losses(prior.architecture, prior.shape, prior.space, x, data, self.tasks.objective).mean()

    def _support(self, tasks: Tensor) -> Data:
        """Support data of the tasks, of all the same points, `POINTS` at most."""
        assert self.tasks is not None
        support = self.tasks.support
        points = support.x.shape[1]
        some = torch.randperm(points, generator=self.generator)[:POINTS] if points > POINTS else slice(None)
        return Data(support.x[tasks][:, some], support.y[tasks][:, some])

    def _denoised(self, x_t: Tensor, t: Tensor, embedding: Tensor) -> Tensor:
        """What the denoiser says at x_t (batch, size), computed in the precision that was asked for."""
        with computing_in(self.train.precision, x_t.device):
            output: Tensor = self.prior.denoiser(x_t, t, embedding, self.prior.named)
        return output.to(x_t.dtype)

    def _next(self) -> Tensor:
        """The next minibatch of a shuffled pass over the zoo; the last of a pass may be smaller."""
        if not len(self.left):
            self.left = torch.randperm(len(self.networks), generator=self.generator)
        chosen, self.left = self.left.tensor_split([self.train.batch])
        return chosen

    def _draw(self, size: int, count: int) -> Tensor:
        return torch.randint(size, (count,), generator=self.generator)
