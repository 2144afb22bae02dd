"""Wrong parts. Each breaks the promises that it names, and keeps all others.

Beside every group stands an honest part, from which the mutants derive; it keeps every promise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from wsframework.errors import SpaceError
from wsframework.parts.interfaces import (
    Architecture,
    Denoiser,
    Features,
    Initializer,
    Part,
    Scheduler,
    Setting,
    TaskConditioner,
    TaskFamily,
    WeightEncoder,
)
from wsframework.spaces import WeightSpace, orbits
from wsframework.tasks import Classification, Data, Regression, Task, TaskShape, TaskSplits

HONEST: list[type[Part]] = []
MUTANTS: list[tuple[type[Part], frozenset[str]]] = []
_NUMBERS = count(1)


def honest(part: type[Part]) -> type[Part]:
    """A part that keeps every promise."""
    HONEST.append(part)
    return part


def breaks(*checks: str) -> Any:
    """A part that breaks the promises of these checks, and no others; its name and docstring are made here."""

    def made(part: type[Part]) -> type[Part]:
        part.name = f"mutant-{next(_NUMBERS)}"
        part.__doc__ = part.__doc__ or "A wrong part."
        MUTANTS.append((part, frozenset(checks)))
        return part

    return made


# ---------------------------------------------------------------------------------------------------------- denoisers


@honest
class HonestDenoiser(Denoiser):
    """One small network for all coordinates, which sees each, its orbit's mean, the mean of all, time and task."""

    name = "honest-denoiser"
    symmetry = "equivariant"

    def __init__(self, space: WeightSpace, condition_size: int) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4 + condition_size, 8), nn.SiLU(), nn.Linear(8, 1))

    def forward(self, x_t: Tensor, t: Tensor, condition: Tensor, space: WeightSpace) -> Tensor:
        index = orbits(space).index
        number = torch.bincount(index).to(x_t)
        mean = x_t.new_zeros(len(x_t), len(number)).index_add(1, index, x_t) / number
        columns = [x_t, mean[:, index], x_t.mean(1, keepdim=True).expand_as(x_t), t[:, None].expand_as(x_t)]
        told = condition[:, None].expand(-1, x_t.shape[1], -1)
        out: Tensor = self.net(torch.cat([torch.stack(columns, -1), told], -1)).squeeze(-1)
        return out


@breaks("gauges")
class SeesSigns(HonestDenoiser):
    """It claims that it turns with the signs of neurons, and knows nothing of them."""

    gauges = ("sign",)


@breaks("gauges")
class HoldsSigns(HonestDenoiser):
    """It is odd in each weight, but its channels are of weights as they are."""

    gauges = ("sign",)

    def forward(self, x_t, t, condition, space):
        return x_t * (1 + super().forward(x_t.square(), t, condition, space))

    def channels(self, x_t, t, condition, space):
        return torch.stack([x_t, self(x_t, t, condition, space)], -1)


@breaks("serves")
class OtherDtype(HonestDenoiser):
    def forward(self, x_t, t, condition, space):
        return super().forward(x_t, t, condition, space).double()


@breaks("serves")
class DeclinesAll(HonestDenoiser):
    def __init__(self, space: WeightSpace, condition_size: int) -> None:
        raise SpaceError("this denoiser serves no space")


@breaks("finite", "attends")
class InfiniteAtTheEnd(HonestDenoiser):
    def forward(self, x_t, t, condition, space):
        return super().forward(x_t, t / (1 - t) ** 0.5, condition, space)


@breaks("finite")
class OverflowsForLarge(HonestDenoiser):
    def forward(self, x_t, t, condition, space):
        return super().forward(x_t, t, condition, space) + (0.002 * x_t.square()).exp().float().exp().to(x_t) * 1e-9


@breaks("finite")
class NormalisesZero(HonestDenoiser):
    def forward(self, x_t, t, condition, space):
        return super().forward(x_t / x_t.norm(dim=1, keepdim=True), t, condition, space)


@breaks("trains")
class DeadParameter(HonestDenoiser):
    def __init__(self, space: WeightSpace, condition_size: int) -> None:
        super().__init__(space, condition_size)
        self.unused = nn.Linear(2, 2)


@breaks("trains")
class FrozenParameter(HonestDenoiser):
    def __init__(self, space: WeightSpace, condition_size: int) -> None:
        super().__init__(space, condition_size)
        self.net[2].bias.requires_grad_(False)


@breaks("attends")
class BlindToTime(HonestDenoiser):
    def forward(self, x_t, t, condition, space):
        return super().forward(x_t, torch.ones_like(t), condition, space)


@breaks("attends")
class BlindToTheTask(HonestDenoiser):
    def forward(self, x_t, t, condition, space):
        return super().forward(x_t, t, torch.ones_like(condition), space)


@breaks("attends", "relates")
class BlindToWeights(HonestDenoiser):
    def forward(self, x_t, t, condition, space):
        return super().forward(torch.ones_like(x_t), t, condition, space)


@breaks("attends", "relates", "trains")
class Constant(HonestDenoiser):
    def forward(self, x_t, t, condition, space):
        return 0 * super().forward(x_t, t, condition, space)


@breaks("relates")
class WeightByWeight(HonestDenoiser):
    """Equivariant to everything, because it sees no network."""

    def forward(self, x_t, t, condition, space):
        rows = [value.repeat_interleave(x_t.shape[1], 0) for value in (t, condition)]
        return super().forward(x_t.reshape(-1, 1), *rows, ONE).reshape(x_t.shape)


ONE = WeightSpace.parse("fixed one=1\nweight one")


class OfOrbits(HonestDenoiser):
    """Sees, beside time and task, what `seen` gives: three columns, from x_t and the means of orbits."""

    def seen(self, x_t, mean):
        raise NotImplementedError

    def forward(self, x_t, t, condition, space):
        shapes = space.unflatten(torch.zeros(space.size)).values()
        parameter = torch.cat([torch.full((p.numel(),), k) for k, p in enumerate(shapes)])
        index = torch.stack([orbits(space).index, parameter]).unique(dim=1, return_inverse=True)[1]
        number = torch.bincount(index).to(x_t)
        mean = x_t.new_zeros(len(x_t), len(number)).index_add(1, index, x_t) / number
        columns = torch.stack([*self.seen(x_t, mean[:, index]), t[:, None].expand_as(x_t)], -1)
        out: Tensor = self.net(torch.cat([columns, condition[:, None].expand(-1, x_t.shape[1], -1)], -1)).squeeze(-1)
        return out


@breaks("relates")
class OrbitByOrbit(OfOrbits):
    """Neurons see one another, and parameters do not."""

    def seen(self, x_t, mean):
        return x_t, mean, mean.square()


@breaks("attends")
class MeansOfOrbits(OfOrbits):
    """Every weight counts, and none is told from another of its orbit."""

    def seen(self, x_t, mean):
        return mean, mean.square(), x_t.mean(1, keepdim=True).expand_as(x_t)


@breaks("claim")
class Positional(HonestDenoiser):
    def forward(self, x_t, t, condition, space):
        out = super().forward(x_t, t, condition, space)
        return out + 0.01 * torch.linspace(0, 1, x_t.shape[1], dtype=x_t.dtype)


@breaks("claim")
class PositionalOnceItIsBuilt(Positional):
    symmetry = None

    def __init__(self, space: WeightSpace, condition_size: int) -> None:
        super().__init__(space, condition_size)
        self.symmetry = "equivariant"


@breaks("claim")
class PositionalChannels(HonestDenoiser):
    """Its answer is honest, and what it holds for others is not."""

    def channels(self, x_t, t, condition, space):
        places = torch.arange(space.size).to(x_t).expand_as(x_t)
        return torch.stack([self(x_t, t, condition, space), places], -1)


@breaks("claim")
class PositionalWhereWide(HonestDenoiser):
    """Equivariant in all narrow layers."""

    def forward(self, x_t, t, condition, space):
        out = super().forward(x_t, t, condition, space)
        if max(space.free.values(), default=0) > 9:
            out = out + 1e-3 * torch.linspace(0, 1, x_t.shape[1], dtype=x_t.dtype)
        return out


@breaks("claim")
class PositionalWhereWider(HonestDenoiser):
    """Equivariant wherever no layer is wider than generated ones are."""

    def forward(self, x_t, t, condition, space):
        out = super().forward(x_t, t, condition, space)
        if max(space.free.values(), default=0) > 32:
            out = out + 1e-3 * torch.linspace(0, 1, x_t.shape[1], dtype=x_t.dtype)
        return out


@breaks("claim")
class PositionalFarOut(HonestDenoiser):
    """Equivariant for weights as they mostly are."""

    def forward(self, x_t, t, condition, space):
        out = super().forward(x_t, t, condition, space)
        return torch.where(x_t.abs() > 8, out * torch.linspace(1, 2, x_t.shape[1], dtype=x_t.dtype), out)


@breaks("restores")
class Unregistered(HonestDenoiser):
    """Something random that no state dict holds."""

    def __init__(self, space: WeightSpace, condition_size: int) -> None:
        super().__init__(space, condition_size)
        self.gain = 1 + torch.rand(()).item()

    def forward(self, x_t, t, condition, space):
        return self.gain * super().forward(x_t, t, condition, space)


@breaks("separates")
class BatchCentred(HonestDenoiser):
    def forward(self, x_t, t, condition, space):
        out = super().forward(x_t, t, condition, space)
        return out + 0.1 * out.mean(0)


@breaks("separates", "attends")
class FirstTime(HonestDenoiser):
    """The time of the first member for all."""

    def forward(self, x_t, t, condition, space):
        return super().forward(x_t, t[:1].expand_as(t), condition, space)


@breaks("repeats")
class Random(HonestDenoiser):
    def forward(self, x_t, t, condition, space):
        return super().forward(x_t, t, condition, space) + 0.1 * torch.randn((), dtype=x_t.dtype)


@breaks("repeats")
class Reseeds(HonestDenoiser):
    """Makes others' draws what they were."""

    def forward(self, x_t, t, condition, space):
        torch.manual_seed(0)
        return super().forward(x_t, t, condition, space)


@breaks("repeats", "claim", "restores", "separates")  # it is no function of its inputs at all
class CountsCalls(HonestDenoiser):
    calls = 0

    def forward(self, x_t, t, condition, space):
        self.calls = min(self.calls + 1, 2)
        return super().forward(x_t, t, condition, space) * (1 + 1e-3 * (self.calls == 2) * (x_t.shape[1] > 0))


@breaks("preserves")
class InPlace(HonestDenoiser):
    def forward(self, x_t, t, condition, space):
        return super().forward(x_t.mul_(0.5), t, condition, space)


@breaks("transfers")
class OneSize(HonestDenoiser):
    """Fails at other widths, and not in a sentence."""

    def __init__(self, space: WeightSpace, condition_size: int) -> None:
        super().__init__(space, condition_size)
        self.size = space.size

    def forward(self, x_t, t, condition, space):
        return super().forward(x_t, t, condition, space) + 0 * torch.ones(self.size, dtype=x_t.dtype)


@breaks("attends")
class BlindBeyondEight(HonestDenoiser):
    """Reads the first numbers of the condition, as many as small conditions have."""

    def forward(self, x_t, t, condition, space):
        kept = torch.cat([condition[:, :8], 0 * condition[:, 8:]], 1)
        return super().forward(x_t, t, kept, space)


@breaks("attends")
class BlindToLateTimes(HonestDenoiser):
    def forward(self, x_t, t, condition, space):
        return super().forward(x_t, t.clamp(max=0.9), condition, space)


@breaks("trains")
class DeadUnderSoftmax(HonestDenoiser):
    """A bias that a softmax takes away, but for rounding."""

    def __init__(self, space: WeightSpace, condition_size: int) -> None:
        super().__init__(space, condition_size)
        self.score = nn.Linear(1, 1)

    def forward(self, x_t, t, condition, space):
        weight = self.score(x_t[..., None])[..., 0].softmax(1)
        return super().forward(x_t, t, condition, space) + (weight * x_t).sum(1, keepdim=True)


class OwnWidth(HonestDenoiser):
    """Knows the size of its own space."""

    def __init__(self, space: WeightSpace, condition_size: int) -> None:
        super().__init__(space, condition_size)
        self.size = space.size


@breaks("claim")
class PositionalElsewhere(OwnWidth):
    """Equivariant in its own space, and in no other."""

    def forward(self, x_t, t, condition, space):
        out = super().forward(x_t, t, condition, space)
        return out * (1 + torch.linspace(0, 1, space.size, dtype=x_t.dtype) * (space.size != self.size))


@breaks("transfers")
class FailsOnNarrower(OwnWidth):
    def forward(self, x_t, t, condition, space):
        if space.size < self.size:
            raise IndexError("index out of range")
        return super().forward(x_t, t, condition, space)


@breaks("repeats")
class KeepsTheFirstSpace(HonestDenoiser):
    first: Any = None

    def forward(self, x_t, t, condition, space):
        self.first = space.size if self.first is None else self.first
        return super().forward(x_t, t, condition, space) * (1 if space.size == self.first else 2)


@breaks("separates")
class CentredInCrowds(HonestDenoiser):
    def forward(self, x_t, t, condition, space):
        return super().forward(x_t - x_t.mean(0) * (len(x_t) > 8), t, condition, space)


@breaks("preserves")
class InPlaceInSingle(HonestDenoiser):
    def forward(self, x_t, t, condition, space):
        y = x_t.float()
        y = y - 0.1 if y.requires_grad or x_t.dtype == torch.float64 else y.sub_(0.1)
        return super().forward(y.to(x_t), t, condition, space)


@breaks("claim")
class PositionalAtTheStart(HonestDenoiser):
    """Equivariant at all times but the one at which samplers start."""

    def forward(self, x_t, t, condition, space):
        gain = torch.linspace(1, 2, x_t.shape[1]).to(x_t)
        return super().forward(x_t, t, condition, space) * torch.where((t > 0.9995)[:, None], gain, 1)


@breaks("preserves")
class ClampsSmallTimes(HonestDenoiser):
    def forward(self, x_t, t, condition, space):
        return super().forward(x_t, t.clamp_(min=5e-4), condition, space)


@breaks("transfers")
class DeclinesInSilence(HonestDenoiser):
    def __init__(self, space: WeightSpace, condition_size: int) -> None:
        super().__init__(space, condition_size)
        self.size = space.size

    def forward(self, x_t, t, condition, space):
        if space.size != self.size:
            raise SpaceError("")
        return super().forward(x_t, t, condition, space)


# ----------------------------------------------------------------------------------------------------------- features


@honest
class HonestFeatures(Features):
    """The sum of all weights, of their squares, and of the third powers."""

    name = "honest-features"
    symmetry = "invariant"
    size = 3

    def __init__(self, architecture: Architecture, shape: TaskShape) -> None:
        super().__init__()
        self.space = architecture.space(shape)

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([x.pow(k).sum(1) for k in (1, 2, 3)], 1)


@breaks("serves")
class AnotherLength(HonestFeatures):
    size = 2


@breaks("claim")
class WeighsByPlace(HonestFeatures):
    def forward(self, x):
        return super().forward(x * torch.linspace(1, 2, x.shape[1], dtype=x.dtype))


@breaks("claim")
class ClaimsTheGauge(HonestFeatures):
    """Permutations leave it, and it says that signs and scales do."""

    gauge = True


@breaks("claim")
class EquivariantVector(HonestFeatures):
    symmetry = "equivariant"


@breaks("tells")
class OneVectorForAll(HonestFeatures):
    def forward(self, x):
        return 0 * super().forward(x) + 1


@breaks("separates")
class CentresVectors(HonestFeatures):
    def forward(self, x):
        vectors = super().forward(x)
        return vectors - 0.5 * vectors.mean(0)


@breaks("repeats")
class RandomProjection(HonestFeatures):
    """Drawn from torch's global generator."""

    def __init__(self, architecture: Architecture, shape: TaskShape) -> None:
        super().__init__(architecture, shape)
        self.register_buffer("axes", torch.randn(3, 3))

    def forward(self, x):
        return super().forward(x) @ self.axes.to(x)


@breaks("restores")
class KeepsItsScaleToItself(HonestFeatures):
    scale = 1.0

    def fit(self, x, inputs):
        self.scale = x.std().item()

    def forward(self, x):
        return super().forward(x) / self.scale


@breaks("preserves")
class CentresInPlace(HonestFeatures):
    def forward(self, x):
        vectors = super().forward(x)
        x.data.sub_(x.data.mean())
        return vectors


@breaks("finite")
class DividesByTheNorm(HonestFeatures):
    def forward(self, x):
        return super().forward(x) / x.norm(dim=1, keepdim=True)


# ----------------------------------------------------------------------------------------------------------- encoders


@honest
class HonestEncoder(WeightEncoder):
    """One mean and one deviation for all coordinates."""

    name = "honest-encoder"
    symmetry = "equivariant"

    def __init__(self, space: WeightSpace) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("std", torch.ones(()))

    def fit(self, x: Tensor, space: WeightSpace) -> None:
        self.mean, self.std = x.mean(), x.std(correction=0) + 1e-3

    def encode(self, x: Tensor, space: WeightSpace) -> Tensor:
        return (x - self.mean) / self.std

    def decode(self, z: Tensor, space: WeightSpace) -> Tensor:
        return z * self.std + self.mean


@breaks("serves")
class AlwaysBatched(HonestEncoder):
    def encode(self, x, space):
        z = super().encode(x, space)
        return z[None] if z.dim() == 1 else z


@breaks("gauges")
class ShiftsWhatTurns(HonestEncoder):
    """It takes a mean off weights whose signs may be turned, and claims that it makes no difference."""

    gauges = ("sign", "scale")


@breaks("inverts")
class ForgetsTheMean(HonestEncoder):
    def decode(self, z, space):
        return z * self.std


@breaks("inverts")
class Clips(HonestEncoder):
    """Loses what lies far outside the zoo."""

    def encode(self, x, space):
        z = super().encode(x, space)
        return z + 0 * z if z.abs().max() < 4 else z.clamp(-4, 4)


@breaks("inverts")
class LossyMean(HonestEncoder):
    """Says that it loses something, and loses all."""

    lossless = False

    def decode(self, z, space):
        return 3 * z * self.std - self.mean


@breaks("inverts")
class OutlyingIsTheMean(HonestEncoder):
    """Nearer than the mean in all, for the sake of the networks that it keeps as they are."""

    lossless = False

    def encode(self, x, space):
        z = super().encode(x, space)
        return z * (z.square().mean(-1, keepdim=True) <= 1)


@breaks("claim")
class ByCoordinate(HonestEncoder):
    def fit(self, x, space):
        self.mean, self.std = x.mean(0), x.std(0, correction=0) + 1e-3

    def __init__(self, space: WeightSpace) -> None:
        super().__init__(space)
        self.mean, self.std = torch.zeros(space.size), torch.ones(space.size)


@breaks("claim")
class ByCoordinateWhereWide(HonestEncoder):
    """One mean and one deviation, wherever no layer is wider than generated ones are."""

    def encode(self, x, space):
        return super().encode(x, space) + self.ramp(space, x)

    def decode(self, z, space):
        return super().decode(z - self.ramp(space, z), space)

    def ramp(self, space, x):
        wide = max(space.free.values(), default=0) > 32
        return torch.linspace(0, 1, x.shape[-1], dtype=x.dtype) * wide


@breaks("separates")
class MixesTheBatch(HonestEncoder):
    """Undone by its own decode, batch for batch."""

    def encode(self, x, space):
        z = super().encode(x, space)
        return z + 0.1 * z.flatten(0, -2).mean(0) if z.dim() > 1 else 1.1 * z

    def decode(self, z, space):
        z = z - 0.1 / 1.1 * z.flatten(0, -2).mean(0) if z.dim() > 1 else z / 1.1
        return super().decode(z, space)


@breaks("differentiates")
class CutsGradients(HonestEncoder):
    def decode(self, z, space):
        return super().decode(z.detach(), space)


@breaks("restores")
class KeepsItsMeanToItself(HonestEncoder):
    def fit(self, x, space):
        super().fit(x, space)
        self.offset = x.mean().item()

    def encode(self, x, space):
        return super().encode(x, space) + getattr(self, "offset", 0.0)

    def decode(self, z, space):
        return super().decode(z - getattr(self, "offset", 0.0), space)


@breaks("repeats")
class RandomFit(HonestEncoder):
    def fit(self, x, space):
        super().fit(x, space)
        self.mean = self.mean + 0.1 * torch.randn(()).to(x)


@breaks("repeats")
class RemembersFits(HonestEncoder):
    def fit(self, x, space):
        before = self.mean
        super().fit(x, space)
        self.mean = self.mean + 0.5 * before


@breaks("preserves")
class CentresTheZoo(HonestEncoder):
    def fit(self, x, space):
        super().fit(x, space)
        x.sub_(self.mean)


@breaks("preserves")
class EncodesInPlace(HonestEncoder):
    def encode(self, x, space):
        return x.sub_(self.mean).div_(self.std)


@breaks("finite")
class DividesByZero(HonestEncoder):
    symmetry = None

    def __init__(self, space: WeightSpace) -> None:
        super().__init__(space)
        self.mean, self.std = torch.zeros(space.size), torch.ones(space.size)

    def fit(self, x, space):
        self.mean, self.std = x.mean(0), x.std(0, correction=0)


@breaks("claim")
class BendsFarOut(HonestEncoder):
    """Draws far weights in, some more than others."""

    def bend(self, z, space, to):
        steep = torch.linspace(1, 2, space.size, dtype=z.dtype) ** to
        return torch.where(z.abs() > 9, z.sign() * (9 + (z.abs() - 9) * steep), z)

    def encode(self, x, space):
        return self.bend(super().encode(x, space), space, 1)

    def decode(self, z, space):
        return super().decode(self.bend(z, space, -1), space)


@breaks("separates")
class MixesCrowds(HonestEncoder):
    """Undone by its own decode, batch for batch, and only where there are more than three."""

    def encode(self, x, space):
        z = super().encode(x, space)
        return z + 0.5 * z.mean(0) if z.dim() == 2 and len(z) > 3 else z

    def decode(self, z, space):
        z = z - z.mean(0) / 3 if z.dim() == 2 and len(z) > 3 else z
        return super().decode(z, space)


@breaks("preserves")
class CentresInSingle(HonestEncoder):
    """Changes what ``float`` has not copied."""

    def fit(self, x, space):
        y = x.float()
        super().fit(x, space)
        y -= y.mean()


@breaks("finite")
class UnderflowsInSingle(DividesByZero):
    """Its floor is zero in float32."""

    def fit(self, x, space):
        self.mean, self.std = x.mean(0), (x.var(0, correction=0) + 1e-60).sqrt()


@honest
class HonestComponents(WeightEncoder):
    """Principal components of the zoo; their axes are columns in memory, and rows once they were loaded."""

    name = "honest-components"
    lossless = False

    def __init__(self, space: WeightSpace) -> None:
        super().__init__()
        self.number = min(8, space.size)
        self.register_buffer("mean", torch.zeros(space.size))
        self.register_buffer("axes", torch.eye(self.number, space.size))

    def latent(self, space: WeightSpace) -> WeightSpace:
        return WeightSpace.parse(f"fixed component={self.number}\nlatent component")

    def fit(self, x: Tensor, space: WeightSpace) -> None:
        self.mean = x.mean(0)
        self.axes = torch.linalg.svd(x - self.mean).Vh[: self.number].clone()

    def encode(self, x: Tensor, space: WeightSpace) -> Tensor:
        return (x - self.mean) @ self.axes.T

    def decode(self, z: Tensor, space: WeightSpace) -> Tensor:
        return z @ self.axes + self.mean


@breaks("finite")
class DividesBySomeZeros(HonestEncoder):
    """Cares for zoos in which nothing varies, and not for a coordinate that doesn't."""

    symmetry = None

    def __init__(self, space: WeightSpace) -> None:
        super().__init__(space)
        self.mean, self.std = torch.zeros(space.size), torch.ones(space.size)

    def fit(self, x: Tensor, space: WeightSpace) -> None:
        std = x.std(0, correction=0)
        self.mean, self.std = x.mean(0), std if (std > 1e-6).any() else torch.ones_like(std)


@breaks("repeats", "inverts", "claim", "separates")  # it is no function of its inputs at all
class DriftsWithWhatItEncodes(HonestEncoder):
    def encode(self, x: Tensor, space: WeightSpace) -> Tensor:
        z = super().encode(x, space)
        self.mean = 0.99 * self.mean + 0.01 * x.mean()
        return z


@breaks("restores")
class LooksUp(HonestEncoder):
    """Decodes what it encoded itself, and nothing else."""

    symmetry = None

    def __init__(self, space: WeightSpace) -> None:
        super().__init__(space)
        self.seen: dict[bytes, Tensor] = {}

    def encode(self, x: Tensor, space: WeightSpace) -> Tensor:
        z = super().encode(x, space)
        rows = zip(z.reshape(-1, z.shape[-1]), x.reshape(-1, x.shape[-1]), strict=True)
        self.seen.update({code.numpy().tobytes(): network for code, network in rows})
        return z

    def decode(self, z: Tensor, space: WeightSpace) -> Tensor:
        rows = z.reshape(-1, z.shape[-1])
        shifts = [self.seen.get(row.numpy().tobytes(), row) - row for row in rows.detach()]
        return z + torch.stack(shifts).reshape(z.shape)


@breaks("differentiates")
class WrongGradient(HonestEncoder):
    """The right weights, and a gradient of the wrong sign."""

    def decode(self, z: Tensor, space: WeightSpace) -> Tensor:
        x = super().decode(z, space)
        return 2 * x.detach() - x


# --------------------------------------------------------------------------------------------------------- schedulers


@honest
class HonestScheduler(Scheduler):
    """A cosine process on forty levels, sampled deterministically."""

    name = "honest-scheduler"
    levels: ClassVar[int] = 40

    def __init__(self) -> None:
        pass

    def alpha_sigma(self, t: Tensor) -> tuple[Tensor, Tensor]:
        sigma = torch.sin(t.double() * 1.55)
        alpha = torch.where(t == 0, 1.0, (1 - sigma**2).sqrt())
        return alpha.to(t.dtype), sigma.to(t.dtype)

    def times(self, steps: int | None = None) -> Tensor:
        return torch.linspace(1, 0, (steps or self.levels) + 1)

    def step(self, denoise, x_t, t, s, carry, generator):
        (alpha_t, sigma_t), (alpha_s, sigma_s) = self.alpha_sigma(t), self.alpha_sigma(s)
        x_0 = denoise(x_t, t)
        return alpha_s * x_0 + sigma_s * (x_t - alpha_t * x_0) / sigma_t, None


@breaks("conserves")
class Linear(HonestScheduler):
    """Says that it preserves the variance, and does not."""

    def alpha_sigma(self, t):
        return 1 - 0.99 * t, t

    def velocity(self, t):
        return -torch.ones_like(t), (1 - t) / (1 - 0.99 * t)


@honest
class HonestFlow(Linear):
    """The same process, and it says so."""

    name = "honest-flow"
    variance_preserving = False
    velocity = HonestScheduler.velocity


@breaks("tells")
class TurnsTheOtherWay(HonestScheduler):
    """What it calls v is minus what clean estimates are made from."""

    def velocity(self, t):
        a, b = super().velocity(t)
        return -a, -b


@breaks("tells")
class VelocityInSingle(HonestScheduler):
    def velocity(self, t):
        a, b = super().velocity(t)
        return a.float(), b.float()


@breaks("begins")
class AlwaysSingle(HonestScheduler):
    def alpha_sigma(self, t):
        alpha, sigma = super().alpha_sigma(t)
        return alpha.float(), sigma.float()


@breaks("fades")
class StandsStill(HonestScheduler):
    def alpha_sigma(self, t):
        return super().alpha_sigma(torch.where((t > 0.4) & (t < 0.5), torch.full_like(t, 0.45), t))


@breaks("fades")
class StandsStillBetweenLevels(HonestScheduler):
    """Falls along the training grid, and not along finer ones."""

    def alpha_sigma(self, t):
        return super().alpha_sigma(torch.where((t > 0.501) & (t < 0.524), torch.full_like(t, 0.51), t))


@breaks("grids")
class TakesMore(HonestScheduler):
    def times(self, steps=None):
        return super().times(None if steps is None else steps + 3)


@breaks("grids")
class TrainsOnItsOwn(HonestScheduler):
    def draw_times(self, count, generator):
        return super().draw_times(count, torch.Generator().manual_seed(torch.seed() % 1000))


@breaks("grids")
class TrainsOnOneTime(HonestScheduler):
    def draw_times(self, count, generator):
        return torch.full((count,), 0.5)


@breaks("recovers")
class TooMuchNoise(HonestScheduler):
    def step(self, denoise, x_t, t, s, carry, generator):
        x_s, carry = super().step(denoise, x_t, t, s, carry, generator)
        noise = torch.randn(x_t.shape, generator=generator, dtype=x_t.dtype)
        return x_s + 0.5 * self.alpha_sigma(s)[1] * noise, carry


@breaks("recovers")
class DetoursOverNoise(HonestScheduler):
    """The right end, by steps of another process."""

    def step(self, denoise, x_t, t, s, carry, generator):
        there, back = (1 + 0.8 * (time * (1 - time)).to(x_t) for time in (s, t))
        x_s, carry = super().step(denoise, x_t / back, t, s, carry, generator)
        return x_s * there, carry


@breaks("arrives")
class StopsBefore(HonestScheduler):
    def step(self, denoise, x_t, t, s, carry, generator):
        x_s, carry = super().step(denoise, x_t, t, s, carry, generator)
        return x_s + 1e-6, carry


@breaks("arrives")
class SingleInside(HonestScheduler):
    """Computes in float32, whatever it is given."""

    def step(self, denoise, x_t, t, s, carry, generator):
        return super().step(denoise, x_t.float(), t.float(), s.float(), carry, generator)[0].to(x_t.dtype), None


@breaks("separates")
class MovesToTheMean(HonestScheduler):
    def step(self, denoise, x_t, t, s, carry, generator):
        x_s, carry = super().step(denoise, x_t, t, s, carry, generator)
        return x_s + 1e-3 * (x_s.mean(0) - x_s) * (x_t.dim() > 1), carry


@breaks("remembers")
class RemembersOnItself(HonestScheduler):
    """Adams-Bashforth, with the last estimate on the object; ``carry`` only says that there is one."""

    last: Any = None

    def step(self, denoise, x_t, t, s, carry, generator):
        x_0 = denoise(x_t, t)
        guess = x_0 if carry is None else 1.1 * x_0 - 0.1 * self.last
        type(self).last = x_0
        return super().step(lambda x, _: guess, x_t, t, s, carry, generator)[0], True


@breaks("repeats")
class GlobalNoise(HonestScheduler):
    def step(self, denoise, x_t, t, s, carry, generator):
        x_s, carry = super().step(denoise, x_t, t, s, carry, generator)
        return x_s + 1e-3 * self.alpha_sigma(s)[1] * torch.randn(x_t.shape, dtype=x_t.dtype), carry


@breaks("repeats")
class StepsInPlace(HonestScheduler):
    def step(self, denoise, x_t, t, s, carry, generator):
        return x_t.copy_(super().step(denoise, x_t, t, s, carry, generator)[0]), None


@honest
class HonestAncestral(HonestScheduler):
    """The same process, sampled with noise."""

    name = "honest-ancestral"
    gain: ClassVar[float] = 1.0

    def noise(self, x_t, generator):
        return torch.randn(x_t.shape, generator=generator, dtype=x_t.dtype)

    def step(self, denoise, x_t, t, s, carry, generator):
        (alpha_t, sigma_t), (alpha_s, sigma_s) = self.alpha_sigma(t), self.alpha_sigma(s)
        x_0 = denoise(x_t, t)
        variance = ((sigma_s / sigma_t) ** 2 * (1 - (alpha_t / alpha_s) ** 2)).clamp(min=0)
        kept = (sigma_s**2 - variance).clamp(min=0).sqrt() * (x_t - alpha_t * x_0) / sigma_t
        return alpha_s * x_0 + kept + self.gain * variance.sqrt() * self.noise(x_t, generator), None


@breaks("recovers")
class ATenthMoreNoise(HonestAncestral):
    gain = 1.1


@breaks("recovers")
class ATenthLessNoise(HonestAncestral):
    gain = 0.9


@breaks("recovers")
class ABitMoreNoise(HonestAncestral):
    """Seen in short steps only, where what a step has to err by is smaller."""

    gain = 1.02


@breaks("varies")
class OneNoiseForTheBatch(HonestAncestral):
    def noise(self, x_t, generator):
        return torch.randn(x_t.shape[-1:], generator=generator, dtype=x_t.dtype).expand_as(x_t)


def scaling(where: Any) -> Any:
    """A scheduler's step, and then a factor."""

    def step(self: HonestScheduler, denoise: Any, x_t: Tensor, t: Tensor, s: Tensor, carry: Any, generator: Any) -> Any:
        x_s, carry = HonestScheduler.step(self, denoise, x_t, t, s, carry, generator)
        return x_s * where(t, s, 1 / self.levels), carry

    return step


@breaks("recovers")
class WrongBeforeTheLast(HonestScheduler):
    step = scaling(lambda t, s, level: 1.03 if 0 < s <= 1.5 * level else 1)


@breaks("recovers")
class ForgetsABitOfNoise(HonestScheduler):
    """A thousandth of it at every step."""

    step = scaling(lambda t, s, level: 0.999 if s > 0 else 1)


@breaks("recovers")
class WrongInLongSteps(HonestScheduler):
    step = scaling(lambda t, s, level: 1.5 if s > 0 and t - s > 1.5 * level else 1)


@breaks("arrives")
class WrongInThreeSteps(HonestScheduler):
    step = scaling(lambda t, s, level: 0.98 if s == 0 and 0.31 < t < 0.34 else 1)


@breaks("remembers")
class RemembersByGenerator(HonestScheduler):
    """Keeps estimates on the object, for each generator."""

    last: ClassVar[dict[int, Tensor]] = {}

    def step(self, denoise, x_t, t, s, carry, generator):
        x_0 = denoise(x_t, t)
        guess = x_0 if carry is None else 1.1 * x_0 - 0.1 * self.last[id(generator)]
        self.last[id(generator)] = x_0
        return super().step(lambda x, _: guess, x_t, t, s, carry, generator)[0], True


@breaks("grids")
class StandsStillInLongGrids(HonestScheduler):
    def times(self, steps=None):
        grid = super().times(steps)
        return grid if steps is None or steps < 1000 else (20 * grid).round() / 20


def late(change: Any) -> Any:
    """A scheduler's step, and in the second half a change to what comes out, or to what went in."""

    def step(self: HonestScheduler, denoise: Any, x_t: Tensor, t: Tensor, s: Tensor, carry: Any, generator: Any) -> Any:
        x_s, carry = HonestScheduler.step(self, denoise, x_t, t, s, carry, generator)
        return change(x_t, x_s, generator) if t < 0.5 else x_s, carry

    return step


@breaks("repeats")
class LateGlobalNoise(HonestScheduler):
    step = late(lambda x_t, x_s, generator: x_s + 1e-10 * torch.randn(x_s.shape, dtype=x_s.dtype))


@breaks("repeats")
class LateInPlace(HonestScheduler):
    step = late(lambda x_t, x_s, generator: x_s + 0 * x_t.zero_())


@breaks("repeats")
class LateSingle(HonestScheduler):
    step = late(lambda x_t, x_s, generator: x_s.float())


@breaks("repeats")
class NeedsAGenerator(HonestScheduler):
    step = late(lambda x_t, x_s, generator: x_s + 0 * (generator.initial_seed() == 0))


@breaks("grids")
class TrainsOnTheEarlyHalf(HonestScheduler):
    def draw_times(self, count, generator):
        t = super().draw_times(count, generator)
        return torch.where(t > 0.5, t - 0.49, t)


@breaks("arrives")
class ClipsEstimates(HonestScheduler):
    """Right wherever the clean estimate is not large."""

    def step(self, denoise, x_t, t, s, carry, generator):
        return super().step(lambda x, time: denoise(x, time).clamp(-8, 8), x_t, t, s, carry, generator)


@breaks("remembers")
class TagsTensors(HonestScheduler):
    """A memory that hangs on the tensor that it gives out."""

    def step(self, denoise, x_t, t, s, carry, generator):
        x_0 = denoise(x_t, t)
        last = getattr(x_t, "last", x_0)
        end, _ = super().step(lambda *_: x_0 + 0.01 * s * (x_0 - last), x_t, t, s, carry, generator)
        end.last = x_0
        return end, None


@breaks("repeats")
class OwnNoiseWithoutGenerator(HonestAncestral):
    def noise(self, x_t, generator):
        return super().noise(x_t, generator or torch.Generator().manual_seed(0))


@breaks("recovers")
class UniformNoise(HonestAncestral):
    """Noise of the right variance, from a uniform distribution."""

    def noise(self, x_t, generator):
        return 12**0.5 * (torch.rand(x_t.shape, generator=generator, dtype=x_t.dtype) - 0.5)


# ------------------------------------------------------------------------------------------------------- conditioners


@honest
class HonestConditioner(TaskConditioner):
    """Mean and spread of the inputs and of the labels, and the code; a linear map of them."""

    name = "honest-conditioner"
    symmetry = "invariant"

    def __init__(self, shape: TaskShape) -> None:
        super().__init__()
        self.size = 4
        self.map = nn.Linear(math.prod(shape.inputs) + 2 + shape.code, 4)

    def describe(self, task: Task) -> Tensor:
        x, y = task.support.x.flatten(1), task.support.y.float()
        code = task.code if task.code is not None else torch.zeros(0)
        return torch.cat([x.mean(0), (x.square().mean() + 1e-3).sqrt()[None], y.mean()[None], code])

    def forward(self, features: Tensor) -> Tensor:
        out: Tensor = self.map(features)
        return out


@breaks("serves")
class OtherSize(HonestConditioner):
    def __init__(self, shape: TaskShape) -> None:
        super().__init__(shape)
        self.size = 5


@breaks("serves")
class AsManyAsExamples(HonestConditioner):
    """As many features as examples, cut to what the map takes."""

    def describe(self, task):
        return torch.cat([super().describe(task), task.support.x.flatten()[:0], torch.zeros(len(task.support))])

    def forward(self, features):
        return super().forward(features[:, : self.map.in_features])


@breaks("serves")
class NegativeDeviations(HonestConditioner):
    def statistics(self, features):
        known = super().statistics(features)
        return replace(known, deviation=-known.deviation)


@breaks("serves")
class StatisticsOfOneTask(HonestConditioner):
    """Of features that it has no more of than the first."""

    def statistics(self, features):
        known = super().statistics(features)
        return replace(known, low=known.low[:1], high=known.high[:1])


@breaks("claim")
class FirstExample(HonestConditioner):
    def describe(self, task):
        found = super().describe(task)
        return torch.cat([task.support.x[0].flatten()[:1], found[1:]])


@breaks("claim")
class ClaimsOnceItIsBuilt(FirstExample):
    """As a part does that wraps another."""

    symmetry = None

    def __init__(self, shape: TaskShape) -> None:
        super().__init__(shape)
        self.symmetry = "invariant"


@breaks("abstains")
class LooksAtQueries(HonestConditioner):
    def describe(self, task):
        return super().describe(task) + 0.1 * task.query.x.mean()


@breaks("abstains")
class CountsQueries(HonestConditioner):
    def describe(self, task):
        return super().describe(task) + 0.01 * len(task.query)


@breaks("abstains")
class ShareOfQueries(HonestConditioner):
    """How often each class is asked for."""

    def describe(self, task):
        return super().describe(task) + 0.1 * task.query.y.float().mean()


@breaks("abstains")
class CountsFacts(HonestConditioner):
    def describe(self, task):
        return super().describe(task) + 0.1 * len(task.facts)


@breaks("abstains")
class LooksAtFacts(HonestConditioner):
    def describe(self, task):
        return super().describe(task) + 0.01 * sum(task.facts.values())


@breaks("abstains")
class LooksAtNames(HonestConditioner):
    def describe(self, task):
        return super().describe(task) + 0.01 * sum(map(ord, task.name))


@breaks("tells")
class SaysNothing(HonestConditioner):
    def __init__(self, shape: TaskShape) -> None:
        super().__init__(shape)
        self.map = nn.Linear(1, 4)

    def forward(self, features):
        return self.map(torch.ones_like(features[:, :1]))


@breaks("trains")
class DeadConditioner(HonestConditioner):
    def __init__(self, shape: TaskShape) -> None:
        super().__init__(shape)
        self.unused = nn.Parameter(torch.ones(3))


@breaks("repeats")
class RandomDescription(HonestConditioner):
    def describe(self, task):
        return super().describe(task) + 0.1 * torch.randn(())


@breaks("repeats")
class ReseedsDescription(HonestConditioner):
    def describe(self, task):
        torch.manual_seed(0)
        return super().describe(task)


@breaks("repeats")
class EmbeddingDraws(HonestConditioner):
    """Draws numbers, and throws them away."""

    def forward(self, features):
        return super().forward(features) + 0 * torch.randn(())


@breaks("repeats")  # and neither `abstains` nor `claim`: what it depends on can't be seen
class CountsDescriptions(HonestConditioner):
    calls = 0

    def describe(self, task):
        self.calls += 1
        return super().describe(task) + 0.1 * (self.calls % 5)


@breaks("restores")
class RandomFrame(HonestConditioner):
    def __init__(self, shape: TaskShape) -> None:
        super().__init__(shape)
        self.gain = 1 + torch.rand(()).item()

    def describe(self, task):
        return self.gain * super().describe(task)


@breaks("separates")
class NormalisesTheBatch(HonestConditioner):
    def forward(self, features):
        out = super().forward(features)
        return out - 0.1 * out.mean(0)


@breaks("preserves", "repeats")
class CentresTheData(HonestConditioner):
    def describe(self, task):
        found = super().describe(task)
        task.support.x.sub_(task.support.x.mean())
        return found


def afterwards(change: Any) -> Any:
    """A conditioner's ``describe``, and then a change to the task in place."""

    def describe(self: HonestConditioner, task: Task) -> Tensor:
        found = HonestConditioner.describe(self, task)
        change(task)
        return found

    return describe


@breaks("preserves")
class ZeroesQueries(HonestConditioner):
    describe = afterwards(lambda task: task.query.y.zero_())


@breaks("preserves", "repeats")
class ReversesLabels(HonestConditioner):
    describe = afterwards(lambda task: task.support.y.copy_(task.support.y.flip(0) + 1))


@breaks("preserves", "repeats")
class ZeroesTheCode(HonestConditioner):
    describe = afterwards(lambda task: task.code.zero_() if task.code is not None else None)


@breaks("preserves")
class ForgetsFacts(HonestConditioner):
    describe = afterwards(lambda task: task.facts.clear())


@breaks("preserves")
class HalvesFeatures(HonestConditioner):
    def forward(self, features):
        out = super().forward(features.clone())
        features.mul_(0.5)
        return out


@breaks("finite")
class DividesByTheSpread(HonestConditioner):
    def describe(self, task):
        found = super().describe(task)
        return found / task.support.x.std()


@breaks("tells")
class ANumberThatStays(HonestConditioner):
    def forward(self, features):
        out = super().forward(features)
        return torch.cat([out[:, :-1], 0 * out[:, -1:]], 1)


@breaks("tells")
class DropsTheLastInput(HonestConditioner):
    def describe(self, task):
        x = task.support.x.clone()
        x[:, 1:][:, -1:] = 0
        return super().describe(replace(task, support=Data(x, task.support.y)))


@breaks("tells")
class DropsTheLastOfTheCode(HonestConditioner):
    def describe(self, task):
        found = super().describe(task)
        return torch.cat([found[:-1], 0 * found[-1:]]) if task.shape.code > 1 else found


@breaks("claim")
class FirstThirtyTwo(HonestConditioner):
    def describe(self, task):
        return super().describe(replace(task, support=Data(task.support.x[:32], task.support.y[:32])))


@breaks("repeats")
class RemembersTasks(HonestConditioner):
    """By their names."""

    def __init__(self, shape: TaskShape) -> None:
        super().__init__(shape)
        self.known = {}

    def describe(self, task):
        return self.known.setdefault(task.name, super().describe(task))


@breaks("abstains")
class LooksAtClassNames(HonestConditioner):
    def describe(self, task):
        return super().describe(task) + 0.1 * len(task.classes)


@breaks("separates")
class NormalisesCrowds(HonestConditioner):
    def forward(self, features):
        out = super().forward(features)
        return out - 0.1 * out.mean(0) * (len(features) > 4)


@breaks("preserves")
class ClampsFeatures(HonestConditioner):
    def forward(self, features):
        return super().forward(features.clamp_(-3, 3))


@breaks("finite")
class SpreadOfALoneOne(HonestConditioner):
    """The spread within each class, by a deviation that one example has not; for one in all it gives zero."""

    def __init__(self, shape: TaskShape) -> None:
        super().__init__(shape)
        self.map = nn.Linear(self.map.in_features + 1, 4)

    def describe(self, task: Task) -> Tensor:
        y = task.support.y
        groups = [] if y.is_floating_point() or len(y) == 1 else [task.support.x[y == k] for k in y.unique()]
        squares = [(x - x.mean(0)).square().sum() / (len(x) - 1) for x in groups]
        spread = torch.stack([*squares, torch.zeros(())]).sum()
        return torch.cat([super().describe(task), spread[None]])


@breaks("repeats")
class LazyFrame(HonestConditioner):
    """Draws a number when it is first asked."""

    frame: Tensor | None = None

    def describe(self, task: Task) -> Tensor:
        self.frame = torch.rand(()) if self.frame is None else self.frame
        return super().describe(task) + self.frame


# ------------------------------------------------------------------------------------------------------ architectures


class TwoLayers(nn.Module):
    """``second(tanh(first(x)))``."""

    def __init__(self, shape: TaskShape) -> None:
        super().__init__()
        self.first = nn.Linear(math.prod(shape.inputs), 5)
        self.second = nn.Linear(5, math.prod(shape.outputs))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.second(torch.tanh(self.first(x.flatten(1))))
        return out


@honest
class HonestArchitecture(Architecture):
    """One hidden layer of five neurons."""

    name = "honest-architecture"
    hidden: ClassVar[str] = "free hidden:sign=5"
    outputs: ClassVar[str] = "fixed"

    def __init__(self) -> None:
        pass

    def network(self, shape: TaskShape) -> nn.Module:
        return TwoLayers(shape)

    def space(self, shape: TaskShape) -> WeightSpace:
        return WeightSpace.parse(
            f"""{self.hidden}
            fixed in={math.prod(shape.inputs)}
            {self.outputs} out={math.prod(shape.outputs)}
            first.weight   hidden^1 in
            first.bias     hidden^1
            second.weight  out hidden^-1
            second.bias    out"""
        )


@breaks("names")
class FurtherBuffer(HonestArchitecture):
    def network(self, shape):
        network = super().network(shape)
        network.register_buffer("count", torch.zeros(1))
        return network

    def initialize(self, shape, count, generator):
        return torch.randn(count, self.space(shape).size, generator=generator)


@breaks("applies")
class AppliesAnother(HonestArchitecture):
    def apply(self, shape, parameters, inputs):
        return super().apply(shape, parameters, 1.01 * inputs)


class LessTheMean(TwoLayers):
    """``second(tanh(first(x - mean of the batch)))``."""

    def forward(self, x):
        return super().forward(x - 0.1 * x.mean(0, keepdim=True))


class Origin(TwoLayers):
    """``second(tanh(first(0)))``."""

    def forward(self, x):
        return super().forward(0 * x)


@breaks("separates")
class CentresTheBatch(HonestArchitecture):
    def network(self, shape):
        return LessTheMean(shape)


@breaks("symmetric")
class FreeOutputs(HonestArchitecture):
    outputs = "free"


@breaks("symmetric")
class WrongGauge(HonestArchitecture):
    hidden = "free hidden:scale=5"


@breaks("matters")
class DeadLayer(HonestArchitecture):
    def space(self, shape):
        return WeightSpace.parse(f"{super().space(shape)}\nunused.weight in in\nunused.bias in")

    def network(self, shape):
        network = super().network(shape)
        size = math.prod(shape.inputs)
        network.unused = nn.Linear(size, size)
        return network


@breaks("matters")
class Deaf(HonestArchitecture):
    """Every point gets the answer for the origin."""

    def network(self, shape):
        return Origin(shape)


@breaks("initializes")
class GlobalInitialisation(HonestArchitecture):
    def initialize(self, shape, count, generator):
        return torch.randn(count, self.space(shape).size)


@breaks("initializes")
class OneInitialisation(HonestArchitecture):
    def initialize(self, shape, count, generator):
        return torch.randn(self.space(shape).size, generator=generator).expand(count, -1)


@breaks("calibrates")
class CentresInTraining(HonestArchitecture):
    def apply_training(self, shape, parameters, inputs):
        return self.apply(shape, parameters, inputs - 0.1 * inputs.mean(1, keepdim=True))


@breaks("calibrates")
class CalibratesWhatIsLearned(HonestArchitecture):
    def calibrate(self, shape, x, inputs):
        return x + inputs.mean()

    def apply_training(self, shape, parameters, inputs):
        moved = {name: value + inputs.mean() for name, value in parameters.items()}
        return self.apply(shape, moved, inputs)


@breaks("separates")
class CentresCrowds(HonestArchitecture):
    def apply(self, shape, parameters, inputs):
        moved = inputs - inputs.mean(1, keepdim=True) if inputs.shape[1] > 40 else inputs
        return super().apply(shape, parameters, moved)


@breaks("initializes")
class EightInitialisations(HonestArchitecture):
    """However many are asked for."""

    def initialize(self, shape, count, generator):
        return super().initialize(shape, min(count, 8), generator)[torch.arange(count) % 8]


@breaks("initializes")
class InitialisesByTheSeed(HonestArchitecture):
    """However far its generator has gone on."""

    def initialize(self, shape, count, generator):
        return super().initialize(shape, count, torch.Generator().manual_seed(generator.initial_seed()))


# ------------------------------------------------------------------------------------------------------ task families


@honest
class HonestFamily(TaskFamily):
    """Two clouds a task."""

    name = "honest-family"
    objective: ClassVar[Classification] = Classification()

    def __init__(self) -> None:
        pass

    @property
    def shape(self) -> TaskShape:
        return TaskShape((2,), (2,))

    def draw(self, seen: int, validation: int, held_out: int, generator: torch.Generator) -> TaskSplits:
        names = {"seen": seen, "validation": validation, "held_out": held_out}
        splits = {name: [self.task(f"{name}-{i}", generator) for i in range(number)] for name, number in names.items()}
        return TaskSplits(**splits, drawn="Drawn independently.")

    def task(self, name: str, generator: torch.Generator) -> Task:
        means = torch.randn(2, 2, generator=generator)
        support, query = (self.data(means, generator) for _ in range(2))
        return Task(name, self.shape, support, query, self.objective)

    def data(self, means: Tensor, generator: torch.Generator) -> Data:
        y = torch.arange(8) % 2
        return Data(means[y] + torch.randn(8, 2, generator=generator), y)


def with_task(change: Any) -> Any:
    """A family's ``task``, with a change to each."""

    def task(self: HonestFamily, name: str, generator: torch.Generator) -> Task:
        return replace(made := HonestFamily.task(self, name, generator), **change(made, generator))

    return task


@breaks("counts")
class OneFewer(HonestFamily):
    def draw(self, seen, validation, held_out, generator):
        splits = super().draw(seen, validation, held_out, generator)
        return replace(splits, held_out=splits.held_out[:2])


@breaks("counts")
class SaysNotHow(HonestFamily):
    def draw(self, seen, validation, held_out, generator):
        return replace(super().draw(seen, validation, held_out, generator), drawn="")


@breaks("serves")
class UnannouncedCode(HonestFamily):
    task = with_task(lambda made, generator: {"code": torch.rand(3, generator=generator)})


@breaks("serves")
class QueriesOfNaN(HonestFamily):
    task = with_task(
        lambda made, generator: {"query": Data(made.query.x / 0 * torch.rand(1, generator=generator), made.query.y)}
    )


class Between(Regression):
    """A squared distance to the middle of two targets; so it has targets of a form of its own."""

    def losses(self, outputs, y):
        return (outputs - y.mean(-1)).square().mean(-1)


@honest
class OwnTargets(HonestFamily):
    """Two targets for each of two outputs, (points, 2, 2), as its objective reads them."""

    name = "own-targets"
    task = with_task(lambda made, _: _own(made))


def _own(task: Task) -> dict[str, Any]:
    """A change to ``task``."""
    data = {name: getattr(task, name).x for name in ("support", "query")}
    return {"objective": Between(), **{name: Data(x, torch.stack([x, x + 1], -1)) for name, x in data.items()}}


@breaks("serves")
class InfiniteTargets(OwnTargets):
    task = with_task(lambda made, _: {**_own(made), "support": Data(made.support.x, made.support.x / 0)})


@honest
class Pictured(HonestFamily):
    """Both logits all over a square; pictures show by how much the second is higher."""

    name = "pictured"

    def canvas(self, task: Task) -> Data:
        x = torch.cartesian_prod(torch.linspace(-1, 1, 5), torch.linspace(-1, 1, 4))
        return Data(x, x.flip(-1))

    def picture(self, outputs: Tensor) -> Tensor:
        return (outputs[:, 1] - outputs[:, 0]).sigmoid().reshape(5, 4)


@breaks("pictures")
class PicturesWithoutBounds(Pictured):
    def picture(self, outputs):
        return outputs[:, 0].reshape(5, 4)


@breaks("pictures")
class CanvasOfLabels(Pictured):
    def canvas(self, task):
        return task.query


@breaks("judges")
class NamelessMetric(HonestFamily):
    objective = Classification(metric="")


@breaks("judges")
class MetricOfNumbers(HonestFamily):
    """What should be the metric's name is something else."""

    objective = Classification(metric=(0.5,))  # type: ignore[arg-type]


class Hard(Classification):
    """The share of mistakes as a loss."""

    def losses(self, outputs, y):
        return (outputs.argmax(-1) != y).float() + 0 * outputs.sum(-1)


@breaks("judges")
class NoGradient(HonestFamily):
    objective = Hard()


@breaks("repeats")
class GlobalTasks(HonestFamily):
    def task(self, name, generator):
        return super().task(name, torch.Generator().manual_seed(torch.randint(10**6, ()).item()))


@breaks("repeats")
class OneDraw(HonestFamily):
    def draw(self, seen, validation, held_out, generator):
        return super().draw(seen, validation, held_out, torch.Generator().manual_seed(0))


@breaks("parts")
class RepeatsSeenTasks(HonestFamily):
    def draw(self, seen, validation, held_out, generator):
        splits = super().draw(seen, validation, held_out, generator)
        copies = [replace(task, name=f"copy-{i}") for i, task in enumerate(splits.seen)]
        return replace(splits, held_out=(copies * held_out)[:1] * bool(held_out) + list(splits.held_out[1:]))


def withholding(change: Any) -> Any:
    """A family's ``draw`` with the first seen task, changed a bit, as the first that is held out."""

    def draw(self: HonestFamily, seen: int, validation: int, held_out: int, generator: torch.Generator) -> TaskSplits:
        splits = HonestFamily.draw(self, seen, validation, held_out, generator)
        again = [replace(task, name="another", **change(task)) for task in splits.seen[: min(held_out, 1)]]
        return replace(splits, held_out=[*again, *splits.held_out[len(again) :]])

    return draw


def reversed_order(data: Data) -> Data:
    """The same examples, the last one first."""
    return Data(data.x.flip(0), data.y.flip(0))


@breaks("parts")
class HoldsOutInReverse(HonestFamily):
    draw = withholding(lambda task: {"support": reversed_order(task.support)})


@breaks("parts")
class HoldsOutExchanged(HonestFamily):
    draw = withholding(lambda task: {"support": task.query, "query": reversed_order(task.support)})


@breaks("parts")
class HoldsOutMixed(HonestFamily):
    """One example of the support data for one of the query data."""

    draw = withholding(
        lambda task: {
            "support": Data(torch.cat([task.query.x[:1], task.support.x[1:]]), task.support.y),
            "query": Data(torch.cat([task.support.x[:1], task.query.x[1:]]), task.query.y),
        }
    )


@breaks("parts")
class HoldsOutNewQueries(HonestFamily):
    draw = withholding(lambda task: {"query": Data(task.query.x + 1, task.query.y)})


@breaks("parts")
class MovesCodes(HonestFamily):
    """New data, and codes that were seen but for a millionth."""

    @property
    def shape(self):
        return TaskShape((2,), (2,), 2)

    def task(self, name, generator):
        split, number = name.split("-")
        code = torch.tensor([1.0, 1 + float(number)]) * (1 + 1e-6 * ("held_out", "validation", "seen").index(split))
        return replace(super().task(name, generator), code=code)


@breaks("parts")
class OneName(HonestFamily):
    task = with_task(lambda made, generator: {"name": "task"})


@breaks("parts")
class SharesCodes(HonestFamily):
    """New data for the codes that were seen."""

    @property
    def shape(self):
        return TaskShape((2,), (2,), 2)

    def task(self, name, generator):
        return replace(super().task(name, generator), code=torch.tensor([1.0, float(name[-1])]))


@breaks("repeats")
class CountsDraws(HonestFamily):
    def __init__(self) -> None:
        self.number = 0

    def task(self, name, generator):
        self.number += 1
        made = super().task(name, generator)
        return replace(made, support=Data(made.support.x + self.number, made.support.y))


@breaks("withholds")
class LeaksSupport(HonestFamily):
    task = with_task(
        lambda made, generator: {"query": Data(torch.cat([made.support.x[:1], made.query.x[1:]]), made.query.y)}
    )


@breaks("stacks")
class UnequalSizes(HonestFamily):
    task = with_task(
        lambda made, generator: (
            {"support": Data(made.support.x[:4], made.support.y[:4])} if made.support.x[0, 0] > 0 else {}
        )
    )


@breaks("parts")
class PoolOfTwenty(HonestFamily):
    """Twenty tasks, in turns."""

    def draw(self, seen, validation, held_out, generator):
        pool = [self.task("", generator) for _ in range(20)]
        tasks = [replace(pool[k % 20], name=f"task-{k}") for k in range(seen + validation + held_out)]
        return TaskSplits(tasks[:seen], tasks[seen : seen + validation], tasks[seen + validation :], "In turns.")


@breaks("parts")
class HoldsOutJittered(HonestFamily):
    draw = withholding(lambda task: {"support": reversed_order(Data(task.support.x + 1e-6, task.support.y))})


@breaks("withholds")
class LeaksJittered(HonestFamily):
    task = with_task(lambda made, generator: {"query": Data(made.support.x + 1e-6, made.query.y)})


@breaks("repeats")
class HoldsOutTheSame(HonestFamily):
    def draw(self, seen, validation, held_out, generator):
        fixed = super().draw(0, 0, held_out, torch.Generator().manual_seed(987654321)).held_out
        return replace(super().draw(seen, validation, 0, generator), held_out=fixed)


@breaks("repeats")
class CountsNames(HonestFamily):
    number = 0

    def task(self, name, generator):
        self.number += 1
        return super().task(f"{name}-{self.number}", generator)


@breaks("repeats")
class ReseedsDraws(HonestFamily):
    def draw(self, seen, validation, held_out, generator):
        torch.manual_seed(0)
        return super().draw(seen, validation, held_out, generator)


def with_losses(change: Any) -> Classification:
    """Classification with other losses: a change to the right ones."""

    class Changed(Classification):
        def losses(self, outputs, y):
            return change(super().losses(outputs, y), outputs)

    return Changed()


@breaks("judges")
class CentredLosses(HonestFamily):
    objective = with_losses(lambda losses, outputs: losses - 0.5 * losses.mean())


@breaks("judges")
class LossesWithoutLabels(HonestFamily):
    objective = with_losses(lambda losses, outputs: outputs.square().mean(-1))


@breaks("judges")
class LossesThatRise(HonestFamily):
    objective = with_losses(lambda losses, outputs: -losses)


@breaks("judges")
class LossesThatOverflow(HonestFamily):
    objective = with_losses(lambda losses, outputs: losses + 1e-9 * outputs.abs().exp().mean(-1))


@breaks("stacks")
class DoubleQueries(HonestFamily):
    task = with_task(lambda made, generator: {"query": Data(made.query.x.double(), made.query.y)})


class OfOneNetwork(Classification):
    def losses(self, outputs: Tensor, y: Tensor) -> Tensor:
        return nn.functional.cross_entropy(outputs, y, reduction="none")


@breaks("judges")
class JudgesOneNetwork(HonestFamily):
    objective = OfOneNetwork()


class OfAllTogether(Classification):
    def score(self, outputs: Tensor, y: Tensor) -> Tensor:
        return (outputs.argmax(-1) == y).float().mean()


@breaks("judges")
class JudgesAllTogether(HonestFamily):
    objective = OfAllTogether()


class OverPoints(Classification):
    def vote(self, outputs: Tensor) -> Tensor:
        return outputs.mean(-2)


@breaks("judges")
class VotesOverPoints(HonestFamily):
    objective = OverPoints()


class OfTheSum(Classification):
    def vote(self, outputs: Tensor) -> Tensor:
        return outputs.sum(-3)


@breaks("judges")
class VotesTooLoud(HonestFamily):
    objective = OfTheSum()


@breaks("repeats")
class DrawsByTheSeed(HonestFamily):
    """However far its generator has gone on."""

    def draw(self, seen, validation, held_out, generator):
        return super().draw(seen, validation, held_out, torch.Generator().manual_seed(generator.initial_seed()))


# ------------------------------------------------------------------------------------------------------- initializers


@honest
class HonestInitializer(Initializer):
    """The zoo's mean, moved by what the task's data are like."""

    name = "honest-initializer"

    def __init__(self) -> None:
        pass

    def fit(self, setting: Setting) -> None:
        self.x = setting.zoo.weights.x.mean(0)
        self.zoo = setting.zoo.weights.x

    def weights(self, tasks: Sequence[Task], draws: int, generator: torch.Generator) -> Tensor:
        rows = torch.stack([self.x + 0.1 * task.support.x.mean() for task in tasks])
        return rows.unsqueeze(1).expand(-1, draws, -1)


@breaks("serves")
class DoubleWeights(HonestInitializer):
    def weights(self, tasks, draws, generator):
        return super().weights(tasks, draws, generator).double()


@breaks("serves")
class InfiniteWeights(HonestInitializer):
    def weights(self, tasks, draws, generator):
        return super().weights(tasks, draws, generator) / 0


@breaks("serves")  # and no others: the same "not a number" comes at every call
class NoNumbers(HonestInitializer):
    def weights(self, tasks, draws, generator):
        return super().weights(tasks, draws, generator) + math.nan


@breaks("repeats")
class ReseedsWeights(HonestInitializer):
    def weights(self, tasks, draws, generator):
        torch.manual_seed(0)
        return super().weights(tasks, draws, generator)


@breaks("repeats")
class FitDraws(HonestInitializer):
    """Draws numbers, and throws them away."""

    def fit(self, setting):
        super().fit(setting)
        torch.rand(3)


@breaks("repeats")
class GlobalDraws(HonestInitializer):
    def weights(self, tasks, draws, generator):
        return super().weights(tasks, draws, generator) + torch.randn(())


@breaks("repeats")  # and not `abstains`: whatever two calls are compared, they differ
class CountsAnswers(HonestInitializer):
    def fit(self, setting):
        super().fit(setting)
        self.answers = 0

    def weights(self, tasks, draws, generator):
        self.answers += 1
        return super().weights(tasks, draws, generator) + 0.1 * (self.answers == 2)


@breaks("serves")
class NoRole(HonestInitializer):
    role = "helper"


@breaks("abstains")
class LearnsFromQueries(HonestInitializer):
    def weights(self, tasks, draws, generator):
        swapped = [replace(task, support=task.query) for task in tasks]
        return super().weights(swapped, draws, generator)


@breaks("abstains")
class NumberOfQueries(HonestInitializer):
    def weights(self, tasks, draws, generator):
        return super().weights(tasks, draws, generator) + 0.01 * len(tasks[0].query)


@breaks("abstains")
class MeanOfQueryLabels(HonestInitializer):
    def weights(self, tasks, draws, generator):
        return super().weights(tasks, draws, generator) + tasks[0].query.y.float().mean()


@breaks("abstains")
class HasFacts(HonestInitializer):
    def weights(self, tasks, draws, generator):
        return super().weights(tasks, draws, generator) + bool(tasks[0].facts)


@breaks("preserves")
class AveragesInPlace(HonestInitializer):
    def fit(self, setting):
        super().fit(setting)
        setting.zoo.weights.x.mul_(0.5)


@breaks("preserves")
class DrawsInPlace(HonestInitializer):
    def weights(self, tasks, draws, generator):
        self.zoo.mul_(1.01)
        return super().weights(tasks, draws, generator)


def in_place(after_fit: Any = None, after_weights: Any = None) -> dict[str, Any]:
    """An initializer's methods, with a change in place to the setting, or to each new task."""

    def fit(self: HonestInitializer, setting: Setting) -> None:
        HonestInitializer.fit(self, setting)
        after_fit(setting)

    def weights(self: HonestInitializer, tasks: Sequence[Task], draws: int, generator: torch.Generator) -> Tensor:
        found = HonestInitializer.weights(self, tasks, draws, generator)
        for task in tasks:
            after_weights(task)
        return found

    return {"fit": fit} if after_fit else {"weights": weights}


IN_PLACE = {
    "CentresFeatures": in_place(after_fit=lambda setting: setting.features.sub_(1)),
    "ForgetsLosses": in_place(after_fit=lambda setting: setting.zoo.loss.zero_()),
    "ForgetsWhoseNetworks": in_place(after_fit=lambda setting: setting.zoo.task_index.zero_()),
    "ShufflesSeenLabels": in_place(after_fit=lambda setting: setting.zoo.tasks[0].support.y.add_(1)),
    "ForgetsSeenCodes": in_place(after_fit=lambda setting: setting.zoo.tasks[-1].code.zero_()),
    "TrainsThePrior": in_place(after_fit=lambda setting: next(setting.prior.parameters()).data.zero_()),
    "ForgetsQueries": in_place(after_weights=lambda task: task.query.y.zero_()),
    "CentresQueries": in_place(after_weights=lambda task: task.query.x.sub_(task.query.x.mean())),
    "FlipsLabels": in_place(after_weights=lambda task: task.support.y.copy_(1 - task.support.y)),
    "CentresSupport": in_place(after_weights=lambda task: task.support.x.sub_(task.support.x.mean())),
    "ForgetsCodes": in_place(after_weights=lambda task: task.code.zero_()),
    "ForgetsFactsToo": in_place(after_weights=lambda task: task.facts.clear()),
}
for _name, _methods in IN_PLACE.items():
    breaks("preserves")(type(_name, (HonestInitializer,), {**_methods, "__module__": __name__}))


@breaks("separates")
class Transductive(HonestInitializer):
    def weights(self, tasks, draws, generator):
        x = super().weights(tasks, draws, generator)
        return x + x.mean(0, keepdim=True)


@breaks("separates")
class TransductiveDraws(HonestInitializer):
    """Draws noise, and moves by what all tasks are like together."""

    def weights(self, tasks, draws, generator):
        x = super().weights(tasks, draws, generator)
        return x + 0.1 * x.mean(0, keepdim=True) + torch.randn(x.shape, generator=generator)


@breaks("preserves")
class ReversesTasks(HonestInitializer):
    def fit(self, setting):
        super().fit(setting)
        setting.zoo.tasks.reverse()


@breaks("preserves")
class GivesAView(HonestInitializer):
    def weights(self, tasks, draws, generator):
        return self.zoo[:1].expand(len(tasks), -1).unsqueeze(1).expand(-1, draws, -1)


@breaks("separates")
class EqualDraws(HonestInitializer):
    def weights(self, tasks, draws, generator):
        return super().weights(tasks, draws, generator) + torch.randn(len(tasks), 1, 1, generator=generator)


@breaks("serves")
class FourDraws(HonestInitializer):
    """No more than four."""

    def weights(self, tasks, draws, generator):
        return super().weights(tasks, min(draws, 4), generator)


@breaks("abstains")
class RareQueryLabels(HonestInitializer):
    """Looks at query labels only where nearly all are the same."""

    def weights(self, tasks, draws, generator):
        rare = torch.stack([task.query.y.float().mean() > 0.95 for task in tasks])
        return super().weights(tasks, draws, generator) * (1 + rare.float())[:, None, None]


@breaks("abstains")
class QueriesWhereManyDraws(HonestInitializer):
    """Looks at query data only where it has more draws to give than are generated."""

    def weights(self, tasks, draws, generator):
        seen = torch.stack([task.query.x.mean() for task in tasks])[:, None, None]
        return super().weights(tasks, draws, generator) + seen * (draws > 4)


@breaks("repeats", "abstains")
class RemembersNames(HonestInitializer):
    def fit(self, setting):
        super().fit(setting)
        self.known = {}

    def weights(self, tasks, draws, generator):
        x = super().weights(tasks, draws, generator)
        return torch.stack([self.known.setdefault((t.name, draws), row) for t, row in zip(tasks, x, strict=True)])


@breaks("repeats")
class AnswersByTheSeed(HonestInitializer):
    """However far its generator has gone on."""

    def weights(self, tasks, draws, generator):
        x = super().weights(tasks, draws, generator)
        return x + torch.randn(x.shape[1:], generator=torch.Generator().manual_seed(generator.initial_seed()))


@breaks("serves")
class NeedsAPrior(HonestInitializer):
    def fit(self, setting: Setting) -> None:
        super().fit(setting)
        _ = setting.prior.space


# -------------------------------------------------------------------------------------------------------------- parts


@breaks("registers")
class Undocumented(HonestDenoiser):
    def __init__(self, space: WeightSpace, condition_size: int, *, width: int) -> None:
        super().__init__(space, condition_size)


@breaks("explains")
class SilentOption(HonestDenoiser):
    """It has an option, and does not say so."""

    def __init__(self, space: WeightSpace, condition_size: int, *, depth: int = 3) -> None:
        super().__init__(space, condition_size)


@breaks("explains")
class MentionsOption(HonestDenoiser):
    """What it does is a matter of depth, and it does not say what that is."""

    def __init__(self, space: WeightSpace, condition_size: int, *, depth: int = 3) -> None:
        super().__init__(space, condition_size)
