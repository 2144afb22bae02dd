"""A weight space as a sequence: each neuron's row of a weight, cut into chunks of one length."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import prod

import torch
from torch import Tensor

from wsframework.spaces import WeightSpace


@dataclass(frozen=True, eq=False)
class Chunks:
    """The sequence of a space.

    Attributes:
        index: the coordinate of each entry of each token, integers (tokens, length); ``size`` where there is none.
        role: the place of each token's role in ``roles``, (tokens,).
        roles: by name, in the order in which they come.
        place: relative depth of the parameter, number of the row, number of the chunk in it, floats (tokens, 3).
    """

    index: Tensor
    role: Tensor
    roles: tuple[str, ...]
    place: Tensor

    def to(self, device: torch.device) -> Chunks:
        """The same with its tensors on ``device``."""
        return Chunks(self.index.to(device), self.role.to(device), self.roles, self.place.to(device))


@lru_cache(maxsize=64)
def chunks(space: WeightSpace, length: int, device: torch.device) -> Chunks:
    """The rows of every parameter, along its first axis, in chunks of ``length``; the last of a row filled up."""
    roles = tuple(dict.fromkeys(p.role for p in space.parameters))
    index, role, place = [], [], []
    for number, parameter in enumerate(space.parameters):
        shape = space.shapes[parameter.name]
        rows, columns = (shape[0], prod(shape[1:])) if shape else (1, 1)
        count = -(-columns // length)
        found = torch.full((rows, count * length), space.size)
        found[:, :columns] = space.offsets[parameter.name] + torch.arange(rows * columns).view(rows, columns)
        index.append(found.view(rows * count, length))
        role.append(torch.full((rows * count,), roles.index(parameter.role)))
        depth = torch.full((rows, count), number / max(len(space.parameters) - 1, 1))
        row, chunk = torch.meshgrid(torch.arange(rows), torch.arange(count), indexing="ij")
        place.append(torch.stack([depth, row.float(), chunk.float()], dim=-1).view(-1, 3))
    return Chunks(torch.cat(index), torch.cat(role), roles, torch.cat(place)).to(device)
