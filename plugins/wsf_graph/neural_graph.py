"""The neural graph of a weight space: neurons are nodes, weights are edges, biases are features of nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from wsframework.errors import SpaceError
from wsframework.spaces import Parameter, WeightSpace


@dataclass(frozen=True, eq=False)
class NeuralGraph:
    """A node for each element of each dim that is an axis of a parameter, an edge for each weight.

    References: Kofinas et al. 2024, arXiv:2403.12143; Lim et al. 2023, arXiv:2312.04501.

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
    dims = tuple(dict.fromkeys(name for names in axes for name in names))
    sizes = [space.dim(name).size for name in dims]
    starts = {name: sum(sizes[:place]) for place, name in enumerate(dims)}
    columns = [_entries(space, number, names, starts) for number, names in enumerate(axes)]
    position, parameter, target, source = _joined(columns, rows=4).to(device)
    bias_position, bias_parameter, bias_node = _joined(columns, rows=3).to(device)
    return NeuralGraph(
        dims=dims,
        node_dim=torch.arange(len(dims)).repeat_interleave(torch.tensor(sizes)).to(device),
        node_share=torch.cat([torch.full((size,), 1 / (size * len(sizes))) for size in sizes]).to(device),
        edges=torch.stack([source, target]),
        edge_position=position,
        edge_parameter=parameter,
        bias_node=bias_node,
        bias_position=bias_position,
        bias_parameter=bias_parameter,
        occurrences=_occurrences(dims, axes).to(device),
    )


def _plain_axes(space: WeightSpace, parameter: Parameter) -> tuple[str, ...]:
    """The dim of each axis."""
    wanted = "the neural graph knows parameters with one or two axes, each a single dim that depends on no other"
    if len(parameter.axes) not in (1, 2):
        raise SpaceError(f"parameter {parameter.name!r} has {len(parameter.axes)} axes; {wanted}")
    if any(len(axis.terms) != 1 or len(axis.terms[0]) != 1 for axis in parameter.axes):
        raise SpaceError(f"parameter {parameter.name!r} has an axis that is a product or a sum of dims; {wanted}")
    names = tuple(occurrence.dim for occurrence in parameter.occurrences)
    for name in names:
        if (outer := space.dim(name).within) is not None:
            raise SpaceError(f"parameter {parameter.name!r} has dim {name!r}, which depends on {outer!r}; {wanted}")
    return names


def _entries(space: WeightSpace, number: int, names: Sequence[str], starts: dict[str, int]) -> Tensor:
    """One column for each entry of a parameter: flat coordinate, number of the parameter, node of each axis."""
    parameter = space.parameters[number]
    shape = space.shapes[parameter.name]
    nodes = [torch.arange(size) + starts[name] for name, size in zip(names, shape, strict=True)]
    ends = torch.cartesian_prod(*nodes).reshape(-1, len(nodes)).unbind(1)
    position = torch.arange(len(ends[0])) + space.offsets[parameter.name]
    return torch.stack([position, torch.full_like(position, number), *ends])


def _joined(columns: Sequence[Tensor], rows: int) -> Tensor:
    return torch.cat([torch.empty(rows, 0, dtype=torch.long), *(c for c in columns if len(c) == rows)], dim=1)


def _occurrences(dims: Sequence[str], axes: Sequence[Sequence[str]]) -> Tensor:
    table = torch.zeros(len(dims), len(axes), 2)
    for number, names in enumerate(axes):
        for axis, name in enumerate(names):
            table[dims.index(name), number, axis] = 1
    return (table / table.sum((1, 2), keepdim=True)).flatten(1)
