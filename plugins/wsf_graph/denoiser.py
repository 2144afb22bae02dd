"""`graph`: a denoiser that passes messages between the neurons of the network that it denoises."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn

from wsf_graph.grid import Grid, grid
from wsf_graph.layer import GraphLayer, State, first_messages, modulate
from wsf_graph.nodes import NodeEmbedding
from wsframework.parts.coordinates import Coordinates
from wsframework.parts.embedding import Film, TimeEmbedding
from wsframework.parts.interfaces import Denoiser
from wsframework.parts.values import Least
from wsframework.spaces import WeightSpace


class GraphDenoiser(Denoiser):
    """Message passing on the neural graph of any space, equivariant to permutations of neurons.

    Weights are edges, biases are features of nodes, scalars are of the whole. Positions on fixed dims, such as
    inputs and taps of kernels, are told apart by embeddings of their weights, free nodes by nothing but roles and
    depth. So one denoiser serves every width and depth whose roles and fixed positions it was built with.

    Options:
        width: channels of nodes and of the joint embedding of time and task.
        edge_width: channels of edges, of which there are many more.
        layers: rounds of messages.
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
        super().__init__()
        found = grid(space)
        self.tau = TimeEmbedding(width)
        self.task = nn.Linear(condition_size, width) if condition_size else None
        self.coordinates = Coordinates(space, edge_width, lambda space: grid(space).order)
        self.nodes = NodeEmbedding(found, width, edge_width)
        self.layers = nn.ModuleList(GraphLayer(width, edge_width) for _ in range(layers))
        self.norm, self.film = nn.LayerNorm(edge_width), Film(width, edge_width)
        self.features = nn.Linear(width + 2 * edge_width, edge_width) if found.features else None
        sizes = [(edge_width, width), (width, edge_width)] if found.scalars else []
        self.scalars = nn.ModuleList(nn.Linear(*size) for size in sizes)

    def forward(self, x_t: Tensor, t: Tensor, condition: Tensor, space: WeightSpace) -> Tensor:
        """x_t (batch, size), t (batch,), condition (batch, condition_size) to (batch, size).

        Raises:
            SpaceError: where ``space`` has roles, positions on fixed dims, or ends of edges, that the space of
                construction had not.
        """
        state, found = self.start(x_t, t, condition, space)
        for layer in self.layers:
            state = layer(state, found)
        weights = sum(table.weights for table in found.edges)
        channels = torch.cat([*state[1][:weights], *self._rest(state, found)])
        return self.coordinates.collect(modulate(self.norm(channels), state[-1], self.film), space)

    def start(self, x_t: Tensor, t: Tensor, condition: Tensor, space: WeightSpace) -> tuple[State, Grid]:
        """The state before any layer, and the grid of ``space``; arguments as of `forward`."""
        found = grid(space)
        parts = self.coordinates.spread(x_t, space).split_with_sizes(found.sizes)
        weights = sum(table.weights for table in found.edges)
        c = self.tau(t) if self.task is None else self.tau(t) + self.task(condition)
        if found.scalars:
            c = c + self.scalars[0](parts[-1].mean(0))
        h = self.nodes(parts[weights:-1], len(x_t), found)
        p = [*parts[:weights], *self.nodes.edges(len(x_t), found)]
        return (h, p, first_messages(p, found, x_t.new_empty(len(x_t), self.film.linear.out_features // 2)), c), found

    def _rest(self, state: State, found: Grid) -> list[Tensor]:
        """Channels of features and of scalars, (coordinates, batch, edge_width), a table each."""
        h, _, messages, c = state
        rest: list[Tensor] = []
        if self.features is not None:
            kinds = self.features(torch.cat([h, messages], dim=-1)).split_with_sizes(found.nodes)
            rest = [kinds[table.kind].repeat_interleave(table.labels, 0) for table in found.features]
        if found.scalars:
            rest.append(self.scalars[1](c).expand(found.scalars, -1, -1))
        return rest
