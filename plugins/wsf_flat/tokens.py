"""`tokens`: a transformer over chunks of neurons' weights, whose memory grows with the number of weights."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from torch import Tensor, nn

from wsf_flat.chunks import Chunks, chunks
from wsf_flat.windows import Registers, Windows
from wsframework.errors import PartError, SpaceError, nearest
from wsframework.parts.embedding import Film, TimeEmbedding
from wsframework.parts.interfaces import Denoiser
from wsframework.parts.values import Least
from wsframework.spaces import WeightSpace


class Tokens(Denoiser):
    """A transformer: a token is a chunk of one neuron's weights, and knows its role, depth, row and place in the row.

    Attention is within windows of the sequence and their halo, and with a few registers that read all of it. So
    networks of millions of weights fit. Tokens know which row they are, so that no symmetry is claimed; with
    `train.augment` it can be learned. Every depth and width is served whose roles are known.

    Options:
        chunk: weights of a token.
        width: channels of a token.
        blocks: rounds of attention.
        heads: attention heads; they share the width evenly.
        window: tokens that attend to one another.
        halo: further tokens that they see, on both sides.
        registers: tokens that read the whole sequence.
    """

    name = "tokens"
    paper = "Schuerholt et al. 2024, arXiv:2406.09997; Peebles et al. 2022, arXiv:2209.12892"

    def __init__(
        self,
        space: WeightSpace,
        condition_size: int,
        *,
        chunk: Annotated[int, Least(1)] = 32,
        width: Annotated[int, Least(2)] = 64,
        blocks: Annotated[int, Least(1)] = 4,
        heads: Annotated[int, Least(1)] = 4,
        window: Annotated[int, Least(1)] = 64,
        halo: Annotated[int, Least(0)] = 16,
        registers: Annotated[int, Least(1)] = 8,
    ) -> None:
        super().__init__()
        if width % heads:
            raise PartError(f"tokens: heads = {heads} do not share width = {width} evenly")
        self.chunk, self.roles = chunk, tuple(dict.fromkeys(p.role for p in space.parameters))
        self.time = TimeEmbedding(width)
        self.condition = nn.Linear(condition_size, width) if condition_size else None
        self.read = nn.Parameter(torch.randn(len(self.roles), chunk, width) / chunk**0.5)
        self.role = nn.Embedding(len(self.roles), width)
        self.place = nn.Linear(1 + 2 * FREQUENCIES * 2, width)
        self.blocks = nn.ModuleList(TokenBlock(width, heads, window, halo, registers) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)
        self.write = nn.Parameter(torch.randn(len(self.roles), width, chunk) / width)
        self.shift = nn.Parameter(torch.zeros(len(self.roles), chunk))

    def forward(self, x_t: Tensor, t: Tensor, condition: Tensor, space: WeightSpace) -> Tensor:
        """x_t (batch, size), t (batch,), condition (batch, condition_size): (batch, size).

        Raises:
            SpaceError: if ``space`` has a role that the space of construction had not.
        """
        found = chunks(space, self.chunk, x_t.device)
        numbers = self._numbers(found)
        context = self.time(t) if self.condition is None else self.time(t) + self.condition(condition)
        tokens = self._tokens(x_t, found, numbers)
        for block in self.blocks:
            tokens = block(tokens, context)
        return self._weights(self.norm(tokens), found, numbers, x_t)

    def _numbers(self, found: Chunks) -> list[tuple[int, Tensor]]:
        """For each role here, its number among those known and the tokens that have it."""
        for role in found.roles:
            if role not in self.roles:
                raise SpaceError(f"tokens: no matrices for role {role!r}{nearest(role, self.roles)}")
        return [(self.roles.index(r), (found.role == k).nonzero()[:, 0]) for k, r in enumerate(found.roles)]

    def _tokens(self, x_t: Tensor, found: Chunks, numbers: list[tuple[int, Tensor]]) -> Tensor:
        entries = nn.functional.pad(x_t, (0, 1))[:, found.index]
        place = self.place(_waves(found.place).to(x_t))
        tokens = x_t.new_empty(len(x_t), len(found.index), place.shape[-1])
        for number, rows in numbers:
            tokens[:, rows] = entries[:, rows] @ self.read[number] + self.role.weight[number]
        return tokens.add_(place)

    def _weights(self, tokens: Tensor, found: Chunks, numbers: list[tuple[int, Tensor]], x_t: Tensor) -> Tensor:
        out = x_t.new_empty(len(x_t), x_t.shape[1] + 1)
        for number, rows in numbers:
            out[:, found.index[rows]] = tokens[:, rows] @ self.write[number] + self.shift[number]
        return out[:, :-1]


FREQUENCIES = 8
"""Waves that tell the number of a row, and of a chunk."""


def _waves(place: Tensor) -> Tensor:
    """Depth, and sines and cosines of row and chunk at periods from 2 pi to 10,000 times that: (tokens, features)."""
    frequency = torch.exp(-math.log(10_000) * torch.arange(FREQUENCIES, device=place.device) / FREQUENCIES)
    angles = (place[:, 1:, None] * frequency).flatten(1)
    return torch.cat([place[:, :1], angles.sin(), angles.cos()], dim=1)


class TokenBlock(nn.Module):
    """Windows, registers and a perceptron, each added to what it reads; time and task come in before each."""

    def __init__(self, width: int, heads: int, window: int, halo: int, registers: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.films = nn.ModuleList(Film(width, width) for _ in range(3))
        self.parts = nn.ModuleList(
            [
                Windows(width, heads, window, halo),
                Registers(width, heads, registers),
                nn.Sequential(nn.Linear(width, 2 * width), nn.SiLU(), nn.Linear(2 * width, width)),
            ]
        )

    def forward(self, tokens: Tensor, context: Tensor) -> Tensor:
        """tokens (batch, n, width), context (batch, width) to the tokens' like."""
        for norm, film, part in zip(self.norms, self.films, self.parts, strict=True):
            tokens = tokens + part(film(norm(tokens), context))
        return tokens
