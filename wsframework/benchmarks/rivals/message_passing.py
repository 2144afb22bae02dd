"""The layer of the denoiser `graph` as torch_geometric would have it: gathered along edges, scattered to nodes."""

from __future__ import annotations

from typing import Any

import torch
from einops import einsum
from torch import Tensor
from torch.nn import functional
from torch_geometric.nn import MessagePassing  # type: ignore[import-untyped]

from wsframework.spaces import NeuralGraph


class SparseLayer(MessagePassing):  # type: ignore[misc]
    """The update of a `graph` layer, with the matrices of that layer. All networks of a batch share one graph.

    Arguments:
        layer: of a denoiser `graph`.
    """

    def __init__(self, layer: Any) -> None:
        super().__init__(aggr=None, node_dim=-2)
        self.layer = layer

    def forward(self, h: Tensor, p: Tensor, c: Tensor, graph: NeuralGraph) -> tuple[Tensor, Tensor, Tensor]:
        """h (batch, nodes, width), p (batch, edges, edge_width), c (batch, width) to their like."""
        layer, z = self.layer, functional.relu(p)
        pooled = einsum(h, share(graph).to(h), "batch nodes width, nodes -> batch width")
        c = c + layer.context(torch.cat([c, pooled], dim=-1))
        index, size = graph.edges.index, (graph.nodes, graph.nodes)
        along, against = self.propagate(index, z=z, size=size), self.propagate(index.flip(0), z=z, size=size)
        inner = layer.film(layer.enter(torch.cat([layer.norm(h), along, against], dim=-1)), c)
        h = h + layer.leave(functional.silu(inner))
        target, source = layer.end_film(layer.ends(layer.end_norm(h)), c).chunk(2, dim=-1)
        return h, self.edge_updater(index, h=(source, target), p=p, z=z), c

    def edge_update(self, h_j: Tensor, h_i: Tensor, p: Tensor, z: Tensor) -> Tensor:
        """The next p of every edge: (batch, edges, edge_width)."""
        updated: Tensor = p + self.layer.edge(z) + h_j + h_i
        return updated

    def message(self, z: Tensor) -> Tensor:
        """What an edge sends: (batch, edges, edge_width)."""
        return z

    def aggregate(self, inputs: Tensor, index: Tensor, dim_size: int) -> Tensor:
        """The mean of each node's messages, 0 where it has none: (batch, nodes, edge_width)."""
        total = inputs.new_zeros(inputs.shape[0], dim_size, inputs.shape[2]).index_add(1, index, inputs)
        return total / torch.bincount(index, minlength=dim_size).clamp(min=1).to(inputs).unsqueeze(-1)


def share(graph: NeuralGraph) -> Tensor:
    """The weight of each node in a mean in which every kind counts alike, (nodes,)."""
    sizes = torch.bincount(graph.node_kind)
    return 1 / (sizes * len(sizes)).double()[graph.node_kind]
