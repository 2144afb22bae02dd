"""`pca`: the zoo's principal components."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from wsframework.parts.interfaces import WeightEncoder
from wsframework.parts.values import Least
from wsframework.spaces import WeightSpace

EXACT = 1024
"""Zoos of so many networks, or so many weights, are decomposed exactly; larger ones by a random projection."""
FURTHER = 16
"""Directions of the random projection beyond those that are asked for."""


class PrincipalComponents(WeightEncoder):
    """``z = (x - mean) A``, for the directions A (size, components) along which the zoo varies most.

    Knows nothing of symmetry: networks that are one up to the order of neurons are far apart. As the inner encoder of
    `canonical`, it sees them aligned. Directions in which the zoo does not vary, as there are if it has fewer networks
    than components, complete the others and are left unscaled.

    Options:
        components: length of a latent; a space of fewer weights keeps them all.
        whiten: whether every latent coordinate is divided by its deviation over the zoo.
    """

    name = "pca"
    paper = "Hotelling 1933, Analysis of a complex of statistical variables into principal components"
    lossless = False
    mean: Tensor
    axes: Tensor
    std: Tensor

    def __init__(self, space: WeightSpace, *, components: Annotated[int, Least(1)] = 64, whiten: bool = True) -> None:
        super().__init__()
        self.number, self.whiten = min(components, space.size), whiten
        self.register_buffer("mean", torch.zeros(space.size))
        self.register_buffer("axes", torch.eye(self.number, space.size))
        self.register_buffer("std", torch.ones(self.number))

    def fit(self, x: Tensor, space: WeightSpace) -> None:
        """Mean, directions and deviations (with 1/N) of the networks x (networks, size)."""
        mean = x.mean(0)
        strength, axes = _principal(x - mean, self.number)
        std = torch.zeros(self.number).to(x)
        std[: len(strength)] = strength / len(x) ** 0.5
        unvaried = std <= _rounding(x)
        self.mean.copy_(mean)
        self.axes.copy_(_completed(axes, self.number))
        self.std.copy_(torch.where(unvaried, torch.ones_like(std), std) if self.whiten else torch.ones_like(std))

    def encode(self, x: Tensor, space: WeightSpace) -> Tensor:
        """Weights (..., size) to latents (..., components)."""
        return (x - self.mean) @ self.axes.mT / self.std

    def decode(self, z: Tensor, space: WeightSpace) -> Tensor:
        """Latents (..., components) to weights (..., size): the nearest of those that the components span."""
        return (z * self.std) @ self.axes + self.mean

    def latent(self, space: WeightSpace) -> WeightSpace:
        """One fixed dim."""
        return WeightSpace.parse(f"fixed component={self.number}\nlatent component")


def _principal(centred: Tensor, number: int) -> tuple[Tensor, Tensor]:
    """The greatest singular values (some,) of ``centred`` (networks, size), and their right vectors (some, size).

    A vector's sign is that of its largest entry, so that equal zoos get equal ones.
    """
    if min(centred.shape) <= EXACT or min(centred.shape) <= number + FURTHER:
        _, strength, axes = torch.linalg.svd(centred, full_matrices=False)
    else:
        with torch.random.fork_rng(devices=[centred.device] if centred.is_cuda else []):
            torch.manual_seed(0)
            _, strength, columns = torch.svd_lowrank(centred, q=number + FURTHER, niter=4)
        axes = columns.mT
    strength, axes = strength[:number], axes[:number]
    largest = axes.gather(1, axes.abs().argmax(1, keepdim=True))
    return strength, axes * largest.sign()


def _completed(axes: Tensor, number: int) -> Tensor:
    """Orthonormal rows (some, size), and such rows after them: (number, size)."""
    missing = number - len(axes)
    if not missing:
        return axes
    drawn = torch.randn(axes.shape[1], missing, generator=torch.Generator().manual_seed(0)).to(axes)
    rows: Tensor = torch.linalg.qr(torch.cat([axes.mT, drawn], 1)).Q.mT
    return torch.cat([axes, rows[len(axes) :]])


def _rounding(x: Tensor) -> Tensor:
    """The deviation that rounding alone may bring into a direction of the networks x (networks, size)."""
    grown: float = 4 * torch.finfo(x.dtype).eps * (1 + (x.shape[1] / x.shape[0]) ** 0.5)
    return grown * x.abs().amax()
