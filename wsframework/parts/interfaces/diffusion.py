"""The four that a prior is made of: `WeightEncoder`, `TaskConditioner`, `Scheduler` and `Denoiser`."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from wsframework.parts.interfaces.part import Part
from wsframework.parts.statistics import Statistics
from wsframework.spaces import WeightSpace
from wsframework.tasks import Task

Answers = Callable[[Tensor], Tensor]
"""What networks (batch, size) say of inputs that were chosen beforehand, (batch, points, *outputs); differentiable."""


class WeightEncoder(Part, nn.Module):
    """Maps weights to latents and back. Constructed as ``Encoder(space, *, options)``; state is buffers, and
    parameters that ask for no gradient once `fit` is over.

    A claim ``symmetry = "equivariant"`` says ``encode(g w) = g encode(w)``.

    Attributes:
        lossless: whether decoding an encoded network gives one that computes the same function. An encoder that
            says False still promises, over the whole zoo, to be nearer than its mean, and to keep networks apart.
    """

    kind = "encoder"
    lossless: bool = True

    @abstractmethod
    def fit(self, x: Tensor, space: WeightSpace) -> None:
        """Learn what is needed from the zoo's weights x (networks, size)."""

    @abstractmethod
    def encode(self, x: Tensor, space: WeightSpace) -> Tensor:
        """Weights (..., size) to latents (..., latent(space).size)."""

    @abstractmethod
    def decode(self, z: Tensor, space: WeightSpace) -> Tensor:
        """Latents back to weights; differentiable."""

    def fit_to(self, x: Tensor, space: WeightSpace, answers: Answers) -> None:
        """As `fit`, where it is known what networks compute; this default is for encoders of weights alone."""
        self.fit(x, space)

    def latent(self, space: WeightSpace) -> WeightSpace:
        """What the denoiser sees. The space itself for encoders that keep coordinates apart."""
        return space


class TaskConditioner(Part, nn.Module):
    """Turns a task into an embedding. Constructed as ``Conditioner(shape, *, options)``.

    Attributes:
        size: length of the embedding (0: no condition at all).
    """

    kind = "conditioner"
    size: int

    @abstractmethod
    def describe(self, task: Task) -> Tensor:
        """What is known of the task, as features (features,): from its support data, code or text only."""

    def called(self, task: Task) -> Sequence[str]:
        """What the features of the task are, in words, as far as there are any: the first so many of them."""
        return ()

    def statistics(self, features: Tensor) -> Statistics:
        """What features are standardised by, from those of the seen tasks (tasks, features).

        By default each is for itself; a conditioner whose features are of one kind may have them share a scale.
        """
        return Statistics.of(features)

    @abstractmethod
    def forward(self, features: Tensor) -> Tensor:
        """Features (batch, features), standardised over the seen tasks, to the embedding (batch, size)."""


Denoise = Callable[[Tensor, Tensor], Tensor]


class Scheduler(Part):
    """How noise mixes with a latent: ``x_t = alpha(t) x_0 + sigma(t) eps``, t in (0, 1], and how to go back.

    The object is stateless; a solver's memory travels in ``carry``.

    Attributes:
        variance_preserving: whether ``alpha^2 + sigma^2 = 1`` at every time.
    """

    kind = "scheduler"
    variance_preserving: ClassVar[bool] = True

    @abstractmethod
    def alpha_sigma(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """alpha and sigma at times t (any shape); alpha(0) = 1, sigma(0) = 0."""

    @abstractmethod
    def times(self, steps: int | None = None) -> Tensor:
        """Decreasing times from 1 to 0, (steps + 1,): the sampler's grid (default: the training grid)."""

    @abstractmethod
    def step(
        self, denoise: Denoise, x_t: Tensor, t: Tensor, s: Tensor, carry: Any, generator: torch.Generator | None
    ) -> tuple[Tensor, Any]:
        """One step from time t to s < t (scalars). ``denoise(x_t, t)`` gives the clean estimate of x_0.

        Returns x_s and the carry for the next step (None at first).
        """

    def velocity(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """a and b of the prediction ``v = a x_0 + b eps`` at times t (any shape), such that ``alpha b - sigma a = 1``.

        So ``x_0 = b x_t - sigma v`` and ``eps = alpha v - a x_t``. By default, what turns signal into noise at equal
        variance: ``a = -sigma``, ``b = alpha`` (Salimans and Ho 2022, arXiv:2202.00512), over ``alpha^2 + sigma^2``
        where that is not 1.
        """
        alpha, sigma = self.alpha_sigma(t)
        if self.variance_preserving:
            return -sigma, alpha
        square = alpha**2 + sigma**2
        return -sigma / square, alpha / square

    def draw_times(self, count: int, generator: torch.Generator) -> Tensor:
        """Training times ~ U of the training grid without 0, (count,)."""
        grid = self.times()[:-1]
        return grid[torch.randint(len(grid), (count,), generator=generator)]


class Denoiser(Part, nn.Module):
    """Learns to take the noise away. Constructed as ``Denoiser(space, condition_size, *, options)``.

    A claim ``symmetry = "equivariant"`` says ``f(g x_t, t, c) = g f(x_t, t, c)`` for permutations g.
    """

    kind = "denoiser"

    @abstractmethod
    def forward(self, x_t: Tensor, t: Tensor, condition: Tensor, space: WeightSpace) -> Tensor:
        """x_t (batch, size), t (batch,) in (0, 1], condition (batch, condition_size) to (batch, size).

        What the output means (noise, velocity or clean latent) is the run's ``train.predict``.
        """

    def channels(self, x_t: Tensor, t: Tensor, condition: Tensor, space: WeightSpace) -> Tensor:
        """What it holds of each coordinate, (batch, size, channels), for models that read networks.

        This default is the answer, as one channel; a denoiser that holds more gives more. The claim is of this too.
        """
        return self(x_t, t, condition, space).unsqueeze(-1)  # type: ignore[no-any-return]
