"""Small parts of every kind: what the tests of registry, configs and command line are made of."""

from __future__ import annotations

from typing import Annotated, Literal

from wsframework.parts.interfaces import (
    Architecture,
    Denoiser,
    Initializer,
    Part,
    Scheduler,
    TaskConditioner,
    TaskFamily,
    WeightEncoder,
)
from wsframework.parts.registry import Registry
from wsframework.parts.values import Least


class Family(TaskFamily):
    """Draws nothing."""

    name = "gaussians"
    shape = None

    def __init__(self, *, points: Annotated[int, Least(1)] = 200, spread: tuple[float, float] = (1, 1)) -> None:
        self.points = points

    def draw(self, seen, validation, held_out, generator):
        raise NotImplementedError


class Network(Architecture):
    """Builds nothing."""

    name = "mlp"

    def __init__(self, *, widths: tuple[int, ...] = (32,), activation: Literal["relu", "tanh"] = "relu") -> None:
        self.widths = widths

    def network(self, shape):
        raise NotImplementedError

    def space(self, shape):
        raise NotImplementedError


class Encoder(WeightEncoder):
    """Keeps what it is given."""

    name = "orbit"
    symmetry = "equivariant"
    paper = "A paper of 2024"

    def __init__(self, space, *, floor: Annotated[float, Least(0, strict=True)] = 1e-4) -> None:
        super().__init__()
        self.given = space
        self.floor = floor

    def fit(self, x, space):
        raise NotImplementedError

    def encode(self, x, space):
        return x

    def decode(self, z, space):
        return z


class Wrapper(Encoder):
    """An encoder around another, and around a list of others."""

    name = "wrapper"

    def __init__(self, space, *, inner: WeightEncoder | None = None, many: tuple[WeightEncoder, ...] = ()) -> None:
        super().__init__(space)
        self.inner = inner
        self.many = many


class Moments(TaskConditioner):
    """Describes nothing."""

    name = "moments"

    def __init__(self, shape, *, size: int = 64, clip: float | None = None, text: str = "") -> None:
        super().__init__()
        self.size = size

    def describe(self, task):
        raise NotImplementedError

    def forward(self, features):
        return features


class Ddpm(Scheduler):
    """Mixes nothing."""

    name = "ddpm"

    def __init__(self, *, steps: int = 50) -> None:
        self.steps = steps

    def alpha_sigma(self, t):
        raise NotImplementedError

    def times(self, steps=None):
        raise NotImplementedError

    def step(self, denoise, x_t, t, s, carry, generator):
        raise NotImplementedError


class Deepsets(Denoiser):
    """Takes nothing away."""

    name = "deepsets"

    def __init__(self, space, condition_size, *, width: int = 64, residual: bool = True) -> None:
        super().__init__()
        self.given = (space, condition_size)
        self.width = width

    def forward(self, x_t, t, condition, space):
        return x_t


class Graph(Deepsets):
    """Takes nothing away either, seen through an encoder."""

    name = "graph"

    def __init__(self, space, condition_size, *, layers: int = 2, view: WeightEncoder | None = None) -> None:
        super().__init__(space, condition_size)
        self.view = view


def initializer(called: str) -> type[Part]:
    class Some(Initializer):
        """Returns nothing."""

        name = called

        def __init__(self, *, rank: int = 0) -> None:
            self.rank = rank

        def fit(self, setting):
            raise NotImplementedError

        def weights(self, tasks, draws, generator):
            raise NotImplementedError

    return Some


PARTS: tuple[type[Part], ...] = (
    *(Family, Network, Encoder, Wrapper, Moments, Ddpm, Deepsets, Graph),
    *(initializer(name) for name in ("random", "member", "mean", "nearest", "ridge", "prior")),
)


def small_registry() -> Registry:
    registry = Registry()
    registry.add_all(PARTS, "small")
    return registry
