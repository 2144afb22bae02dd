"""The neural graph that this denoiser reads: one whose nodes are the elements of plain dims."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from wsframework import spaces
from wsframework.errors import SpaceError
from wsframework.spaces import Parameter, WeightSpace


@dataclass(frozen=True, eq=False)
class NeuralGraph:
    """`wsframework.spaces.neural_graph` of a space without products, sums, dims within dims and kernels.

    Every edge has a weight and no place, and every node is an element of one dim.

    Attributes:
        dims: the names of the dims that have nodes.
        node_dim: for each node, the position of its dim in ``dims``.
        node_share: for each node, its weight in a mean in which every dim counts alike.
        edges: sources and targets, (2, edges): along a weight's second axis to its first (torch's convention).
        edge_position, edge_parameter: for each edge, its flat coordinate and the number of its parameter.
        bias_node, bias_position, bias_parameter: for each entry of a parameter with one axis, its node,
            its flat coordinate and the number of its parameter.
        occurrences: row d says which (parameter, axis) pairs are dim d, (dims, 2 * parameters), rows of sum 1.
    """

    dims: tuple[str, ...]
    node_dim: Tensor
    node_share: Tensor
    edges: Tensor
    edge_position: Tensor
    edge_parameter: Tensor
    bias_node: Tensor
    bias_position: Tensor
    bias_parameter: Tensor
    occurrences: Tensor

    @property
    def nodes(self) -> int:
        """The number of nodes."""
        return len(self.node_dim)


@lru_cache(maxsize=64)
def neural_graph(space: WeightSpace, device: torch.device) -> NeuralGraph:
    """The neural graph of ``space``, its tensors on ``device``.

    Raises:
        SpaceError: naming the first parameter that is neither a matrix nor a vector over plain dims.
    """
    axes = [_plain_axes(space, parameter) for parameter in space.parameters]
    graph = spaces.neural_graph(space).to(device)
    dims = tuple(map(str, graph.kinds))
    sizes = [kind.nodes for kind in graph.kinds]
    return NeuralGraph(
        dims=dims,
        node_dim=graph.node_kind,
        node_share=torch.cat([torch.full((size,), 1 / (size * len(sizes))) for size in sizes]).to(device),
        edges=graph.edges.index,
        edge_position=graph.edges.coordinate,
        edge_parameter=graph.edges.parameter,
        bias_node=graph.features.node,
        bias_position=graph.features.coordinate,
        bias_parameter=graph.features.parameter,
        occurrences=_occurrences(dims, axes).to(device),
    )


def _plain_axes(space: WeightSpace, parameter: Parameter) -> tuple[str, ...]:
    """The dim of each axis."""
    wanted = "the neural graph knows parameters with one or two axes, each a single dim that depends on no other"
    if len(parameter.axes) not in (1, 2):
        raise SpaceError(f"parameter {parameter.name!r} has {len(parameter.axes)} axes; {wanted}")
    if len(parameter.occurrences) != len(parameter.axes):
        raise SpaceError(f"parameter {parameter.name!r} has an axis that is a product or a sum of dims; {wanted}")
    names = tuple(occurrence.dim for occurrence in parameter.occurrences)
    for name in names:
        if (outer := space.dim(name).within) is not None:
            raise SpaceError(f"parameter {parameter.name!r} has dim {name!r}, which depends on {outer!r}; {wanted}")
    return names


def _occurrences(dims: Sequence[str], axes: Sequence[Sequence[str]]) -> Tensor:
    table = torch.zeros(len(dims), len(axes), 2)
    for number, names in enumerate(axes):
        for axis, name in enumerate(names):
            table[dims.index(name), number, axis] = 1
    return (table / table.sum((1, 2), keepdim=True)).flatten(1)
