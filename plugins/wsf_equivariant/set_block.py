"""The residual block of the set denoiser: tokens, edges and context take from one another."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from wsframework.parts.embedding import Film

Edges = dict[str, tuple[tuple[str, ...], Tensor]]
"""By place: the two free dims that an edge runs between, and features (batch, n, m, edge_width)."""


class SetBlock(nn.Module):
    """One residual update of tokens, edges and context."""

    def __init__(self, width: int, edge_width: int, heads: int, context: bool) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.film = Film(width, width)
        self.mix = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        self.attention = Attention(width, heads) if heads else None
        self.context: nn.Module | None = None
        if context:  # the last block's is of use only where weights are written from it
            self.context = nn.Sequential(nn.Linear(2 * width, width), nn.SiLU(), nn.Linear(width, width))
        self.edges = EdgeBlock(width, edge_width) if edge_width else None

    def forward(
        self, tokens: dict[str, Tensor], edges: Edges, context: Tensor
    ) -> tuple[dict[str, Tensor], Edges, Tensor]:
        """Tokens {dim: (batch, n, width)}, edges {place: (dims, (batch, n, m, edge_width))}, context (batch, width)."""
        if self.edges is not None:
            tokens, edges = self.edges(tokens, edges)
        if self.attention is not None:
            tokens = {dim: token + self.attention(token) for dim, token in tokens.items()}
        tokens = {dim: token + self.mix(self.film(self.norm(token), context)) for dim, token in tokens.items()}
        if self.context is None:
            return tokens, edges, context
        if tokens:
            mean = torch.stack([token.mean(1) for token in tokens.values()]).mean(0)
        else:
            mean = torch.zeros_like(context)
        return tokens, edges, context + self.context(torch.cat([mean, context], -1))


class EdgeBlock(nn.Module):
    """Edges take from the tokens at both ends, and give them their mean over the other end."""

    def __init__(self, width: int, edge_width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(edge_width)
        self.take = nn.ModuleList(nn.Linear(width, edge_width) for _ in range(2))
        self.give = nn.ModuleList(nn.Linear(edge_width, width) for _ in range(2))
        self.mix = nn.Sequential(nn.Linear(edge_width, edge_width), nn.SiLU(), nn.Linear(edge_width, edge_width))

    def forward(self, tokens: dict[str, Tensor], edges: Edges) -> tuple[dict[str, Tensor], Edges]:
        """The same structures, updated."""
        updated, received = {}, dict(tokens)
        for place, (dims, edge) in edges.items():
            ends = self.take[0](tokens[dims[0]]).unsqueeze(2) + self.take[1](tokens[dims[1]]).unsqueeze(1)
            edge = edge + self.mix(self.norm(edge) + ends)
            received[dims[0]] = received[dims[0]] + self.give[0](edge.mean(2))
            received[dims[1]] = received[dims[1]] + self.give[1](edge.mean(1))
            updated[place] = (dims, edge)
        return received, updated


class Attention(nn.Module):
    """Self-attention between the neurons of one layer: (batch, n, width) to the same."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attend = nn.MultiheadAttention(width, heads, batch_first=True)

    def forward(self, token: Tensor) -> Tensor:
        """What each neuron takes from the others."""
        h = self.norm(token)
        out: Tensor = self.attend(h, h, h, need_weights=False)[0]
        return out
