"""Neural graphs as torch_geometric has them, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from wsframework.errors import SpaceError
from wsframework.spaces.graph import neural_graph
from wsframework.spaces.space import WeightSpace
from wsframework.spaces.weights import Weights

if TYPE_CHECKING:
    from torch_geometric.data import Data  # type: ignore[import-untyped]


def to_data(weights: Weights) -> list[Data]:
    """The neural graph of each member of ``weights``.

    Returns:
        A ``Data`` each, of which all but the first three are the same for a space:
        ``x`` (nodes, columns), ``edge_attr`` (edges, 1) and ``scalars`` (1, scalars), values, 0 where there is
        none; ``edge_index`` (2, edges), sources and targets; ``x_mask`` (nodes, columns), where there is a
        value; ``node_type`` (nodes,) and ``node_place`` (nodes, dims); ``edge_type`` (edges,), ``edge_place``
        and ``edge_extent`` (edges, places). See `NeuralGraph` for what these say.
    """
    from torch_geometric.data import Data  # seconds to import

    graph = neural_graph(weights.space).to(weights.x.device)
    nodes, edges, scalars = graph.split(weights.x)
    mask = torch.zeros(nodes.shape[1:], dtype=torch.bool, device=weights.x.device)
    mask[graph.features.node, graph.features.column] = True
    structure = {
        "edge_index": graph.edges.index,
        "x_mask": mask,
        "node_type": graph.node_kind,
        "node_place": graph.node_place,
        "edge_type": graph.edges.kind,
        "edge_place": graph.edges.place,
        "edge_extent": graph.edges.extent,
    }
    return [
        Data(x=x, edge_attr=e.unsqueeze(-1), scalars=s.unsqueeze(0), num_nodes=graph.nodes, **structure)
        for x, e, s in zip(nodes, edges, scalars, strict=True)
    ]


def from_data(space: WeightSpace, graphs: Sequence[Data]) -> Weights:
    """The inverse of `to_data`: the weights on ``graphs``, each with the nodes and edges of ``space`` in order.

    Raises:
        SpaceError: without any graph, or where one has other numbers of nodes, features, edges or scalars.
    """
    if not graphs:
        raise SpaceError("a batch of weights has at least one graph; none was given")
    graph = neural_graph(space).to(graphs[0].edge_attr.device)
    return Weights(space, torch.stack([graph.join(g.x, g.edge_attr[:, 0], g.scalars[0]) for g in graphs]))
