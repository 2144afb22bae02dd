"""From numbers to channels and back: how an equivariant denoiser tells coordinates apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from wsframework.errors import SpaceError, nearest
from wsframework.spaces import WeightSpace, orbits

Order = Callable[[WeightSpace], Tensor]
"""The flat coordinate at each place of a denoiser's state, integers (size,)."""


class Coordinates(nn.Module):
    """Channels for the coordinates of a space, in an order of one's own, with embeddings for each orbit.

    A coordinate x of orbit k, of a parameter at relative depth d of role r, begins as
    ``x lift_k + base_k + d slope_r``, and ends as ``<h, read_k> + shift_k``. So positions on fixed dims, such as
    inputs and taps of kernels, are told apart, and free ones are not.

    Arguments:
        space: names the orbits and the roles.
        width: channels.
        order: of the coordinates of any space.
    """

    def __init__(self, space: WeightSpace, width: int, order: Order) -> None:
        super().__init__()
        self.order = order
        self.keys = {key: place for place, key in enumerate(orbits(space).keys)}
        self.roles = {role: place for place, role in enumerate(dict.fromkeys(p.role for p in space.parameters))}
        self.lift = nn.Parameter(torch.randn(len(self.keys), width))
        self.base = nn.Parameter(torch.randn(len(self.keys), width) / 2)
        self.slope = nn.Parameter(torch.randn(len(self.roles), width) / 2)
        self.read = nn.Parameter(torch.randn(len(self.keys), width) / width)
        self.shift = nn.Parameter(torch.zeros(len(self.keys)))
        self._places: dict[tuple[WeightSpace, torch.device], tuple[Tensor, ...]] = {}

    def spread(self, x: Tensor, space: WeightSpace) -> Tensor:
        """x (batch, size) to channels (size, batch, width)."""
        order, _, orbit, role, depth = self.places(space, x.device)
        base = torch.addcmul(self.base[orbit], self.slope[role], depth.to(x).unsqueeze(-1))
        return torch.addcmul(base.unsqueeze(1), x.t()[order].unsqueeze(-1), self.lift[orbit].unsqueeze(1))

    def collect(self, channels: Tensor, space: WeightSpace) -> Tensor:
        """Channels (size, batch, width) to x (batch, size)."""
        _, back, orbit, _, _ = self.places(space, channels.device)
        x = torch.baddbmm(self.shift[orbit].view(-1, 1, 1), channels, self.read[orbit].unsqueeze(-1))
        return x.squeeze(-1)[back].t()

    def ordered(self, channels: Tensor, space: WeightSpace) -> Tensor:
        """Channels (size, batch, width) in the order of `layout` to (batch, size, width) in that of the space."""
        _, back, _, _, _ = self.places(space, channels.device)
        return channels[back].transpose(0, 1)

    def places(self, space: WeightSpace, device: torch.device) -> tuple[Tensor, ...]:
        """Order, its inverse, and orbit, role and relative depth of each place.

        Raises:
            SpaceError: where an orbit has no embedding.
        """
        if (space, device) not in self._places:
            _check(orbits(space).keys, self.keys)
            self._places[space, device] = tuple(value.to(device) for value in self._found(space))
        return self._places[space, device]

    def _found(self, space: WeightSpace) -> tuple[Tensor, ...]:
        order, found = self.order(space), orbits(space)
        orbit = torch.tensor([self.keys[key] for key in found.keys])[found.index]
        sizes = torch.tensor([value.numel() for value in space.unflatten(torch.empty(space.size)).values()])
        role = torch.tensor([self.roles[p.role] for p in space.parameters]).repeat_interleave(sizes)
        depth = torch.linspace(0, 1, len(space.parameters)).repeat_interleave(sizes)
        return order, order.argsort(), orbit[order], role[order], depth[order]


def _check(keys: tuple[str, ...], known: Mapping[str, int]) -> None:
    for key in keys:
        if key not in known:
            raise SpaceError(f"no embedding for {key!r}{nearest(key, known)}")
