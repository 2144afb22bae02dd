"""`Weights`: a batch of parameter sets of one space."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from wsframework.errors import SpaceError, StoreError
from wsframework.spaces.space import WeightSpace
from wsframework.store import load_tensors, save_tensors


@dataclass(frozen=True, eq=False)
class Weights:
    """``len(weights)`` points of a weight space.

    Attributes:
        space: where they live.
        x: the flat coordinates, of shape (batch, space.size).
    """

    space: WeightSpace
    x: Tensor

    def __post_init__(self) -> None:
        if self.x.dim() != 2 or self.x.shape[1] != self.space.size:
            raise SpaceError(
                f"weights of this space have shape (batch, {self.space.size}); these have {tuple(self.x.shape)}"
            )

    @classmethod
    def from_state_dicts(cls, space: WeightSpace, states: Sequence[Mapping[str, Tensor]]) -> Weights:
        """A batch from state dicts (parameters in any order, all of them present).

        Raises:
            SpaceError: without any state, or naming the parameter that is missing, unknown or of another shape.
        """
        if not states:
            raise SpaceError("a batch of weights has at least one state dict; none was given")
        return cls(space, torch.stack([space.flatten(state) for state in states]))

    def __len__(self) -> int:
        return self.x.shape[0]

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """The state dict of one member, tied names too, for ``module.load_state_dict(..., strict=True)``."""
        state = {name: value.clone() for name, value in self.space.unflatten(self.x[index]).items()}
        return state | {name: state[original] for name, original in self.space.ties}

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        return (self[i] for i in range(len(self)))

    def rows(self, index: Tensor) -> Tensor:
        """The coordinates of the members at ``index`` (some,): (some, space.size)."""
        return self.x[index]

    def spread(self, most: int) -> Tensor:
        """Coordinates of members evenly spread over the batch, as many as take ``most`` bytes: all, where they do."""
        count = max(1, most // (4 * self.space.size))
        if count >= len(self):
            return self.x
        return self.rows(torch.linspace(0, len(self) - 1, count, dtype=torch.float64).round().long())

    def pieces(self, most: int = 2**28) -> Iterator[Tensor]:
        """The coordinates of all members, some (at least one) at a time: as many as take ``most`` bytes."""
        for index in torch.split(torch.arange(len(self)), max(1, most // (4 * self.space.size))):
            yield self.x if len(index) == len(self) else self.rows(index)

    def to(self, device: torch.device | str) -> Weights:
        """The same on another device."""
        return Weights(self.space, self.x.to(device))

    def parameters(self) -> dict[str, Tensor]:
        """All members at once: views of shape (batch, *shape)."""
        return self.space.unflatten(self.x)

    def save(self, path: Path) -> None:
        """One safetensors file: every parameter stacked over the batch, the space in its metadata."""
        save_tensors(path, self.parameters(), {"space": str(self.space)})

    @classmethod
    def load(cls, path: Path) -> Weights:
        """The batch that `save` wrote.

        Raises:
            StoreError: if the file is no safetensors file, or was not written by `save`.
        """
        tensors, metadata = load_tensors(path)
        if "space" not in metadata:
            raise StoreError(f"{path}: the file names no weight space; was it written by Weights.save?")
        space = WeightSpace.parse(metadata["space"])
        return cls(space, space.flatten(tensors))
