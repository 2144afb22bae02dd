"""How a coordinate of the weight vector enters the graph as channels, and leaves it as a number again."""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor, nn


class RoleEmbedding(nn.Module):
    """``table[role] + MLP(depth)``: what is known of a parameter apart from its values.

    Arguments:
        roles: how many there are.
        width: length of the embedding.
    """

    def __init__(self, roles: int, width: int) -> None:
        super().__init__()
        self.table = nn.Embedding(roles, width)
        self.depth = nn.Sequential(nn.Linear(1, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, roles: Tensor, depth: Tensor) -> Tensor:
        """Roles (n,) as integers and relative depths (n,) in [0, 1] to (n, width)."""
        embedding: Tensor = self.table(roles) + self.depth(rearrange(depth, "n -> n 1"))
        return embedding


class CoordinateChannels(nn.Module):
    """A scalar to ``width`` channels and back, by vectors that the coordinates of one role share.

    Arguments:
        roles: how many there are.
        width: channels of a coordinate.
    """

    def __init__(self, roles: int, width: int) -> None:
        super().__init__()
        self.base = RoleEmbedding(roles, width)
        self.lift = nn.Embedding(roles, width)
        self.norm = nn.LayerNorm(width)
        self.read = nn.Embedding(roles, width)
        self.shift = nn.Embedding(roles, 1)
        nn.init.normal_(self.read.weight, std=width**-0.5)
        nn.init.zeros_(self.shift.weight)

    def spread(self, values: Tensor, roles: Tensor, depth: Tensor, parameter: Tensor) -> Tensor:
        """``x lift[role] + base``: (batch, entries) to (batch, entries, width).

        ``parameter`` (entries,) says where in ``roles`` and ``depth`` (parameters,) an entry's parameter is.
        """
        base, lift = self.base(roles, depth)[parameter], self.lift(roles)[parameter]
        return torch.addcmul(base, rearrange(values, "batch entries -> batch entries 1"), lift)

    def collect(self, channels: Tensor, roles: Tensor, parameter: Tensor) -> Tensor:
        """``<norm(channels), read[role]> + shift[role]``: (batch, entries, width) to (batch, entries)."""
        read, shift = self.read(roles)[parameter], self.shift(roles)[parameter]
        answer: Tensor = (self.norm(channels) * read).sum(-1) + rearrange(shift, "entries 1 -> entries")
        return answer
