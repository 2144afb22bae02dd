"""A set denoiser: neurons are tokens, and a token is a neuron's incoming weights, bias and outgoing weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from wsf_equivariant.view import Piece, depth, pieces
from wsframework.parts.embedding import Film, TimeEmbedding
from wsframework.parts.interfaces import Denoiser
from wsframework.spaces import WeightSpace


class Deepsets(Denoiser):
    """Residual blocks that treat each layer's neurons as a set, with a context that sees every set's mean.

    Weights with one free axis are channels of their neuron's token; weights between two layers of neurons are
    edges, which exchange means and sums with the tokens at both ends; weights with none join the context.
    Matrices are shared between parameters of one role, so that any depth and any width is served.

    Options:
        width: channels of tokens and of the context.
        blocks: residual blocks.
        edge_width: channels of edges (only where two layers of neurons meet).
        heads: attention heads between the neurons of one layer; 0 has none.
    """

    name = "deepsets"
    paper = "Zaheer et al. 2017, arXiv:1703.06114; Navon et al. 2023, arXiv:2301.12780"
    symmetry = "equivariant"

    def __init__(
        self,
        space: WeightSpace,
        condition_size: int,
        *,
        width: int = 64,
        blocks: int = 4,
        edge_width: int = 16,
        heads: int = 0,
    ) -> None:
        super().__init__()
        self.time = TimeEmbedding(width)
        self.condition = nn.Linear(condition_size, width) if condition_size else None
        self.depth = nn.Linear(1, width)
        found = {piece.key: piece for piece in pieces(space)}
        self.reads = nn.ModuleDict({k: nn.Linear(p.channels, _size(p, width, edge_width)) for k, p in found.items()})
        self.writes = nn.ModuleDict({k: nn.Linear(_size(p, width, edge_width), p.channels) for k, p in found.items()})
        edges = edge_width if any(len(p.dims) == 2 for p in found.values()) else 0
        self.blocks = nn.ModuleList(SetBlock(width, edges, heads) for _ in range(blocks))
        self.norms = nn.ModuleDict({k: nn.LayerNorm(_size(p, width, edge_width)) for k, p in found.items()})

    def forward(self, x_t: Tensor, t: Tensor, condition: Tensor, space: WeightSpace) -> Tensor:
        """x_t (batch, size), t (batch,), condition (batch, condition_size): (batch, size)."""
        context = self.time(t)
        if self.condition is not None:
            context = context + self.condition(condition)
        tokens = {dim: self._start(x_t, depth(space, dim), size) for dim, size in space.free.items()}
        edges: dict[str, tuple[tuple[str, ...], Tensor]] = {}
        for place, piece in enumerate(pieces(space)):
            read = self.reads[piece.key](x_t[:, piece.index.to(x_t.device)])
            if len(piece.dims) == 0:
                context = context + read
            elif len(piece.dims) == 1:
                tokens[piece.dims[0]] = tokens[piece.dims[0]] + read
            else:
                edges[str(place)] = (piece.dims, read)
        for block in self.blocks:
            tokens, edges, context = block(tokens, edges, context)
        return self._write(x_t, space, tokens, edges, context)

    def _start(self, x_t: Tensor, position: float, size: int) -> Tensor:
        """Tokens that know their layer's relative depth only: (batch, size, width)."""
        return self.depth(x_t.new_full((x_t.shape[0], size, 1), position))  # type: ignore[no-any-return]

    def _write(
        self,
        x_t: Tensor,
        space: WeightSpace,
        tokens: dict[str, Tensor],
        edges: dict[str, tuple[tuple[str, ...], Tensor]],
        context: Tensor,
    ) -> Tensor:
        out = torch.empty_like(x_t)
        for place, piece in enumerate(pieces(space)):
            if len(piece.dims) == 0:
                features = context
            elif len(piece.dims) == 1:
                features = tokens[piece.dims[0]]
            else:
                features = edges[str(place)][1]
            out[:, piece.index.to(x_t.device)] = self.writes[piece.key](self.norms[piece.key](features))
        return out


class SetBlock(nn.Module):
    """One residual update of tokens, edges and context."""

    def __init__(self, width: int, edge_width: int, heads: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.film = Film(width, width)
        self.mix = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        self.attention = Attention(width, heads) if heads else None
        self.context = nn.Sequential(nn.Linear(2 * width, width), nn.SiLU(), nn.Linear(width, width))
        self.edges = EdgeBlock(width, edge_width) if edge_width else None

    def forward(
        self, tokens: dict[str, Tensor], edges: dict[str, tuple[tuple[str, ...], Tensor]], context: Tensor
    ) -> tuple[dict[str, Tensor], dict[str, tuple[tuple[str, ...], Tensor]], Tensor]:
        """Tokens {dim: (batch, n, width)}, edges {place: (dims, (batch, n, m, edge_width))}, context (batch, width)."""
        if self.edges is not None:
            tokens, edges = self.edges(tokens, edges)
        if self.attention is not None:
            tokens = {dim: token + self.attention(token) for dim, token in tokens.items()}
        tokens = {dim: token + self.mix(self.film(self.norm(token), context)) for dim, token in tokens.items()}
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

    def forward(
        self, tokens: dict[str, Tensor], edges: dict[str, tuple[tuple[str, ...], Tensor]]
    ) -> tuple[dict[str, Tensor], dict[str, tuple[tuple[str, ...], Tensor]]]:
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


def _size(piece: Piece, width: int, edge_width: int) -> int:
    return edge_width if len(piece.dims) == 2 else width
