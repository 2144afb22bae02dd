"""One round of messages on the neural graph, along weights and against them, with weights updated too."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from wsf_graph.grid import Grid
from wsf_graph.update import EdgePool, EdgeUpdate
from wsframework.parts.embedding import Film
from wsframework.precision import own_steps

State = tuple[Tensor, list[Tensor], Tensor, Tensor]
"""Nodes h (nodes, batch, width); edges p of each table, (edges, batch, edge_width); messages (nodes, batch,
2 edge_width): for each node the mean of those along its edges, and of those against them; context (batch, width)."""


class GraphLayer(nn.Module):
    """Residual update of context c, of nodes h and of edges p, in this order.

    ``c += D silu(E [c, mean_i h_i])``; ``h_i += B silu(film(C [h_i, mean_j z_ji, mean_k z_ik], c))`` with messages
    ``z_ji = relu(p_ji)`` of edge j -> i to both of its ends; ``p_ji += A z_ji + film(U h_i, c) + V h_j``. Nodes are
    layer-normalised where they are read.

    Arguments:
        width: channels of nodes and context.
        edge_width: channels of edges and messages.
    """

    def __init__(self, width: int, edge_width: int) -> None:
        super().__init__()
        self.context = nn.Sequential(nn.Linear(2 * width, width), nn.SiLU(), nn.Linear(width, width))
        self.norm, self.end_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.film, self.end_film = Film(width, width), Film(width, 2 * edge_width)
        self.enter, self.leave = nn.Linear(width + 2 * edge_width, width), nn.Linear(width, width)
        self.ends = nn.Linear(width, 2 * edge_width, bias=False)
        self.edge = nn.Linear(edge_width, edge_width, bias=False)

    def forward(self, state: State, grid: Grid) -> State:
        """The next state."""
        h, p, messages, c = state
        c = c + self.context(torch.cat([c, kind_mean(h, grid)], dim=-1))
        inner = self.enter(torch.cat([self.norm(h), messages], dim=-1))
        h = h + self.leave(functional.silu(modulate(inner, c, self.film)))
        ends = modulate(self.ends(self.end_norm(h)), c, self.end_film)
        found = self._edges(ends, p, grid)
        like = h.new_empty(h.shape[1], self.edge.in_features)
        return h, [edges for edges, *_ in found], messages_of([sums for _, *sums in found], grid, like), c

    def _edges(self, ends: Tensor, p: Sequence[Tensor], grid: Grid) -> list[tuple[Tensor, Tensor, Tensor]]:
        """Of each table, edges, and the sums of their messages."""
        targets, sources = (part.split_with_sizes(grid.nodes) for part in ends.chunk(2, dim=-1))
        found = []
        for table, edges in zip(grid.edges, p, strict=True):
            u, v = table.target.spread(targets[table.target.kind]), table.source.spread(sources[table.source.kind])
            with own_steps(edges, u, v, self.edge.weight) as given:
                found.append(EdgeUpdate.apply(*given, table.shape))  # type: ignore[no-untyped-call]
        return found


def modulate(h: Tensor, c: Tensor, film: Film) -> Tensor:
    """``h (1 + scale(c)) + shift(c)``: h (places, batch, channels), c (batch, width)."""
    scale, shift = film.linear(c).chunk(2, dim=-1)
    return torch.addcmul(shift, h, 1 + scale)


def first_messages(p: Sequence[Tensor], grid: Grid, like: Tensor) -> Tensor:
    """The messages of edges before any layer; ``like`` (batch, edge_width) is what a node without edges has."""
    sums = [EdgePool.apply(e, t.shape) for e, t in zip(p, grid.edges, strict=True)]  # type: ignore[no-untyped-call]
    return messages_of(sums, grid, like)


def messages_of(sums: Sequence[Sequence[Tensor]], grid: Grid, like: Tensor) -> Tensor:
    """Sums of each table, (shared, targets or sources, batch, edge_width), as the means that nodes have."""
    along, against = ([like.new_zeros(nodes, *like.shape) for nodes in grid.nodes] for _ in range(2))
    for table, (to_u, to_v) in zip(grid.edges, sums, strict=True):
        into, out = table.target.kind, table.source.kind
        along[into] = along[into] + table.target.collect(to_u) / grid.degrees[into][0]
        against[out] = against[out] + table.source.collect(to_v) / grid.degrees[out][1]
    both = [torch.cat(pair, dim=-1) for pair in zip(along, against, strict=True)]
    return torch.cat(both) if both else like.new_zeros(0, like.shape[0], 2 * like.shape[1])


def kind_mean(h: Tensor, grid: Grid) -> Tensor:
    """The mean of nodes (nodes, batch, width) in which every kind counts alike, 0 without any: (batch, width)."""
    means = [part.mean(0) for part in h.split_with_sizes(grid.nodes)]
    return torch.stack(means).mean(0) if means else h.sum(0)
