"""Which orbit each coordinate is of, with numbers that several spaces share."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from wsframework.errors import SpaceError, nearest
from wsframework.spaces import WeightSpace, orbits


class OrbitPlaces:
    """Numbers for the orbits of ``spaces``, by key: roles and fixed positions, but no widths and no depths."""

    def __init__(self, spaces: Sequence[WeightSpace]) -> None:
        keys = dict.fromkeys(key for space in spaces for key in orbits(space).keys)
        self.number = {key: number for number, key in enumerate(keys)}
        self._found: dict[tuple[WeightSpace, torch.device], Tensor] = {}

    def __len__(self) -> int:
        return len(self.number)

    def of(self, space: WeightSpace, device: torch.device) -> Tensor:
        """The number of each coordinate's orbit, (space.size,).

        Raises:
            SpaceError: where an orbit has none.
        """
        if (space, device) not in self._found:
            self._found[space, device] = self._index(space).to(device)
        return self._found[space, device]

    def _index(self, space: WeightSpace) -> Tensor:
        found = orbits(space)
        for key in found.keys:
            if key not in self.number:
                raise SpaceError(
                    f"these networks have weights {key!r}, and those that the model was fitted to have none"
                    f"{nearest(key, self.number)}"
                )
        return torch.tensor([self.number[key] for key in found.keys])[found.index]
