"""The interfaces that plugins fill. A `Part` is a class with a name, a kind, options and claims.

The star divides a constructor: left of ``*`` stands what the framework gives, right of it what the user
may set in TOML, annotated and with a default. The signature is the schema.
"""

from __future__ import annotations

import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from wsframework.spaces import WeightSpace
from wsframework.tasks import Data, Task, TaskShape, TaskSplits
from wsframework.zoo import Zoo

if TYPE_CHECKING:
    from wsframework.prior import Prior

Claim = Literal["equivariant", "invariant"]


class Part(ABC):
    """Anything that a run is composed of.

    Attributes:
        kind: the interface, in snake case; set by the interfaces below.
        name: what a config writes after ``use =``.
        paper: where the method comes from ("Ho et al. 2020, arXiv:2006.11239"), or empty.
        symmetry: what the part claims of its map; `wsframework.testing` proves or refutes it.
    """

    kind: ClassVar[str]
    name: ClassVar[str]
    paper: ClassVar[str] = ""
    symmetry: ClassVar[Claim | None] = None

    @classmethod
    def options(cls) -> dict[str, inspect.Parameter]:
        """The options a user may set: the keyword-only arguments of the constructor."""
        signature = inspect.signature(cls)
        return {n: p for n, p in signature.parameters.items() if p.kind is inspect.Parameter.KEYWORD_ONLY}


class Architecture(Part):
    """Builds a network for a task, and states the weight space of what it builds."""

    kind = "architecture"

    @abstractmethod
    def network(self, shape: TaskShape) -> nn.Module:
        """A network that maps (batch, *shape.inputs) to (batch, *shape.outputs), initialised by torch's default."""

    @abstractmethod
    def space(self, shape: TaskShape) -> WeightSpace:
        """The weight space of ``network(shape)``; its parameter names are those of the state dict."""

    def initialize(self, shape: TaskShape, count: int, generator: torch.Generator) -> Tensor:
        """``count`` independent random initialisations, flat: (count, space.size).

        This default builds the modules one by one; an architecture with a batched form overrides it.
        """
        space = self.space(shape)
        seeds = torch.randint(2**62, (count,), generator=generator).tolist()
        rows = []
        with torch.random.fork_rng(devices=[]):
            for seed in seeds:
                torch.manual_seed(seed)
                rows.append(space.flatten(self.network(shape).state_dict()))
        return torch.stack(rows)

    def apply(self, shape: TaskShape, parameters: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
        """Many networks at once: parameters (networks, *), inputs (networks, points, *inputs).

        Returns outputs (networks, points, *outputs). This default runs ``network`` under `torch.vmap`.
        """
        network = self.network(shape)

        def one(p: dict[str, Tensor], x: Tensor) -> Tensor:
            outputs: Tensor = torch.func.functional_call(network, p, (x,))
            return outputs

        result: Tensor = torch.vmap(one)(dict(parameters), inputs)
        return result

    def apply_training(self, shape: TaskShape, parameters: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
        """What `apply` gives while networks are trained: batch normalisation, by the statistics of these inputs.

        This default is for architectures that compute the same in training and afterwards.
        """
        return self.apply(shape, parameters, inputs)

    def calibrate(self, shape: TaskShape, x: Tensor, inputs: Tensor) -> Tensor:
        """Networks x (networks, size) with the statistics of inputs (networks, points, *inputs), which need no labels.

        On the same inputs ``apply`` then gives what ``apply_training`` does. This default is for those that keep none.
        """
        return x


class TaskFamily(Part):
    """Draws tasks: seen, validation and held out, disjoint."""

    kind = "task_family"

    @property
    @abstractmethod
    def shape(self) -> TaskShape:
        """Sizes of the inputs, outputs and code of every task of this family."""

    @abstractmethod
    def draw(self, seen: int, validation: int, held_out: int, generator: torch.Generator) -> TaskSplits:
        """Disjoint splits of the given sizes; where it can be, the seen tasks come first out of the generator.

        Raises:
            RequestError: where the family has fewer tasks than asked for.
        """

    def canvas(self, task: Task) -> Data | None:
        """Inputs whose outputs make a picture of a network for ``task``, and the right outputs; None: there is none.

        With a single input, reports draw the outputs over it, as a curve; else `picture` says what they look like.
        """
        return None

    def picture(self, outputs: Tensor) -> Tensor:
        """Outputs (points, *outputs) on a canvas as an image, (height, width) or (height, width, 3), in [0, 1].

        This default takes them as a square, row by row, -1 for black and 1 for white.
        """
        side = math.isqrt(len(outputs))
        return ((outputs.reshape(side, side, -1).squeeze(-1) + 1) / 2).clamp(0, 1)


class WeightEncoder(Part, nn.Module):
    """Maps weights to latents and back. Constructed as ``Encoder(space, *, options)``; state is buffers.

    A claim ``symmetry = "equivariant"`` says ``encode(g w) = g encode(w)``.

    Attributes:
        lossless: whether decoding an encoded network gives one that computes the same function. An encoder that
            says False still promises, over the whole zoo, to be nearer than its mean, and to keep networks apart.
    """

    kind = "encoder"
    lossless: ClassVar[bool] = True

    @abstractmethod
    def fit(self, x: Tensor, space: WeightSpace) -> None:
        """Learn what is needed from the zoo's weights x (networks, size)."""

    @abstractmethod
    def encode(self, x: Tensor, space: WeightSpace) -> Tensor:
        """Weights (..., size) to latents (..., latent(space).size)."""

    @abstractmethod
    def decode(self, z: Tensor, space: WeightSpace) -> Tensor:
        """Latents back to weights; differentiable."""

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

    @abstractmethod
    def forward(self, features: Tensor) -> Tensor:
        """Features (batch, features), standardised over the seen tasks, to the embedding (batch, size)."""


Denoise = Callable[[Tensor, Tensor], Tensor]


class Scheduler(Part):
    """How noise mixes with a latent: ``x_t = alpha(t) x_0 + sigma(t) eps``, t in (0, 1], and how to go back.

    The object is stateless; a solver's memory travels in ``carry``.

    Attributes:
        variance_preserving: whether ``alpha^2 + sigma^2 = 1`` at every time, which the prediction ``v`` builds on.
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


@dataclass(frozen=True, eq=False)
class Setting:
    """What an initializer may learn from: seen tasks and the zoo only.

    Attributes:
        zoo: trained networks with their tasks.
        architecture: of the networks.
        shape: of the tasks.
        features: standardised descriptors of all seen tasks, (tasks, features).
        describe: tasks to standardised descriptors, (tasks, features).
        prior: the run's trained prior, where there is one.
        train_prior: trains a further prior, given changes to the run's ``[train]`` options and to its `Design`
            (other parts, other sampling steps): the way in of hypernetwork and plain denoising.
        generator: the source of all randomness in `Initializer.fit`.
    """

    zoo: Zoo
    architecture: Architecture
    shape: TaskShape
    features: Tensor
    describe: Callable[[Sequence[Task]], Tensor]
    prior: Prior | None
    train_prior: Callable[[Mapping[str, Any], Mapping[str, Any]], Prior]
    generator: torch.Generator


class Initializer(Part):
    """Anything that turns a task into weights.

    Attributes:
        role: how reports group it: "learned" (from the zoo or seen tasks), "untrained", "control".
    """

    kind = "initializer"
    role: ClassVar[Literal["learned", "untrained", "control"]] = "learned"

    @abstractmethod
    def fit(self, setting: Setting) -> None:
        """Learn from the setting.

        Raises:
            NotApplicable: where this setting has no answer, in a sentence.
        """

    @abstractmethod
    def weights(self, tasks: Sequence[Task], draws: int, generator: torch.Generator) -> Tensor:
        """Weights for each task, (tasks, draws, size). Deterministic initializers repeat their answer."""


INTERFACES: dict[str, type[Part]] = {
    interface.kind: interface
    for interface in (Architecture, TaskFamily, WeightEncoder, TaskConditioner, Scheduler, Denoiser, Initializer)
}
