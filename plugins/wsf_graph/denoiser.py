"""`graph`: a denoiser that passes messages between the neurons of the network that it denoises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor, nn

from wsf_graph.coordinates import CoordinateChannels, RoleEmbedding
from wsf_graph.neural_graph import NeuralGraph, neural_graph
from wsframework.errors import SpaceError, nearest
from wsframework.parts.embedding import TimeEmbedding
from wsframework.parts.interfaces import Denoiser
from wsframework.parts.values import Least
from wsframework.spaces import WeightSpace


class GraphDenoiser(Denoiser):
    """Message passing on the neural graph, equivariant to permutations of neurons.

    Free nodes are told apart by nothing but the roles of their parameters and their depth; nodes of fixed
    dims (inputs, outputs) each have an embedding of their own. So one denoiser serves every width and depth
    whose parameters have roles, and whose fixed dims have names and sizes, that it was built with.

    Arguments:
        space: names the roles and the fixed dims.
        condition_size: length of the task embedding; 0 where there is none.
        width: channels of nodes and of the joint embedding of time and task.
        edge_width: channels of edges, of which there are many more.
        layers: rounds of messages.

    Raises:
        SpaceError: where a parameter is neither a matrix nor a vector over plain dims.
    """

    name = "graph"
    paper = "Kofinas et al. 2024, arXiv:2403.12143; Lim et al. 2023, arXiv:2312.04501"
    symmetry = "equivariant"

    def __init__(
        self,
        space: WeightSpace,
        condition_size: int,
        *,
        width: Annotated[int, Least(2)] = 64,
        edge_width: Annotated[int, Least(2)] = 32,
        layers: Annotated[int, Least(1)] = 4,
    ) -> None:
        from wsf_graph.message_passing import GraphLayer  # torch_geometric takes seconds to import

        super().__init__()
        dims = neural_graph(space, torch.device("cpu")).dims
        self.roles = {role: place for place, role in enumerate(dict.fromkeys(p.role for p in space.parameters))}
        self.fixed = {name: space.dim(name).size for name in dims if not space.dim(name).free}
        self.tau = TimeEmbedding(width)
        self.task = nn.Linear(condition_size, width) if condition_size else None
        self.identity = nn.Embedding(sum(self.fixed.values()), width)
        self.place = RoleEmbedding(2 * len(self.roles), width)
        self.biases = CoordinateChannels(len(self.roles), width)
        self.weights = CoordinateChannels(len(self.roles), edge_width)
        self.layers = nn.ModuleList(GraphLayer(width, edge_width) for _ in range(layers))

    def forward(self, x_t: Tensor, t: Tensor, condition: Tensor, space: WeightSpace) -> Tensor:
        """x_t (batch, size), t (batch,), condition (batch, condition_size) to (batch, size).

        Raises:
            SpaceError: where ``space`` has a role, or an element of a fixed dim, without an embedding.
        """
        graph, roles = neural_graph(space, x_t.device), self._roles(space).to(x_t.device)
        depth = torch.linspace(0, 1, len(roles)).to(x_t)
        biases = self.biases.spread(x_t[:, graph.bias_position], roles, depth, graph.bias_parameter)
        e = self.weights.spread(x_t[:, graph.edge_position], roles, depth, graph.edge_parameter)
        h = self._nodes(graph, roles, depth) + self._identities(space, graph.dims)
        h = h.expand(len(x_t), -1, -1).index_add(1, graph.bias_node, biases)
        c = self.tau(t) if self.task is None else self.tau(t) + self.task(condition)
        for layer in self.layers:
            h, e, c = layer(h, e, c, graph)
        x = torch.empty_like(x_t)
        x[:, graph.edge_position] = self.weights.collect(e, roles, graph.edge_parameter)
        x[:, graph.bias_position] = self.biases.collect(h[:, graph.bias_node], roles, graph.bias_parameter)
        return x

    def _nodes(self, graph: NeuralGraph, roles: Tensor, depth: Tensor) -> Tensor:
        """For each node, the mean embedding of the parameters at whose first or second axis it is: (nodes, width)."""
        places = torch.stack([2 * roles, 2 * roles + 1], dim=1).flatten()
        dims: Tensor = graph.occurrences.to(depth) @ self.place(places, depth.repeat_interleave(2))
        return dims[graph.node_dim]

    def _roles(self, space: WeightSpace) -> Tensor:
        for parameter in space.parameters:
            if parameter.role not in self.roles:
                raise SpaceError(
                    f"parameter {parameter.name!r} has role {parameter.role!r}, which this graph denoiser was "
                    f"not built with{nearest(parameter.role, self.roles)}"
                )
        return torch.tensor([self.roles[parameter.role] for parameter in space.parameters])

    def _identities(self, space: WeightSpace, dims: Sequence[str]) -> Tensor:
        """The embedding of each node of a fixed dim, 0 for the free ones: (nodes, width)."""
        learned = dict(zip(self.fixed, torch.split(self.identity.weight, list(self.fixed.values())), strict=True))
        rows = []
        for name in dims:
            dim = space.dim(name)
            if not dim.free and dim.size > self.fixed.get(name, 0):
                raise SpaceError(
                    f"fixed dim {name!r} has {dim.size} elements, of which this graph denoiser was built with "
                    f"{self.fixed.get(name, 0)}; each element of a fixed dim needs an embedding of its own"
                )
            zeros = self.identity.weight.new_zeros(dim.size, self.identity.embedding_dim)
            rows.append(zeros if dim.free else learned[name][: dim.size])
        return torch.cat(rows)
