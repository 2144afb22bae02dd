"""A transformer that makes each token of a network short, and another one that makes it long again."""

from __future__ import annotations

import torch
from einops import einsum, rearrange
from torch import Tensor, nn
from torch.nn import functional

from wsf_flat.chunks import Chunks

SMALL = 0.01
"""What transformers add at first, beside what the principal directions say."""


class Block(nn.Module):
    """Attention of all tokens to all, and a perceptron, each added to what it reads."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.mix, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.perceptron = nn.Sequential(nn.Linear(width, 2 * width), nn.SiLU(), nn.Linear(2 * width, width))

    def forward(self, tokens: Tensor) -> Tensor:
        """(batch, tokens, width) to its like."""
        mixed = self.mix(self.norms[0](tokens))
        q, k, v = rearrange(mixed, "batch n (three heads c) -> three batch heads n c", three=3, heads=self.heads)
        seen = functional.scaled_dot_product_attention(q, k, v)
        tokens = tokens + self.out(rearrange(seen, "batch heads n c -> batch n (heads c)"))
        out: Tensor = tokens + self.perceptron(self.norms[1](tokens))
        return out


class Half(nn.Module):
    """Tokens (batch, tokens, entries) to tokens of another length, by blocks that know each token's place."""

    def __init__(self, tokens: int, entries: int, outputs: int, width: int, blocks: int, heads: int) -> None:
        super().__init__()
        self.enter = nn.Linear(entries, width)
        self.place = nn.Parameter(torch.randn(tokens, width))
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(blocks)))
        last = nn.Linear(width, outputs)
        with torch.no_grad():
            for parameter in last.parameters():
                parameter.mul_(SMALL)
        self.leave = nn.Sequential(nn.LayerNorm(width), last)

    def forward(self, tokens: Tensor) -> Tensor:
        """(batch, tokens, entries) to (batch, tokens, outputs)."""
        changed: Tensor = self.leave(self.blocks(self.enter(tokens) + self.place))
        return changed


class TokenAutoencoder(nn.Module):
    """Each token's coordinates in the principal directions of its role, and what a transformer adds; and back.

    Where a role has no more entries than there are channels, the directions alone lose nothing.

    Arguments:
        found: the sequence of the space.
        channels: length of a token's latent.
        width, blocks, heads: of either transformer.
    """

    axes: Tensor

    def __init__(self, found: Chunks, channels: int, width: int, blocks: int, heads: int) -> None:
        super().__init__()
        (tokens, length), roles = found.index.shape, len(found.roles)
        self.register_buffer("axes", torch.zeros(roles, length, channels))
        self.encoder = Half(tokens, length, channels, width, blocks, heads)
        self.decoder = Half(tokens, channels, length, width, blocks, heads)

    def encode(self, entries: Tensor, role: Tensor) -> Tensor:
        """Tokens (batch, tokens, length), each of a role (tokens,), to latents (batch, tokens, channels)."""
        along = einsum(entries, self.axes[role], "batch n length, n length c -> batch n c")
        return along + self.encoder(entries)  # type: ignore[no-any-return]

    def decode(self, latents: Tensor, role: Tensor) -> Tensor:
        """Latents (batch, tokens, channels) to tokens (batch, tokens, length)."""
        back = einsum(latents, self.axes[role], "batch n c, n length c -> batch n length")
        return back + self.decoder(latents)  # type: ignore[no-any-return]

    @torch.no_grad()
    def find_axes(self, entries: Tensor, role: Tensor) -> None:
        """The directions of each role in which tokens (networks, tokens, length) are longest."""
        self.axes.zero_()
        for number, axes in enumerate(self.axes):
            rows = entries[:, role == number].flatten(0, 1)
            vectors = torch.linalg.eigh(rows.mT @ rows).eigenvectors.flip(1)[:, : axes.shape[1]]
            axes[:, : vectors.shape[1]] = vectors
