"""What a model learns to say: numbers, or classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from wsframework.errors import RequestError

Array = npt.NDArray[Any]


def as_array(targets: Any, networks: int) -> Array:
    """Targets as an array with a row for each of so many networks.

    Raises:
        RequestError: if there are more rows or fewer, or some are no numbers.
    """
    found = targets.detach().cpu().numpy() if isinstance(targets, Tensor) else np.asarray(targets)
    if found.ndim == 0 or len(found) != networks:
        given = "a single value" if found.ndim == 0 else f"{len(found)}"
        raise RequestError(f"targets have a row for each network: {networks} networks were given, and {given}")
    if found.dtype.kind == "f" and not np.isfinite(found).all():
        first = int(np.argwhere(~np.isfinite(found))[0, 0])
        raise RequestError(f"the target of network {first} is no finite number (NaN, or infinite)")
    return found


class Targets(Protocol):
    """Between the user's targets and a network's outputs; a dataclass of tuples and flags."""

    @classmethod
    def of(cls, targets: Array) -> Self:
        """What these targets are.

        Raises:
            RequestError: if they are nothing that such a model learns.
        """
        ...

    @classmethod
    def restored(cls, saved: Mapping[str, Any]) -> Self:
        """From the fields, as JSON holds them."""
        ...

    @property
    def outputs(self) -> int:
        """How many numbers a network gives."""
        ...

    def encode(self, targets: Array) -> Tensor:
        """Targets as `loss` takes them, a row each."""
        ...

    def loss(self, outputs: Tensor, encoded: Tensor) -> Tensor:
        """The training loss of outputs (batch, outputs), a scalar."""
        ...


@dataclass(frozen=True)
class Numbers:
    """One number a network, or several: learned by squared error in units of their deviation.

    Attributes:
        mean, std: of each number, over the networks of `fit`.
        single: whether targets have no axis of their own.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    single: bool

    @classmethod
    def of(cls, targets: Array) -> Numbers:
        """Those of targets (networks,) or (networks, numbers).

        Raises:
            RequestError: if they are of another form.
        """
        if targets.dtype.kind not in "biuf" or targets.ndim > 2:
            raise RequestError(
                f"a regressor's targets are numbers, (networks,) or (networks, numbers); these are {targets.dtype} "
                f"of shape {targets.shape}"
            )
        rows = targets.reshape(len(targets), -1).astype(np.float64)
        std = rows.std(0)
        return cls(tuple(rows.mean(0).tolist()), tuple(np.where(std > 0, std, 1.0).tolist()), targets.ndim == 1)

    @classmethod
    def restored(cls, saved: Mapping[str, Any]) -> Numbers:
        """From the fields, as JSON holds them."""
        return cls(tuple(saved["mean"]), tuple(saved["std"]), saved["single"])

    @property
    def outputs(self) -> int:
        """How many numbers a network gives."""
        return len(self.mean)

    def encode(self, targets: Array) -> Tensor:
        """Targets in units of their deviation, (networks, numbers)."""
        rows = targets.reshape(len(targets), -1)
        return torch.from_numpy((rows - np.asarray(self.mean)) / np.asarray(self.std)).float()

    def loss(self, outputs: Tensor, encoded: Tensor) -> Tensor:
        """The mean squared error."""
        return functional.mse_loss(outputs, encoded)

    def decode(self, outputs: Tensor) -> Array:
        """Outputs (networks, numbers) in the units of the targets, and of their form."""
        found: Array = outputs.double().numpy() * np.asarray(self.std) + np.asarray(self.mean)
        return found[:, 0] if self.single else found


@dataclass(frozen=True)
class Classes:
    """One of several classes a network, learned by cross-entropy.

    Attributes:
        names: the classes, sorted: whole numbers, words, or True and False.
    """

    names: tuple[Any, ...]

    @classmethod
    def of(cls, targets: Array) -> Classes:
        """Those that occur among targets (networks,).

        Raises:
            RequestError: if they are no classes, or all the same.
        """
        if targets.ndim != 1 or targets.dtype.kind not in "biuU":
            raise RequestError(
                "a classifier's targets are whole numbers or words, (networks,); "
                f"these are {targets.dtype} of shape {targets.shape}"
            )
        names = tuple(np.unique(targets).tolist())
        if len(names) < 2:
            raise RequestError(f"a classifier tells at least two classes apart; all targets are {names[0]!r}")
        return cls(names)

    @classmethod
    def restored(cls, saved: Mapping[str, Any]) -> Classes:
        """From the fields, as JSON holds them."""
        return cls(tuple(saved["names"]))

    @property
    def outputs(self) -> int:
        """How many classes there are."""
        return len(self.names)

    def encode(self, targets: Array) -> Tensor:
        """The number of each target's class, (networks,)."""
        return torch.from_numpy(np.searchsorted(np.asarray(self.names), targets)).long()

    def loss(self, outputs: Tensor, encoded: Tensor) -> Tensor:
        """The mean cross-entropy."""
        return functional.cross_entropy(outputs, encoded)

    def decode(self, outputs: Tensor) -> Array:
        """The most likely class of each row of outputs (networks, classes)."""
        found: Array = np.asarray(self.names)[outputs.argmax(-1).numpy()]
        return found
