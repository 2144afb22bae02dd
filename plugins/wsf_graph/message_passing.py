"""One round of messages on the neural graph, along weights and against them, with weights updated too."""

from __future__ import annotations

import torch
from einops import einsum
from torch import Tensor, nn
from torch.nn import functional
from torch_geometric.nn import MessagePassing  # type: ignore[import-untyped]

from wsf_graph.neural_graph import NeuralGraph
from wsframework.parts.embedding import Film


class GraphLayer(MessagePassing):  # type: ignore[misc]
    """Residual update of nodes h, edges e and context c.

    ``z_ji = silu(film(W e_ji + U h_j + V h_i, c))``, the message of edge j -> i to both of its ends;
    before it ``c += D silu(E [c, mean_i h_i])``, after it ``e_ji += A z_ji`` and
    ``h_i += B silu(film(C [h_i, mean_j z_ji, mean_k z_ik], c))``. Both h and e are layer-normalised where
    they are read. All networks of a batch share one graph.

    Arguments:
        width: channels of nodes and context.
        edge_width: channels of edges and messages.
    """

    def __init__(self, width: int, edge_width: int) -> None:
        super().__init__(aggr=None, node_dim=-2)
        self.node_norm, self.edge_norm = nn.LayerNorm(width), nn.LayerNorm(edge_width)
        self.node_film, self.edge_film = Film(width, width), Film(width, edge_width)
        self.ends = nn.Linear(width, 2 * edge_width, bias=False)
        self.edge_in, self.edge_out = nn.Linear(edge_width, edge_width, bias=False), nn.Linear(edge_width, edge_width)
        self.node_in, self.node_out = nn.Linear(width + 2 * edge_width, width), nn.Linear(width, width)
        self.context = nn.Sequential(nn.Linear(2 * width, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, h: Tensor, e: Tensor, c: Tensor, graph: NeuralGraph) -> tuple[Tensor, Tensor, Tensor]:
        """h (batch, nodes, width), e (batch, edges, edge_width), c (batch, width) to their like."""
        normed = self.node_norm(h)
        pooled = einsum(h, graph.node_share.to(h), "batch nodes width, nodes -> batch width")
        c = c + self.context(torch.cat([c, pooled], dim=-1))
        source, target = self.ends(normed).chunk(2, dim=-1)
        z: Tensor = self.edge_updater(graph.edges, h=(source, target), e=e, c=c)
        size = (graph.nodes, graph.nodes)
        along = self.propagate(graph.edges, z=z, size=size)
        against = self.propagate(graph.edges.flip(0), z=z, size=size)
        inner = self.node_film(self.node_in(torch.cat([normed, along, against], dim=-1)), c)
        h = h + self.node_out(functional.silu(inner))
        return h, e + self.edge_out(z), c

    def edge_update(self, h_j: Tensor, h_i: Tensor, e: Tensor, c: Tensor) -> Tensor:
        """z of every edge: (batch, edges, edge_width)."""
        return functional.silu(self.edge_film(self.edge_in(self.edge_norm(e)) + h_j + h_i, c))

    def message(self, z: Tensor) -> Tensor:
        """What an edge sends: (batch, edges, edge_width)."""
        return z

    def aggregate(self, inputs: Tensor, index: Tensor, dim_size: int) -> Tensor:
        """The mean of each node's messages, 0 where it has none: (batch, nodes, edge_width)."""
        total = inputs.new_zeros(inputs.shape[0], dim_size, inputs.shape[2]).index_add(1, index, inputs)
        return total / torch.bincount(index, minlength=dim_size).clamp(min=1).to(inputs).unsqueeze(-1)
