"""The residual block of the set denoiser: tokens, edges and context take from one another."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add

import torch
from torch import Tensor, nn

from wsf_equivariant.view import End, TokenSet
from wsframework.parts.embedding import Film

Edges = dict[str, tuple[tuple[End, ...], Tensor]]
"""By place: the ends that an edge runs between, and features (batch, *sizes of free axes, edge_width)."""


class SetBlock(nn.Module):
    """One residual update of tokens, edges and context.

    Arguments:
        width: channels of tokens and of the context.
        edge_width: channels of edges; 0 has none.
        heads: of attention; 0 has none.
        context: whether the context is updated.
        ends: how many tokens an edge is between, at most.
        within: whether tokens are within others.
    """

    def __init__(self, width: int, edge_width: int, heads: int, context: bool, ends: int, within: bool) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.film = Film(width, width)
        self.mix = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        self.attention = Attention(width, heads) if heads else None
        self.context: nn.Module | None = None
        if context:  # the last block's is of use only where weights are written from it
            self.context = nn.Sequential(nn.Linear(2 * width, width), nn.SiLU(), nn.Linear(width, width))
        self.edges = EdgeBlock(width, edge_width, ends) if edge_width else None
        self.within = WithinBlock(width) if within else None

    def forward(
        self, tokens: dict[str, Tensor], edges: Edges, context: Tensor, sets: Sequence[TokenSet]
    ) -> tuple[dict[str, Tensor], Edges, Tensor]:
        """Tokens {set: (batch, n, width)}, `Edges`, context (batch, width), with what is known of the sets."""
        if self.edges is not None:
            tokens, edges = self.edges(tokens, edges)
        if self.within is not None:
            tokens = self.within(tokens, sets)
        if self.attention is not None:
            tokens = {name: token + self.attention(token) for name, token in tokens.items()}
        tokens = {name: token + self.mix(self.film(self.norm(token), context)) for name, token in tokens.items()}
        if self.context is None:
            return tokens, edges, context
        if tokens:
            mean = torch.stack([token.mean(1) for token in tokens.values()]).mean(0)
        else:
            mean = torch.zeros_like(context)
        return tokens, edges, context + self.context(torch.cat([mean, context], -1))


class EdgeBlock(nn.Module):
    """Edges take from the tokens at all ends, and give each its mean over the other ones."""

    def __init__(self, width: int, edge_width: int, ends: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(edge_width)
        self.take = nn.ModuleList(nn.Linear(width, edge_width) for _ in range(ends))
        self.give = nn.ModuleList(nn.Linear(edge_width, width) for _ in range(ends))
        self.mix = nn.Sequential(nn.Linear(edge_width, edge_width), nn.SiLU(), nn.Linear(edge_width, edge_width))

    def forward(self, tokens: dict[str, Tensor], edges: Edges) -> tuple[dict[str, Tensor], Edges]:
        """The same structures, updated."""
        updated, received = {}, dict(tokens)
        for place, (ends, edge) in edges.items():
            shape = tuple(edge.shape[1:-1])
            taken = [end.spread(take(tokens[end.tokens]), shape) for end, take in zip(ends, self.take, strict=False)]
            edge = edge + self.mix(self.norm(edge) + reduce(add, taken))
            for end, give in zip(ends, self.give, strict=False):
                received[end.tokens] = received[end.tokens] + give(end.mean(edge))
            updated[place] = (ends, edge)
        return received, updated


class WithinBlock(nn.Module):
    """Tokens take from the one that they are within, and give it their mean."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.take, self.give = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, tokens: dict[str, Tensor], sets: Sequence[TokenSet]) -> dict[str, Tensor]:
        """Tokens {set: (batch, n, width)}, updated."""
        received = dict(tokens)
        for found in sets:
            if found.parent is not None:
                inner, outer = self.norm(tokens[found.name]), self.norm(tokens[found.parent])
                each = found.sizes[-1]
                mean = inner.unflatten(1, (-1, each)).mean(2)
                received[found.name] = received[found.name] + self.take(outer).repeat_interleave(each, 1)
                received[found.parent] = received[found.parent] + self.give(mean)
        return received


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
