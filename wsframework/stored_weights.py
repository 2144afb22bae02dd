"""`StoredWeights`: networks that stay on disk, of which a program reads what it needs."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from wsframework.errors import StoreError
from wsframework.spaces import Weights, WeightSpace


@dataclass(frozen=True)
class Place:
    """Where a file keeps its networks: float32 rows from byte ``start`` on."""

    path: Path
    start: int
    rows: int
    size: int

    @classmethod
    def of(cls, path: Path, name: str = "x") -> Place:
        """That of the tensor ``name`` (rows, size) in a safetensors file.

        Raises:
            StoreError: where the file can't be read, or holds no such tensor in single precision.
        """
        try:
            with path.open("rb") as file:
                length = int.from_bytes(file.read(8), "little")
                x = json.loads(file.read(length))[name]
        except (OSError, ValueError, KeyError) as error:
            raise StoreError(f"{path}: holds no networks that can be read ({error})") from None
        if x["dtype"] != "F32" or len(x["shape"]) != 2:
            raise StoreError(f"{path}: its networks are {x['dtype']} of shape {x['shape']}, not rows of F32")
        return cls(path, 8 + length + x["data_offsets"][0], *x["shape"])


class StoredWeights(Weights):
    """Weights in the order of the files' rows. ``rows`` reads those asked for, ``x`` all of them at every use.

    Arguments:
        paths: safetensors files with a tensor (networks, space.size) each.
        which: the rows of all files that count, in this order (default: all).
        device: where what is read goes.
        name: of the tensor.
    """

    def __init__(
        self,
        space: WeightSpace,
        paths: Sequence[Path],
        which: Tensor | None = None,
        device: torch.device | str = "cpu",
        name: str = "x",
    ) -> None:
        places = [Place.of(path, name) for path in paths]
        for place in places:
            if place.size != space.size:
                raise StoreError(f"{place.path}: its networks have {place.size} weights, and this space {space.size}")
        starts = torch.tensor([0, *(place.rows for place in places)]).cumsum(0)
        held = {"space": space, "paths": paths, "places": places, "starts": starts, "device": torch.device(device)}
        which = torch.arange(int(starts[-1])) if which is None else which
        for field, value in {**held, "which": which, "name": name}.items():
            object.__setattr__(self, field, value)

    places: list[Place]
    paths: Sequence[Path]
    starts: Tensor
    which: Tensor
    device: torch.device
    name: str

    def __len__(self) -> int:
        return len(self.which)

    @property
    def x(self) -> Tensor:
        """All coordinates, (networks, space.size)."""
        return self.rows(torch.arange(len(self)))

    def to(self, device: torch.device | str) -> StoredWeights:
        """The same, read to another device."""
        return StoredWeights(self.space, self.paths, self.which, device, self.name)

    def called(self, name: str) -> StoredWeights:
        """The same rows of another tensor of the files."""
        return StoredWeights(self.space, self.paths, self.which, self.device, name)

    def rows(self, index: Tensor) -> Tensor:
        """The networks at ``index`` (some,), read now: (some, space.size).

        Raises:
            StoreError: where a file ends too early.
        """
        found, index = torch.empty(len(index), self.space.size), self.which[index]
        block = torch.searchsorted(self.starts, index, right=True) - 1
        within = index - self.starts[block]
        for number in sorted(set(block.tolist())):
            of_block = (block == number).nonzero().squeeze(-1)
            _read(self.places[number], within[of_block].tolist(), found, of_block.tolist())
        return found.to(self.device)


def _read(place: Place, rows: Sequence[int], found: Tensor, into: Sequence[int]) -> None:
    """Rows of a file into rows of ``found``."""
    length = found.element_size() * place.size
    with place.path.open("rb") as file:
        for row, target in zip(rows, into, strict=True):
            read = os.preadv(file.fileno(), [found[target].numpy().data], place.start + row * length)
            if read != length:
                raise StoreError(f"{place.path}: ends within network {row}; run again to build the block anew")
